"""Findings on the page: the row by hand, one caveat for each kind, nothing said twice, and links into a viewer."""

import re
from html import unescape

import numpy as np
import pytest
from told.chapters import BAD, GOOD, RULER, but, said

from medvision_agent.errors import ConfigError
from medvision_agent.eval.browse.library import Library
from medvision_agent.eval.browse.linked import places
from medvision_agent.eval.findings.find import find
from medvision_agent.eval.report.collect import collect
from medvision_agent.eval.report.found import FEW
from medvision_agent.eval.report.links import Place, Viewer
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


def test_rows_and_figures_link_into_a_viewer_where_there_is_one(store):
    arms = [store("off", said(BAD), tokens=100), store("on", said(GOOD), tools=RULER, tokens=400)]
    report = collect(arms, most_pictures=0)
    assert "#/samples" not in html_page(report)
    page = unescape(html_page(report, Viewer("view/index.html", places(Library(arms)))))
    both = "view/index.html#/samples?runs=r1,r2&arm=r2&against=r1"
    row = f"{both}&task=distance&sort=difference"
    assert f'<th scope="row"><a href="{row}">distance</a></th>' in page
    assert f'href="{both}&sort=difference">off -> on</a>' in page
    marks = re.findall(r'<a href="([^"]*)" aria-label="([^"]*)"', page)
    assert (row, "off -> on, distance") in marks  # of the forest
    for key, arm in (("r1", "off"), ("r2", "on")):
        one = f"view/index.html#/samples?run={key}&arm={key}&against=none&task=distance&sort=loss"
        assert (one, arm) in marks  # of the losses against cost
    assert re.findall(r"<figure>(?:(?!</figure>|<a ).)*</figure>", page, re.DOTALL) == []


def test_names_of_arms_cannot_leave_a_link(store):
    named = [
        store("off", said(BAD)),
        store("on", said(GOOD), tools=RULER, condition='on"><script>&x=1'),
    ]
    found = {folder: Place("r1", "s1", 'on"><script>&x=1') for folder in named}
    report = collect(named, most_pictures=0)
    study = report.model_copy(update={"chapters": (report.chapters[0].model_copy(update={"kind": "study"}),)})
    page = html_page(study, Viewer("v.html", found))
    assert "<script>" not in page
    assert "study=s1&amp;arm=on%22%3E%3Cscript%3E%26x%3D1&amp;against=on%22" in page


def test_runs_that_a_bundle_lacks_have_no_links(arms):
    viewer = Viewer("v.html", {arms[0]: Place("r1", "", "")})
    assert "#/samples" not in html_page(collect(arms, most_pictures=0), viewer)
    row = "v.html#/samples?run=r1&amp;arm=r1&amp;against=none&amp;task=distance&amp;sort=loss"
    assert f'<a href="{row}">distance</a>' in html_page(collect(arms[:1], most_pictures=0), viewer)
