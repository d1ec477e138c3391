"""Facts read from a stored run: what its tools measure, and the views of its conversations, rebuilt from the calls.

``v0`` has the size of the image as sent, which the run stores, and the sample's spacing (after ``--reshape``: the field
of view is kept, so ``spacing = native spacing * native size / reshaped size``). Every crop that succeeded is made
again, by the code of the tool, on an empty slice of that size, with the model's size rule and convention; views with
another window, or of other slices, have the place and the size of the view from which they were made.

If this is impossible, there is a counted reason (``Missing``), never a silent gap.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.errors import ToolError
from medvision_agent.eval.asking.recipe import recipe_named
from medvision_agent.eval.settings.identity import FIRST_SET
from medvision_agent.eval.store.damage import read_picture
from medvision_agent.eval.store.files import is_hash
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.why.calls import Call
from medvision_agent.eval.why.scene import Missing, Scene, whole_scene
from medvision_agent.tools.base import Measures
from medvision_agent.tools.crop import CropArguments, crop, cropped
from medvision_agent.tools.neighbours import neighbours
from medvision_agent.tools.registry import installed
from medvision_agent.tools.view.frames import FRAMES, MEDVISION
from medvision_agent.tools.view.geometry import Point, Size, Spacing
from medvision_agent.tools.view.perceived import Native, PerceivedRule
from medvision_agent.tools.view.slice import Window
from medvision_agent.tools.view.views import ViewSet
from medvision_agent.tools.window import window

__all__ = ["Scenes", "picture_size", "reply_of", "scene_of", "tools_of"]

_STORED = TypeAdapter(dict[str, Measures])

_RULE: TypeAdapter[PerceivedRule | None] = TypeAdapter(PerceivedRule | None)
_PNG = b"\x89PNG\r\n\x1a\n"
_SAME = 1e-5
"""Largest difference between two reports of one coordinate, as a fraction of the view."""


def tools_of(run: Run) -> dict[str, Measures]:
    """Return what each tool of a run measures, by the tool's name.

    It is what shipped tools declared in the run's month, and what is stored with the run for other tools.

    The month is that of the tool set behind ``on``; if tools were chosen by name, the requested month.
    """
    stored = _STORED.validate_python(run.config.get("measures", {}))
    registry = installed().dated(run.identity.tool_set or run.config.get("tools_dated", FIRST_SET))
    shipped = [name for name in run.identity.tools if name in registry.offers and name not in stored]
    return {name: registry.tool(name).measuring for name in shipped} | stored


def reply_of(record: Record) -> str | None:
    """Return the model's final message; None if the sample did not end with an answer."""
    return record.response if record.outcome is Outcome.ANSWERED else None


class Scenes:
    """A maker of scenes (views and true points) for the conversations of one run; each image is read only once."""

    def __init__(self, run: Run) -> None:
        model: Mapping[str, Any] = run.identity.model
        rule = _RULE.validate_python(model.get("perceived")) or Native()
        self._run = run
        self._perceives = recipe_named(run.identity.recipe).perceives(rule)
        self._frame = FRAMES[model.get("frame", MEDVISION.name)]
        self._sizes: dict[str, Size | None] = {}

    def of(self, record: Record, calls: Sequence[Call]) -> Scene | Missing:
        """Return the scene of a record's conversation with these calls, or why it cannot be rebuilt.

        Raises DamageError if the stored image was changed.
        """
        size = self._size(record)
        if size is None:
            return Missing.NO_PICTURE
        native, facts = size, record.sample.medvision
        if self._run.identity.reshape:
            if facts is None:
                return Missing.NO_SIZE
            native = Size(*facts.image_size_2d)
        elif record.enlarged is not None:
            native = Size(record.enlarged.height_px, record.enlarged.width_px)
        fx, fy = size.width / native.width, size.height / native.height
        pixel = record.sample.pixel_size
        spacing = Spacing(pixel.height_mm / fy, pixel.width_mm / fx)
        truth = [Point(point.x * fx, point.y * fy) for point in record.sample.truth_points]
        scene = whole_scene(size, spacing, truth, self._perceives, self._frame)
        made = [call for call in calls if call.ok and call.tool in {crop.name, window.name, neighbours.name}]
        if not made:
            return scene
        try:
            remade = all(_again(scene.views, call) for call in made)
        except ToolError:
            remade = False
        return replace(scene, cropped=True) if remade else Missing.NO_VIEWS

    def _size(self, record: Record) -> Size | None:
        if record.v0_sha256 not in self._sizes:
            self._sizes[record.v0_sha256] = picture_size(self._run, record)
        return self._sizes[record.v0_sha256]


def scene_of(run: Run, record: Record, calls: Sequence[Call]) -> Scene | Missing:
    """Return the scene of a record's conversation with these calls, or why it cannot be rebuilt.

    Raises DamageError if the stored image was changed.
    """
    return Scenes(run).of(record, calls)


def _again(views: ViewSet, call: Call) -> bool:
    """Make the view of a call again in *views*; return whether it has the id and the place that the call reported.

    Raises ToolError if the view from which it was made does not exist.
    """
    if call.tool != crop.name:
        source = views.get(str(call.result.get("of")))
        return views.shown(source, Window(0.0, 0.0)).id == call.result.get("view")
    try:
        made = cropped(views, CropArguments.model_validate(dict(call.arguments)))
    except (ValueError, ArithmeticError):  # arguments rejected by the tool
        return False
    if made.view != call.result.get("view"):
        return False
    whole, keys = views.whole.perceived, ("v0_x0", "v0_y0", "v0_x1", "v0_y1")
    if all(call.withheld(key) for key in keys):  # a blind arm's model got only the id of the view
        return True
    scale = max(views.frame.ends(whole))
    reported = [(getattr(made, key), call.number(key)) for key in keys]
    return all(then is not None and abs(now - then) <= _SAME * scale for now, then in reported)


def picture_size(run: Run, record: Record) -> Size | None:
    """Return the size in pixels of the whole image as sent; None if no PNG image is stored.

    Raises DamageError if the stored image is missing or was changed.
    """
    if not is_hash(record.v0_sha256):
        return None
    head = read_picture(run.folder, record.v0_sha256, record.sample.id)[:24]
    if len(head) < 24 or not head.startswith(_PNG):
        return None
    width, height = struct.unpack(">II", head[16:24])
    return Size(height, width)
