"""Summaries: what enters which mean, and with which n."""

import io
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from identities import an_identity
from rich.console import Console

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.endings.usage import Usage
from medvision_agent.cli.printed.summary import summary_view
from medvision_agent.eval.compare.compare import compare
from medvision_agent.eval.data.facts import MedVisionFacts
from medvision_agent.eval.scorer.protocol import PROTOCOLS
from medvision_agent.eval.scorer.random_boxes import random_boxes
from medvision_agent.eval.scorer.score import sample_scores, score_record
from medvision_agent.eval.store.record import Record, ToolUse
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.summary.measures import MEASURES, Measure
from medvision_agent.eval.summary.rows import sample_row
from medvision_agent.eval.summary.summary import Mean, Summary, summarise
from medvision_agent.eval.tasks import TASKS

V12 = PROTOCOLS["medvision-1.2"]


def strict(text: str) -> object:
    def refuse(token: str) -> object:
        raise AssertionError(f"{token} is no JSON")

    return json.loads(text, parse_constant=refuse)


def printed(summary: Summary, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(summary_view(summary, ["model m-1"], "A demonstration, not a benchmark score."))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.fixture
def sizes(make_record) -> list[Record]:
    """Answers 0 %, 10 % and 50 % off, one infinite, one unreadable, one refused, one never asked."""
    return [
        make_record("s1", "size", "20, 10", subject="d/p1", forced=True),
        make_record("s2", "size", "22, 11", subject="d/p1"),
        make_record("s3", "size", "30, 15", subject="d/p2"),
        make_record("s4", "size", "1e39, 10", subject="d/p3"),
        make_record("s5", "size", "large", subject="d/p4"),
        make_record("s6", "size", "20, 10", subject="d/p5", outcome=Outcome.REFUSED),
        make_record("s7", "size", None, subject="d/p6", outcome=Outcome.TIMEOUT),
    ]


def test_every_mean_has_its_own_n(sizes: list[Record]) -> None:
    summary = summarise(sizes, V12)
    task = summary.tasks["size"]
    assert (summary.n, summary.infrastructure, summary.subjects, summary.largest_subject) == (6, 1, 5, 2)
    assert (task.n, task.subjects, task.parsed, task.forced) == (6, 5, 4, 1)
    assert task.outcomes == {"answered": 5, "refused": 1}
    assert task.infrastructure == {"timeout": 1}
    metrics = task.metrics
    assert metrics["success_rate"] == Mean(mean=4 / 6, n=6)
    # 0, 0.1, 0.5, (1 + 0) / 2, and 1 for each of the two failures.
    assert metrics["loss"].n == 6
    assert metrics["loss"].mean == pytest.approx((0 + 0.1 + 0.5 + 0.5 + 1 + 1) / 6)
    # The infinite answer and the failures have no finite MAE.
    assert metrics["MAE"].n == metrics["MRE"].n == 3
    assert metrics["MAE"].mean == pytest.approx((0 + 1.5 + 7.5) / 3)
    # 2/20 and 1/10 are just below 0.1 with upstream's epsilon; the fractions are of all six.
    assert metrics["MRE<0.1"] == Mean(mean=2 / 6, n=6)
    assert metrics["MRE<0.3"] == Mean(mean=2 / 6, n=6)


def test_tolerances_are_strict(make_record) -> None:
    # From 16 on upstream's epsilon vanishes: 22 for 20 is off by exactly the double 0.1, 24 by 0.2.
    metrics = (
        summarise([make_record("a", "distance", "22"), make_record("b", "distance", "24")], V12)
        .tasks["distance"]
        .metrics
    )
    assert [metrics[name].mean for name in ("MRE<0.1", "MRE<0.2", "MRE<0.3")] == [0.0, 0.5, 1.0]


def test_overlap_counts_failures_as_0_and_half_as_enough(make_record) -> None:
    records = [
        make_record("b1", "detection", "0, 0, 0.5, 1"),
        make_record("b2", "detection", "0, 0, 0.25, 1"),
        make_record("b3", "detection", None),
    ]
    metrics = summarise(records, V12).tasks["detection"].metrics
    assert metrics["IoU"] == Mean(mean=0.25, n=3)
    assert metrics["IoU>=0.5"] == Mean(mean=1 / 3, n=3)
    assert metrics["Precision"] == Mean(mean=2 / 3, n=3)
    assert metrics["loss"] == Mean(mean=0.75, n=3)
    assert metrics["MAE"] == Mean(mean=(0.125 + 0.1875) / 2, n=2)


def test_random_boxes_stand_beside_boxes_in_images_of_known_size(make_record) -> None:
    facts = MedVisionFacts(
        config="c", key=0, doc_id=0, annotation_version="1.0.0", dataset_name="d", task_id="01", task_type="Box",
        image_file="Datasets/x.nii.gz", slice_dim=2, slice_idx=0, label=1, image_size_2d=(40, 50), pixel_size=(1, 1),
        image_size_3d=(40, 50, 6), voxel_size=(1, 1, 1),
    )  # fmt: skip
    target = (0.2, 0.25, 0.6, 1.0)
    unknown = make_record("a", "detection", "0, 0, 1, 1", target=target)
    known = [
        record.model_copy(update={"sample": record.sample.model_copy(update={"medvision": facts})})
        for record in (
            make_record("b", "detection", "0, 0, 1, 1", target=target),
            make_record("c", "detection", None, target=target),
            make_record("d", "detection", None, outcome=Outcome.TIMEOUT, target=target),
        )
    ]
    name = "random boxes (100 per sample)"
    for rules in PROTOCOLS.values():
        summary = summarise([unknown, *known], rules)
        means = summary.tasks["detection"].references[name]
        figures = random_boxes(["b", "c"], np.array([target] * 2), [(40, 50)] * 2, rules)
        assert {key: mean.mean for key, mean in means.items()} == pytest.approx(
            {key: values.mean() for key, values in figures.items()}
        )
        assert {mean.n for mean in means.values()} == {2}
        line = next(line for line in printed(summary).splitlines() if line.startswith(name))
        assert f"{name}, n 2: loss {means['loss'].mean:.4f}, IoU {means['IoU'].mean:.1%}" in line
    alone = summarise([unknown, make_record("s", "size", "20, 10")], V12)
    assert [task.references for task in alone.tasks.values()] == [{}, {}]
    assert "random boxes" not in printed(alone)


def test_effort_and_cost(make_record) -> None:
    zoom, ruler = ToolUse(tool="zoom", ok=True, seconds=0.1), ToolUse(tool="ruler", ok=False, seconds=0.1)
    known, unknown = Usage(model_calls=2, input=100, output=10), Usage(model_calls=2, unreported=1, input=7)
    records = [
        make_record("a1", "angle", "45", tool_uses=(zoom, zoom, ruler), usage=known, cost_usd=0.5, seconds=1.0),
        make_record("a2", "angle", "45", usage=unknown, cost_usd=0.25, seconds=3.0),
        make_record("a3", "angle", None, outcome=Outcome.TIMEOUT, cost_usd=0.125, seconds=99.0, tool_uses=(zoom,)),
    ]
    task = summarise(records, V12).tasks["angle"]
    effort = task.effort
    assert {name: (use.calls, use.failed, use.per_sample) for name, use in effort.tools.items()} == {
        "zoom": (2, 0, 1.0),
        "ruler": (1, 1, 0.5),
    }
    assert effort.tool_calls == Mean(mean=1.5, n=2)
    assert (effort.input_tokens, effort.output_tokens) == (Mean(mean=100, n=1), Mean(mean=10, n=1))
    assert effort.unreported == 1
    assert effort.seconds == Mean(mean=2.0, n=2)
    assert (task.cost.usd, task.cost.n, task.cost.incomplete) == (0.875, 3, 1)


def test_no_price_is_no_cost(sizes: list[Record]) -> None:
    summary = summarise(sizes, V12)
    assert summary.cost.usd is None
    assert "cost: unknown" in printed(summary)


def test_superseded_attempts_are_paid_too(make_record) -> None:
    usage = Usage(model_calls=1, input=1000, output=200)
    last = make_record("a1", "angle", "45", attempt=2, cost_usd=0.5, usage=usage)
    first = last.model_copy(update={"attempt": 1, "outcome": Outcome.TIMEOUT, "cost_usd": 0.25})
    run = Run(Path("x"), an_identity(), {"source": {"name": "d"}}, [last.sample], [last], [first])
    line = "attempts superseded by later ones, paid too: 1 with 1,200 tokens"
    assert run.facts[-1] == f"{line}, 0.2500 US dollars; spent in all: 0.7500 US dollars"
    assert (run.spent_usd, summarise(run.records, V12).cost.usd) == (0.75, 0.5)
    unpriced = [record.model_copy(update={"cost_usd": None}) for record in (last, first)]
    free = replace(run, records=unpriced[:1], superseded=unpriced[1:])
    assert (free.spent_usd, free.facts[-1]) == (None, line)
    assert "superseded" not in " ".join(replace(run, superseded=[]).facts)


def test_json_is_strict(sizes: list[Record], make_record) -> None:
    nothing = make_record("a1", "angle", None, outcome=Outcome.CONNECTION)
    summary = summarise([*sizes, nothing, make_record("d1", "distance", "1e39")], V12)
    assert strict(summary.model_dump_json()) == summary.model_dump(mode="json")
    assert summary.tasks["angle"].metrics["loss"] == Mean(mean=None, n=0)
    assert Summary.model_validate_json(summary.model_dump_json()) == summary
    assert list(summary.tasks) == [task for task in TASKS if task in {"distance", "angle", "size"}]
    rows = [sample_row(record, score_record(record, V12)) for record in sizes]
    assert strict(json.dumps(rows, allow_nan=False))
    assert rows[3] | {"loss": 0.5, "MAE": "Infinity", "MRE": "Infinity", "extracted": "1e39,10"} == rows[3]
    assert rows[4]["MAE"] is None
    assert rows[6] == dict.fromkeys(rows[0]) | {"id": "s7", "task": "size", "outcome": "timeout"}


def test_table_says_what_a_reader_needs(sizes: list[Record], make_record) -> None:
    hostile = ToolUse(tool="[red]x\x1b[2J\n" + "y" * 200, ok=False, seconds=0)
    box = make_record("b1", "detection", "0, 0, 1, 1", convention="inclusive-index", tool_uses=(hostile,))
    text = printed(summarise([*sizes, box], V12))
    assert max(map(len, text.splitlines())) <= 100
    assert "\x1b" not in text
    assert "[red]x" in text
    flat = " ".join(text.split())
    for words in [
        "model m-1",
        "scored by medvision-1.2: 7 samples, 6 subjects (largest 2), 1 infrastructure failure left out",
        "7 samples with edge-accurate targets; 1 sample with MedVision's inclusive-index targets",
        "one pixel short",
        "A demonstration, not a benchmark score.",
        "size: 6 samples, 5 subjects (largest 2), 4 answers parsed (66.7%)",
        "endings: replied with text 5, refused 1; parsed as an answer: 4; forced to answer: 1",
        "detection: 1 sample, 1 subject (largest 1), 1 answer parsed (100.0%)",
        "infrastructure failures, not scored: timeout 1",
    ]:
        assert words in flat


def test_an_empty_run_has_a_summary() -> None:
    summary = summarise([], V12)
    assert (summary.n, summary.tasks, summary.cost.usd) == (0, {}, None)
    assert "0 samples" in printed(summary)


def test_rows_have_the_names_of_the_golden_files(make_record) -> None:
    box = make_record("b1", "detection", "0, 0, 0.5, 1")
    row = sample_row(box, score_record(box, V12))
    assert row == {
        "id": "b1",
        "task": "detection",
        "outcome": "answered",
        "extracted": "0,0,0.5,1",
        "success": True,
        "loss": 0.5,
        "MAE": 0.125,
        "IoU": 0.5,
        "F1": pytest.approx(2 / 3),
        "Precision": 1.0,
        "Recall": 0.5,
    }
    angle = make_record("a1", "angle", "54")
    assert math.isclose(float(sample_row(angle, score_record(angle, V12))["MRE"] or 0), 0.2)


def test_a_measure_sees_the_sample_as_well_as_the_score(make_record, monkeypatch) -> None:
    records = [make_record("s1", "size", "20, 10", subject="d/p1"), make_record("s2", "size", "20, 10", subject="d/p2")]
    of_p2 = Measure("of p2", lambda sample, score: score.loss if sample.subject == "d/p2" else math.nan)
    monkeypatch.setitem(MEASURES, "size", (of_p2,))
    assert summarise(records, V12).tasks["size"].metrics["of p2"].n == 1
    scored = [*sample_scores(records, V12)]
    paired = compare(scored, scored, V12, chosen=2).tasks["size"].metrics["of p2"]
    assert (paired.n, paired.subjects) == (1, 1)
