"""The tools commands, run as a user runs them."""

import json
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import segmenters
from commands import COMMAND
from phantoms import EllipsePhantom

from medvision_agent.cli.main import main
from medvision_agent.eval.data.sample import PixelSize, Sample
from medvision_agent.tools.registry import SETS, TOOLS, installed
from medvision_agent.tools.view.geometry import Spacing
from medvision_agent.tools.view.png import encode_png

IN_NO_SET = ("execute_python", "neighbours")
PHANTOM = EllipsePhantom(Spacing(2.0, 0.5), 30, 34, 16, 8, 0.0)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a picture and a file of one sample, and the shell standing in it."""
    (tmp_path / "a.png").write_bytes(encode_png(PHANTOM.slice(200, 50).grey))
    sample = Sample(
        id="case-7",
        task="size",
        image="a.png",
        pixel_size=PixelSize(height_mm=2.0, width_mm=0.5),
        modality="CT",
        plane="axial",
        label="lesion",
        target=(32.0, 16.0),
        convention="edge",
        dataset="d",
        subject="d/1",
    )
    (tmp_path / "own.jsonl").write_text(sample.model_dump_json() + "\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def tools(capsys, monkeypatch):
    """Run ``medvision-agent tools ...``; returns the exit code, standard output and standard error."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["medvision-agent", "tools", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
        captured = capsys.readouterr()
        return stopped.value.code or 0, captured.out, captured.err

    return run


def test_list_names_every_tool_in_order(tools):
    code, out, _ = tools("list")
    assert code == 0
    listed, sets = (part.splitlines() for part in out.split("\n\n"))
    assert [line.split()[0] for line in listed] == [*TOOLS, *IN_NO_SET]
    assert [line.split()[0] for line in sets] == [f"on@{month}" for month in SETS]
    tokens = [int(re.search(r"about (\d+) tokens", line)[1]) for line in sets]
    page = (Path(__file__).parents[2] / "docs" / "tools.md").read_text(encoding="utf-8")
    for month, said in zip(SETS, tokens, strict=True):
        assert f"| `on@{month}` | {', '.join(f'`{name}`' for name in SETS[month])} | {said} |" in page
        declared = [tool.schema() for tool in installed().choose(f"on@{month}").tools]
        assert said == round(len(json.dumps(declared)) / 4)


def test_list_says_the_set_of_each_tool_and_whose_it_is(tools, folder):
    assert tools("new", "mine")[0] == 0
    _, out, _ = tools("list", "--tools-from", "mine.py")
    lines = out.partition("\n\n")[0].splitlines()
    places = {name: place for name, place, _, _ in (re.split(r"\s{2,}", line, maxsplit=3) for line in lines)}
    sets = {name: ", ".join(f"on@{month}" for month in SETS if name in SETS[month]) for name in TOOLS}
    assert sets["mark"] == "on@2026-12"
    assert places == sets | dict.fromkeys(IN_NO_SET, "the shipped tools") | {"mine": "on"}


def test_a_new_tool_works_is_tested_and_passes_the_check(tools, folder):
    code, out, err = tools("new", "lesion_area")
    assert (code, err) == (0, "")
    assert out.startswith("wrote lesion_area.py\n")
    code, out, _ = tools("check", "lesion_area", "--tools-from", "lesion_area.py", "--calls", "200", "--json")
    findings = json.loads(out)
    assert (code, {finding["verdict"] for finding in findings}) == (0, {"yes"}), findings
    assert len(findings) == 10
    pytest_run = [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:asyncio", "lesion_area.py"]
    done = subprocess.run(pytest_run, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
    square = '{"x0": 0, "y0": 0, "x1": 0.5, "y1": 1}'
    code, out, _ = tools(
        "try", "lesion_area", "--tools-from", "lesion_area.py", "--image", "a.png", "--spacing", "2,0.5"
    )
    assert code == 2
    words = ("--image", "a.png", "--spacing", "2,0.5", "--args", square)
    code, out, _ = tools("try", "lesion_area", "--tools-from", "lesion_area.py", *words)
    height, width = PHANTOM.shape
    assert json.loads(out)["area_mm2"] == height * 2.0 * width / 2 * 0.5


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ruler", "ruler: a tool of that name is already in the shipped tools"),
        ("blind", "cannot have the name of a condition (again, blank, blind, "),
        ("class", "a keyword of Python"),
        ("../up", "1 to 64 characters: letters (a to z, A to Z), digits and underscores"),
        ("taken", "taken.py: the file exists already"),
    ],
)
def test_new_never_takes_what_is_there(tools, folder, name, text):
    (folder / "taken.py").write_text("mine")
    code, out, err = tools("new", name)
    assert (code, out) == (2, "")
    assert text in err
    assert (folder / "taken.py").read_text() == "mine"


