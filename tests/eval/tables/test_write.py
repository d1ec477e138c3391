"""Exported tables hold what the DataFrames hold, in every format; nothing in them is a formula."""

import json

import pandas as pd
import pytest

from medvision_agent.errors import StorageError
from medvision_agent.eval.tables.write import FORMATS, export_tables

TABLE = pd.DataFrame(
    {
        "text": pd.Series(["=1+1", None, 'a "b",\nc', "-2.5", "@x"], dtype="string"),
        "integer": pd.Series([1, None, 3, 4, 5], dtype="Int64"),
        "number": pd.Series([0.1, float("nan"), float("inf"), float("-inf"), 1e-300], dtype="float64"),
        "flag": pd.Series([True, None, False, True, True], dtype="boolean"),
    }
)


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_written_is_read_back(tmp_path, form):
    files = export_tables({"samples": [TABLE]}, tmp_path / "out", form)
    assert files == {tmp_path / "out" / f"samples.{form}": 5}
    file = next(iter(files))
    read = {"parquet": pd.read_parquet, "csv": pd.read_csv, "jsonl": lambda f: pd.read_json(f, lines=True)}[form](file)
    expected = TABLE.copy()
    if form == "csv":
        expected["text"] = expected.text.replace({"=1+1": "'=1+1", "@x": "'@x"})
    read["number"] = read.number.astype(float)
    pd.testing.assert_frame_equal(read.astype(TABLE.dtypes), expected)


def test_json_lines_are_strict(tmp_path):
    export_tables({"samples": [TABLE]}, tmp_path / "out", "jsonl")
    lines = (tmp_path / "out/samples.jsonl").read_text().splitlines()
    rows = [json.loads(line, parse_constant=pytest.fail) for line in lines]
    assert rows[1] == {"text": None, "integer": None, "number": None, "flag": None}
    assert rows[2] == {"text": 'a "b",\nc', "integer": 3, "number": "Infinity", "flag": False}


def test_an_existing_folder_is_never_touched(tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(StorageError, match="exists already"):
        export_tables({"samples": [TABLE]}, tmp_path / "out", "csv")
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]


def test_a_failure_leaves_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="this file or folder cannot be written"):
        export_tables({"samples": [TABLE]}, tmp_path / "file" / "out", "csv")
