"""Grey levels between tumours and their surroundings, as shown and windowed: ``python benchmarks/windows.py DIR``.

DIR is a folder of the form of ``real_masks.read_folder``; cases whose index says HU are taken. Shown is by percentiles
(0.5 to 99.5), as a CT of one's own is; the window is the one that the tool ``window`` makes. Compared are the means
over the mask and over a ring of 10 mm around it, in grey levels of 0 to 255.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from real_masks import Case, read_folder

from medvision_agent.tools.view.perceived import Native
from medvision_agent.tools.view.slice import Units
from medvision_agent.tools.view.views import ViewSet
from medvision_agent.tools.window import window

RING_MM = 10.0
WINDOWS = {"400/40": {"width": 400, "level": 40}, "150/50": {"width": 150, "level": 50}}


def main(folder: Path) -> None:
    """Print the differences of all cases: median, smallest and largest."""
    rows = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    in_hu = {row["id"] for row in rows if row["unit"] == "HU"}
    cases = [case for case in read_folder(folder) if case.name in in_hu]
    found = np.array([_differences(case) for case in cases])
    print(f"{len(cases)} CT slices of {len({case.subject for case in cases})} subjects; median (smallest to largest)")
    for name, column in zip(("by percentiles", *WINDOWS), found.T, strict=True):
        print(f"{name:15} {np.median(column):5.1f} ({column.min():.1f} to {column.max():.1f}) grey levels")


def _differences(case: Case) -> list[float]:
    views = ViewSet(replace(case.image, units=Units.HU), Native())
    ring = _ring(case)
    for one in WINDOWS.values():
        assert window.call(views, {"by": "HU", **one}).ok  # noqa: S101 - a benchmark
    shown = [views.get(f"v{number}").pixels.astype(float) for number in range(len(WINDOWS) + 1)]
    return [abs(float(grey[case.mask].mean() - grey[ring].mean())) for grey in shown]


def _ring(case: Case) -> NDArray[np.bool_]:
    """Return the pixels outside the mask within RING_MM of it."""
    spacing = case.image.spacing
    reach = round(RING_MM / spacing.width_mm), round(RING_MM / spacing.height_mm)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach[0] + 1, 2 * reach[1] + 1))
    return np.asarray(cv2.dilate(case.mask.astype(np.uint8), kernel) > 0, np.bool_) & ~case.mask


if __name__ == "__main__":
    main(Path(sys.argv[1]))
