"""``why`` over a real run: tables and strict JSON, and one clear line where there is no run."""

import json

import pytest

from medvision_agent.eval.compare.statistics.pairs import DEMONSTRATION


async def test_why_prints_tables_and_strict_json(call, tmp_path):
    run = ("run", "--model", "baseline-cv", "--data", "phantom:2:10", "--out", tmp_path / "run")
    code, _, err = await call(*run)
    assert code == 0, err
    code, out, err = await call("why", tmp_path / "run")
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 100
    assert "SYNTHETIC" in out
    assert "error = answer - target = unit + arithmetic + seeing" in out
    assert "major axis, no solver" in out
    assert "answers by what is wrong: " in out
    code, out, err = await call("why", tmp_path / "run", "--json")
    assert (code, err) == (0, "")
    printed = json.loads(out, parse_constant=lambda name: 1 / 0)
    why, parts = printed["why"], printed["parts"]
    assert parts.keys() == why["tasks"].keys()
    for one in parts.values():
        assert sum(part["mean"] for part in one["parts"].values()) == pytest.approx(one["loss"], abs=1e-12)
    assert why["n"] == 8
    size = why["tasks"]["size"]["errors"]["quantities"]["major axis"]
    assert size["with_solver"]["sources"] == {"fit_contour": size["with_solver"]["n"]}
    assert size["with_solver"]["n"] > size["without_solver"]["n"] == 0
    assert why["tasks"]["size"]["behaviour"]["tools"]["fit_contour"]["calls"] > 0


async def test_demonstration_data_has_no_intervals_and_the_reason_is_said(call, tmp_path):
    run = ("run", "--model", "baseline-prior", "--tools", "off", "--limit", "2", "--out", tmp_path / "run")
    code, _, err = await call(*run)
    assert code == 0, err
    code, out, err = await call("why", tmp_path / "run", "--json")
    assert (code, err) == (0, "")
    printed = json.loads(out)
    for one in (*printed["parts"].values(), *(each for task in printed["labels"].values() for each in task.values())):
        assert one["withheld"].startswith(DEMONSTRATION)
        assert all(part["interval"] is None for part in one["parts"].values())


async def test_no_run_is_one_clear_line(call, tmp_path):
    code, out, err = await call("why", tmp_path)
    assert (code, out) == (2, "")
    assert len(err.strip().splitlines()) == 1
    assert "holds neither a run nor result files" in err


async def test_what_could_not_be_taken_apart_has_no_table(call, tmp_path):
    run = ("run", "--model", "baseline-prior", "--data", "phantom:2:10", "--tools", "off", "--out", tmp_path / "run")
    code, _, err = await call(*run)
    assert code == 0, err
    code, out, err = await call("why", tmp_path / "run")
    assert (code, err) == (0, "")
    assert "distance: not decomposed: nothing was measured and no points are stated 2" in " ".join(out.split())
    assert "mean size" not in out
    assert "points from none" not in out