def test_check_prints_what_does_not_hold(tools, folder):
    tools("new", "mine")
    text = (folder / "mine.py").read_text().replace("overlay=", "states_pixels=False, sees_image=False, overlay=")
    (folder / "mine.py").write_text(text)
    code, out, _ = tools("check", "mine", "--tools-from", "mine.py", "--calls", "100")
    assert code == 1
    verdicts = {line[9:].split("  ")[0]: line.split()[0] for line in out.splitlines()}
    assert [what for what, verdict in verdicts.items() if verdict != "yes"] == ["sees_image=False"]


def test_show_prints_what_a_model_gets(tools):
    _, out, _ = tools("show", "ruler")
    text, schema = out.split("\n\n{")
    assert text == TOOLS["ruler"].description
    assert json.loads("{" + schema) == TOOLS["ruler"].schema()


def test_a_tool_is_shown_and_tried_in_any_convention(tools, folder):
    _, out, _ = tools("show", "crop", "--frame", "norm1000-yx")
    assert '"description": "y of one corner, from 0 to 1000"' in out
    assert "from 0 to 1000 across that picture" in " ".join(out.split("\n\n{")[0].split())
    arguments = '{"x0": 12.8, "y0": 16, "x1": 76.8, "y1": 16}'
    code, out, _ = tools("try", "ruler", "--image", "own.jsonl:case-7", "--frame", "pixel", "--args", arguments)
    assert (code, json.loads(out)["distance_mm"]) == (0, 32.0)
    code, _, err = tools("show", "crop", "--frame", "pixels")
    assert code == 2
    assert "Did you mean 'pixel'?" in err


ARGUMENTS = {"seed_x": 30 / 64, "seed_y": 1 - 34 / 64}


@pytest.mark.parametrize("image", [["own.jsonl:case-7"], ["a.png", "--spacing", "2,0.5"]])
def test_try_runs_a_tool_and_writes_its_picture(tools, folder, image):
    code, out, err = tools("try", "fit_contour", "--image", *image, "--args", json.dumps(ARGUMENTS))
    assert code == 0
    assert json.loads(out)["major_mm"] == pytest.approx(32, abs=0.8)
    assert json.loads(out)["minor_mm"] == pytest.approx(16, abs=0.8)
    assert err.startswith("fit_contour.png: overlay on v0: ")
    picture = cv2.imread(str(folder / "fit_contour.png"), cv2.IMREAD_COLOR_RGB)
    assert picture.shape == (2 * PHANTOM.shape[0], 2 * PHANTOM.shape[1], 3)
    assert np.ptp(picture.astype(int), axis=2).max() > 100  # coloured lines


@pytest.mark.parametrize(
    "words",
    [("try", "segment@oracle", "--image", "demo:pyrad_brain1_z16__size_tumour"), ("check", "segment@noise:0.1")],
)
def test_there_is_no_ground_truth_to_tell_outside_a_run(tools, words):
    code, _, err = tools(*words)
    assert (code, f"{words[1]}: this variant needs the ground truth of a sample" in err) == (2, True)


def test_a_segmenter_is_shown_and_checked_at_its_address(tools):
    for name in ("show", "check"):
        code, out, err = tools(name, "segment@server")
        assert (code, out, "--segmenter http://127.0.0.1:8000" in err) == (2, "", True)
    with segmenters.served() as address:
        shown = tools("show", "segment@server", "--segmenter", f"{address}/good")
        code, out, _ = tools("check", "segment@server", "--segmenter", f"{address}/error", "--calls", "100")
    assert shown == tools("show", "segment")
    assert (code, "ToolServiceError" in out, "/error/segment: the segmenter replied with HTTP status 500" in out) == (
        1,
        True,
        True,
    )


def test_try_writes_where_it_is_told_and_nothing_without_a_picture(tools, folder):
    tools("try", "crop", "--image", "own.jsonl:case-7", "--args", '{"x0":0,"y0":0,"x1":0.5,"y1":1}', "--out", "x.png")
    assert cv2.imread(str(folder / "x.png"), cv2.IMREAD_UNCHANGED).shape == (64, 128)
    _, out, err = tools("try", "pixel_spacing", "--image", "own.jsonl:case-7")
    assert json.loads(out)["field_width_mm"] == 64.0
    assert err == ""
    assert sorted(path.name for path in folder.iterdir()) == ["a.png", "own.jsonl", "x.png"]


