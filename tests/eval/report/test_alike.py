"""Contrasts with names that are alike, and arms whose runs are gone: what a study's folder can come to."""

import shutil

import pytest
from click.testing import CliRunner
from told.printed import sentences

from medvision_agent.cli.main import cli
from medvision_agent.eval.report.collect import collect
from medvision_agent.eval.report.how import how
from medvision_agent.eval.report.page import html_page
from medvision_agent.eval.report.write import write_tables
from medvision_agent.eval.scorer.protocol import PROTOCOLS

from .test_page import Page

STUDY = """\
name: alike
models: [baseline-cv]
data: phantom:2:1
tasks: [distance]
designs: [on-off]
arms:
  only_crop: {tools: crop}
  only-crop: {tools: "crop,ruler"}
  few: {max_tool_calls: 1}
contrasts:
  - {a: "off", b: only_crop}
  - {a: "off", b: only-crop}
  - {a: few, b: "on", varies: [limits]}
"""


@pytest.fixture
def study(tmp_path):
    file = tmp_path / "alike.yaml"
    file.write_text(STUDY)
    done = CliRunner().invoke(cli, ["ablate", str(file), "--out", str(tmp_path / "study")])
    assert done.exit_code == 0, done.output
    return tmp_path / "study"


def test_names_that_are_alike_have_tables_and_figures_of_their_own(study, tmp_path):
    report = collect([study])
    count = write_tables(report, tmp_path / "tables")
    assert len(list((tmp_path / "tables").glob("*.csv"))) == count
    page = Page(html_page(report))
    ids = [attributes["id"] for _, attributes, _ in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_no_correction_is_spoken_of_where_nothing_was_tested(study):
    said = sentences(collect([study]).chapters[0])
    assert (
        "4 tests were declared; none of these comparisons has a p-value; the report says why under Differences between "
        "arms." in said
    )
    assert not any("Holm" in one for one in said)


def test_a_run_that_is_gone_is_not_called_a_difference_of_tools(study):
    shutil.rmtree(study / "cells" / "baseline-cv--only_crop--1")
    said = [one for one in sentences(collect([study]).chapters[0]) if "only_crop" in one]
    assert any(one.startswith("Not compared: off -> only_crop of baseline-cv: ") for one in said)
    assert not any("differ in more than their tools" in one for one in said)


def test_what_the_arms_differ_in_is_named_whatever_it_is(study):
    (fact,) = [text for name, text in how(collect([study]).chapters[0]) if name == "Parity, few -> on"]
    told = "nothing refuses the comparison; the runs differ in limits.tool_calls; see the parity card"
    assert fact == told


def test_another_protocol_than_the_plans_is_why_nothing_is_tested(study):
    said = sentences(collect([study], PROTOCOLS["paper-v1"]).chapters[0])
    start = "The study declared its tests by medvision-1.2, and this is scored by paper-v1: "
    assert f"{start}everything here is exploratory, without p-values." in said
