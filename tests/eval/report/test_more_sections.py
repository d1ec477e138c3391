"""Headroom, decisions and the second reader in a report: what was planted stands there, and nothing where none is."""

import sqlite3
from contextlib import closing
from html import unescape

import pytest
from told.again import kidneys, read_again
from told.answers import BAD, GOOD, RULER, said, stated

import medvision_agent as mva
from medvision_agent.eval.decisions.rules import read_rules
from medvision_agent.eval.reading.kept import NAME
from medvision_agent.eval.report.collect import collect
from medvision_agent.eval.report.page import html_page
from medvision_agent.eval.report.sections import report_figures, report_tables, sections

RULES = """
kidney:
  task: size
  number: minor axis
  names: [kidney tumor]
  categories: [small, large]
  limits: [5]
  source: nobody
"""


@pytest.fixture(scope="module")
def kidney_runs(stores):
    return read_again(kidneys(0.02))(lambda name, *more, **fields: stores(f"kidneys/{name}", *more, **fields))


def titles(report):
    return [one.title for one in sections(report.chapters[0], "c1", draw=False)]


def test_the_headroom_of_a_report_is_that_of_the_command(stores):
    folders = [stores("a-off", said(BAD)), stores("a-on", stated(0.0, 1.0 + GOOD), tools=RULER)]
    report = collect(folders, most_pictures=0)
    for folder, (_, tasks) in zip(folders, report.chapters[0].headroom.items(), strict=True):
        (found,) = mva.counterfactual(folder)
        assert {task: one.model_dump() for task, one in tasks.items()} == {
            task: one.model_dump() for task, one in found.tasks.items()
        }
    (figure,) = [one for one in report_figures(report) if "headroom" in one.name]
    assert [panel.title for panel in figure.panels] == ["distance: off", "distance: on"]
    # Nothing is known of the parts of the first arm's answers, so it has no mark for their correction.
    assert ["as answered, none of" in panel.words for panel in figure.panels] == [True, False]
    assert ["true points" in panel.words for panel in figure.panels] == [False, True]
    (table,) = [one for one in report_tables(report) if one.id == "c1-headroom-steps"]
    assert [row[2] for row in table.rows[:6]] == [
        *("prior", "as answered", "exact arithmetic", "true points", "both", "convention ceiling")
    ]


def test_decisions_are_those_of_the_command_with_their_price(kidney_runs):
    chapter = collect(kidney_runs, most_pictures=0).chapters[0]
    found = mva.decisions(*kidney_runs)
    assert [list(one) for one in chapter.decided.values()] == [list(arm.found) for arm in found.arms]
    (one,) = chapter.turned
    assert one.found == found.turned[0]
    assert (one.found.turned_right, one.found.turned_wrong) == (12, 6)
    assert one.found.per_dollar == pytest.approx(6 / 0.48)


def test_rules_of_a_user_take_the_place_of_the_shipped_ones(kidney_runs, tmp_path):
    (tmp_path / "rules.yaml").write_text(RULES)
    chapter = collect(kidney_runs, most_pictures=0, decisions=read_rules(tmp_path / "rules.yaml")).chapters[0]
    assert {one.rule.name for own in chapter.decided.values() for one in own} == {"kidney"}


def test_where_no_rule_and_no_reading_is_there_is_no_section(stores, kidney_runs):
    both = {"Decisions that the answers lead to", "The responses under a second reader"}
    assert both <= set(titles(collect(kidney_runs, most_pictures=0)))
    without = collect([stores("b-off", said(BAD)), stores("b-on", said(GOOD), tools=RULER)], most_pictures=0)
    assert not both & set(titles(without))


def test_a_demonstration_has_figures_and_no_interval(stores):
    made = {"demonstration": True}
    runs = read_again(lambda store: [store("c-off", said(BAD), **made), store("c-on", said(GOOD), tools=RULER, **made)])
    chapter = collect(runs(stores), most_pictures=0).chapters[0]
    (pair,) = chapter.readings[0].pairs
    steps = [mean for tasks in chapter.headroom.values() for one in tasks.values() for mean in one.steps.values()]
    assert {mean.loss.interval for mean in steps} == {None}
    assert (pair.found.by_rule.interval, pair.found.format.interval) == (None, None)
    assert "demonstration" in pair.found.withheld


def test_readings_that_were_tampered_with_read_nothing(stores):

    (folder, _) = read_again(lambda store: [store("d-off", said(BAD)), store("d-on", said(GOOD), tools=RULER)])(stores)

    with closing(sqlite3.connect(folder / NAME)) as database, database:
        database.execute("UPDATE reading SET numbers = '[\"99999.5\"]'")
    database.close()
    (one,) = collect([folder], most_pictures=0).chapters[0].readings
    (task,) = one.arms["off"].values()
    assert (task.success_rule, task.success_reader) == (1, 0)
    assert set(task.unread) == {"the stored reading does not stand in the text"}


def test_the_page_names_the_reader_and_what_it_took(kidney_runs):
    page = unescape(html_page(collect(kidney_runs, most_pictures=0)))
    assert "second (served as s-1). No plan named it before the first call" in page
    assert "what the reader took" in page.lower()
