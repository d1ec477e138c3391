"""Export and back: everything but the pictures' names survives JSON Lines and Parquet."""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import cv2
import datasets
import nibabel
import numpy as np
import pytest
from commands import COMMAND
from pyarrow import parquet

from medvision_agent.errors import DataError, StorageError
from medvision_agent.eval.data.source import Source
from medvision_agent.eval.data.sources import open_source
from medvision_agent.eval.data.sources.export import export
from medvision_agent.eval.data.sources.framed import FRAME

DEMO = open_source("demo")
FEW = tuple({sample.task: sample for sample in DEMO.samples}.values())
"""One sample of each task."""


def reopened(out: Path) -> Source:
    return open_source(str(out if out.suffix == ".parquet" else out / "samples.jsonl"))


@pytest.mark.parametrize("steps", [("a", "b.parquet", "c"), ("a.parquet", "b", "c.parquet")], ids=" ".join)
def test_samples_and_pictures_survive(tmp_path, steps):
    source: Source = DEMO
    for step in steps:
        export(source, source.samples, tmp_path / step)
        source = reopened(tmp_path / step)
    for before, after in zip(DEMO.samples, source.samples, strict=True):
        assert after.model_copy(update={"image": before.image}) == before
        assert np.array_equal(source.load(after).values, DEMO.load(before).values)
        assert source.load(after).displayed
    assert not source.info.demonstration
    assert {path.name for path in tmp_path.iterdir()} == set(steps)


def test_questions_about_one_picture_share_it(tmp_path):
    export(DEMO, DEMO.samples, tmp_path / "a")
    assert len(list((tmp_path / "a" / "images").iterdir())) == len({sample.image for sample in DEMO.samples})


def test_native_values_survive(tmp_path):
    values = np.arange(12, dtype=np.uint16).reshape(3, 4) * 5000
    (tmp_path / "x.png").write_bytes(cv2.imencode(".png", values)[1].tobytes())
    sample = FEW[0].model_copy(update={"image": "x.png", "truth_points": ()})
    (tmp_path / "s.jsonl").write_text(sample.model_dump_json())
    source = open_source(str(tmp_path / "s.jsonl"))
    for name in ("out", "out.parquet"):
        export(source, source.samples, tmp_path / name)
        again = reopened(tmp_path / name)
        native = again.load(again.samples[0])
        assert np.array_equal(native.values, values)
        assert not native.displayed


@pytest.mark.parametrize("name", ["a", "a.parquet"])
def test_nothing_is_replaced_unasked(tmp_path, name):
    out = tmp_path / name
    export(DEMO, FEW[:1], out)
    with pytest.raises(StorageError, match=r"exists already.*--force"):
        export(DEMO, FEW, out)
    assert len(reopened(out).samples) == 1
    export(DEMO, FEW, out, force=True)
    assert len(reopened(out).samples) == len(FEW)


