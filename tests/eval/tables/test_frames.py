"""The tables hold what the store holds: every sample, the scores of the summary, every message and tool call."""

import json
import math

import pandas as pd
import pytest
from archive import unpack

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.trace import Trace
from medvision_agent.eval.data.sample import TASKS
from medvision_agent.eval.scorer.protocol import PROTOCOLS
from medvision_agent.eval.store.read import open_run, read_trace
from medvision_agent.eval.store.record import ToolUse
from medvision_agent.eval.store.write import RunStore
from medvision_agent.eval.summary.measures import MEASURES
from medvision_agent.eval.summary.summary import summarise
from medvision_agent.eval.tables.frames import (
    DTYPES,
    samples_table,
    scores_table,
    tool_calls_table,
    turns_table,
)
from medvision_agent.eval.tables.samples import column_of, sample_columns

RUNS = ("on", "off", "options", "scripted", "cot", "native", "text", "code", "unfinished")
RULES = PROTOCOLS["medvision-1.2"]


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    return unpack(tmp_path_factory.mktemp("stored"))


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("rules", PROTOCOLS.values(), ids=PROTOCOLS)
def test_means_of_the_metrics_are_those_of_the_summary(stored, name, rules):
    table = samples_table({name: stored / name}, rules).frame()
    summary = summarise(open_run(stored / name).records, rules)
    assert set(table.task[table.loss.notna()]) == set(summary.tasks)
    for task, one in summary.tasks.items():
        own = table[table.task == task]
        assert own.loss.count() == one.n
        for measure in MEASURES[task]:
            values = own[column_of(measure)].astype(float)
            finite = values[values.map(math.isfinite)]
            mean = one.metrics[measure.name]
            assert len(finite) == mean.n
            assert finite.mean() == pytest.approx(mean.mean, nan_ok=True) if mean.n else mean.mean is None
        foreign = {column_of(measure) for other in TASKS for measure in MEASURES[other]} - set(
            map(column_of, MEASURES[task])
        )
        assert own[sorted(foreign)].isna().all(axis=None)
        assert own.seconds.mean() == pytest.approx(one.effort.seconds.mean)
        assert own.tool_calls.mean() == pytest.approx(one.effort.tool_calls.mean)


def test_every_sample_is_a_row_finished_or_not(stored):
    run, table = open_run(stored / "unfinished"), samples_table({"u": stored / "unfinished"}, RULES).frame()
    assert list(table.id) == [sample.id for sample in run.samples]
    finished = {record.sample.id for record in run.records}
    assert 0 < len(finished) < len(table)
    assert set(table.id[table.outcome.notna()]) == finished
    assert table.target_1.notna().all()
    waiting = table[table.outcome.isna()]
    assert (
        waiting[["attempt", "response", "loss", "success", "seconds", "tool_calls", "undeclared_calls"]]
        .isna()
        .all(axis=None)
    )


def test_an_infrastructure_failure_has_an_outcome_and_no_score(stored, tmp_path):
    run = open_run(stored / "off")
    lost = run.records[0].model_copy(update={"outcome": Outcome.TIMEOUT, "response": "", "detail": "=cmd()"})
    with RunStore.create(tmp_path / "lost", run.samples[:1], run.identity, run.config) as store:
        store.add(lost, Trace([{"type": "ai", "content": "\ud800"}]))
    row = samples_table({"lost": tmp_path / "lost"}, RULES).frame().iloc[0]
    assert (row.outcome, row.detail) == ("timeout", "=cmd()")
    assert row[["loss", "success", "extracted", "answer_1"]].isna().all()
    assert turns_table({"lost": tmp_path / "lost"}).frame().text[0] == "\ufffd"


def test_scores_are_columns_of_the_samples(stored):
    folders = {name: stored / name for name in RUNS}
    scores, samples = scores_table(folders, RULES).frame(), samples_table(folders, RULES).frame()
    pd.testing.assert_frame_equal(scores, samples[scores.columns])
    assert {"run", "id", "task", "subject", "outcome", "protocol", "loss"} <= set(scores.columns)


