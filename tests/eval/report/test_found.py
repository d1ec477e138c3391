"""Findings on the page: the row by hand, one caveat for each kind, and nothing said twice."""

import pytest

from medvision_agent.errors import ConfigError
from medvision_agent.eval.findings.find import find
from medvision_agent.eval.report.collect import collect


def test_a_row_is_what_the_report_computes(arms):
    (found,), chapter = find(arms), collect(arms).chapters[0]
    (row,), (one,) = found.rows, chapter.contrasts
    test = one.tests["distance"]
    assert chapter.findings == found
    assert (row.task, row.contrast, row.against, row.arm) == ("distance", "off -> on", "off", "on")
    assert (row.difference, row.interval, row.n) == (test.primary.difference, test.primary.interval, test.primary.n)
    assert row.loss - row.loss_against == pytest.approx(row.difference)
    assert row.wins + row.ties + row.losses == row.n
    assert row.success == test.missing.success.difference
    assert (row.claim, row.reason) == (False, "exploratory")
    assert find(arms, chapter_rules())[0].protocol == "paper-v1"


def chapter_rules():
    from medvision_agent.eval.scorer.protocol import protocol

    return protocol("paper-v1")


def test_a_folder_is_not_taken_twice(arms):
    with pytest.raises(ConfigError, match="twice"):
        find([arms[0], arms[0]])
