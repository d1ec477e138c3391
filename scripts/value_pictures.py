"""Make the picture of window, statistics and neighbours in docs/tools.md: ``python scripts/value_pictures.py``.

The image is a slice of the lung CT among the tests' data (tests/data/medvision-mini/NOTICE.md). Its values are in HU,
which the tree does not declare, so that this script does.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from medvision_agent.eval.asking.recipe import RECIPES
from medvision_agent.eval.data.sources import open_source
from medvision_agent.tools.base import Tool
from medvision_agent.tools.neighbours import neighbours
from medvision_agent.tools.statistics import statistics
from medvision_agent.tools.view.perceived import Native
from medvision_agent.tools.view.png import encode_png
from medvision_agent.tools.view.slice import Units
from medvision_agent.tools.view.views import ViewSet
from medvision_agent.tools.window import window

ROOT = Path(__file__).parent.parent
DATA = ROOT / "tests/data/medvision-mini/Data"
OUT = ROOT / "docs/pictures/tools-values.png"
CELL = (300, 300)
"""Width and height of one picture with its words."""
WORDS = 34
REGION = {"x0": 0.45, "y0": 0.35, "x1": 0.65, "y1": 0.6}
CALLS: tuple[tuple[str, Tool, dict[str, Any]], ...] = (
    ("window: 400 HU wide at 40 HU (v1)", window, {"by": "HU", "level": 40, "width": 400}),
    ("window: percentiles of the box below", window, {"by": "percentile", **REGION}),
    ("neighbours: 3 slices on, as v1", neighbours, {"view": "v1", "away": 3}),
    ("statistics of a region", statistics, REGION),
    ("statistics along a line", statistics, {"of": "line", "x0": 0.1, "y0": 0.5, "x1": 0.9, "y1": 0.5}),
)


def main() -> None:
    """Call the tools on one slice, and put their images side by side."""
    source = open_source(f"medvision:{DATA}")
    samples = [one for one in source.samples if "LungCT" in one.image and one.plane == "axial"]
    sample = samples[len(samples) // 2]
    image = replace(RECIPES["medvision-1.2"].slice_of(source.load(sample), sample), units=Units.HU)
    views = ViewSet(image, Native())
    cells = [cell("v0: MedVision's window for lungs", views.whole.pixels)]
    for words, tool, arguments in CALLS:
        reply = tool.call(views, arguments)
        assert reply.picture is not None, reply.text  # noqa: S101 - a script
        print(words, reply.text, reply.picture.caption, sep="\n  ")
        cells.append(cell(words, reply.picture.pixels))
    OUT.write_bytes(encode_png(np.vstack([np.hstack(cells[:3]), np.hstack(cells[3:])])))


def cell(words: str, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture enlarged into a white cell, with its words above it."""
    width, height = CELL
    colours = pixels if pixels.ndim == 3 else np.stack([pixels] * 3, axis=-1)
    factor = min((width - 10) / colours.shape[1], (height - WORDS - 6) / colours.shape[0])
    size = round(colours.shape[1] * factor), round(colours.shape[0] * factor)
    large = cv2.resize(colours, size, interpolation=cv2.INTER_CUBIC)
    cell = np.full((height, width, 3), 255, np.uint8)
    cell[WORDS : WORDS + size[1], 5 : 5 + size[0]] = large
    cv2.putText(cell, words, (5, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
    return cell


if __name__ == "__main__":
    main()
