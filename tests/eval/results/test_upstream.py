"""The real counterpart: MedVision's own parser and summaries, run on an exported run, print our numbers."""

import importlib.util
import json
import math
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from exported import answered
from upstream import VARIABLE, renamed, run_upstream

from medvision_agent.eval.results.export import export_run
from medvision_agent.eval.results.load import load_answers
from medvision_agent.eval.results.summary import sample_lines, sections
from medvision_agent.eval.scorer.protocol import PROTOCOLS

MINI = Path(__file__).parents[2] / "data/medvision-mini/Data"
RULES = PROTOCOLS["medvision-1.2"]
FAMILIES = ("Detection", "TL", "AD")
METRICS = {
    "Detection": ("MAE", "IoU", "F1", "Precision", "Recall"),
    "TL": ("MAE", "MRE", "nMAE"),
    "AD": ("MAE", "MRE", "nMAE"),
}
STORED = {"MAE": ("avgMAE", "MAE"), "MRE": ("avgMRE", "MRE"), "IoU": ("avgIoU", "IoU"), "nMAE": ("nMAE", "NMAE")}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Return a folder of results that MedVision's own code has parsed and summarised."""
    package = os.environ.get(VARIABLE)
    if not package:
        pytest.skip(f"{VARIABLE} names no folder with MedVision's package: see CONTRIBUTING")
    assert (Path(package) / "medvision_bm").is_dir(), f"{VARIABLE}={package} holds no medvision_bm"
    folder = tmp_path_factory.mktemp("upstream")
    data = renamed(MINI, folder / "Data")
    export_run(answered(data), "m", folder / "results", datetime(2026, 1, 2, tzinfo=UTC))
    run_upstream(folder / "results", data)
    return folder / "results"


def ours(exported, family):
    answers, _ = load_answers(exported / family / "m", RULES)
    (section,) = sections(answers, RULES)
    return section


def same(theirs, mine):
    """Return *theirs* comparable with *mine*: NaN is null in ours, and the last digits may differ."""
    if isinstance(theirs, dict):
        assert isinstance(mine, dict)
        assert theirs.keys() == mine.keys()
        return all(same(theirs[key], mine[key]) for key in theirs)
    if isinstance(theirs, float) and math.isnan(theirs):
        return mine is None or mine == "NaN"
    return theirs == (pytest.approx(mine, rel=1e-12, abs=1e-15) if isinstance(mine, float) else mine)


@pytest.mark.parametrize("family", FAMILIES)
def test_samples(exported, family):
    mine = {line["id"]: line for line in sample_lines(ours(exported, family))}
    theirs = {}
    for path in (exported / family / "m/parsed").glob("*_samples_*.jsonl"):
        for row in map(json.loads, path.read_text().splitlines()):
            theirs[f"{path.stem.partition('_samples_')[2]}/{row['doc_id']}"] = row
    assert theirs.keys() == mine.keys()
    for key, row in theirs.items():
        assert row["filtered_resps"] == [mine[key]["extracted"]]
        assert row["SuccessRate"]["success"] is mine[key]["success"]
        for metric in METRICS[family]:
            outer, inner = STORED.get(metric, (metric, metric))
            value = row.get(outer, math.nan)
            value = value[inner] if isinstance(value, dict) else value
            assert same(value, mine[key][metric]), (key, metric, value, mine[key][metric])


@pytest.mark.parametrize("family", FAMILIES)
def test_parsed_results(exported, family):
    mine = ours(exported, family).summary["parse_stage_results"]
    found = {}
    for path in (exported / family / "m/parsed").glob("*_results.json"):
        found |= json.loads(path.read_text())["results"]
    assert found.keys() == mine.keys()
    for task, figures in found.items():
        for name, value in figures.items():
            if value == "N/A":
                assert mine[task][name] == value
            else:  # means are texts of numbers
                assert float(value) == pytest.approx(float(mine[task][name]), rel=1e-12, nan_ok=True), (task, name)


@pytest.mark.parametrize(("family", "name"), [("Detection", "detect"), ("TL", "TL"), ("AD", "AD")])
def test_groups(exported, family, name):
    theirs = json.loads((exported / family / f"m/parsed/summary_metrics_{name}_Task.json").read_text())
    assert len(theirs) > 1
    assert same(theirs, ours(exported, family).summary["groups"])


def test_anatomy_beside_lesions(exported):
    summary = ours(exported, "Detection").summary
    folder = exported / "Detection"
    theirs = json.loads((folder / "m/parsed/summary_metrics_anatomy_vs_lesion_detect_Task.json").read_text())
    assert theirs["anatomy"]["mean_metrics"]["IoU"] > 0.1
    mine = summary["anatomy_vs_TL"]
    for side, figures in theirs.items():
        assert set(figures.pop("detailed_data")) == set(mine[side]["regions"])
        figures["regions"] = mine[side]["regions"]
    assert same(theirs, mine)
    table = json.loads((folder / "summary_metrics_all_models_detect_Task.json").read_text())
    assert same(table["m"], summary["printed_table"])


@pytest.mark.parametrize("family", ["TL", "AD"])
def test_printed_lines(exported, family):
    text = (exported / family / f"summary_{family}_task.txt").read_text()
    line = ours(exported, family).summary["aggregate"]
    means = {f"{name}: {line[f'weighted_avg_{name.lower()}']:.4f}" for name in ("MAE", "MRE", "SR", "nMAE")}
    (printed,) = (row for row in text.splitlines() if row.startswith("Weighted Average "))
    found, _, count = printed.removeprefix("Weighted Average ").removesuffix(")").partition(" (Total Samples: ")
    assert (set(found.split(", ")), int(count)) == (means, line["total_samples"])
    fractions = " | ".join(f"Weighted MRE<0.{k}: {line[f'weighted_mre<0.{k}']:.4f}" for k in (1, 2, 3))
    assert fractions in text


def test_printed_averages_of_landmarks(exported):
    text = (exported / "AD/summary_AD_task.txt").read_text()
    rows = (row.split("|") for row in text.partition("Label-specific")[0].splitlines() if "|" in row)
    printed = {name.strip(): [cell.strip() for cell in cells] for name, *cells in rows}
    order = printed.pop("Group")
    averages = ours(exported, "AD").summary["group_averages"]
    assert averages["FeTA-Distance"]["samples"] > 1
    for name, average in averages.items():
        cells = dict(zip(order, printed[name], strict=True))
        assert int(cells.pop("Samples")) == average["samples"]
        mine = {key: "nan" if average[key] is None else f"{average[key]:.4f}" for key in cells}
        assert cells == mine


def test_it_is_the_real_package(exported):
    spec = importlib.util.spec_from_file_location(
        "medvision_bm_version", Path(os.environ[VARIABLE]) / "medvision_bm/__version__.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.__version__ == "1.2.1"
    assert "medvision_bm" not in sys.modules  # it runs in a process of its own
