"""The look: colours that everybody can tell apart, that stand out from the page, and shapes that go with them."""

from importlib.resources import files
from itertools import combinations

import cv2
import numpy as np
import pytest

from medvision_agent.eval.figures.arms import arm_places, colour_on_image, looks
from medvision_agent.eval.figures.style import BACK, COLUMN, INK, RAMP, SERIES, TEXT, VARIABLES, variables

VISION = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
"""Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB."""
THEMES = ("light", "dark")
PAGE = {"light": "#ffffff", "dark": "#14181d"}


def linear(colours):
    rgb = np.array([[int(one[at : at + 2], 16) / 255 for at in (1, 3, 5)] for one in colours])
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(colours, vision="normal"):
    seen = np.clip(linear(colours) @ np.transpose(VISION[vision]), 0, 1)
    return cv2.cvtColor(seen[None].astype(np.float32), cv2.COLOR_LRGB2Lab)[0]


def contrast(one, other):
    a, b = linear([one, other]) @ (0.2126, 0.7152, 0.0722) + 0.05
    return max(a, b) / min(a, b)


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("theme", THEMES)
def test_any_two_colours_are_apart_for_everybody(theme, vision):
    seen = lab([getattr(one, theme) for one in SERIES], vision)
    assert min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2)) >= 20


@pytest.mark.parametrize("theme", THEMES)
def test_colours_stand_out_from_the_page(theme):
    assert min(contrast(getattr(one, theme), PAGE[theme]) for one in SERIES) >= 3
    lightness = lab([getattr(one, theme) for one in SERIES])[:2, 0]
    if theme == "light":  # what is printed: the first two arms differ in grey too
        assert abs(lightness[0] - lightness[1]) >= 20


@pytest.mark.parametrize("theme", THEMES)
def test_amounts_are_steps_of_lightness_with_readable_words(theme):
    steps = lab([getattr(one, theme) for one in RAMP])[:, 0]
    assert all(abs(step) >= 9 for step in np.diff(steps))
    assert len(set(np.sign(np.diff(steps)))) == 1
    ink, back = ("#1b1f24", "#fffffe") if theme == "light" else ("#e6eaee", "#14181d")
    words = [ink, ink, ink, back, back]
    assert min(contrast(getattr(one, theme), word) for one, word in zip(RAMP, words, strict=True)) >= 4.5


def test_what_has_a_colour_has_a_shape():
    many = looks([str(number) for number in range(64)])
    assert len({(one.colour, one.shape) for one in many.values()}) == 64
    few = list(looks(list("abcdef")).values())
    assert len({one.shape for one in few}) == len({str(one.dash) for one in few}) == 6


def test_the_colour_of_an_arm_follows_from_its_study_and_not_from_its_place():
    assert arm_places(["blind", "on", "again:2", "off"]) == {"off": 0, "on": 1, "blind": 2, "again:2": 3}
    assert arm_places(["blind", "on", "on"]) == {"on": 0, "blind": 1}
    assert arm_places([]) == {}
    assert looks(["on", "off"]) == looks(["off", "on"])
    assert [colour_on_image(place) for place in (0, 8)] == [SERIES[0].dark] * 2


def test_no_colour_stands_for_two():
    assert len(VARIABLES) == len(set(VARIABLES.values()))
    assert {INK, BACK} <= set(VARIABLES)


def test_the_page_has_every_colour():
    style = (files("medvision_agent.eval.report") / "style.css").read_text(encoding="utf-8")
    given = style + variables(dark=False)
    assert all(f"--{variable.removeprefix('var(--').removesuffix(')')}:" in given for variable in VARIABLES.values())
    assert (style.count("/* light */"), style.count("/* dark */")) == (2, 1)  # screen and paper, and dark screens


def test_text_is_as_large_as_a_phone_needs():
    assert COLUMN * 96 <= 390 - 2 * 0.8 * 16
    assert TEXT * 96 / 72 >= 11
