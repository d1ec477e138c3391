"""Convert a final box that the model gave by marks or by points of any view into coordinates.

Contract: the answer is what the first pair of answer tags encloses, or the whole reply where there are no tags. It
names a box if it consists of two or more different places, each the name of an existing mark or a point as text
(``v2: x=0.31, y=0.42``), and of nothing else but commas, semicolons, spaces, brackets, quotes and the word "and". The
box is the smallest around the places, with the coordinates, order and decimals that the prompt asks for. Every
other reply is left as it is.
"""

import re

from medvision_agent.errors import ToolError
from medvision_agent.tools.view.geometry import Point
from medvision_agent.tools.view.points import POINT_TEXT, written_point
from medvision_agent.tools.view.views import ViewSet

__all__ = ["written_out"]

_OPEN, _CLOSE = "<answer>", "</answer>"
_PLACE = re.compile(rf"{POINT_TEXT}|[A-Za-z0-9]+", re.ASCII)
_BETWEEN = re.compile(r"[\s,;()\[\]{}\"'`]*")


def written_out(reply: str, views: ViewSet) -> str | None:
    """Return the reply with coordinates in place of marks and points; None where its answer does not name a box."""
    before, opened, rest = reply.partition(_OPEN)
    answer, closed, after = rest.partition(_CLOSE)
    head, tail = before + opened, closed + after
    if not (opened and closed):
        head, answer, tail = "", reply, ""
    points = _points(answer, views)
    if len(points) < 2:
        return None
    units = [views.whole.region.unit(point) for point in points]
    across, down = zip(*units, strict=True)
    box = min(across), 1 - max(down), max(across), 1 - min(down)
    frame = views.frame
    numbers = frame.box_from_medvision(box, views.whole.perceived)
    # A zero has no sign.
    written = ", ".join(f"{round(value, frame.box_decimals) + 0.0:.{frame.box_decimals}f}" for value in numbers)
    return head + written + tail


def _points(answer: str, views: ViewSet) -> list[Point]:
    """Return the points that an answer consists of, in the slice frame; empty if it contains anything else."""
    places = {match[0] for match in _PLACE.finditer(answer) if match[0].lower() != "and"}
    if not _BETWEEN.fullmatch(_PLACE.sub("", answer)):
        return []
    try:
        return [written_point(views, place).point for place in places]
    except ToolError:
        return []
