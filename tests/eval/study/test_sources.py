"""A study over several sources: each is asked, paired, averaged and shown on its own; the tests are one family."""

import csv
import json
import re
from pathlib import Path
from statistics import fmean

import pytest
from click.testing import CliRunner
from told.printed import sentences

from medvision_agent.cli.main import cli
from medvision_agent.errors import ConfigError, DataError, StorageError
from medvision_agent.eval.report.collect import collect
from medvision_agent.eval.report.how import how
from medvision_agent.eval.report.model import Report
from medvision_agent.eval.report.page import html_page
from medvision_agent.eval.report.sections import report_tables, sections
from medvision_agent.eval.report.write import write_tables
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.study.load import read_study
from medvision_agent.eval.study.parity import check_parity
from medvision_agent.eval.study.plan import read_plan

SOURCES = ("demo", "phantom:4:1", "phantom:4:2")
STUDY = """
name: t
models: [oracle, baseline-prior]
data: [demo, "phantom:4:1", "phantom:4:2"]
tasks: [size, distance]
limit: 2
epochs: 2
designs: [on-off]
"""


def ablate(folder: Path, text: str, *words: str):
    path = folder / "study.yaml"
    path.write_text(text, encoding="utf-8")
    return CliRunner().invoke(cli, ["ablate", str(path), *words])


