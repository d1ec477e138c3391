"""The page: its structure, what it withholds, what it never mixes, and that it is the same every time."""

import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from forged import forged

from medvision_agent.errors import ConfigError, DataError
from medvision_agent.eval.report.collect import collect
from medvision_agent.eval.report.page import html_page
from medvision_agent.eval.report.write import markdown_page

VOID = {"meta", "link", "br", "img", "hr", "input", "path", "use", "rect", "line", "circle", "image"}


class Page(HTMLParser):
    """Every element with its attributes and the text right in it; checks that elements are closed in order."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open = [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), []))
        if tag not in VOID:
            self.open.append((tag, self.elements[-1]))

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), []))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop()[0] == tag

    def handle_data(self, data):
        if self.open:
            self.open[-1][1][2].append(data)

    def all(self, tag):
        return [(attributes, "".join(text)) for name, attributes, text in self.elements if name == tag]

    @property
    def text(self):
        return " ".join(" ".join(word for name, _, text in self.elements if name != "style" for word in text).split())


@pytest.fixture(scope="module")
def page(page_of_arms):
    return Page(page_of_arms)


def test_a_screen_reader_finds_its_way(page):
    assert page.all("html")[0][0]["lang"] == "en"
    assert [len(page.all(name)) for name in ("header", "nav", "main", "footer", "h1")] == [1, 1, 1, 1, 1]
    links = [attributes["href"] for attributes, _ in page.all("a")]
    assert links[0] == "#main"  # the skip link comes first
    ids = [attributes["id"] for _, attributes, _ in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {link.removeprefix("#") for link in links} <= set(ids)
    labels = [one for _, attributes, _ in page.elements for one in attributes.get("aria-labelledby", "").split()]
    assert labels
    assert set(labels) <= set(ids)
    levels = [int(name[1]) for name, _, _ in page.elements if re.fullmatch(r"h\d", name)]
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_tables_and_figures_say_what_they_are(page):
    assert len(page.all("table")) == len(page.all("caption")) >= 6
    assert all(text.strip() for _, text in page.all("caption"))
    assert {attributes.get("scope") for attributes, _ in page.all("th")} == {"col", "row"}
    drawings = [one for one in page.all("svg") if one[0].get("aria-hidden") != "true"]  # but the marks of a key
    assert len(drawings) >= 4
    assert all(
        attributes["role"] == "img" and len(attributes["aria-labelledby"].split()) == 2 for attributes, _ in drawings
    )
    assert all(text.strip() for _, text in [*page.all("title"), *page.all("desc")])


def test_nothing_is_asked_of_the_network(page, page_of_arms):
    assert not page.all("script")
    assert not page.all("link")
    for _, attributes, _ in page.elements:
        for name in ("src", "href", "xlink:href"):
            assert attributes.get(name, "#").startswith(("#", "data:image/png;base64,"))
        assert not any(name.startswith("on") for name in attributes)
    assert "default-src 'none'" in page.all("meta")[1][0]["content"]
    assert "@import" not in page_of_arms
    assert "url(http" not in page_of_arms


def test_figures_keep_text_and_follow_the_page(page):
    drawn = [text for _, text in page.all("text")]
    assert "distance" in drawn
    assert "loss, off" in drawn
    styles = " ".join(attributes.get("style", "") + attributes.get("fill", "") for _, attributes, _ in page.elements)
    assert "var(--c1)" in styles
    assert "#0102" not in styles


def test_the_same_store_gives_the_same_bytes(arms):
    once, again = collect(arms), collect(arms)
    for form in (html_page, markdown_page):
        assert form(once) == form(again)


def test_demonstration_data_have_figures_only(store):
    answers = [f"<answer>{10 + number % 31}</answer>" for number in range(60)]
    arms = [
        store(name, ["<answer>12</answer>"] * 60 if not tools else answers, tools=tools, demonstration=True)
        for name, tools in (("off", ()), ("on", ("ruler",)))
    ]
    text = Page(html_page(collect(arms))).text
    assert "demonstration data support no claim" in text
    assert "DEMONSTRATION" in text
    assert not re.search(r"interval \S*\d|Holm-adjusted|verdict:", text)


def test_few_subjects_have_figures_only(store):
    arms = [
        store(name, ["<answer>12</answer>"] * 30, tools=tools, subjects=6) for name, tools in (("a", ()), ("b", ("x",)))
    ]
    text = Page(html_page(collect(arms))).text
    assert "6 subjects, fewer than 20" in text


def test_synthetic_data_are_marked_and_apart(store, arms):
    made = store("made", ["<answer>12</answer>"] * 30, synthetic=True)
    report = collect([*arms, made])
    assert [chapter.evidence for chapter in report.chapters] == ["real", "synthetic"]
    assert [chapter.samples for chapter in report.chapters] == [96, 30]
    page = Page(html_page(report))
    assert page.all("h1")[0][1].startswith("Partly SYNTHETIC")
    captions = [text for attributes, text in page.all("caption") if attributes["id"].startswith("table-c2-")]
    assert captions
    assert all(text.startswith("SYNTHETIC: ") for text in captions)
    assert not any(
        "SYNTHETIC" in text for attributes, text in page.all("caption") if attributes["id"].startswith("table-c1-")
    )


def test_a_source_that_mixes_them_is_refused(store):
    real = store("real", ["<answer>12</answer>"] * 5)
    made = store("made", ["<answer>12</answer>"] * 5, synthetic=True)
    for folder in (real, made):
        _rename_source(folder)
    with pytest.raises(DataError, match="synthetic and real"):
        collect([real, made])


def _rename_source(folder):
    import json

    with forged(folder) as database:
        config = json.dumps({"source": {"name": "same", "note": ""}})
        database.execute("UPDATE run SET value = ? WHERE key = 'config'", (config,))


def test_one_run_is_a_report(arms):
    report = collect(arms[:1])
    text = Page(html_page(report)).text
    assert report.chapters[0].contrasts == ()
    assert "Samples with the largest errors" in text
    assert "Differences between arms" not in text
    assert "1 arm of m (off) was asked 96 samples of 24 subjects" in text


def test_a_run_that_goes_on_is_not_said_to_have_been_asked(store):
    text = Page(html_page(collect([store("part", ["<answer>12</answer>"] * 96, done=5)]))).text
    assert "1 arm of m (off) is being asked 96 samples" in text
    assert "So far, 5 of 96 answers are there." in text


def test_arms_that_differ_in_more_are_not_compared(store, arms):
    other = store("other", ["<answer>12</answer>"] * 96, tools=("ruler",), recipe="paper-v1")
    report = collect([arms[0], other])
    assert report.chapters[0].contrasts == ()
    text = Page(html_page(report)).text
    assert 'recipe: "medvision-1.2" in off, "paper-v1" in on' in text


def test_an_arm_over_other_samples_says_so(store, arms):
    other = store("part", ["<answer>12</answer>"] * 9, model_name="other", sample_ids_sha256="nine")
    text = Page(html_page(collect([*arms, other]))).text
    assert "other off: was to be asked 9 samples, not 96: its means are over other samples." in text


def test_a_run_is_not_taken_twice(arms):
    with pytest.raises(ConfigError, match="twice"):
        collect([arms[0], arms[0]])


def test_pictures_are_those_that_differ_most(arms):
    chapter = collect(arms, most_pictures=4).chapters[0]
    apart = [abs(one.panels[0].loss - one.panels[1].loss) for one in chapter.pictures]
    assert len(apart) == 4
    assert apart == sorted(apart, reverse=True)
    assert apart[0] == max(abs(a - b) for a, b in chapter.contrasts[0].losses["distance"])
    (truth,) = chapter.pictures[0].truth
    assert truth.points[0] == (pytest.approx(5 / 50), pytest.approx(5 / 40))


def test_a_run_that_has_not_begun_is_said_to_be_open(store):
    arms = [store(name, ["<answer>12</answer>"] * 8, tools=tools, done=done) for name, tools, done in _OPEN]
    text = Page(html_page(collect(arms))).text
    assert "Samples not asked yet, in no mean: off 8, on 3." in text
    assert "off \N{RIGHTWARDS ARROW} on, distance: no pair was scored in both arms." in text


_OPEN = (("off", (), 0), ("on", ("ruler",), 5))