def test_force_replaces_only_an_export(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1").write_text("")
    (tmp_path / "folder.parquet").mkdir()
    (tmp_path / "file").write_text("")
    for name in ("thesis", "folder.parquet", "file"):
        with pytest.raises(StorageError, match="not an earlier export"):
            export(DEMO, FEW, tmp_path / name, force=True)
    assert (tmp_path / "thesis" / "chapter1").exists()
    for name in ("a.jsonl", "a.csv"):
        with pytest.raises(StorageError, match=r"a folder .without a dot. or of a \.parquet file"):
            export(DEMO, FEW, tmp_path / name)


@pytest.mark.parametrize("name", ["a", "a.parquet"])
def test_the_old_export_stays_until_the_new_one_is_there(tmp_path, monkeypatch, name):
    out = tmp_path / name
    export(DEMO, FEW[:1], out)
    replace = Path.replace

    def refusing(path: Path, target: Path) -> Path:
        if path.name == "made":
            raise OSError(28, "No space left on device")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", refusing)
    with pytest.raises(StorageError, match="No space left"):
        export(DEMO, FEW, out, force=True)
    assert len(reopened(out).samples) == 1
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_an_export_that_fails_leaves_nothing(tmp_path):
    (tmp_path / "s.jsonl").write_text(FEW[0].model_copy(update={"image": "gone.png"}).model_dump_json())
    source = open_source(str(tmp_path / "s.jsonl"))
    for name in ("out", "out.parquet"):
        with pytest.raises(DataError, match=r"s\.jsonl:1: image: .* cannot be read"):
            export(source, source.samples, tmp_path / name)
    with pytest.raises(DataError, match="there is nothing to export"):
        export(DEMO, (), tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["s.jsonl"]


def rows_of(path: Path) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as cache:
        return list(datasets.Dataset.from_parquet(str(path), cache_dir=cache))


def write(path: Path, rows: list[dict[str, Any]]) -> str:
    datasets.Dataset.from_list(rows).to_parquet(str(path))
    return str(path)


@pytest.fixture
def rows(tmp_path):
    export(DEMO, FEW, tmp_path / "few.parquet")
    return rows_of(tmp_path / "few.parquet")


def test_nulls_and_missing_columns_stand_for_defaults(tmp_path, rows):
    optional = ("truth_points", "marks", "annotator", "source", "description")
    nulls = [row | dict.fromkeys(optional) for row in rows]
    without = [{key: value for key, value in row.items() if key not in optional} for row in rows]
    for number, written in enumerate((nulls, without)):
        for sample in open_source(write(tmp_path / f"{number}.parquet", written)).samples:
            assert sample.truth_points == ()
            assert not sample.marks.silver
            assert sample.annotator == ""


def test_no_version_of_datasets_is_written_or_needed(tmp_path):
    export(DEMO, FEW, tmp_path / "few.parquet")
    table = parquet.read_table(tmp_path / "few.parquet")
    assert table.schema.metadata is None
    later = {"info": {"features": {name: {"_type": "TypeOfALaterVersion"} for name in table.column_names}}}
    marked = table.replace_schema_metadata({"huggingface": json.dumps(later)})
    parquet.write_table(marked, tmp_path / "marked.parquet")
    assert open_source(str(tmp_path / "marked.parquet")).samples == reopened(tmp_path / "few.parquet").samples


def test_broken_rows_are_named(tmp_path, rows):
    for change, said in (
        ({"target": None}, "target: Field required"),
        ({"target": [float("nan")]}, r"target\.0: Input should be a finite number"),
        ({"subject": ""}, "subject: String should have at least 1"),
        ({"id": rows[0]["id"]}, r"id: .* is the id of another sample too, at .*: row 1;"),
    ):
        path = write(tmp_path / "x.parquet", [rows[0], rows[1] | change])
        with pytest.raises(DataError, match=said) as caught:
            open_source(path)
        assert str(caught.value).startswith(f"{path}: row 2: ")


def test_broken_pictures_fail_their_own_row(tmp_path, rows):
    pictures = [rows[0]["image_bytes"], rows[1]["image_bytes"][:-30], None]
    written = [row | {"image_bytes": picture} for row, picture in zip(rows[:3], pictures, strict=True)]
    source = open_source(write(tmp_path / "x.parquet", written))
    assert np.array_equal(source.load(source.samples[0]).values, DEMO.load(FEW[0]).values)
    with pytest.raises(DataError, match=r"x\.parquet: row 2: image_bytes: .*incomplete"):
        source.load(source.samples[1])
    with pytest.raises(DataError, match=r"x\.parquet: row 3: image_bytes: expected the bytes"):
        source.load(source.samples[2])


def test_broken_files_are_named(tmp_path, rows):
    path = write(tmp_path / "x.parquet", [{key: value for key, value in rows[0].items() if key != "image_bytes"}])
    with pytest.raises(DataError, match=r"x\.parquet: there is no column 'image_bytes'"):
        open_source(path)
    Path(path).write_bytes(b"PAR1 but no Parquet")
    with pytest.raises(DataError, match=r"x\.parquet: is not a readable Parquet file \(.+\)"):
        open_source(path)


def test_a_broken_file_is_one_line(tmp_path):
    (tmp_path / "x.parquet").write_bytes(b"PAR1 but no Parquet")
    command = [COMMAND, "data", "list", "--data", tmp_path / "x.parquet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)


def test_reading_parquet_leaves_nothing_behind(tmp_path):
    export(DEMO, FEW, tmp_path / "few.parquet")
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    home.mkdir()
    temporary.mkdir()
    code = (
        "import sys; from medvision_agent.eval.data.sources import open_source\n"
        "source = open_source(sys.argv[1]); source.load(source.samples[0])"
    )
    settings = {key: os.environ[key] for key in ("PATH", "PYTHONPATH") if key in os.environ}
    settings |= {"HOME": str(home), "TMPDIR": str(temporary)}
    command = [sys.executable, "-W", "error", "-c", code, str(tmp_path / "few.parquet")]
    done = subprocess.run(command, env=settings, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(temporary.iterdir()) == []
    assert [path for path in home.rglob("*") if path.suffix in {".arrow", ".png"}] == []


def example(text, name):
    """Return an example of the page on data."""
    (found,) = re.findall(rf"<!-- {name} -->\n```json\n(.*?)```", text, flags=re.DOTALL)
    return json.loads(found)


def test_the_examples_of_the_docs_are_read(tmp_path):
    text = (Path(__file__).parents[3] / "docs" / "data.md").read_text(encoding="utf-8")
    line = example(text, "example")
    (tmp_path / "images").mkdir()
    picture = cv2.imencode(".png", np.zeros((200, 200), np.uint8))[1].tobytes()
    (tmp_path / line["image"]).write_bytes(picture)
    (tmp_path / "s.jsonl").write_text(json.dumps(line))
    source = open_source(str(tmp_path / "s.jsonl"))
    (sample,) = source.samples
    assert source.load(sample).values.shape == (200, 200)
    # Every field of a sample is explained, with the frame that a file may name, and no other.
    table = text.split("| field |")[1].split("\n\n")[0]
    explained = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert explained == {*type(sample).model_fields, FRAME}
    (tmp_path / "scans").mkdir()
    line = example(text, "volume example")
    nibabel.save(nibabel.Nifti1Image(np.zeros((5, 6, 41), np.int16), np.diag([2, 3, 4, 1])), tmp_path / line["image"])
    (tmp_path / "s.jsonl").write_text(json.dumps(line))
    source = open_source(str(tmp_path / "s.jsonl"))
    assert source.load(source.samples[0]).values.shape == (5, 6)
