"""Figures of made-up data, with names that are long, strange or hostile; and what was drawn, read back from its SVG."""

import math
from collections.abc import Callable
from typing import NamedTuple
from xml.etree import ElementTree as ET

import numpy as np

from medvision_agent.eval.figures.agreement import Errors, Risk, bland_altman, risk_coverage
from medvision_agent.eval.figures.by_label import Labelled, loss_by_label
from medvision_agent.eval.figures.by_size import Sized, loss_by_size
from medvision_agent.eval.figures.canvas import drawing, saved, single
from medvision_agent.eval.figures.cost import Spot, losses_by_cost
from medvision_agent.eval.figures.figure import Figure, Panel
from medvision_agent.eval.figures.forest import Effect, forest
from medvision_agent.eval.figures.headroom import Level, headroom
from medvision_agent.eval.figures.ladder import Rung, ladder
from medvision_agent.eval.figures.marks import Dot, Dots
from medvision_agent.eval.figures.paired import paired
from medvision_agent.eval.figures.tool_use import Use, tool_use

NAMES = (
    *("off -> on", "gemini-2.5-flash: same-region -> on", "W" * 60, "$x^2$ -> \\alpha", "a\x1b[31m -> b"),
    *("qwen2.5-vl-72b-instruct-awq: off-swapped-picture -> off (MedVision)", "<script>alert(1)</script>", "только"),
    *("again:2 -> on", "matched -> on", "blank -> on", "测试 -> on"),
)
"""Twelve, as many rows as a panel must bear."""
ARMS = tuple(f"{model} {arm}" for model in ("flash", "qwen2.5-vl-72b") for arm in ("off", "on", "blind", "blank"))
_SVG = "{http://www.w3.org/2000/svg}"
_HREF = "{http://www.w3.org/1999/xlink}href"


def a_forest() -> Figure:
    effects = [
        Effect(name, place / 100, None if place == 3 else (place / 100 - 0.05, place / 100 + 0.04), 400, 120, claim)
        for place, name in enumerate(NAMES, start=-6)
        for claim in ["lower loss" if place < -4 else ""]
    ]
    return forest("forest", "Differences", {"size": effects, "angle": effects[:2]}, margin=0.03)


def a_small_forest() -> Figure:
    """Return differences so small that the numbers at the axis are long."""
    effects = [Effect(name, 0.0001, (-0.0002, 0.0004), 48, 48, "") for name in NAMES[:2]]
    return forest("small", "Differences", {"size": effects})


def a_pair() -> Figure:
    random = np.random.default_rng(1)
    few, many = ([Dot(*pair) for pair in random.uniform(size=(count, 2)).tolist()] for count in (40, 400))
    return paired("paired", "Losses", ARMS, (NAMES[5], "on"), {"size": few, "angle": many})


def a_cost() -> Figure:
    spots = [
        Spot(arm, 300.0 * 1.7**place, 0.9 - 0.05 * place, (0.85 - 0.05 * place, 0.95 - 0.05 * place), 50)
        for place, arm in enumerate(ARMS)
    ]
    dear = [spot._replace(cost=spot.cost / 1e6) for spot in spots]
    panels = {("size", "tokens of a sample"): spots, ("size", "USD of a sample"): dear, ("angle", "tokens"): spots[:2]}
    return losses_by_cost("cost", "Cost", ARMS, panels)


def an_agreement() -> Figure:
    points = Dots([10.0 + at for at in range(30)], [math.sin(at) * 4 for at in range(30)])
    panels = [Errors(arm, "major axis", "mm", points, 30, 0.5, (-5.0, 6.5)) for arm in ARMS[:3]]
    return bland_altman("bland", "Errors", ARMS, panels, left_out=2)


def a_risk() -> Figure:
    curves = [
        Risk(arm, [(at / 20, at / 40 + 0.05 * place) for at in range(1, 18)], 0.4, 0.9)
        for place, arm in enumerate(ARMS[:4])
    ]
    return risk_coverage("risk", "Risk", ARMS, {"size": curves})


def a_size() -> Figure:
    own = [Sized(f"s{at % 30}", float(at), at / 90) for at in range(90)]
    return loss_by_size("size", "Sizes", ARMS, {("size", "longer axis, mm"): {ARMS[0]: own, ARMS[5]: own[::2]}}, 5)


def a_map() -> Figure:
    boxes = [Labelled(NAMES[at % 12], f"s{at % 67}", at % 40 / 60, at % 20 / 20) for at in range(4000)]
    made = loss_by_label("labels", "Labels", {ARMS[0]: boxes, ARMS[4]: boxes[:50]}, 5)
    assert made is not None
    return made


