"""A final box that the model gave by the names of its marks, written out in coordinates.

Contract: the answer is what the first pair of answer tags encloses, or the whole reply where there are no tags. It
names a box if it consists of the names of two or more marks that there are, and of nothing else but commas, semicolons,
spaces, brackets, quotes and the word "and". The box is the smallest that holds the marks, in the numbers, the order and
the decimals that the prompt asks for. Every other reply is left as it is.
"""

import re

from medvision_agent.tools.view.views import ViewSet

__all__ = ["written_out"]

_OPEN, _CLOSE = "<answer>", "</answer>"
_BETWEEN = re.compile(r"[\s,;()\[\]{}\"'`]+")


def written_out(reply: str, views: ViewSet) -> str | None:
    """Return the reply with coordinates in place of names of marks; None where its answer does not name a box."""
    before, opened, rest = reply.partition(_OPEN)
    answer, closed, after = rest.partition(_CLOSE)
    head, tail = before + opened, closed + after
    if not (opened and closed):
        head, answer, tail = "", reply, ""
    placed = {one.mark: one.point for one in views.marks}
    names = {word for word in _BETWEEN.split(answer) if word and word.lower() != "and"}
    if len(names) < 2 or not names <= placed.keys():
        return None
    units = [views.whole.region.unit(placed[name]) for name in names]
    across, down = zip(*units, strict=True)
    box = min(across), 1 - max(down), max(across), 1 - min(down)
    frame = views.frame
    numbers = frame.box_from_medvision(box, views.whole.perceived)
    # A zero has no sign.
    written = ", ".join(f"{round(value, frame.box_decimals) + 0.0:.{frame.box_decimals}f}" for value in numbers)
    return head + written + tail
