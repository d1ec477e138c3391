"""Findings on the page: the row by hand, one caveat for each kind, and nothing said twice."""

import re
from html import unescape

import numpy as np
import pytest
from told.answers import BAD, GOOD, RULER, but, said

from medvision_agent.errors import ConfigError
from medvision_agent.eval.findings.find import find
from medvision_agent.eval.report.collect import collect
from medvision_agent.eval.report.found import FEW
from medvision_agent.eval.report.page import html_page

FOLDED = re.compile(r"<details.*?</details>", re.DOTALL)


def unfolded(page):
    """Return the words of a page that are seen before anything is opened."""
    body = re.sub(r"<(style|svg|head)\b.*?</\1>", "", page, flags=re.DOTALL)
    while FOLDED.search(body):  # from the inside out
        body = re.sub(r"<details\b(?:(?!<details\b).)*?</details>", "", body, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def many(store, count):
    """Return an arm without tools and several with them, each with failures and losses of its own."""
    folders = [store("off", said(BAD))]
    for number in range(count):
        answers = but(said(GOOD), np.arange(48) % 12 == number % 12, None)
        folders.append(store(f"on{number}", answers, tools=RULER, condition=f"on-{number}", tokens=100 + number))
    return folders


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


def test_the_length_grows_with_kinds_and_not_with_comparisons(store):
    folders = many(store, 16)
    pages = {count: html_page(collect(folders[: count + 1], most_pictures=0)) for count in (2, 8, 16)}
    words = {count: len(unfolded(page).split()) for count, page in pages.items()}
    bullets = {
        count: len(collect(folders[: count + 1], most_pictures=0).chapters[0].findings.caveats) for count in pages
    }
    assert bullets[2] == bullets[8] == bullets[16] <= 6
    assert words[16] < 1.6 * words[2]
    assert "other comparisons" in pages[16]
    assert len(collect(folders, most_pictures=0).chapters[0].findings.rows) > FEW


@pytest.mark.parametrize("count", [1, 3])
def test_no_sentence_stands_twice_on_the_page(store, count):
    """What belongs to one table or one run stands at each: notes, and facts."""
    page = html_page(collect(many(store, count)))
    page = re.sub(r'<p class="under">.*?</p>|<section class="run".*?</section>', "", page, flags=re.DOTALL)
    page = re.sub(r"<(style|svg|head|table|pre|figure)\b.*?</\1>", "", page, flags=re.DOTALL)
    texts = [unescape(re.sub(r"<[^>]+>", " ", part)) for part in re.findall(r"<(?:p|li)\b[^>]*>(.*?)<", page)]
    long = [" ".join(text.split()) for text in texts if len(text.split()) > 5]
    assert len(long) > 5
    assert [text for text in dict.fromkeys(long) if long.count(text) > 1] == []


def test_arms_are_called_by_their_names(arms):
    page = unfolded(html_page(collect(arms)))
    assert not re.search(r"\b(?:in|of|arm|than) [AB]\b|\b[AB] (?:is|has|lower|minus)\b", page)
