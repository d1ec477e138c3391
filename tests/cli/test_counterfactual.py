"""``counterfactual`` over runs with planted errors and over result files: tables, JSON, CSV and figure, refusals."""

import csv
import gzip
import json
import math
from pathlib import Path

import numpy as np
import pytest

from medvision_agent.tools.view.png import encode_png

GOLDEN = Path(__file__).parents[1] / "data/golden/v1.2"
TARGETS = [10.0 + k for k in range(24)]
"""Distances in mm of 24 subjects, in images of 40 x 50 pixels of 1 x 0.5 mm."""
STATED = "From (0.1, 0.5) to (0.7, 0.5). "
"""15 mm."""
RULER = {"name": "ruler", "args": {"view": "v0", "x0": 0.1, "y0": 0.5, "x1": 0.7, "y1": 0.5}}


@pytest.fixture
def asked(tmp_path, call):
    """Return a function that asks 24 distances of a scripted model; the true points give them but for 1 %."""
    lines = []
    (tmp_path / "image.png").write_bytes(encode_png(np.full((40, 50), 90, np.uint8)))
    for number, target in enumerate(TARGETS):
        at = {"x": 20.0}
        lines.append(
            {
                "id": f"s{number}",
                "task": "distance",
                "image": "image.png",
                "pixel_size": {"height_mm": 1.0, "width_mm": 0.5},
                "modality": "MR",
                "plane": "axial",
                "landmarks": ["start", "end"],
                "truth_points": [{"name": "start", **at, "y": 1.0}, {"name": "end", **at, "y": 1.0 + 0.99 * target}],
                "target": [target],
                "convention": "edge",
                "dataset": "d",
                "subject": f"d/{number}",
            }
        )
    (tmp_path / "samples.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    async def made(name, *turns, tools="off"):
        (tmp_path / "turns.json").write_text(json.dumps(turns))
        words = ("run", "--model", "scripted", "--script", "turns.json", "--data", "samples.jsonl", "--tools", tools)
        code, _, err = await call(*words, "--out", name)
        assert code == 0, err
        return tmp_path / name

    return made


def mean(values):
    return math.fsum(values) / len(values)


def capped(value, target):
    return min(abs(value - target) / target, 1.0)


def losses_in(printed):
    return {step: one["loss"]["mean"] for step, one in printed["tasks"]["distance"]["steps"].items()}


async def counterfactual(call, *words):
    code, out, err = await call("counterfactual", *words, "--json")
    assert (code, err) == (0, "")
    return json.loads(out, parse_constant=lambda name: 1 / 0)


async def test_planted_errors_come_out_as_planted(call, asked):
    # 12 mm for points that give 15: arithmetic is 0.8 of what it should be, and the points are wrong of every target.
    run = await asked("run", f"{STATED}<answer>12.0</answer>")
    printed = await counterfactual(call, run)
    found = losses_in(printed)
    assert found["as answered"] == pytest.approx(mean([capped(12, one) for one in TARGETS]), abs=1e-6)
    assert found["exact arithmetic"] == pytest.approx(mean([capped(15, one) for one in TARGETS]), abs=1e-6)
    assert found["true points"] == pytest.approx(0.2, abs=1e-6)
    assert found["both"] == pytest.approx(0, abs=1e-9)
    assert found["convention ceiling"] == pytest.approx(0.01, abs=1e-6)
    whole = printed["tasks"]["distance"]
    counts = {name: whole[name] for name in ("n", "subjects", "success_rate", "states", "decomposed", "failed")}
    assert counts == {"n": 24, "subjects": 24, "success_rate": 1, "states": 24, "decomposed": 24, "failed": 0}
    assert whole["sources"] == {"stated points": 24}
    assert whole["steps"]["exact arithmetic"]["difference"]["interval"] is not None
    assert (printed["model"], printed["condition"]) == ("scripted", "off")


async def test_a_slip_of_unit_behind_a_ruler_is_what_an_exact_instrument_takes_away(call, asked):
    run = await asked("cm", [RULER], "<answer>1.5</answer>", tools="ruler")
    printed = await counterfactual(call, run)
    found = losses_in(printed)
    assert found["as answered"] == pytest.approx(mean([capped(1.5, one) for one in TARGETS]), abs=1e-6)
    assert found["exact arithmetic"] == pytest.approx(mean([capped(15, one) for one in TARGETS]), abs=1e-6)
    assert found["true points"] == pytest.approx(0.9, abs=1e-6)
    assert printed["tasks"]["distance"]["sources"] == {"ruler": 24}
    assert printed["tasks"]["distance"]["states"] == 0


async def test_answers_that_state_nothing_or_fail_are_counted_and_keep_their_loss(call, asked):
    bare, failed = await asked("bare", "<answer>12.0</answer>"), await asked("failed", f"{STATED} It is long.")
    first, second = await counterfactual(call, bare, failed)
    own = mean([capped(12, one) for one in TARGETS])
    found = losses_in(first)
    assert [found[step] for step in ("as answered", "exact arithmetic", "true points", "both")] == pytest.approx(
        [own] * 4, abs=1e-6
    )
    whole = first["tasks"]["distance"]
    assert (whole["states"], whole["decomposed"]) == (0, 0)
    code, out, err = await call("counterfactual", bare)
    shown = [name for name in ("as answered", "exact arithmetic", "true points") if f"\n{name} " in out]
    assert (code, shown) == (0, ["as answered"]), out + err
    assert whole["reasons"] == {"nothing was measured and no points are stated": 24}
    assert whole["steps"]["exact arithmetic"]["bounds"] == [0.0, 1.0]
    assert losses_in(second)["both"] == 1
    whole = second["tasks"]["distance"]
    assert (whole["success_rate"], whole["failed"], whole["reasons"]) == (0, 24, {})


async def test_it_prints_a_table_a_sentence_and_the_next_command(call, asked, tmp_path):
    run = await asked("run", f"{STATED}<answer>12.0</answer>")
    code, out, err = await call("counterfactual", run, "--out", "out")
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 100
    text = " ".join(out.split())
    assert "distance: 24 samples of 24 subjects; success rate 100.0%; 24 state coordinates, 24 decomposed" in text
    assert "the true points under their own arithmetic to 0.200" in text
    assert "only if the model's points would stay as they are" in text
    assert f"next: medvision-agent why {run}" in text
    assert {one.name for one in (tmp_path / "out").iterdir()} == {
        "headroom.csv",
        "answers.csv",
        "headroom.svg",
        "headroom.pdf",
    }
    with (tmp_path / "out/answers.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["id"] for row in rows] == [f"s{k}" for k in range(24)]
    assert [float(row["loss_exact_arithmetic"]) for row in rows] == pytest.approx([capped(15, one) for one in TARGETS])
    with (tmp_path / "out/headroom.csv").open(newline="") as lines:
        steps = [row for row in csv.DictReader(lines) if not row["structure"]]
    assert [row["step"] for row in steps][1:5] == ["as answered", "exact arithmetic", "true points", "both"]
    assert float(steps[3]["loss"]) == pytest.approx(0.2, abs=1e-6)
    # What is there already is not touched.
    code, out, err = await call("counterfactual", run, "--out", "out")
    assert (code, out) == (2, "")
    assert "exists already" in err


async def test_folders_of_both_generations_are_read_and_models_told_apart(call, tmp_path):
    """The first generation has its files one folder deeper, and its task names end in a size."""
    task = "samples_Ceph-Biometrics-400_BiometricsFromLandmarks_Distance_Task01_Sagittal"
    places = {"old/google__old": f"20250101_000000_{task}-336x336", "new": f"20260101_000000_{task}-CoT"}
    with gzip.open(GOLDEN / "ad/inputs.jsonl.gz", "rt") as lines:
        rows = [json.loads(line) for line in lines]
    own = [row for row in rows if row["doc"]["biometric_profile"]["metric_type"] == "distance"]
    kept = ("doc_id", "doc", "target", "resps")
    for folder, name in places.items():
        (tmp_path / "results" / folder).mkdir(parents=True)
        text = "".join(json.dumps({key: row[key] for key in kept}) + "\n" for row in own)
        (tmp_path / "results" / folder / f"{name}.jsonl").write_text(text)
    found = await counterfactual(call, "results", "--out", "out")
    assert [one["model"] for one in found] == ["new", "google__old"]
    assert [one["tasks"]["distance"]["n"] for one in found] == [len(own)] * 2
    assert found[0]["tasks"]["distance"]["decomposed"] == found[1]["tasks"]["distance"]["decomposed"] >= 13
    assert (tmp_path / "out/headroom.svg").read_text().count("as answered,") == 2
    code, out, err = await call("counterfactual", "results")
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 100
    assert out.count("distance: exact arithmetic behind the answers' own points") == 2


@pytest.mark.parametrize("name", ["absent", "empty", "bytes.jsonl", "nan.jsonl"])
async def test_what_is_neither_a_run_nor_a_result_file_says_what_was_expected(call, tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "bytes.jsonl").write_bytes(b"\xff\xfe\x00" * 100)
    (tmp_path / "nan.jsonl").write_text('{"target": NaN, "resps": [["1"]], "task_type": "AD", "doc": {}}\n')
    code, out, err = await call("counterfactual", tmp_path / name)
    assert (code, out) == (2, "")
    assert "expected the folder of a run, or MedVision's result files" in err
    assert "Traceback" not in err
