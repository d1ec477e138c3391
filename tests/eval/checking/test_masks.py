"""Samples that name a mask: each way in which box, axes, area and points can disagree with it."""

import re

import cv2
import nibabel
import numpy as np
import pytest
from mistakes import sample, volume, write

from medvision_agent.api.checking import check
from medvision_agent.errors import DataError
from medvision_agent.eval.data.sources import open_source
from medvision_agent.eval.data.sources.export import export

MASK = {"file": "masks/m.png"}
ROWS, COLUMNS = np.indices((160, 200))
OVAL = ((COLUMNS + 0.5 - 90) / 40) ** 2 + ((ROWS + 0.5 - 80) / 15) ** 2 <= 1
"""40 x 24 mm: pixels of 0.5 x 0.8 mm."""


def told(folder, *lines, mask=OVAL, level=255):
    file = write(folder, list(lines))
    (folder / "masks").mkdir(exist_ok=True)
    cv2.imwrite(str(folder / "masks/m.png"), mask.astype(np.uint8) * level)
    return check(file)


def test_samples_that_agree_with_their_masks_pass(tmp_path):
    area = float(OVAL.sum()) * 0.4
    lines = [
        sample("box", "detection", target=[50 / 200, 65 / 160, 130 / 200, 95 / 160], truth_points=[], mask=MASK),
        sample(
            "short",
            "detection",
            target=[50 / 200, 65 / 160, 129 / 200, 94 / 160],
            truth_points=[],
            mask=MASK,
            convention="inclusive-index",
        ),
        sample("axes", "size", target=[40.0, 24.0], mask=MASK),
        sample("area", "area", target=[area], mask=MASK),
        sample(
            "line",
            "distance",
            target=[40.0],
            mask=MASK,
            truth_points=[{"name": "p", "x": 50, "y": 80}, {"name": "q", "x": 130, "y": 80}],
        ),
    ]
    found = told(tmp_path, *lines)
    assert (found.refusals, found.warnings) == (0, [])


@pytest.mark.parametrize(
    ("line", "field", "said", "refused"),
    [
        (sample("a", "detection", target=[50 / 200, 60 / 160, 140 / 200, 95 / 160], truth_points=[], mask=MASK),
         "target", "0.25, 0.375, 0.7, 0.5938, but the mask gives 0.25, 0.4062, 0.65, 0.5938; correct target", True),
        (sample("a", "detection", target=[50 / 200, 65 / 160, 80 / 200, 30 / 160], truth_points=[], mask=MASK),
         "target", "expected x1 < x2", True),
        (sample("a", "detection", target=[50 / 200, 65 / 160, 80 / 200, 95 / 160], truth_points=[], mask=MASK),
         "target", "correct target or mask, or leave mask out", True),
        (sample("a", "size", target=[80.0, 24.0], truth_points=[], mask=MASK), "target", "the mask gives 39.97", False),
        (sample("a", "size", target=[4.0, 2.4], truth_points=[], mask=MASK), "target", "10 times too short", False),
        (sample("a", "area", target=[2000.0], mask=MASK), "target", "but the mask gives 75.*leave mask out", True),
        (sample("a", "distance", mask=MASK), "truth_points", r"'p' .50, 20. lies .* px beside the structure", False),
        (sample("a", "size", mask=MASK | {"number": 2}), "mask", "m.png has no structure 2 on this image", True),
        (sample("a", "size", mask={"file": "masks/none.png"}), "mask", "cannot be read .No such file", True),
        (sample("a", "size", mask={"file": "../m.png"}), "mask.file", "is not allowed; expected a path below", True),
        (sample("a", "size", mask="m.png"), "mask", "Input should be an object", True),
    ],
)  # fmt: skip
def test_what_a_mask_contradicts_is_named_with_its_line(tmp_path, line, field, said, refused):
    found = told(tmp_path, line)
    (one,) = found.refused if refused else [warned.first for warned in found.warnings]
    assert one.place.endswith("samples.jsonl:1")
    assert one.field == field
    assert re.search(said, one.message), one.message
    assert bool(found.refusals) == refused


def test_the_box_of_the_largest_piece_is_right_and_a_mask_of_another_size_is_not(tmp_path):
    box = sample("a", "detection", target=[50 / 200, 65 / 160, 130 / 200, 95 / 160], truth_points=[], mask=MASK)
    pieces = OVAL.copy()
    pieces[10:14, 10:14] = True
    assert told(tmp_path, box, mask=pieces).refusals == 0
    (one,) = told(tmp_path, box, mask=OVAL[:-1]).refused
    assert "masks/m.png: the mask has 200 x 159 px, but the image has 200 x 160" in one.message


def test_masks_of_volumes_are_cut_as_their_images_are(tmp_path):
    line = volume("v") | {
        "task": "detection", "label": "x", "mask": {"file": "images/m.nii.gz", "number": 3}
    }  # fmt: skip
    del line["landmarks"]
    voxels = np.zeros((60, 50, 4), np.uint8)
    voxels[12:30, 5:20, 1] = 3  # rows run down, columns across
    good = {"target": [5 / 50, 30 / 60, 20 / 50, 48 / 60]}
    file = write(tmp_path, [line | good])
    nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4)), tmp_path / "images/m.nii.gz")
    assert check(file).refusals == 0
    write(tmp_path, [line | {"target": [12 / 50, 30 / 60, 30 / 50, 45 / 60]}])
    assert [one.rule for one in check(file).refused] == ["mask"]
    write(tmp_path, [line | good])
    nibabel.save(nibabel.Nifti1Image(voxels[:, :-1], np.eye(4)), tmp_path / "images/m.nii.gz")
    assert [one.message for one in check(file).refused] == [
        "images/m.nii.gz: its shape (60, 49, 4) is not that of the image; give the mask of this volume"
    ]


@pytest.mark.parametrize("out", ["out", "out.parquet"])
def test_an_export_names_no_mask(tmp_path, out):
    told(tmp_path, sample("a", "size", mask=MASK))
    source = open_source(str(tmp_path / "samples.jsonl"))
    assert source.samples[0].mask is not None
    export(source, source.samples, tmp_path / out)
    again = open_source(str(tmp_path / out if out.endswith("parquet") else tmp_path / out / "samples.jsonl"))
    assert again.samples[0].mask is None


def test_a_parquet_file_names_no_mask(tmp_path):
    from pyarrow import parquet

    told(tmp_path, sample("a", "size"))
    source = open_source(str(tmp_path / "samples.jsonl"))
    export(source, source.samples, tmp_path / "one.parquet")
    table = parquet.read_table(tmp_path / "one.parquet")
    assert "mask" not in table.column_names
    parquet.write_table(table.append_column("mask", [[MASK]]), tmp_path / "one.parquet")
    with pytest.raises(DataError, match=r"row 1: mask: cannot be given in a Parquet file"):
        _ = open_source(str(tmp_path / "one.parquet")).samples
