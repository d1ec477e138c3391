"""Pairing before dropping, and the parity two runs must show."""

import io
import math

import pytest
from rich.console import Console

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.cli.printed.compare import paired_view
from medvision_agent.eval.compare.compare import compare as compare_scored
from medvision_agent.eval.compare.parity import TOOL_FIELDS, parity
from medvision_agent.eval.scorer.protocol import PROTOCOLS
from medvision_agent.eval.scorer.score import sample_scores
from medvision_agent.eval.store.record import Record

V12 = PROTOCOLS["medvision-1.2"]
IDENTITY = {
    "version": "0.1",
    "model": {"name": "m", "sampling": {"temperature": 0.0}},
    "recipe": "medvision-1.2",
    "limits": {"turns": 8},
    "sample_ids_sha256": "ids",
    "condition": "off",
    "tools": [],
    "overlays": None,
    "paragraph": None,
    "tool_schemas_sha256": "none",
    "tool_paragraph_sha256": "none",
}
WITH_TOOLS = IDENTITY | {
    "condition": "on",
    "tools": ["zoom"],
    "overlays": True,
    "paragraph": "tools",
    "tool_schemas_sha256": "some",
    "tool_paragraph_sha256": "some",
}


def compare(records_a, records_b, rules, *, chosen):
    return compare_scored([*sample_scores(records_a, rules)], [*sample_scores(records_b, rules)], rules, chosen=chosen)


@pytest.fixture
def runs(make_record) -> tuple[list[Record], list[Record]]:
    """Two unfinished runs; d2 fails in A, d3 in B, d4 was never answered in A."""
    a = [
        make_record("d1", "distance", "18", subject="d/p1"),
        make_record("d2", "distance", None, subject="d/p1"),
        make_record("d3", "distance", "20", subject="d/p2"),
        make_record("d4", "distance", None, outcome=Outcome.TIMEOUT, v0_sha256="", prompt_sha256=""),
        make_record("d5", "distance", "20"),
        make_record("a1", "angle", "45"),
    ]
    b = [
        make_record("d6", "distance", "20"),
        make_record("d4", "distance", "20", subject="d/d4"),
        make_record("d3", "distance", "no", subject="d/p2"),
        make_record("d2", "distance", "15", subject="d/p1"),
        make_record("d1", "distance", "16", subject="d/p1"),
    ]
    return a, b


def test_failures_stay_in_their_pairs(runs: tuple[list[Record], list[Record]]) -> None:
    task = compare(*runs, V12, chosen=54).tasks["distance"]
    assert (task.pairs, task.subjects, task.largest_subject) == (3, 2, 2)
    loss = task.metrics["loss"]
    assert (loss.n, loss.subjects) == (3, 2)
    assert loss.a == pytest.approx((0.1 + 1 + 0) / 3)
    assert loss.b == pytest.approx((0.2 + 0.25 + 1) / 3)
    assert loss.difference == pytest.approx((0.1 - 0.75 + 1) / 3)
    success = task.metrics["success_rate"]
    assert (success.n, success.a, success.b, success.difference) == (3, 2 / 3, 2 / 3, 0.0)
    # Only d1 has an error in both.
    mae = task.metrics["MAE"]
    assert (mae.n, mae.subjects, mae.a, mae.b, mae.difference) == (1, 1, 2.0, 4.0, 2.0)


def test_what_each_run_lacks_is_listed(runs: tuple[list[Record], list[Record]]) -> None:
    comparison = compare(*runs, V12, chosen=54)
    missing = comparison.tasks["distance"].missing
    assert (missing.only_in_a, missing.only_in_b) == (("d5",), ("d6",))
    assert (missing.infrastructure_a, missing.infrastructure_b) == (("d4",), ())
    assert (missing.unparsable_a, missing.unparsable_b) == (("d2",), ("d3",))
    angle = comparison.tasks["angle"]
    assert (angle.pairs, angle.missing.only_in_a, angle.metrics["loss"].difference) == (0, ("a1",), None)


def test_swapping_the_runs_negates_the_differences(runs: tuple[list[Record], list[Record]]) -> None:
    a, b = runs
    forth, back = compare(a, b, V12, chosen=7).tasks["distance"], compare(b, a, V12, chosen=7).tasks["distance"]
    assert [(m.a, m.b, m.n) for m in forth.metrics.values()] == [(m.b, m.a, m.n) for m in back.metrics.values()]
    for name, paired in forth.metrics.items():
        assert math.isclose(paired.difference or 0, -(back.metrics[name].difference or 0))


