"""Groups, weights and buckets: upstream's quirks as they were seen, and what the golden files do not reach."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from golden import VERSIONS, differences, quirks

from medvision_agent.eval.results.build import build_answer, unpack
from medvision_agent.eval.results.summary import Section, sections
from medvision_agent.eval.scorer.answer import Answer
from medvision_agent.eval.scorer.answers import Answers
from medvision_agent.eval.scorer.medvision.statistics import below, parse_results
from medvision_agent.eval.scorer.nmae import pixel_scale
from medvision_agent.eval.scorer.protocol import PROTOCOLS

QUIRKS = quirks()
both = pytest.mark.parametrize("protocol", VERSIONS)
FETA = "20250101_000000_samples_FeTA24_BiometricsFromLandmarks_Task01_Axial.jsonl"


def length(number: int, target: float, text: str, key: str = "L-5-6", **more: Any) -> Answer:
    """Return an answer about a distance between landmarks."""
    doc = {"slice_dim": 2, "biometric_profile": {"metric_type": "distance", "metric_key": key}}
    row = {"doc_id": number, "target": str(target), "resps": [[f"<answer>{text}</answer>"]], "doc": doc}
    return build_answer(row | more, more.pop("file", FETA))


def lesion(number: int, target: Sequence[float], text: str, slice_dim: int = 2, **more: Any) -> Answer:
    row = {
        "doc_id": number,
        "target": str(list(target)),
        "resps": [[f"<answer>{text}</answer>"]],
        "doc": {"slice_dim": slice_dim},
        "label_name": "kidney tumor",
        "image_modality": "CT",
    }
    return build_answer(row | more, "20250101_000000_samples_KiTS23_TumorLesionSize_Task01_Axial.jsonl")


def box(number: int, text: str, target: str = "[0.25, 0.25, 0.75, 0.75]", **more: Any) -> Answer:
    row = {
        "doc_id": number,
        "target": target,
        "resps": [[f"<answer>{text}</answer>"]],
        "doc": {"slice_dim": 2, "image_size_2d": [100, 200]},
        "label_name": "kidney",
        "image_modality": "CT",
    }
    return build_answer(row | more, "20250101_000000_samples_KiTS23_BoxCoordinate_Task01_Axial.jsonl")


def only(answers: Sequence[Answer], protocol: str) -> Section:
    (section,) = sections([Answers.of(answers)], PROTOCOLS[protocol])
    return section


def result(name: str, protocol: str) -> Any:
    return QUIRKS[name][0][VERSIONS[protocol]]["result"]


def means(section: Section, task: str) -> dict[str, Any]:
    """Return the parse-stage results without upstream's alias."""
    return {key: value for key, value in section.summary["parse_stage_results"][task].items() if key != "alias"}


@pytest.mark.parametrize(
    "quirk", [one for name, many in QUIRKS.items() if name.startswith("response: ") for one in many]
)
def test_responses_are_unpacked_as_upstream_does(quirk: dict[str, Any]) -> None:
    wanted = quirk["v1.2"]
    if "exception" in wanted:
        with pytest.raises(ValueError, match="resps holds no response"):
            unpack(quirk["input"]["resps"])
    else:
        assert unpack(quirk["input"]["resps"]) == wanted["result"]


@pytest.mark.parametrize("quirk", QUIRKS["bucket: summary MRE bucket of one value"], ids=lambda q: q["input"]["value"])
def test_buckets(quirk: dict[str, Any]) -> None:
    found = below("X", np.array([float(quirk["input"]["value"])]))
    # Where upstream stops with an error, the value is in no bucket.
    counts = quirk["v1.2"].get("result", [0] * 10)
    assert list(found.values()) == np.cumsum(counts).tolist()
    assert list(found) == [f"X<{k / 10}" for k in range(1, 11)]


@both
@pytest.mark.parametrize(
    "quirk", QUIRKS["bucket: parse-stage MRE bucket of one value"], ids=lambda q: q["input"]["value"]
)
def test_buckets_of_a_parsed_file(protocol: str, quirk: dict[str, Any]) -> None:
    value = float(quirk["input"]["value"])
    section = only([length(0, 1.0, "1")], protocol)
    section.batch.metrics["MRE"][:] = value
    results = parse_results(section.batch, PROTOCOLS[protocol])["FeTA24_BiometricsFromLandmarks_Task01_Axial"]
    assert [results[f"MRE<{k / 10}"] for k in range(1, 11)] == np.cumsum(quirk[VERSIONS[protocol]]["result"]).tolist()


