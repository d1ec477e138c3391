"""Nothing that is shared names a folder of the machine: the rules, and a report with its bundle."""

import json
import subprocess
from pathlib import Path
from shutil import copytree

import pytest
from commands import COMMAND

from medvision_agent.eval.data.folders import Folders
from medvision_agent.eval.data.shared import shared_name, shared_names, shared_note

MINI = Path(__file__).parents[2] / "data/medvision-mini/Data"
STUDY = """name: two
models: [baseline-prior]
data: ["medvision:{data}", "phantom:2:2"]
arms:
  off: {{}}
  again: {{wording: 2}}
contrasts: [{{a: off, b: again, varies: [wording]}}]
limit: 2
"""


def run(*words):
    done = subprocess.run([COMMAND, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("demo", "demo"),
        ("phantom:4:1", "phantom:4:1"),
        ("medvision:/home/jane/Data", "medvision"),
        ("medvision:Data", "medvision"),
        ("/home/jane/cases.jsonl", "cases.jsonl"),
        ("cases.parquet", "cases.parquet"),
        ("lab:train", "lab:train"),
        ("lab:/home/jane/set/", "lab:set"),
        ("C:\\Users\\jane\\cases.jsonl", "cases.jsonl"),
    ],
)
def test_a_source_is_named_without_its_folder(source, name):
    assert shared_name(source) == name


def test_sources_of_one_name_are_told_apart():
    assert shared_names(["medvision:/a", "demo", "medvision:/b"]) == {
        "medvision:/a": "medvision",
        "demo": "demo",
        "medvision:/b": "medvision (2)",
    }


def test_a_note_loses_the_folder_and_nothing_else():
    note = "MedVision's annotations of /home/jane/Data, newest; see: data check /home/jane/Data"
    assert shared_note(note, "medvision:/home/jane/Data") == "MedVision's annotations, newest; see: data check Data"
    assert shared_note("made of demo", "demo") == "made of demo"


def test_folders_are_called_by_their_last_part_and_other_words_stay():
    folders = Folders([Path("/home/jane/runs/two")], ["medvision:/home/jane/Data", "/srv/x & y/cases.jsonl"])
    for text, left in [
        ("/home/jane/runs/two/cells is damaged", "two/cells is damaged"),
        ('"medvision:/home/jane/Data"', '"medvision:Data"'),
        ("/srv/x &amp; y/a.png: no such file", "x & y/a.png: no such file"),
        ("cells/medvision--home-jane-Data-367873--m--on--1", "cells/medvision-367873--m--on--1"),
        ("/home/jane/Data2 and x/home/jane/Data", "/home/jane/Data2 and x/home/jane/Data"),
    ]:
        assert folders.left_out_of(text) == left


def test_a_report_and_its_bundle_name_no_folder(tmp_path):
    home = tmp_path / "jane doe"
    copytree(MINI, home / "Data")
    (home / "two.yaml").write_text(STUDY.format(data=home / "Data"), encoding="utf-8")
    run("ablate", home / "two.yaml", "--out", home / "two")
    for page, more in (("out/report.html", ("--viewer", tmp_path / "out/viewer")), ("out/report.md", ())):
        run("report", home / "two", "--out", tmp_path / page, *more)
    files = [path for path in (tmp_path / "out").rglob("*") if path.suffix in {".html", ".md", ".js", ".json"}]
    assert len(files) > 10
    told = {path.name for path in files if "jane" in path.read_text(encoding="utf-8")}
    assert told == set()
    index = (tmp_path / "out/viewer/data/index.js").read_text(encoding="utf-8")
    found = json.loads(index.partition(", ")[2].removesuffix(");\n"))
    (study,) = found["studies"]
    assert {one["source"] for one in (*found["runs"], *study["effects"])} == {"medvision", "phantom:2:2"}
    assert [one["colour"] for one in study["arms"]] == ["#e58a1f", "#6fb1f7"]
    assert all(line.startswith(("medvision: ", "phantom:2:2: ")) for line in study["headline"])
    assert "over medvision" in (tmp_path / "out/report.md").read_text(encoding="utf-8")
