"""Runs that are not finished: no interval before their end; what was not asked is neither failed nor lost."""

import re

from told.printed import sentences

from medvision_agent.eval.report.collect import collect
from medvision_agent.eval.report.page import html_page
from medvision_agent.eval.report.sections import report_tables

LOST = "LOST"


def answers(count, *, failed=(), lost=(), wrong=0.0):
    texts = [f"<answer>{10 + number % 31 + wrong * (1 + number % 3)}</answer>" for number in range(count)]
    return ["no idea" if n in failed else LOST if n in lost else text for n, text in enumerate(texts)]


def test_an_unfinished_run_has_figures_only_and_says_how_many_were_asked(store):
    off = store("off", answers(60, wrong=2))
    on = store("on", answers(60, lost={3}), tools=("ruler",), done=50)
    report = collect([off, on])
    (chapter,) = report.chapters
    (test,) = chapter.contrasts[0].tests.values()
    why = "no verdict: 50 of 60 planned samples were asked in on"
    assert (test.primary.interval, test.primary.withheld) == (None, why)
    assert test.primary.difference < 0
    gone = test.missing
    assert (gone.chosen, gone.scored, gone.lost_only_b, gone.not_asked) == (60, 49, 1, 10)
    assert gone.bounds.high - gone.bounds.low <= 1 / 50 + 1e-9  # of the 50 pairs that were asked, one lost
    assert f"N{why[1:]}" in html_page(report)
    (table,) = [one for one in report_tables(report) if one.id.endswith("missing")]
    assert [column.name for column in table.columns][4] == "not asked"
    assert table.rows[0][2:5] == (60, 49, 10)


def test_the_parts_of_a_difference_stand_in_words_and_in_the_table(store):
    off = store("off", answers(60, wrong=2, failed={0, 1}))
    on = store("on", answers(60, failed={1, 2, 5, 8}), tools=("ruler",))
    (chapter,) = collect([off, on]).chapters
    (test,) = chapter.contrasts[0].tests.values()
    both = [n for n in range(60) if n not in {0, 1, 2, 5, 8}]
    by_answers = -sum(2 * (1 + n % 3) / (10 + n % 31) for n in both) / 60
    by_failures = sum(1 - 2 * (1 + n % 3) / (10 + n % 31) for n in (2, 5, 8)) / 60 - 1 / 60
    said = re.search(
        r"of the difference in loss, (\S+) comes from answers and (\S+) from", " ".join(sentences(chapter))
    )
    assert said is not None
    assert [float(one.replace("\u2212", "-")) for one in said.groups()] == [round(by_answers, 3), round(by_failures, 3)]
    assert test.missing.by_answers + test.missing.by_failures == test.primary.difference