@both
def test_a_failed_box_in_a_parsed_file_and_in_a_summary(protocol: str) -> None:
    section = only([box(0, "0.25, 0.25, 0.75, 0.75"), box(1, "none")], protocol)
    wanted = result("pipeline: detection failures in parse stage vs summary", protocol)
    assert means(section, "KiTS23_BoxCoordinate_Task01_Axial")["avgIoU,none"] == wanted["parse avgIoU"]
    assert section.summary["groups"]["Kidney @ CT (A)"]["IoU"] == wanted["summary IoU"]


def test_an_infinite_box_error_is_a_success_left_out_of_means() -> None:
    section = only([box(0, f"0.1, 0.1, 0.5, {'9' * 45}")], "medvision-1.2")
    assert (
        differences(
            section.summary["groups"], result("pipeline: infinite MAE in detection summary", "medvision-1.2"), 1e-12
        )
        == []
    )


def test_where_upstream_stops_is_said() -> None:
    section = only([box(0, f"0.1, 0.1, 0.5, {'9' * 45}")], "paper-v1")
    assert section.summary["groups"]["Kidney @ CT (A)"]["avgMAE"] == "Infinity"
    assert section.summary["medvision_agent"]["notes"] == [
        "1 infinite errors: MedVision's own summary stops at the first one (OverflowError)"
    ]
    negative = only([length(0, -10.0, "5")], "paper-v1")
    assert "1 errors of -1.1 or less are in no bucket" in negative.summary["medvision_agent"]["notes"][0]


def check_pipeline(name: str, section: Section, protocol: str) -> None:
    wanted = result(name, protocol)
    assert differences(section.summary["groups"], wanted["summary"], 1e-12) == []
    task = next(iter(section.summary["parse_stage_results"]))
    assert differences(means(section, task), wanted["results_json"]["t"], 1e-12) == []
    line = section.summary["aggregate"]
    for part in ("mae", "mre", "sr"):
        value = line[f"weighted_avg_{part}"]
        if f"{part.upper()}: " in wanted["report_line"][0]:
            assert f"{part.upper()}: {value:.4f}" in wanted["report_line"][0]


def test_an_infinite_length() -> None:
    answers = [length(0, 10.0, "11"), length(1, 10.0, "9" * 45)]
    check_pipeline("pipeline: infinite A/D answer", only(answers, "medvision-1.2"), "medvision-1.2")


@both
def test_a_group_that_failed_altogether_lowers_the_error(protocol: str) -> None:
    section = only([length(0, 10.0, "12"), length(1, 10.0, "none", "L-7-8")], protocol)
    check_pipeline("pipeline: A/D all-failed label averages", section, protocol)
    assert section.summary["aggregate"]["weighted_avg_mae"] == 1.0
    assert section.summary["group_averages"]["FeTA-Distance"]["MAE"] == 2.0
    sound = section.summary["medvision_agent"]["sound"]
    assert sound["MAE of distances (valid samples, all groups)"] == {"mean": 2.0, "n": 1}
    assert sound["success rate (all samples)"] == {"mean": 0.5, "n": 2}


@both
def test_near_zero_targets(protocol: str) -> None:
    targets = QUIRKS["pipeline: A/D near-zero targets"][0]["input"]["targets"]
    answers = [length(number, target, repr(target + 1)) for number, target in enumerate(targets)]
    wanted = result("pipeline: A/D near-zero targets", protocol)["summary"]["FeTA24_distance_L-5-6"]
    summary = only(answers, protocol).summary
    group = summary["groups"]["FeTA24_distance_L-5-6"]
    assert group["num_samples"] == wanted["num_samples"] == (5 if protocol == "paper-v1" else 2)
    relative = summary["medvision_agent"]["sound"]["MRE (valid samples with targets >= 0.1, all groups)"]
    assert (relative["n"], relative["mean"]) == (2, pytest.approx((1 / targets[3] + 1 / targets[4]) / 2))


@both
def test_a_size_that_failed_altogether_vanishes(protocol: str) -> None:
    answers = [lesion(0, (10.0, 5.0), "10, 5"), lesion(1, (10.0, 5.0), "none", slice_dim=1)]
    section = only(answers, protocol)
    name = "pipeline: T/L label whose answers all failed is dropped from the weighted success rate"
    wanted = result(name, protocol)
    assert differences(section.summary["groups"], wanted["summary"], 1e-12) == []
    line = section.summary["aggregate"]
    assert (line["weighted_avg_sr"], line["total_samples"]) == (1.0, 1)
    assert section.summary["medvision_agent"]["sound"]["success rate (all samples)"] == {"mean": 0.5, "n": 2}