@pytest.mark.parametrize("name", RUNS)
def test_turns_and_tool_calls_are_those_of_the_traces(stored, name):
    turns, calls = turns_table({name: stored / name}).frame(), tool_calls_table({name: stored / name}).frame()
    for record in open_run(stored / name).records:
        trace = read_trace(stored / name, record.sample.id)
        own = turns[turns.id == record.sample.id]
        assert len(own) == len(trace["messages"])
        assert list(own.turn) == list(range(1, len(own) + 1))
        assert own.input_tokens.sum() == record.usage.input
        assert own.output_tokens.sum() == record.usage.output
        assert record.v0_sha256 in " ".join(own.pictures.dropna()).split()
        made = calls[calls.id == record.sample.id]
        assert [json.loads(one) for one in made.arguments] == [call["arguments"] for call in trace["tool_calls"]]
        assert list(made.ok) == [use.ok for use in record.tool_uses]
        assert list(made.tool) == [use.tool for use in record.tool_uses]


def test_calls_are_counted_by_declared_tool(stored):
    table = samples_table({name: stored / name for name in ("native", "code", "off")}, RULES).frame().set_index("run")
    assert table.loc[["native"]].calls_ruler.min() >= 1
    assert table.loc[["code"]].calls_code_execution.min() >= 1
    assert table.loc[["off"]].calls_ruler.isna().all()
    counted = table.filter(regex="^calls_|undeclared").sum(axis=1)
    assert (counted == table.tool_calls).all()


def test_a_name_a_model_made_up_is_no_column(stored, tmp_path):
    run = open_run(stored / "off")
    with RunStore.create(tmp_path / "run", run.samples[:1], run.identity, run.config) as store:
        uses = (ToolUse(tool="evil", ok=False, seconds=0.0),)
        store.add(run.records[0].model_copy(update={"tool_uses": uses}), Trace())
    table = samples_table({"run": tmp_path / "run"}, RULES).frame()
    assert "calls_evil" not in table.columns
    assert (table.undeclared_calls[0], table.tool_calls[0], table.tool_calls_failed[0]) == (1, 1, 1)


def test_dtypes_follow_from_the_kind_also_of_an_empty_table(stored):
    for table in (samples_table({}, RULES).frame(), samples_table({"on": stored / "on"}, RULES).frame()):
        kinds = {column.name: column.kind for column in sample_columns(())}
        assert {name: str(table.dtypes[name]) for name in kinds} == {name: DTYPES[kind] for name, kind in kinds.items()}


def test_columns_are_listed_once_and_carry_units():
    columns = sample_columns(("crop",))
    names = [column.name for column in columns]
    assert len(set(names)) == len(names)
    assert all(column.about and not column.about.endswith(".") for column in columns)
    units = {measure.unit for task in TASKS for measure in MEASURES[task] if measure.name == "MAE"}
    assert {f"mae_{unit.replace(' ', '_')}" for unit in units} <= set(names)


def test_only_the_latest_attempt_is_read(stored, tmp_path):
    run = open_run(stored / "off")
    with RunStore.create(tmp_path / "run", run.samples[:2], run.identity, run.config) as store:
        for number, record in enumerate(reversed(run.records[:2])):
            trace = Trace(messages=[{"type": "ai", "content": "new"}])
            again = record.model_copy(update={"attempt": 2, "response": "new"})
            for one in (again, record.model_copy(update={"outcome": Outcome.TIMEOUT}))[number:]:
                store.add(one, trace if one is again else Trace(messages=[{"type": "ai", "content": "old"}]))
    samples, turns = (
        samples_table({"run": tmp_path / "run"}, RULES).frame(),
        turns_table({"run": tmp_path / "run"}).frame(),
    )
    assert list(samples.id) == list(turns.id) == [sample.id for sample in run.samples[:2]]
    assert list(samples.attempt) == [1, 2]
    assert list(turns.text) == ["old", "new"]
