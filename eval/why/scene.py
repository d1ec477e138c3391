"""The views of a finished conversation, rebuilt from its calls: where in the slice a model's coordinates lay.

``v0`` has the size of the picture as sent, which the run keeps, and the sample's spacing (after ``--reshape``: the
field of view is kept, so ``spacing = native spacing * native size / reshaped size``). Every crop that succeeded is
made again, by the tool itself, on an empty slice of that size, with the model's size rule and convention; views through
another window, and of other slices, have the place and the size of the view they were made of.

Where this cannot be done, or something else cannot be said of a sample, there is a counted reason, never a silent gap.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from medvision_agent.errors import ToolError
from medvision_agent.eval.asking.recipe import recipe_named
from medvision_agent.eval.store.damage import read_picture
from medvision_agent.eval.store.files import is_hash
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.why.calls import Call
from medvision_agent.tools.crop import crop
from medvision_agent.tools.neighbours import neighbours
from medvision_agent.tools.view.frames import FRAMES, MEDVISION
from medvision_agent.tools.view.geometry import Point, Size, Spacing
from medvision_agent.tools.view.perceived import Native, PerceivedRule
from medvision_agent.tools.view.slice import Slice, Window
from medvision_agent.tools.view.views import ViewSet
from medvision_agent.tools.window import window

__all__ = ["Missing", "Scene", "picture_size", "scene_of"]


_RULE: TypeAdapter[PerceivedRule | None] = TypeAdapter(PerceivedRule | None)
_PNG = b"\x89PNG\r\n\x1a\n"
_SAME = 1e-5
"""How far two reports of one coordinate may differ, as a share of the view."""


class Missing(StrEnum):
    """A reason why an answer is not decomposed."""

    NO_ANSWER = "the model gave no answer"
    NO_NUMBERS = "the answer does not parse"
    TOO_LARGE = "a number of the answer is beyond 1e12"
    NO_PICTURE = "the picture as sent is not stored"
    NO_SIZE = "the picture was reshaped, and its native size is not known"
    NO_VIEWS = "the views of the calls cannot be rebuilt"
    WITHHELD = "what the tools measured was withheld (blind)"
    TOO_FEW = "fewer measurements than numbers in the answer"
    NO_POINTS = "nothing was measured and no points are stated"
    UNCLEAR_POINTS = "the points stated are not exactly those of the task"
    SEVERAL_VIEWS = "points are stated where there are several views"
    SAME_POINTS = "two points of a line coincide"


@dataclass(frozen=True, eq=False)
class Scene:
    """The views of one conversation, and the truth's points in the slice frame of these views."""

    views: ViewSet
    truth: tuple[Point, ...]
    cropped: bool
    """Whether there are views besides v0."""

    @property
    def spacing(self) -> Spacing:
        """Millimetres per pixel of the slice."""
        return self.views.slice.spacing


def scene_of(run: Run, record: Record, calls: Sequence[Call]) -> Scene | Missing:
    """Return the views of a record's conversation, or why they cannot be had."""
    size = picture_size(run, record)
    if size is None:
        return Missing.NO_PICTURE
    native, facts = size, record.sample.medvision
    if run.identity.reshape:
        if facts is None:
            return Missing.NO_SIZE
        native = Size(*facts.image_size_2d)
    fx, fy = size.width / native.width, size.height / native.height
    pixel = record.sample.pixel_size
    spacing = Spacing(pixel.height_mm / fy, pixel.width_mm / fx)
    black = np.zeros((size.height, size.width), np.float32)
    empty = Slice(black, spacing, lambda values: np.zeros(values.shape, np.uint8))
    model: Mapping[str, Any] = run.identity.model
    rule = _RULE.validate_python(model.get("perceived")) or Native()
    perceives = recipe_named(run.identity.recipe).perceives(rule)
    views = ViewSet(empty, perceives, FRAMES[model.get("frame", MEDVISION.name)])
    made = [call for call in calls if call.ok and call.tool in {crop.name, window.name, neighbours.name}]
    try:
        remade = all(_again(views, call) for call in made)
    except ToolError:
        remade = False
    if not remade:
        return Missing.NO_VIEWS
    truth = tuple(Point(point.x * fx, point.y * fy) for point in record.sample.truth_points)
    return Scene(views, truth, cropped=bool(made))


def _again(views: ViewSet, call: Call) -> bool:
    """Make the view of a call; tell whether it is the one reported then."""
    if call.tool != crop.name:
        source = views.get(str(call.result.get("of")))
        return views.shown(source, Window(0.0, 0.0)).id == call.result.get("view")
    made = crop.call(views, call.arguments).result
    if made is None or made["view"] != call.result.get("view"):
        return False
    whole, keys = views.whole.perceived, ("v0_x0", "v0_y0", "v0_x1", "v0_y1")
    if all(call.withheld(key) for key in keys):  # a blind arm was told the id of the view only
        return True
    scale = max(views.frame.ends(whole))
    reported = [(made[key], call.number(key)) for key in keys]
    return all(then is not None and abs(now - then) <= _SAME * scale for now, then in reported)


def picture_size(run: Run, record: Record) -> Size | None:
    """Return the size of the image as sent, or None where none was stored; raises DamageError where it was changed."""
    if not is_hash(record.v0_sha256):
        return None
    head = read_picture(run.folder, record.v0_sha256, record.sample.id)[:24]
    if len(head) < 24 or not head.startswith(_PNG):
        return None
    width, height = struct.unpack(">II", head[16:24])
    return Size(height, width)