@both
def test_sizes_are_weighted_by_failures_too(protocol: str) -> None:
    answers = [lesion(0, (10.0, 10.0), "11, 11"), *(lesion(n, (10.0, 10.0), "none") for n in (1, 2, 3))]
    answers.append(lesion(4, (10.0, 10.0), "15, 15", slice_dim=1))
    section = only(answers, protocol)
    assert section.summary["aggregate"]["weighted_avg_mae"] == pytest.approx(1.8)
    sound = section.summary["medvision_agent"]["sound"]
    assert sound["MAE (valid samples, all groups)"] == {"mean": 3.0, "n": 2}
    line = result("pipeline: T/L weights use all samples, not the valid ones", protocol)[0]
    assert f"MAE: {section.summary['aggregate']['weighted_avg_mae']:.4f}" in line


@both
def test_no_size_that_is_valid_gives_no_line(protocol: str) -> None:
    line = only([lesion(0, (10.0, 5.0), "none")], protocol).summary["aggregate"]
    assert (line["labels"], line["total_samples"], line["weighted_avg_mae"]) == ({}, 0, None)


@both
@pytest.mark.parametrize("quirk", QUIRKS["group: modality code"], ids=lambda q: q["input"]["modality"])
def test_modalities(protocol: str, quirk: dict[str, Any]) -> None:
    section = only([box(0, "none", image_modality=quirk["input"]["modality"])], protocol)
    assert list(section.summary["groups"]) == quirk[VERSIONS[protocol]]["result"]


@both
def test_the_knee_was_split(protocol: str) -> None:
    more = {"doc": {"slice_dim": 0}, "image_modality": "MRI"}
    answers = [box(0, "none", label_name="femur", **more), box(1, "none", label_name="femoral cartilage", **more)]
    assert list(only(answers, protocol).summary["groups"]) == result("group: Knee labels", protocol)


@both
@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"label_name": "no such label"}, "whose label 'no such label' has no group in the label table"),
        ({"label_name": None}, "without a label, modality or plane"),
        ({"image_modality": None}, "without a label, modality or plane"),
        ({"doc": {"slice_dim": 3}}, "without a label, modality or plane"),
    ],
)
def test_what_has_no_group_is_counted(protocol: str, more: dict[str, Any], reason: str) -> None:
    section = only([box(0, "none", **more), box(1, "none")], protocol)
    assert [group["num_samples"] for group in section.summary["groups"].values()] == [1]
    ours = section.summary["medvision_agent"]
    assert ours["left_out"] == {reason: 1}
    assert ours["all_samples"]["num_samples"] == 2
    assert bool(ours["notes"]) == ("whose" in reason)


def test_a_label_without_a_short_name() -> None:
    section = only([lesion(0, (10.0, 5.0), "none", label_name="prostate cancer lesion")], "medvision-1.2")
    reason = "whose label 'prostate cancer lesion' has no short name in the label table"
    assert section.summary["medvision_agent"]["left_out"] == {reason: 1}


@both
@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"file": FETA.replace("Task01", "Task02")}, "of files that upstream passes over"),
        ({"file": FETA.replace("FeTA24", "AFIDs")}, "of files that upstream passes over"),
        ({"key": ""}, "without a metric type and key"),
        ({"doc": {"biometric_profile": ["L-1-2"]}}, "without a metric type and key"),
    ],
)
def test_lengths_that_are_not_counted(protocol: str, more: dict[str, Any], reason: str) -> None:
    section = only([length(0, 10.0, "11", **more)], protocol)
    assert section.summary["groups"] == {}
    assert section.summary["medvision_agent"]["left_out"] == {reason: 1}


@both
@pytest.mark.parametrize("count", [49, 50])
def test_small_groups_are_left_out_of_both_sides(protocol: str, count: int) -> None:
    section = only([box(number, "none") for number in range(count)], protocol)
    wanted = result("pipeline: group of exactly 49 / 50 samples", protocol)
    assert section.summary["anatomy_vs_TL"]["anatomy"]["regions"] == wanted[str(count)]


@pytest.mark.parametrize("name", [name for name in QUIRKS if name.startswith("scaledPS: ")])
def test_factors_of_scaled_pixel_sizes(name: str) -> None:
    quirk = QUIRKS[name][0]
    wanted = quirk["v1.2"]["result"]
    axes = 1 if isinstance(wanted, float) else 2
    found = pixel_scale(quirk["input"], axes=axes, between=PROTOCOLS["medvision-1.2"].scaled_pixel_size)
    assert found == pytest.approx([wanted, wanted] if isinstance(wanted, float) else wanted, rel=1e-15)


def test_nmae_by_hand() -> None:
    more = {"doc": {"slice_dim": 1, "image_size_2d": [30, 20]}, "image_header_zooms": [2.0, 9.0, 1.5]}
    section = only([lesion(0, (10.0, 10.0), "15, 15", **more)], "medvision-1.2")
    # Rows run along the first axis, columns along the third: 60 mm by 30 mm.
    assert section.batch.metrics["nMAE"][0] == pytest.approx(5 / math.hypot(60, 30))
