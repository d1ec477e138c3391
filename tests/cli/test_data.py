"""The data command as a user types it."""

import json
import subprocess
import sys

import cv2
import numpy as np
import pytest
from commands import COMMAND

from medvision_agent.eval.data.sources import open_source
from medvision_agent.tools.view.png import decode_png


def data(*words: str) -> tuple[int, str, str]:
    done = subprocess.run([COMMAND, "data", *words], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_list_names_every_sample_and_says_what_it_is():
    code, out, err = data("list")
    assert (code, err) == (0, "")
    for sample in open_source("demo").samples:
        assert f" {sample.id} " in out
    assert "33.99 x 24.22 mm" in out
    assert "79.02°" in out
    assert "silver" in out
    assert "54 samples of 10 subjects: 21 detection, 12 size, 15 distance, 6 angle." in out
    assert "not a benchmark score" in out
    assert "true pixel edges" in out


def test_list_as_json_is_a_source_again(tmp_path):
    code, out, _ = data("list", "--task", "angle,size", "--limit", "2", "--json")
    assert code == 0
    assert [json.loads(line)["task"] for line in out.splitlines()] == ["size", "size", "angle", "angle"]
    (tmp_path / "s.jsonl").write_text(out)
    assert len(open_source(str(tmp_path / "s.jsonl")).samples) == 4


def test_list_prints_a_files_words_as_they_are(tmp_path):
    line = json.loads(data("list", "--task", "size", "--limit", "1", "--json")[1])
    (tmp_path / "s.jsonl").write_text(json.dumps(line | {"id": "[red]x[/red]", "subject": "[/]\x1b[2J\x9b2J"}))
    code, out, err = data("list", "--data", str(tmp_path / "s.jsonl"))
    assert "[/]?[2J?2J" in out
    assert not {"\x1b", "\x9b"} & set(out)
    assert (code, err) == (0, "")
    assert "[red]x[/red]" in out
    assert "benchmark" not in out


def test_show_draws_a_box_where_it_is(tmp_path):
    code, out, err = data("show", "pyrad_lung2_z22__det_tumour", "--out", str(tmp_path / "x.png"))
    assert (code, err) == (0, "")
    assert "0.627, 0.221, 0.768, 0.348" in out
    assert "edge: the box lies at true pixel edges" in out
    assert "512 x 512 px; one pixel is 0.626953 mm wide" in out
    assert "BSD-3-Clause" in out
    assert "annotator not stated" in out
    assert "pyradiomics==3.0.1" in out
    picture = cv2.imread(str(tmp_path / "x.png")).astype(int)
    assert picture.shape == (900, 900, 3)
    rows, columns = np.nonzero(picture[:, :, 1] - picture[:, :, 2] > 60)  # green, not grey
    edges = (columns.min(), rows.min(), columns.max(), rows.max())
    assert edges == pytest.approx([edge * 900 / 512 for edge in (321, 334, 393, 399)], abs=2.5)  # two pixels wide


@pytest.mark.parametrize(
    "sample_id",
    ["pyrad_lung2_coronal__size_tumour", "tpt_ct_sag__dist_apdepth", "mni_T1w_sagittal_96__angle_acpcpmj"],
)
def test_show_draws_every_task_in_true_proportion(tmp_path, sample_id):
    code, out, _ = data("show", sample_id, "--out", str(tmp_path / "x.png"))
    assert code == 0
    assert sample_id in out
    sample = next(sample for sample in open_source("demo").samples if sample.id == sample_id)
    height, width = open_source("demo").load(sample).values.shape
    picture = cv2.imread(str(tmp_path / "x.png"))
    proportion = height * sample.pixel_size.height_mm / (width * sample.pixel_size.width_mm)
    assert picture.shape[0] / picture.shape[1] == pytest.approx(proportion, abs=0.002)
    per_px = picture.shape[1] / width, picture.shape[0] / height
    for point in sample.truth_points:
        x, y = int(point.x * per_px[0]), int(point.y * per_px[1])
        around = picture[max(0, y - 16) : y + 17, max(0, x - 16) : x + 17].astype(int)
        assert np.ptp(around, axis=-1).max() > 60, point  # coloured


def test_show_prints_nothing_that_steers_a_terminal(tmp_path):
    assert data("export", "--out", str(tmp_path / "mine"), "--task", "size", "--limit", "1")[0] == 0
    file = tmp_path / "mine" / "samples.jsonl"
    line = json.loads(file.read_text())
    file.write_text(json.dumps(line | {"licence": "\x1b]0;title\x07"}))
    code, out, err = data("show", line["id"], "--data", str(file), "--out", str(tmp_path / "x.png"))
    assert (code, err) == (0, "")
    assert "licence      ?]0;title?" in out
    assert "\x1b" not in out
    code, _, err = data("show", "y\x1b[2J", "--data", str(file), "--out", str(tmp_path / "y.png"))
    assert (code, "\x1b" in err) == (2, False)


def test_show_refuses_what_it_cannot_do(tmp_path):
    out = tmp_path / "x.png"
    code, _, err = data("show", "ts_ct_z26__det_livr", "--out", str(out))
    assert code == 2
    wrong = "Error: --data demo: no sample has the id 'ts_ct_z26__det_livr'"
    listed = "to list the ids: medvision-agent data list --data demo"
    assert err == f"{wrong}; {listed}. Did you mean 'ts_ct_z26__det_liver'?\n"
    out.write_text("mine")
    code, _, err = data("show", "ts_ct_z26__det_liver", "--out", str(out))
    assert code == 2
    assert "exists already" in err
    assert out.read_text() == "mine"
    assert data("show", "ts_ct_z26__det_liver", "--out", str(out), "--force")[0] == 0
    assert decode_png(out.read_bytes()).shape[1] == 900
    code, _, err = data("show", "ts_ct_z26__det_liver", "--out", str(tmp_path / "no" / "x.png"))
    assert (code, "cannot be written" in err) == (2, True)


@pytest.mark.parametrize("name", ["copy", "copy.parquet"])
def test_export_says_how_to_use_it(tmp_path, name):
    out = tmp_path / name
    code, said, err = data("export", "--out", str(out), "--task", "size", "--limit", "3")
    assert (code, err) == (0, "")
    again = said.split("--data ")[1].strip()
    assert len(open_source(again).samples) == 3
    code, _, err = data("export", "--out", str(out))
    assert code == 2
    assert "exists already" in err
    assert data("export", "--out", str(out), "--force")[0] == 0
    assert len(open_source(again).samples) == 54


def test_listing_the_demo_set_needs_nothing_slow():
    code = (
        "import sys; from medvision_agent.cli.main import cli\n"
        "cli(['data', 'list', '--json'], standalone_mode=False)\n"
        "sys.exit(','.join(sorted({'cv2', 'datasets', 'langgraph', 'openai'} & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
