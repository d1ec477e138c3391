"""Links into a viewer's bundle: each row, mark, cell and view leads to its samples or to its one sample.

The bundle is a real one; ``tests/viewer`` follows links in a browser.
"""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from told.answers import BAD, GOOD, RULER, said

from medvision_agent.eval.browse.bundle import write_bundle
from medvision_agent.eval.browse.library import Library
from medvision_agent.eval.browse.linked import is_bundle_of, places
from medvision_agent.eval.report.collect import collect
from medvision_agent.eval.report.links import Place, Viewer
from medvision_agent.eval.report.page import html_page

BOTH = "runs=r1,r2&arm=r2&against=r1"


@pytest.fixture(scope="module")
def folders(stores):
    return [stores("off", said(BAD), tokens=100), stores("on", said(GOOD), tools=RULER, tokens=400)]


def bundled(folders, out, most=0):
    """Return the viewer of a bundle of so many samples; 0: of all."""
    library = Library(folders)
    write_bundle(library, {"index.html": b""}, out, most)
    assert is_bundle_of(Library(folders), out)
    return Viewer("view/index.html", places(Library(folders), out))


@pytest.fixture(scope="module")
def page(folders, tmp_path_factory):
    return unescape(html_page(collect(folders, most_pictures=2), bundled(folders, tmp_path_factory.mktemp("b") / "b")))


def figure(page, about):
    """Return the links of a figure, with what they say, by a word of its caption."""
    (found,) = [
        one for one in re.findall(r"<figure>.*?</figure>", page, re.DOTALL) if about in one.partition("<figcap")[2]
    ]
    return dict(re.findall(r'<a href="view/index.html#/([^"]*)"[^>]*? aria-label="([^"]*)"', found))


def test_without_a_bundle_there_are_no_links(folders):
    assert "#/sample" not in html_page(collect(folders, most_pictures=1))


def test_a_row_and_the_marks_of_contrasts_and_arms_lead_to_their_samples(page):
    row = f"samples?{BOTH}&task=distance&sort=difference"
    assert f'<th scope="row"><a href="view/index.html#/{row}">distance</a></th>' in page
    assert f'href="view/index.html#/samples?{BOTH}&sort=difference">off -> on</a>' in page
    assert figure(page, "Differences in loss") == {row: "off -> on, distance"}
    one = "samples?run={0}&arm={0}&against=none&task=distance&sort=loss"
    assert figure(page, "Loss against cost") == {one.format("r1"): "off", one.format("r2"): "on"}


@pytest.mark.parametrize(
    ("about", "scopes"),
    [
        ("Loss of each sample", {BOTH}),
        ("Error of each answer", {f"run={one}&arm={one}&against=none" for one in ("r1", "r2")}),
        ("Loss by size", {f"run={one}&arm={one}&against=none" for one in ("r1", "r2")}),
    ],
)
def test_a_mark_of_a_sample_leads_to_that_sample(page, about, scopes):
    found = figure(page, about)
    for scope in scopes:
        own = {link: words for link, words in found.items() if link.startswith(f"sample?{scope}&")}
        ids = [parse_qs(urlsplit(f"?{link.partition('?')[2]}").query)["id"][0] for link in own]
        assert sorted(ids) == sorted(f"s{number}" for number in range(48))
        assert all(words.startswith((f"{name}:", f"{name},")) for name, words in zip(ids, own.values(), strict=True))


def test_calls_of_a_tool_lead_to_the_samples_with_it(page):
    one = "samples?run=r2&arm=r2&against=none&task=distance&sort=loss&tool=ruler"
    assert figure(page, "Tool calls per sample") == {one: "samples of on with ruler"}


def test_each_view_of_a_picture_leads_to_its_sample(page):
    shown = re.findall(r'<h5 id="c1-p\d">(.*?)</h5>(.*?)</article>', page, re.DOTALL)
    assert len(shown) == 2
    for name, views in shown:
        link = f"view/index.html#/sample?{BOTH}&id={name}&task=distance&sort=difference"
        assert re.findall(r'<a href="([^"]*)" title="Open in the viewer: ', views) == [link] * 3


def test_samples_that_a_bundle_lacks_have_no_links(folders, tmp_path):
    viewer = bundled(folders, tmp_path / "small", most=6)
    held = {frozenset(one.samples) for one in viewer.places.values()}
    assert [len(one) for one in held] == [6]
    page = unescape(html_page(collect(folders, most_pictures=48), viewer))
    linked = set(re.findall(r"#/sample\?[^\"]*&id=(\w+)", page))
    assert linked == next(iter(held))


def test_the_marks_of_a_crowd_lead_to_the_samples_around_them(stores, tmp_path):
    answers = said([0.1, 0.6] * 150), said([0.4] * 300)
    folders = [stores("many off", answers[0]), stores("many on", answers[1], tools=RULER)]
    found = figure(unescape(html_page(collect(folders), bundled(folders, tmp_path / "b"))), "Loss of each sample")
    filtered = {(query["in-loss"][0], query["in-difference"][0]): words for query, words in map(_read, found.items())}
    assert set(filtered) == {("0.3958..0.4375", "0.2917..0.3750"), ("0.3958..0.4375", "-0.2083..-0.1250")}
    assert all(words.startswith("150 samples around here") for words in filtered.values())


def _read(item):
    link, words = item
    return parse_qs(link.partition("?")[2]), words


def test_names_of_arms_cannot_leave_a_link(stores):
    named = [
        stores("evil off", said(BAD)),
        stores("evil on", said(GOOD), tools=RULER, condition='on"><script>&x=1'),
    ]
    found = {folder: Place("r1", "s1", 'on"><script>&x=1', frozenset({"s0"})) for folder in named}
    report = collect(named, most_pictures=48)
    study = report.model_copy(update={"chapters": (report.chapters[0].model_copy(update={"kind": "study"}),)})
    page = html_page(study, Viewer("v.html", found))
    assert "<script>" not in page
    assert "study=s1&amp;arm=on%22%3E%3Cscript%3E%26x%3D1&amp;against=on%22" in page
    assert "&amp;on=on%22%3E%3Cscript%3E%26x%3D1" in page  # the arm whose view it is


def test_runs_that_a_bundle_lacks_have_no_links(folders):
    viewer = Viewer("v.html", {folders[0]: Place("r1", "", "")})
    page = html_page(collect(folders, most_pictures=0), viewer)
    assert set(re.findall(r"run=\w+", page)) == {"run=r1"}  # of one arm, beside its cost
    assert "runs=" not in page
    row = "v.html#/samples?run=r1&amp;arm=r1&amp;against=none&amp;task=distance&amp;sort=loss"
    assert f'<a href="{row}">distance</a>' in html_page(collect(folders[:1], most_pictures=0), viewer)
