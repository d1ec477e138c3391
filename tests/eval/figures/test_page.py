"""Figures on a page: elements, roles, links, colours and ids; names are text whatever they hold."""

import re
from collections import Counter
from xml.etree import ElementTree as ET

import pytest
from drawn import EVERY, NAMES, a_forest, a_pair, linked

from medvision_agent.eval.figures.by_label import Labelled, loss_by_label
from medvision_agent.eval.figures.figure import Figure, relative
from medvision_agent.eval.figures.marks import Dot
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
    assert NAMES[7].replace(" -> ", " → ") in found
    assert NAMES[11].replace(" -> ", " → ") in found  # although matplotlib's font lacks these


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
    samples = [Dot(0.1, 0.2, "s1", "#a"), Dot(0.5, 0.3, "s2", "#b"), Dot(0.2, 0.2, "s3")]
    figure = paired("p", "t", ("off", "on"), ("off", "on"), {"size": samples})
    found = {one.get("href"): one for one in elements(figure) if one.tag.endswith("}a")}
    assert sorted(found) == ["#a", "#b"]
    words = "s1: loss 0.100 with off, 0.200 with on"
    assert found["#a"].get("aria-label") == words
    assert [one.text for one in found["#a"] if one.tag == f"{SVG}title"] == [words]  # for who points at it


def test_the_keyboard_stops_at_few_links_and_at_none_of_many():
    for count, stops in ((40, 40), (41, 0)):
        samples = [Dot(at / count, 0.5, f"s{at}", f"#{at}") for at in range(count)]
        figure = paired("p", "t", ("off", "on"), ("off", "on"), {"size": samples})
        found = [one for one in elements(figure) if one.tag.endswith("}a")]
        assert len(found) == count
        assert sum(one.get("tabindex") is None for one in found) == stops


def test_a_mark_of_a_crowd_leads_to_its_one_sample_or_to_those_around():
    samples = [Dot(0.5, 0.25, f"s{at}", f"#{at}") for at in range(299)] + [Dot(0.9, 0.2, "alone", "#alone")]
    around = "#{0}/{1[0]:.2f}/{1[1]:.2f}".format
    figure = paired("p", "t", ("off", "on"), ("off", "on"), {"size": samples}, around=around)
    found = {one.get("href"): one.get("aria-label") for one in elements(figure) if one.tag.endswith("}a")}
    assert set(found) == {"#alone", "#size/0.50/0.25"}
    assert found["#size/0.50/0.25"].startswith("299 samples around here")


def test_a_cell_of_a_map_leads_to_the_boxes_of_its_label_and_is_one_stop():
    boxes = [Labelled("liver", f"s{at}", 0.07, 0.4) for at in range(5)] + [Labelled("spleen", "s1", 0.5, 0.4)]
    figure = loss_by_label("n", "t", {"off": boxes}, 5, "#{}/{}".format)
    found = [one for one in elements(figure) if one.tag.endswith("}a")]
    assert [one.get("href") for one in found] == ["#off/liver", "#off/liver", "#off/spleen"]
    assert [one.get("tabindex") for one in found if "liver" in one.get("href")] == [None, "-1"]
    assert found[0].get("aria-label") == "boxes of liver, off"


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
