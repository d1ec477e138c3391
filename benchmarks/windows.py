"""The effect of a window on CT slices with masks of tumours: ``python benchmarks/windows.py DIR``.

DIR is a folder of the form of ``real_masks.read_folder``; cases whose index says HU are taken. The windows are those
that the tool ``window`` makes. First, grey levels of 0 to 255 between the means over the mask and over a ring of 10 mm
around it; shown is by percentiles (0.5 to 99.5), as a CT of one's own is. Then the loss of outlines by the native
values, and what outlines by the values of a windowed view lose more than these, case by case; its interval of 95% is
a bootstrap over subjects.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from judging import DRAWS, Judged, judge, mean_interval
from numpy.typing import NDArray
from outline_settings import Finds
from real_masks import Case, read_folder

from medvision_agent.tools.segment.methods import METHODS
from medvision_agent.tools.view.perceived import Native
from medvision_agent.tools.view.slice import Units
from medvision_agent.tools.view.views import ViewSet
from medvision_agent.tools.window import window

RING_MM = 10.0
WINDOWS = {"400/40": {"width": 400, "level": 40}, "150/50": {"width": 150, "level": 50}}
METHODS_JUDGED = ("outline", "watershed", "random-walker")
PROMPTS_JUDGED = ("exact", "margin", "side", "seed")


def main(folder: Path) -> None:
    """Print the differences of all cases in grey levels (median, smallest and largest) and in loss."""
    rows = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    in_hu = {row["id"] for row in rows if row["unit"] == "HU"}
    cases = [case for case in read_folder(folder) if case.name in in_hu]
    views = [_views(case) for case in cases]
    found = np.array([_differences(case, own) for case, own in zip(cases, views, strict=True)])
    print(f"{len(cases)} CT slices of {len({case.subject for case in cases})} subjects; median (smallest to largest)")
    for name, column in zip(("by percentiles", *WINDOWS), found.T, strict=True):
        print(f"{name:15} {np.median(column):5.1f} ({column.min():.1f} to {column.max():.1f}) grey levels")
    print("\nloss by native values, then more in each window (95%)")
    seen = [
        [replace(case, image=own.get(f"v{number}").slice.windowed) for case, own in zip(cases, views, strict=True)]
        for number in range(len(WINDOWS) + 1)
    ]
    for kind in PROMPTS_JUDGED:
        for name in METHODS_JUDGED if kind != "seed" else METHODS_JUDGED[:1]:
            native, *windowed = (judge(_find(name), own, kind, DRAWS.get(kind, 1)) for own in seen)
            more = [_more(native, own) for own in windowed]
            words = [f"{mean:+.3f} ({low:+.3f} to {high:+.3f})" for mean, low, high in map(mean_interval, more)]
            losses = f"{mean_interval(native)[0]:.3f}  {'  '.join(words)}"
            print(f"{kind:7} {name:14} {losses}  n = {len(native)}")


def _find(name: str) -> Finds:
    return lambda case, prompt: METHODS[name](case.image, prompt)


def _more(native: Sequence[Judged], windowed: Sequence[Judged]) -> list[Judged]:
    return [replace(two, loss=two.loss - one.loss) for one, two in zip(native, windowed, strict=True)]


def _views(case: Case) -> ViewSet:
    """Return v0 and a view for each window."""
    views = ViewSet(replace(case.image, units=Units.HU), Native())
    for one in WINDOWS.values():
        assert window.call(views, {"by": "HU", **one}).ok  # noqa: S101 - a benchmark
    return views


def _differences(case: Case, views: ViewSet) -> list[float]:
    ring = _ring(case)
    shown = [view.pixels.astype(float) for view in views]
    return [abs(float(grey[case.mask].mean() - grey[ring].mean())) for grey in shown]


def _ring(case: Case) -> NDArray[np.bool_]:
    """Return the pixels outside the mask within RING_MM of it."""
    spacing = case.image.spacing
    reach = round(RING_MM / spacing.width_mm), round(RING_MM / spacing.height_mm)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach[0] + 1, 2 * reach[1] + 1))
    return np.asarray(cv2.dilate(case.mask.astype(np.uint8), kernel) > 0, np.bool_) & ~case.mask


if __name__ == "__main__":
    main(Path(sys.argv[1]))