def a_use() -> Figure:
    tools = ("crop", "ruler", "fit_contour", "segment@watershed", "a_tool_of_someone_whose_name_is_very_long_indeed")
    uses = {arm: {tool: Use(0.5 + at, 200, 20 * at) for at, tool in enumerate(tools)} for arm in ARMS[:6]}
    return tool_use("use", "Tools", ARMS, {"size": uses, "angle": {ARMS[1]: {"crop": Use(1.5, 30, 0)}}})


def a_ladder() -> Figure:
    rungs = [Rung(name, (name, "on"), (0.8, 0.5), (-0.4, -0.2), 200, 80) for name in NAMES]
    return ladder(
        "ladder",
        "Ladder",
        {"size": rungs, "angle": [rungs[0]._replace(difference=None)]},
        {"size": ("best constant", 0.6)},
    )


def a_headroom() -> Figure:
    levels = [
        Level("prior", "sees no image", 0.6, (0.5, 0.7)),
        Level("as answered, 1000 samples of 200 subjects", "as answered", 0.45, (0.4, 0.5)),
        Level("exact arithmetic", "counterfactual", 0.3, (0.25, 0.35), (0.2, 0.4)),
        Level("convention ceiling (n 900)", "exact at the true places", 0.05, None),
    ]
    return headroom("headroom", "Headroom", {"size": levels, f"angle: {ARMS[-1]}": levels[1:3]})


def linked(href: str = "view/index.html#sample=s1") -> Figure:
    """Return a figure in which one of two marks has a link."""
    effect = Effect("off -> on", 0.1, (0.0, 0.2), 40, 20, "", href)
    return forest("f", "t", {"size": [effect, effect._replace(name="blind -> on", href="")]})


EVERY: dict[str, Callable[[], Figure]] = {
    made.__name__: made
    for made in (
        a_forest,
        a_small_forest,
        a_pair,
        a_cost,
        an_agreement,
        a_risk,
        a_size,
        a_map,
        a_use,
        a_ladder,
        a_headroom,
    )
}
"""One of each kind."""


class Read(NamedTuple):
    """What an SVG shows, in the units of its axes."""

    marks: list[tuple[float, float]]
    """Each mark's place; of an axis without ticks, the place in points from the top."""
    lines: list[list[tuple[float, float]]]
    """Lines, corner by corner."""


def read_back(panel: Panel) -> Read:
    """Return the values that a panel shows, found by its ticks and their labels alone."""
    with drawing("read"):
        root = ET.fromstring(saved(single(panel), "svg"))  # noqa: S314 - our own text
    axes = next(one for one in root.iter(f"{_SVG}g") if one.get("id") == "axes_1")
    across, down = (_scale(axes, number) for number in (1, 2))
    marks, lines = [], []
    for group in axes:
        if not (group.get("id") or "").startswith("line2d"):
            continue
        marks += [(across(float(one.get("x"))), down(float(one.get("y")))) for one in group.iter(f"{_SVG}use")]
        for path in group.findall(f"{_SVG}path"):
            words = [word for word in path.get("d", "").split() if word not in "MLz"]
            ends = list(zip(map(float, words[::2]), map(float, words[1::2]), strict=True))
            lines.append([(across(x), down(y)) for x, y in ends])
    return Read(marks, lines)


def _scale(axes: ET.Element, number: int) -> Callable[[float], float]:
    """Return how a place along an axis is turned into a value, by its first and last tick."""
    key = "xy"[number - 1]
    axis = next(one for one in axes if one.get("id") == f"matplotlib.axis_{number}")
    ticks = []
    for group in axis:
        if (group.get("id") or "").startswith(f"{key}tick"):
            use, text = next(group.iter(f"{_SVG}use")), next(group.iter(f"{_SVG}text"))
            ticks.append(
                (float(use.get(key, "")), float((text.text or "").replace("\N{MINUS SIGN}", "-").replace(",", "")))
            )
    if len(ticks) < 2:
        return lambda at: at
    (first, low), (last, high) = ticks[0], ticks[-1]
    middle = [value for at, value in ticks[1:-1]]
    steps = [b - a for a, b in zip([low, *middle], [*middle, high], strict=True)]
    if low > 0 and max(steps) - min(steps) > 1e-6 * (high - low):  # the steps of a logarithmic axis grow
        return lambda at: low * (high / low) ** ((at - first) / (last - first))
    return lambda at: low + (high - low) * (at - first) / (last - first)
