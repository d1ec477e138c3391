"""Whole runs over the demo set: the oracle shows the tool chain's own error; baselines run in every arm."""

import asyncio
from hashlib import sha256

import pytest

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.eval.asking.launch import execute, prepare
from medvision_agent.eval.asking.runner import Watch
from medvision_agent.eval.data.selection import Selection
from medvision_agent.eval.scorer.protocol import protocol
from medvision_agent.eval.scorer.score import score_record
from medvision_agent.eval.settings.settings import Settings
from medvision_agent.eval.store.files import picture_path
from medvision_agent.eval.store.read import open_run, read_trace
from medvision_agent.eval.summary.summary import summarise
from medvision_agent.tools.view.frames import FRAMES


async def run_demo(folder, model, tools, **settings):
    prepared = prepare(Settings(model=model, tools=tools, out=folder, **settings))
    seen = []
    run = await execute(prepared, watch=Watch(on_record=seen.append), stop=asyncio.Event())
    assert len(seen) == len(run.samples) == len(run.records)
    assert {record.outcome for record in run.records} == {Outcome.ANSWERED}
    return run


@pytest.mark.parametrize("tools", ["on", "off"])
async def test_oracle_is_exact_on_every_demo_sample(tmp_path, tools):
    run = await run_demo(tmp_path, "oracle", tools)
    summary = summarise(run.records, protocol("medvision-1.2"))
    metrics = {task: one.metrics for task, one in summary.tasks.items()}
    # Without tools it has the pixel size as the prompt states it, with three decimals.
    assert metrics["size"]["MRE"].mean < 0.01
    assert metrics["distance"]["MRE"].mean < 0.01
    assert metrics["angle"]["MAE"].mean < 0.5
    assert metrics["detection"]["IoU"].mean > 0.9999
    for record in run.records:
        if record.sample.task == "detection":
            box = [float(number) for number in record.response.split("<answer>")[1].split("</answer>")[0].split(",")]
            assert box == pytest.approx(record.sample.target, abs=2e-6)
    assert summary.subjects == 10
    assert "TOLD THE GROUND TRUTH" in " ".join(run.facts)
    assert any(record.tool_uses for record in run.records) == (tools == "on")


def same(metrics, expected):
    """Compare the metrics of two runs but for the rounding of coordinates."""
    assert metrics.keys() == expected.keys()
    for name, mean in metrics.items():
        assert mean.n == expected[name].n
        assert mean.mean == pytest.approx(expected[name].mean, abs=2e-3, rel=2e-3)


@pytest.mark.parametrize(
    ("model", "tools", "limit"),
    [("oracle", "on", 6), ("oracle", "off", 3), ("baseline-cv", "on", 1), ("baseline-prior", "off", 1)],
)
async def test_offline_models_get_the_same_figures_in_every_convention(tmp_path, model, tools, limit):
    figures, rules, extracted = {}, protocol("medvision-1.2"), {}
    for name in FRAMES:
        rows = f"own: {{extends: {model}, frame: {name}}}\n"
        (tmp_path / f"{name}.yaml").write_text(rows)
        run = await run_demo(
            tmp_path / name, "own", tools, models_file=tmp_path / f"{name}.yaml", selection=Selection(limit=limit)
        )
        assert run.identity.model["frame"] == name
        assert (f"coordinates {name}" in " ".join(run.facts)) == (name != "medvision")
        assert {record.spoken and record.spoken.frame for record in run.records} == {
            None if name == "medvision" else name
        }
        assert all(use.ok for record in run.records for use in record.tool_uses) or model != "oracle"
        figures[name] = summarise(run.records, rules)
        extracted[name] = [
            score_record(record, rules).values for record in run.records if record.sample.task == "detection"
        ]
    for name, summary in figures.items():
        for task, one in summary.tasks.items():
            same(one.metrics, figures["medvision"].tasks[task].metrics)
        for box, expected in zip(extracted[name], extracted["medvision"], strict=True):
            assert box == pytest.approx(expected, abs=2e-4)


async def test_every_tool_use_of_a_run_is_in_its_trace(tmp_path):
    run = await run_demo(tmp_path, "baseline-cv", "on", selection=Selection(limit=1))
    assert "demonstration" in run.source_note
    assert {record.sample.task for record in run.records} == {"detection", "size", "angle", "distance"}
    assert open_run(tmp_path).records == run.records
    for record in run.records:
        trace = read_trace(tmp_path, record.sample.id)
        assert [call["tool"] for call in trace["tool_calls"]] == [use.tool for use in record.tool_uses]
        assert record.tool_uses
        keys = {record.v0_sha256} | {call["picture"] for call in trace["tool_calls"] if call["picture"]}
        assert len(keys) == 1 + sum(use.ok for use in record.tool_uses)
        for key in keys:
            assert sha256(picture_path(tmp_path, key).read_bytes()).hexdigest() == key