@pytest.fixture(scope="module")
def stored(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sources")
    done = ablate(folder, STUDY, "--out", str(folder / "s"), "--verbose")
    assert done.exit_code == 0, done.output
    assert re.search(r"^model +arm +source +epoch ", done.output, re.MULTILINE)
    return folder / "s"


def test_cells_of_a_source_share_its_samples_and_no_others(stored):
    plan = read_plan(stored)
    assert [one.source for one in plan.sources] == list(SOURCES)
    assert len(plan.cells) == len({cell.folder for cell in plan.cells}) == 2 * 2 * 3 * 2
    for source in plan.sources:
        runs = [open_run(stored / cell.folder) for cell in plan.cells if cell.source == source.source]
        assert len({tuple(sample.id for sample in run.samples) for run in runs}) == 1
        assert {run.config["data"] for run in runs} == {source.source}
        assert {len(run.records) for run in runs} == {source.samples} == {sum(source.tasks.values())} == {4}
    assert check_parity(stored) == []


def test_the_family_is_over_all_sources(stored):
    tests = [(one.source, one.contrast, one.task, one.model) for one in read_plan(stored).family]
    models = ("oracle", "baseline-prior")
    expected = [
        (source, "off -> on", task, model) for source in SOURCES for task in ("size", "distance") for model in models
    ]
    assert sorted(tests) == sorted(expected)


def test_a_report_has_a_chapter_for_each_source(stored, tmp_path):
    report = collect([stored])
    assert [chapter.label for chapter in report.chapters] == list(SOURCES)
    assert [chapter.evidence for chapter in report.chapters] == ["demonstration", "synthetic", "synthetic"]
    for chapter in report.chapters:
        own = {cell.folder for cell in read_plan(stored).cells if cell.source == chapter.label}
        assert {Path(run.folder).relative_to(stored).as_posix() for run in chapter.runs} == own
        assert chapter.samples == 4
        assert chapter.family_size == 12
        assert len(chapter.contrasts) == 2
        assert all(one.name.endswith(f" ({chapter.label})") for one in chapter.contrasts)
        assert {test.primary.n for one in chapter.contrasts for test in one.tests.values()} == {2}
        assert all(test.declared for one in chapter.contrasts for test in one.tests.values())
        tests = [(contrast, task, test) for contrast in chapter.contrasts for task, test in contrast.tests.items()]
        for one, task, test in tests:
            (data,) = (data for data in chapter.tasks if data.task == task)
            losses = {arm.arm: [one.loss for one in arm.points] for arm in data.arms}
            expected = fmean(losses[one.b]) - fmean(losses[one.a])
            assert test.primary.difference == pytest.approx(expected, abs=1e-12)
    write_tables(report, tmp_path)
    with (tmp_path / "c3-contrasts.csv").open(newline="", encoding="utf-8") as lines:
        assert all("(phantom:4:2)" in row["contrast"] for row in csv.DictReader(lines))
    page = html_page(report)
    assert all(page.count(f"({source})") > 5 for source in SOURCES)


def test_each_source_has_figures_of_its_own(stored):
    """Phantoms of two seeds share their ids; a mean or a pair over both would show here."""
    plan = read_plan(stored)
    by_id = [
        {sample.id: sample.target for sample in open_run(stored / cell.folder).samples}
        for cell in plan.cells
        if cell.source != "demo" and (cell.model, cell.arm, cell.epoch) == ("baseline-prior", "on", 1)
    ]
    assert by_id[0] != by_id[1]
    _, first, second = collect([stored]).chapters
    losses = [[dot.loss for data in one.tasks for arm in data.arms for dot in arm.points] for one in (first, second)]
    assert losses[0] != losses[1]


def test_a_source_without_a_run_is_named_and_its_tests_count(stored, tmp_path):
    half = tmp_path / "half"
    half.mkdir()
    (half / "cells").mkdir()
    (half / "study.json").write_bytes((stored / "study.json").read_bytes())
    for cell in read_plan(stored).cells:
        if cell.source == "demo":
            (half / cell.folder).symlink_to(stored / cell.folder)
    (chapter,) = collect([half]).chapters
    assert chapter.family_size == 12
    assert [one.name for one in chapter.refused] == ["the samples of phantom:4:1", "the samples of phantom:4:2"]
    assert "Not compared: the samples of phantom:4:1: none of its runs has begun." in sentences(chapter)
    assert ("Not compared, the samples of phantom:4:1", "none of its runs has begun") in how(chapter)


def test_what_is_of_all_sources_or_of_the_first_epoch_is_called_so(stored):
    chapter = collect([stored]).chapters[1]
    said = sentences(chapter)
    assert any(
        one.startswith("12 tests were declared over all sources of the study; none of these comparisons has")
        for one in said
    )
    assert any("error of the major axis in the first epoch (mean size, mm" in one for one in said)
    notes = [text for one in sections(chapter, "c1", draw=False) for text in one.notes]
    assert any(note.startswith("Of arms asked in several epochs, the first epoch alone: ") for note in notes)
    (table,) = [one for one in report_tables(Report(version="", chapters=(chapter,))) if one.id == "c1-contrasts"]
    assert "12 tests were declared over all sources of the study; none of them has a p-value here." in table.notes


def test_a_study_of_one_source_keeps_its_names(tmp_path):
    text = "name: t\nmodels: [baseline-prior]\ndata: [demo]\nlimit: 1\ntasks: [size]\ndesigns: [on-off]\n"
    done = ablate(tmp_path, text, "--out", str(tmp_path / "s"))
    assert done.exit_code == 0, done.output
    assert re.search(r"^model +arm +epoch ", done.output, re.MULTILINE)
    assert [cell.folder for cell in read_plan(tmp_path / "s").cells] == [
        "cells/baseline-prior--off--1",
        "cells/baseline-prior--on--1",
    ]
    again = ablate(tmp_path, text.replace("[demo]", "demo"), "--out", str(tmp_path / "s"))
    assert again.exit_code == 0, again.output
    (chapter,) = collect([tmp_path / "s"]).chapters
    assert (chapter.name, chapter.label, chapter.contrasts[0].name) == ("t", "", "off -> on")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("[demo, demo]", "data: 'demo' occurs twice"),
        ("['phantom:3', 'phantom:3:0']", "name the same samples"),
        ("[]", "data: "),
        ("[demo, nothing]", "--data nothing: expected 'demo'"),
        ("[demo, 'phantom:3']\nsplit: test", "are for MedVision's data only"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_asked(tmp_path, data, expected):
    done = ablate(
        tmp_path, f"name: t\nmodels: [baseline-prior]\ndata: {data}\ndesigns: [on-off]\n", "--out", str(tmp_path / "s")
    )
    assert isinstance(done.exception, ConfigError | DataError)
    assert expected in f"{done.output}{done.exception}"
    assert not (tmp_path / "s").exists()


def test_a_preview_tells_sources_apart_and_a_pilot_counts_for_its_kind(tmp_path):
    run = [
        "run",
        "--model",
        "baseline-prior",
        "--data",
        "phantom:12:9",
        "--tools",
        "off",
        "--out",
        str(tmp_path / "pilot"),
    ]
    assert CliRunner().invoke(cli, run).exit_code == 0
    words = ("--dry-run", "--json", "--pilot", str(tmp_path / "pilot"))
    text = STUDY.replace("limit: 2", "limit: 3")
    found = json.loads(ablate(tmp_path, text, *words).stdout)
    assert [one["source"] for one in found["sources"]] == list(SOURCES)
    assert {(power["source"], power["from_pilot"]) for power in found["power"]} == {
        ("demo", False),
        ("phantom:4:1", True),
        ("phantom:4:2", True),
    }
    shown = ablate(tmp_path, text, "--dry-run", "--verbose").output
    assert all(f" over {source} x 2 epochs" in shown for source in SOURCES)
    run[4] = "demo"
    run[-1] = str(tmp_path / "other")
    assert CliRunner().invoke(cli, [*run, "--limit", "1"]).exit_code == 0
    refused = ablate(tmp_path, text.replace("[demo, ", "["), "--dry-run", "--pilot", str(tmp_path / "other"))
    assert "asked samples of demo, but the study asks those of phantom:4:1, phantom:4:2" in str(refused.exception)


def test_data_may_be_one_or_several(tmp_path):
    path = tmp_path / "study.yaml"
    for data, expected in (("demo", ("demo",)), ("[demo, phantom]", ("demo", "phantom"))):
        path.write_text(f"name: t\nmodels: [baseline-prior]\ndata: {data}\ndesigns: [on-off]\n", encoding="utf-8")
        assert read_study(path).data == expected


@pytest.mark.parametrize("words", [("why",), ("score",), ("run", "--model", "oracle", "--dry-run", "--pilot")])
def test_a_study_given_for_a_run_is_told_where_its_runs_are(stored, words):
    done = CliRunner().invoke(cli, [*words, str(stored)])
    assert str(done.exception) == (f"{stored} is a study, not a run; give one of the folders in {stored / 'cells'}")


def test_a_study_of_another_format_is_refused_in_one_line(stored, tmp_path):
    content = json.loads((stored / "study.json").read_text(encoding="utf-8"))
    old = content | {"format": 1, "plan": {"study": content["plan"]["study"]}}
    (tmp_path / "study.json").write_text(json.dumps(old), encoding="utf-8")
    with pytest.raises(
        StorageError, match=r"study\.json: the file has format 1, but this version reads format 2; [^\n]*$"
    ):
        read_plan(tmp_path)
