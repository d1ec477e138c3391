"""Figures on a page: elements, roles, links, colours and ids; names are text whatever they hold."""

import re
from collections import Counter
from xml.etree import ElementTree as ET

import pytest
from drawn import EVERY, NAMES, a_forest, a_pair, linked

from medvision_agent.eval.figures.figure import Figure, relative
from medvision_agent.eval.figures.page import for_page
from medvision_agent.eval.figures.paired import paired

SVG = "{http://www.w3.org/2000/svg}"


def elements(figure: Figure) -> list[ET.Element]:
    return list(ET.fromstring(for_page(figure)).iter())  # noqa: S314 - our own text


@pytest.mark.parametrize("name", EVERY)
def test_every_panel_is_an_image_with_words(name):
    figure = EVERY[name]()
    found = elements(figure)
    panels = [one for one in found if one.get("class") == "plot"]
    assert len(panels) == len(figure.panels)
    ids = Counter(one.get("id") for one in found if one.get("id"))
    assert set(ids.values()) == {1}
    for one in panels:
        assert one.get("role") == "img"
        title, words = (ids.keys() & {key} for key in one.get("aria-labelledby", "").split())
        assert title
        assert words
    for one in found:
        for word in re.findall(r"#([\w-]+)", " ".join((one.get("href", ""), one.get("clip-path", "")))):
            assert word in ids
    assert not {"script", "style", "metadata", "image"} & {one.tag.rpartition("}")[2] for one in found}


@pytest.mark.parametrize("name", EVERY)
def test_colours_and_type_are_the_pages(name):
    text = for_page(EVERY[name]())
    tags = " ".join(re.findall(r"<[^>]*>", text))
    assert "var(--" in tags
    assert not re.search(r"#[0-9a-f]{6}\b", re.sub(r'(id|href|clip-path)="[^"]*"', "", tags))
    assert "font-family" not in tags
    assert "DejaVu" not in tags


def test_names_are_text():
    text = for_page(a_forest())
    assert "<script>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "$x^2$ -&gt; \\alpha" in text
    assert "\x1b" not in text
    found = {"".join(one.itertext()) for one in elements(a_forest()) if one.tag == f"{SVG}text"}
    assert NAMES[7] in found
    assert NAMES[11] in found  # although matplotlib's font lacks these


def test_a_page_is_drawn_the_same_every_time():
    assert for_page(a_pair()) == for_page(a_pair())


def test_a_link_can_be_reached_and_says_where_it_leads():
    found = elements(linked())
    (panel,) = (one for one in found if one.get("class") == "plot")
    assert panel.get("role") == "group"  # what is inside an image cannot be reached
    (link,) = (one for one in found if one.tag.endswith("}a"))
    assert (link.get("href"), link.get("aria-label")) == ("view/index.html#sample=s1", "off -> on, size")
    assert len([one for one in link.iter() if one.tag == f"{SVG}use"]) == 1


def test_each_sample_of_a_pair_can_have_a_link():
    points, hrefs = [(0.1, 0.2), (0.5, 0.3), (0.2, 0.2)], ["#a", "#b", ""]
    figure = paired("p", "t", ("off", "on"), {"size": points}, {"size": hrefs})
    found = [one.get("href") for one in elements(figure) if one.tag.endswith("}a")]
    assert sorted(found) == ["#a", "#b"]


def test_a_figure_as_a_whole_can_have_a_link():
    own = a_pair()
    figure = Figure(own.name, own.title, own.description, own.panels, own.key, "view/#all")
    (link,) = (one for one in elements(figure) if one.tag == "a")
    assert link.get("href") == "view/#all"
    assert len([one for one in link.iter() if one.get("class") == "plot"]) == 2


_ELSEWHERE = [
    "javascript:alert(1)",
    "https://example.org",
    "//example.org",
    "\\\\host\\x",
    "",
    "/etc",
    " //example.org",
    "\t/etc",
]


@pytest.mark.parametrize("href", _ELSEWHERE)
def test_a_link_leads_nowhere_else(href):
    with pytest.raises(ValueError, match="relative"):
        relative(href)
