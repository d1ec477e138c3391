"""``data import`` as a user types it: every command of docs/import.md, the run that follows, and mistakes."""

import json
import re
import shlex
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
from commands import COMMAND
from scans import nifti, series

PAGE = (Path(__file__).parents[2] / "docs/import.md").read_text(encoding="utf-8")
LINES = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
AFFINE = np.diag([-0.8, -0.8, 3.0, 1.0])


def lines_of(folder):
    return [json.loads(line) for line in (folder / "samples.jsonl").read_text().splitlines()]


def typed(line, folder):
    words = shlex.split(line)
    assert words[0] == "medvision-agent"
    done = subprocess.run([COMMAND, *words[1:]], cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with the files that docs/import.md names."""
    folder = tmp_path_factory.mktemp("mine")
    rng = np.random.default_rng(6)
    y, x = np.mgrid[:64, :80]
    for number in (1, 2):
        inside = ((x - 35) / 16) ** 2 + ((y - 30) / (7 + number)) ** 2 <= 1
        grey = rng.normal(40, 5, inside.shape) + 120 * inside
        volume = np.stack([grey.T] * 3, axis=-1).astype(np.int16)
        nifti(folder / f"scans/case-{number}.nii.gz", volume, AFFINE)
        nifti(folder / f"masks/case-{number}_mask.nii.gz", np.stack([inside.T] * 3, -1).astype(np.uint8), AFFINE)
    (folder / "people.csv").write_text("image,subject\ncase-1.nii.gz,Doe\ncase-2.nii.gz,Doe\n")
    place = series(folder / "dicom/Doe", np.stack([grey] * 3).astype(np.uint16), RescaleSlope=1, RescaleIntercept=-1024)
    ends = [(place @ (*voxel, 1, 1))[:3].tolist() for voxel in ((19, 30), (51, 30))]
    points = [{"label": f"lesion width-{at}", "position": end} for at, end in enumerate(ends, start=1)]
    line = {"type": "Line", "coordinateSystem": "LPS", "controlPoints": points}
    (folder / "dicom-lines").mkdir()
    (folder / "dicom-lines/Doe.mrk.json").write_text(json.dumps({"markups": [line]}))
    rows = "".join(
        f"{at},{x},{y},3,0,0,0,1,1,1,0,{name},,\n" for at, name, x, y in ((1, "AC", -9, -9), (2, "PC", -29, -9))
    )
    columns = "id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID"
    (folder / "case-1.fcsv").write_text(f"# CoordinateSystem = RAS\n# columns = {columns}\n{rows}")
    (folder / "pictures").mkdir()
    cv2.imwrite(str(folder / "pictures/a.png"), grey.clip(0, 255).astype(np.uint8))
    (folder / "measures.csv").write_text(
        "image,height_mm,width_mm,plane,task,landmarks,measurement,x1,y1,x2,y2\n"
        "a.png,0.3,0.3,transverse,distance,left edge;right edge,width,19,30,51,30\n"
    )
    boxes = {
        "images": [{"id": 1, "file_name": "a.png", "height": 64, "width": 80}],
        "categories": [{"id": 3, "name": "lesion"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 3, "bbox": [19, 21, 33, 19]}],
    }
    (folder / "boxes.json").write_text(json.dumps(boxes))
    return folder


def test_the_commands_of_the_page_work_in_their_order(folder):
    for line in LINES:
        code, out, err = typed(line, folder)
        assert code == 0, f"{line}\n{out}\n{err}"
        assert err == "" or " run " in line
    outs = {
        name: re.findall(rf"--out ({name})\b", PAGE) for name in ("tumours", "lines", "points", "measured", "boxes")
    }
    assert all(outs.values())
    samples = {name: lines_of(folder / name) for name in outs}
    assert samples["tumours"][1]["target"] == pytest.approx((32 * 0.8, 16 * 0.8), abs=0.6)
    assert samples["lines"][0]["target"] == [64.0]
    assert samples["lines"][0]["subject"] == "my-hospital/subject-1"
    assert samples["points"][0]["target"] == [20.0]
    assert samples["measured"][0]["target"] == [9.6]
    assert samples["boxes"][0]["target"] == pytest.approx((19 / 80, 1 - 40 / 64, 52 / 80, 1 - 21 / 64), abs=1e-6)
    people = {one["subject"] for one in lines_of(folder / "by-person")}
    assert people == {"imported/subject-1"}
    assert "scans/case-1.nii.gz" in (folder / "key.csv").read_text()
    assert (folder / "key.csv").stat().st_mode & 0o77 == 0
    run = typed("medvision-agent runs runs", folder)[1]
    assert "tumours" in run


def test_what_is_written_tells_what_came_from_what(folder):
    code, out, err = typed("medvision-agent data import scans --masks masks --out told", folder)
    assert (code, err) == (0, "")
    assert "4 samples of 2 subjects in told: 2 detection, 2 size." in out
    summary, questions = ((folder / "told" / name).read_text() for name in ("summary.md", "questions.md"))
    assert "| pixel_size | NIfTI sform and qform, which agree, mm | 2 |" in summary
    assert "| target of size | axes in mm of the ellipse fitted to the edge of the mask | 2 |" in summary
    for asked in ("--labels 1=NAME", "--subjects FILE", "--annotator", "--licence", "--modality", "--dataset"):
        assert asked in questions
    sheet = cv2.imread(str(folder / "told/sheet-1.png")).astype(int)
    assert ((sheet[:, :, 1] - sheet[:, :, 2]) > 60).sum() > 200  # ground truth, drawn in green
    names = {path.name for path in (folder / "told").iterdir()}
    assert names == {"samples.jsonl", "images", "sheet-1.png", "summary.md", "questions.md"}


def test_an_image_that_is_left_out_is_named_and_the_exit_code_says_so(folder, tmp_path):
    for part in ("scans", "masks"):
        (tmp_path / part).mkdir()
        for path in (folder / part).iterdir():
            (tmp_path / part / path.name).write_bytes(path.read_bytes())
    (tmp_path / "scans/case-2.nii.gz").write_bytes(b"no volume")
    code, out, _ = typed("medvision-agent data import scans --masks masks --labels 1=x --out some", tmp_path)
    assert code == 1
    assert "left out: scans/case-2.nii.gz: the gzip file is damaged" in " ".join(out.split())
    assert "case-2" not in (tmp_path / "some/summary.md").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("scans", "images alone have no ground truth: give --masks, --markups, --table or --coco"),
        ("scans --masks masks --labels liver", "--labels 'liver': expected NUMBER=NAME"),
        ("scans --masks masks --labels 1=liver,2=liver", "--labels '2=liver': this number or this name is given twice"),
        ("scans --masks masks --labels \u00b2=liver", "expected NUMBER=NAME with a number from 1"),
        ("scans --masks masks --slices some", "--slices some: expected largest, all or the index"),
        ("scans --masks masks --task angle", "--task angle: tasks made from masks are detection, size, area"),
        (
            "scans --masks masks --plane frontal",
            "--plane frontal: for volumes, expected one of axial, coronal, sagittal",
        ),
        ("scans --masks masks --spacing 0,1", "--spacing 0,1: expected HEIGHT,WIDTH"),
        ("scans --masks masks --redact 5,5,2,9", "--redact 5,5,2,9: expected X0,Y0,X1,Y1"),
        ("scans --masks masks --distance AB", "'AB': expected NAME=POINT,POINT"),
        ("scans --masks masks --spacing 1,1", "leave --spacing out, or import these images separately"),
        ("scans --masks masks --key new/key.csv", "--key new/key.csv: lies in the folder new, which may be shared"),
        ("scans --masks masks --key people.csv", "--key people.csv: this file exists already; choose another name for"),
        (
            "scans --masks masks/case-1_mask.nii.gz",
            "--masks masks/case-1_mask.nii.gz is one file, but there are several images",
        ),
        ("masks --table people.csv", "line 2: no image has the name in the column image"),
        ("dicom-lines --masks masks", "no image was found; expected NIfTI"),
    ],
)
def test_mistakes_are_said_with_what_to_do(folder, words, said):
    code, _, err = typed(f"medvision-agent data import {words} --out new", folder)
    assert code == 2
    assert said in " ".join(err.split())
    assert "Traceback" not in err
    assert not (folder / "new").exists()