def test_try_shows_an_error_as_the_model_gets_it(tools, folder):
    code, out, err = tools("try", "ruler", "--image", "own.jsonl:case-7", "--args", '{"x0":0,"y0":0,"x1":2,"y1":1}')
    assert (code, out) == (2, "")
    assert err == "Error: point (2, 1) lies outside view v0; x and y must be from 0 to 1\n"


def test_try_replaces_a_picture_only_with_force(tools, folder):
    words = ("try", "crop", "--image", "own.jsonl:case-7", "--args", '{"x0":0,"y0":0,"x1":0.5,"y1":1}')
    before = (folder / "a.png").read_bytes()
    code, out, err = tools(*words, "--out", "a.png")
    assert (code, out) == (2, "")
    assert "--out a.png: the file exists already" in err
    assert (folder / "a.png").read_bytes() == before
    assert tools(*words, "--out", "a.png", "--force")[0] == 0
    assert (folder / "a.png").read_bytes() != before
    (folder / "crop.png").write_bytes(before)
    assert tools(*words)[0] == 2


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["show", "rular"], "unknown tool 'rular'; known tools: pixel_spacing, crop"),
        (["show", "rular"], "Did you mean 'ruler'?"),
        (["check", "rular"], "Did you mean 'ruler'?"),
        (["list", "--tools-from", "none.py"], "none.py: the file of tools cannot be read (No such file"),
        (["try", "ruler", "--image", "own.jsonl:case-8"], "no sample 'case-8'. Did you mean 'case-7'?"),
        (["try", "ruler", "--image", "other.jsonl:case-7"], "other.jsonl: there is no such file"),
        (["try", "ruler", "--image", "own.jsonl:case-7", "--args", "{x: 1}"], "--args: not valid JSON"),
        (["try", "ruler", "--image", "own.jsonl:case-7", "--args", "[" * 99999], "--args: not valid JSON"),
        (
            ["try", "ruler", "--image", "own.jsonl:case-7", "--args", "[1]"],
            "--args: expected a JSON object of arguments",
        ),
        (
            ["try", "ruler", "--image", "own.jsonl:case-7", "--spacing", "1,1"],
            "is a sample, which has its own pixel size; leave --spacing out",
        ),
        (["try", "ruler", "--image", "own.jsonl:case-7", "--recipe", "medvision-1"], "'medvision-1.2'?"),
        (["try", "ruler", "--image", "a.png"], "give its pixel size in mm by --spacing HEIGHT,WIDTH"),
        (["try", "ruler", "--image", "a.png", "--spacing", "1"], "--spacing 1: expected two numbers"),
        (["try", "ruler", "--image", "a.png", "--spacing", "1,nan"], "--spacing 1,nan: expected two numbers"),
        (
            ["try", "ruler", "--image", "b.png", "--spacing", "1,1"],
            "--image b.png: this file cannot be read (No such file",
        ),
        (
            ["try", "ruler", "--image", "own.jsonl", "--spacing", "1,1"],
            "--image own.jsonl: the file is not a PNG image",
        ),
        (
            ["try", "crop", "--image", "own.jsonl:case-7", "--args", '{"x0":0,"y0":0,"x1":1,"y1":1}', "--out", "no/x"],
            "--out no/x: the image cannot be written (No such file",
        ),
    ],
)
def test_a_mistake_is_one_clear_line(tools, folder, arguments, text):
    code, out, err = tools(*arguments)
    assert code == 2
    assert err.startswith("Error: ")
    assert text in err
    assert err.count("\n") == 1
    assert out == "" or arguments[1] == "crop"


def test_the_installed_command(folder):
    command = [COMMAND, "tools", "try", "ruler", "--image"]
    arguments = ["own.jsonl:case-7", "--args", '{"x0": 0.1, "y0": 0.5, "x1": 0.6, "y1": 0.5}', "--out", "line.png"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=120, check=True)
    assert json.loads(done.stdout)["distance_mm"] == 32.0
    assert (folder / "line.png").stat().st_size > 0
    wrong = subprocess.run([*command, "nowhere:x"], capture_output=True, text=True, timeout=120, check=False)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "Traceback" not in wrong.stderr