def test_comparison_table(runs: tuple[list[Record], list[Record]]) -> None:
    console = Console(file=io.StringIO(), width=100, color_system=None)
    console.print(paired_view(compare(*runs, V12, chosen=54), ("off", "on")))
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    flat = " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 100
    assert "WARNING: 3 of 54 chosen samples are paired" in flat
    assert "distance: 3 pairs, 2 subjects (largest 2)" in flat
    assert "angle: no pairs; not paired: only in off 1" in flat
    assert flat.count("success_rate") == 1
    assert "loss 0.3667 0.4833 +0.1167 3 2" in flat
    assert "MAE (mm) 2.0000 4.0000 +2.0000 1 1" in flat
    assert (
        "only in off 1, only in on 1, infrastructure failure in off 1, in on 0; paired as failures: 1 in off, 1 in on"
        in flat
    )


def test_no_warning_where_all_are_paired(make_record) -> None:
    records = [make_record("d1", "distance", "18")]
    console = Console(file=io.StringIO(), width=100, color_system=None)
    console.print(paired_view(compare(records, records, V12, chosen=1), ("off", "on")))
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert "WARNING" not in text
    assert "distance: 1 pair, 1 subject (largest 1)" in text


def test_runs_that_differ_in_tools_only_are_equal(runs: tuple[list[Record], list[Record]]) -> None:
    assert {key for key in IDENTITY if IDENTITY[key] != WITH_TOOLS[key]} <= TOOL_FIELDS
    assert parity(IDENTITY, WITH_TOOLS, *runs) == []


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"recipe": "paper-v1"}, 'recipe: "medvision-1.2" in A, "paper-v1" in B'),
        ({"limits": {"turns": 9}}, "limits.turns: 8 in A, 9 in B"),
        ({"sample_ids_sha256": "others"}, 'sample_ids_sha256: "ids" in A, "others" in B'),
        ({"version": "0.2"}, 'version: "0.1" in A, "0.2" in B'),
        ({"new": 1}, "new: not recorded in A, 1 in B"),
        (
            {"model": {"name": "m", "sampling": {"temperature": 0.7}}},
            "model.sampling.temperature: 0.0 in A, 0.7 in B",
        ),
    ],
)
def test_a_different_setting_is_named(
    runs: tuple[list[Record], list[Record]], change: dict[str, object], line: str
) -> None:
    assert parity(IDENTITY, WITH_TOOLS | change, *runs) == [line]
    assert len(parity(WITH_TOOLS | change, IDENTITY, *runs)) == 1


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"v0_sha256": "other"}, "v0_sha256 (the image as sent): differs for 1 of 2 common samples, first 'd2'"),
        (
            {"prompt_sha256": "other"},
            "prompt_sha256 (the prompt without its tool paragraph): differs for 1 of 2 common samples, first 'd2'",
        ),
        ({"target": (21.0,)}, "sample (question or ground truth): differs for 1 of 2 common samples, first 'd2'"),
        (
            {"model_versions": ("m-2",)},
            'model version as served: differs for 1 of 2 common samples, first \'d2\' (["m-1"] in A, ["m-2"] in B)',
        ),
    ],
)
def test_a_different_sample_is_named(make_record, change: dict[str, object], line: str) -> None:
    a = [make_record("d1", "distance", "18"), make_record("d2", "distance", "18")]
    b = [make_record("d1", "distance", "18"), make_record("d2", "distance", "18", **change)]
    assert parity(IDENTITY, WITH_TOOLS, a, b) == [line]


def test_what_only_one_run_recorded_is_a_difference(make_record) -> None:
    told = [make_record("d1", "distance", "18"), make_record("d2", "distance", "18")]
    for field, silent in (("prompt_sha256", ""), ("v0_sha256", ""), ("model_versions", ())):
        untold = [told[0].model_copy(update={field: silent}), told[1]]
        for pair in ((told, untold), (untold, told)):
            (line,) = parity(IDENTITY, WITH_TOOLS, *pair)
            assert "differs for 1 of 2 common samples, first 'd1'" in line
        assert parity(IDENTITY, WITH_TOOLS, untold, untold) == []  # the card says that it is not proven
    assert parity({}, {}, [], []) == ["sample_ids_sha256: recorded by neither run"]


def test_a_reply_that_could_not_name_its_version_is_no_difference(make_record) -> None:
    told = [make_record("d1", "distance", "18")]
    for outcome in (Outcome.TIMEOUT, Outcome.REJECTED):
        mute = [told[0].model_copy(update={"outcome": outcome, "model_versions": ()})]
        assert parity(IDENTITY, WITH_TOOLS, told, mute) == []


def test_where_a_picture_lies_is_no_difference(make_record) -> None:
    a = make_record("d1", "distance", "18")
    moved = a.sample.model_copy(update={"image": "images/1.png", "source": "elsewhere"})
    assert parity(IDENTITY, WITH_TOOLS, [a], [a.model_copy(update={"sample": moved})]) == []
    marked = a.sample.model_copy(update={"modality": "CT"})
    assert len(parity(IDENTITY, WITH_TOOLS, [a], [a.model_copy(update={"sample": marked})])) == 1
