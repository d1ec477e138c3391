"""The key `frame`: points and box of a sample in one frame, and files without it as before."""

import json
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from mistakes import sample, write

from medvision_agent.errors import DataError
from medvision_agent.eval.data.sources import open_source
from medvision_agent.eval.data.sources.export import export

BOX = sample("box", "detection")
PIXELS = BOX | {"frame": "pixels", "target": [60.0, 40.0, 160.0, 120.0]}
UP = [{"name": "lower left", "x": 0.3, "y": 0.25}, {"name": "upper right", "x": 0.8, "y": 0.75}]
MEDVISION = BOX | {"frame": "medvision", "truth_points": UP}


def parquet(folder: Path, lines: list[dict]) -> Path:
    rows = [line | {"image_bytes": (folder / line["image"]).read_bytes()} for line in lines]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), folder / "s.parquet")
    return folder / "s.parquet"


@pytest.mark.parametrize("line", [PIXELS, MEDVISION], ids=["pixels", "medvision"])
@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_both_frames_are_the_sample_without_the_key(tmp_path, line, form):
    file = write(tmp_path, [BOX])
    (plain,) = open_source(str(file)).samples
    file = write(tmp_path, [line]) if form == "jsonl" else parquet(tmp_path, [line])
    assert list(open_source(str(file)).samples) == [plain]


def test_other_tasks_need_no_picture(tmp_path):
    lines = [sample(task, task, frame="pixels") for task in ("size", "distance", "angle")]
    file = write(tmp_path, lines)
    for picture in (tmp_path / "images").iterdir():
        picture.unlink()
    assert [one.truth_points[0].x for one in open_source(str(file)).samples] == [50, 50, 20]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (BOX | {"frame": "pixel"}, "frame: is 'pixel'; expected 'pixels' or 'medvision'.* Did you mean 'pixels'"),
        (BOX | {"frame": 3}, "frame: is '3'; expected"),
        (PIXELS | {"target": [60.0, 120.0, 160.0, 40.0]}, "target: .* not a box in pixels; .* 200 x 160 px"),
        (PIXELS | {"target": [60.0, 40.0, 260.0, 120.0]}, "target: .* not a box in pixels"),
        (MEDVISION | {"truth_points": BOX["truth_points"]}, "truth_points: 'lower left' .60, 120. lies outside"),
        (PIXELS | {"image": "images/none.png"}, "image: .* cannot be read"),
        (PIXELS | {"image": "/etc/passwd"}, "image: .* below the folder of the file of samples"),
        (PIXELS | {"target": [1, 2]}, "target: has 2 numbers"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, line, said):
    file = write(tmp_path, [BOX])
    file.write_text(json.dumps(BOX) + "\n" + json.dumps(line | {"id": "second"}))
    with pytest.raises(DataError, match=said) as caught:
        open_source(str(file))
    assert str(caught.value).startswith(f"{file}:2: ")


@pytest.mark.parametrize("out", ["copy", "copy.parquet"])
def test_an_export_speaks_in_pixels_and_reads_back_the_same(tmp_path, out):
    demo = open_source("demo")
    export(demo, demo.samples, tmp_path / out)
    again = open_source(str(tmp_path / out if out.endswith("parquet") else tmp_path / out / "samples.jsonl"))
    assert [one.target for one in again.samples] == [one.target for one in demo.samples]
    if out == "copy":
        lines = [json.loads(line) for line in (tmp_path / "copy/samples.jsonl").read_text().splitlines()]
        assert {line["frame"] for line in lines} == {"pixels"}
        boxes = [line["target"] for line in lines if line["task"] == "detection"]
        assert np.array(boxes).max() > 1


def test_null_stands_for_what_is_not_given_and_a_key_stands_once(tmp_path):
    file = write(tmp_path, [BOX | {"measurement": None, "volume": None}])
    assert open_source(str(file)).samples[0].measurement == ""
    text = json.dumps(BOX)
    file.write_text(text[:-1] + ', "pixel_size": {"height_mm": 7.0, "width_mm": 7.0}}\n')
    with pytest.raises(DataError, match=r"samples\.jsonl:1: pixel_size: the key is given twice"):
        open_source(str(file))


@pytest.mark.parametrize("name", ["site?.parquet", "samples[1].parquet", "a*.parquet"])
def test_a_name_of_a_file_is_no_pattern(tmp_path, name):
    write(tmp_path, [BOX, sample("other", "detection")])
    parquet(tmp_path, [BOX]).rename(tmp_path / "site1.parquet")
    parquet(tmp_path, [sample("other", "detection")]).rename(tmp_path / name)
    assert [one.id for one in open_source(str(tmp_path / name)).samples] == ["other"]


def test_an_empty_table_has_no_samples(tmp_path):
    write(tmp_path, [BOX])
    file = parquet(tmp_path, [BOX])
    pyarrow.parquet.write_table(pyarrow.parquet.read_table(file).slice(0, 0), file)
    with pytest.raises(DataError, match="contains no samples"):
        open_source(str(file))
