"""Make the picture of marks in docs/tools.md: ``python scripts/mark_pictures.py``.

Both ends of a lesion's major axis, as the demo set has it, are marked in crops of their own and measured.
"""

from pathlib import Path
from typing import Any

import numpy as np
from value_pictures import cell

from medvision_agent.eval.asking.recipe import RECIPES
from medvision_agent.eval.data.sources import open_source
from medvision_agent.tools.registry import TOOLS
from medvision_agent.tools.view.perceived import Native
from medvision_agent.tools.view.png import encode_png
from medvision_agent.tools.view.views import ViewSet

ROOT = Path(__file__).parent.parent
OUT = ROOT / "docs/pictures/tools-marks.png"
SAMPLE = "pyrad_brain1_z16__size_tumour"
ANGLE = {"ax0": 0.25, "ay0": 0.3, "ax1": 0.75, "ay1": 0.3}
REACH = 0.05
"""Half the side of a crop, as a share of the picture."""


def main() -> None:
    """Call the tools on one slice, and put their images side by side."""
    source = open_source("demo")
    sample = next(one for one in source.samples if one.id == SAMPLE)
    views = ViewSet(RECIPES["medvision-1.2"].slice_of(source.load(sample), sample), Native())
    size, ends = views.whole.size, sample.truth_points[:2]
    cells = []

    def call(words: str, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        reply = TOOLS[tool].call(views, arguments)
        assert reply.ok, reply.text  # noqa: S101 - a script
        assert reply.result is not None  # noqa: S101
        print(words, tool, reply.text, sep="\n  ")
        if reply.picture is not None and words:
            cells.append(cell(words, reply.picture.pixels))
        return dict(reply.result)

    for name, end in zip("AB", ends, strict=True):
        x, y = end.x / size.width, 1 - end.y / size.height
        corners = {"x0": x - REACH, "y0": y - REACH, "x1": x + REACH, "y1": y + REACH}
        crop = call("", "crop", {**corners, "zoom": 12})
        across, down = (crop[f"v0_{axis}1"] - crop[f"v0_{axis}0"] for axis in "xy")
        place = {"x": (x - crop["v0_x0"]) / across, "y": (y - crop["v0_y0"]) / down}
        call(f"mark {name} in {crop['view']}, a crop", "mark", {"name": name, "view": crop["view"], **place})
    marks = {"mark0": "A", "mark1": "B"}
    call("ruler between the marks", "ruler", marks)
    call("protractor: a line and the marks", "protractor", {**ANGLE, "mark_b0": "A", "mark_b1": "B"})
    x, y = ((one - REACH / 2, other + REACH / 2) for one, other in ((min(p), max(p)) for p in _around(sample, size)))
    region = {"x0": x[0], "y0": y[0], "x1": x[1], "y1": y[1]}
    call("fit_contour in a region", "fit_contour", region)
    call("segment in the same region", "segment", region)
    OUT.write_bytes(encode_png(np.vstack([np.hstack(cells[:3]), np.hstack(cells[3:])])))


def _around(sample: Any, size: Any) -> tuple[list[float], list[float]]:
    """Return x and y of the ends of both axes, in v0."""
    xs = [point.x / size.width for point in sample.truth_points]
    return xs, [1 - point.y / size.height for point in sample.truth_points]


if __name__ == "__main__":
    main()
