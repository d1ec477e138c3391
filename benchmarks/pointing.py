"""Do crops and marks improve a length between two points? Scripted pointing at the axes of real masks.

A pointer aims at both ends of an axis of the ellipse that fits a mask, and misses each by a normal error whose standard
deviation is a share of the sides of the picture it looks at. It calls the tools as a model does:

* the ruler on v0; the mean of three such readings;
* one crop around both points as seen on v0, then the ruler in the crop;
* a crop around each point as seen on v0, a mark in each, and the ruler between the marks.

A crop reaches 2.5 standard deviations beyond what was seen, so that it rarely misses the end. Loss: the relative error
of the length, capped at 1. Intervals: 95%, jackknife over subjects. The noise is seeded by the case.

Usage: python benchmarks/pointing.py --masks DIR [--packages DIR] [--write docs/tools.md]

"""

import argparse
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from real_masks import Case, read_folder, read_packages

from medvision_agent.eval.compare.statistics.clusters import clustered
from medvision_agent.eval.compare.statistics.jackknife import jackknife
from medvision_agent.tools.registry import TOOLS
from medvision_agent.tools.segment.contour import measure_mask
from medvision_agent.tools.view.geometry import Point
from medvision_agent.tools.view.perceived import Native
from medvision_agent.tools.view.views import ViewSet

BEGIN, END = "<!-- begin: benchmarks/pointing.py -->", "<!-- end: benchmarks/pointing.py -->"
NOISE = (0.02, 0.04, 0.08)
"""Standard deviations of the pointing, as shares of the sides of the picture that is looked at."""
REACH = 2.5
"""How far a crop reaches beyond what was seen, in standard deviations of the pointing on v0."""
DRAWS = 4
"""How often each axis is measured in each way."""
Place = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Pointer:
    """Points at places of a conversation's views, and calls tools."""

    views: ViewSet
    noise: float
    random: np.random.Generator

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool as a model does; raises RuntimeError where it refuses."""
        reply = TOOLS[tool].call(self.views, arguments)
        if reply.result is None:
            raise RuntimeError(f"{tool}: {reply.text}")
        return dict(reply.result)

    def at(self, point: Point, view: str = "v0") -> Place:
        """Return the place it points to when it aims at a point of the slice in a view: never beyond the view."""
        aimed = self.views.coordinates(self.views.get(view), point)
        x, y = (min(max(value + self.random.normal(0, self.noise), 0.0), 1.0) for value in aimed)
        return x, y

    def crop(self, seen: Sequence[Place]) -> str:
        """Crop around places seen on v0, and return the view."""
        reach = REACH * self.noise
        xs, ys = zip(*seen, strict=True)
        corners = {"x0": min(xs) - reach, "y0": min(ys) - reach, "x1": max(xs) + reach, "y1": max(ys) + reach}
        inside = {name: min(max(value, 0.0), 1.0) for name, value in corners.items()}
        return str(self.call("crop", **inside, zoom=1)["view"])

    def ruler(self, ends: Sequence[Point], view: str = "v0") -> float:
        """Return the length between the ends as pointed at in one view."""
        (x0, y0), (x1, y1) = (self.at(end, view) for end in ends)
        return float(self.call("ruler", view=view, x0=x0, y0=y0, x1=x1, y1=y1)["distance_mm"])


def whole(pointer: Pointer, ends: Sequence[Point]) -> float:
    """The ruler on v0."""
    return pointer.ruler(ends)


def three(pointer: Pointer, ends: Sequence[Point]) -> float:
    """The mean of three readings on v0."""
    return fmean(pointer.ruler(ends) for _ in range(3))


def one_crop(pointer: Pointer, ends: Sequence[Point]) -> float:
    """A crop around both ends, then the ruler."""
    return pointer.ruler(ends, pointer.crop([pointer.at(end) for end in ends]))


def own_crops(pointer: Pointer, ends: Sequence[Point]) -> float:
    """Each end marked in a crop of its own."""
    for name, end in zip("AB", ends, strict=True):
        view = pointer.crop([pointer.at(end)])
        x, y = pointer.at(end, view)
        pointer.call("mark", name=name, view=view, x=x, y=y)
    return float(pointer.call("ruler", mark0="A", mark1="B")["distance_mm"])


WAYS: dict[str, Callable[[Pointer, Sequence[Point]], float]] = {
    "ruler on v0": whole,
    "mean of three readings on v0": three,
    "one crop, then the ruler": one_crop,
    "each end marked in a crop of its own": own_crops,
}


def losses(case: Case, way: str, noise: float) -> list[float]:
    """Return the capped relative errors of both axes of a case, all draws."""
    ellipse = measure_mask(case.mask, case.image.spacing).ellipse
    found = []
    for axis, ends, true in (("major", ellipse.major, ellipse.major_mm), ("minor", ellipse.minor, ellipse.minor_mm)):
        region = case.image.region
        held = [Point(min(max(p.x, 0), region.x1), min(max(p.y, 0), region.y1)) for p in ends]
        for draw in range(DRAWS):
            seed = hashlib.sha256(f"{case.name}/{axis}/{way}/{noise}/{draw}".encode()).hexdigest()
            pointer = Pointer(ViewSet(case.image, Native()), noise, np.random.default_rng(int(seed[:12], 16)))
            try:
                found.append(min(1.0, abs(WAYS[way](pointer, held) / true - 1)))
            except RuntimeError:  # both ends on one place
                found.append(1.0)
    return found


def table(cases: Sequence[Case]) -> list[str]:
    """Return the lines of a table: ways down, noise across."""
    lines = [
        "| how | " + " | ".join(f"{100 * noise:.0f}% of the image" for noise in NOISE) + " |",
        "|---|" + "---|" * len(NOISE),
    ]
    return lines + [f"| {way} | {' | '.join(_cell(cases, way, noise) for noise in NOISE)} |" for way in WAYS]


def _cell(cases: Iterable[Case], way: str, noise: float) -> str:
    found = [(case.subject, fmean(losses(case, way, noise))) for case in cases]
    mean = jackknife(*clustered([subject for subject, _ in found], [loss for _, loss in found]))
    return f"**{float(mean.estimate):.3f}** ± {float(mean.margin(0.95)):.3f}"


def main() -> None:
    """Measure every way on all masks, print the table and write it where told to."""
    parser = argparse.ArgumentParser(description="Pointing at real masks")
    parser.add_argument("--masks", type=Path, required=True, help="folder of cases: index.json and ID.npz")
    parser.add_argument("--packages", type=Path, help="folder of unpacked packages")
    parser.add_argument("--write", type=Path, help="put the table between the marks of this file")
    options = parser.parse_args()
    cases = [*read_folder(options.masks), *(read_packages(options.packages) if options.packages else ())]
    subjects = len({case.subject for case in cases})
    lines = [f"{len(cases)} masks of {subjects} subjects, both axes, each measured {DRAWS} times:", "", *table(cases)]
    text = "\n".join(lines)
    print(text)
    if options.write:
        page = options.write.read_text(encoding="utf-8")
        before, _, rest = page.partition(BEGIN)
        options.write.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()
