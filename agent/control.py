"""Controls: what a model gets back from its tools in the arms that test what tools are good for.

``blind``: tools can be called, and what they would say about the image is withheld: every number and every verdict in
a result (a failure to find something, or of the tool itself, included), every picture, or both. Errors in the arguments
come back as ever, and a crop still issues the id of its view. An arm without numbers is not to learn by a refusal what
the image is, so there tools refuse no call for that (``ViewSet.refuses``); and the picture of a tool that finds a
structure by itself shows the view alone, for without an outline it would tell that nothing was found.
``same-region``: every further view shows the pixels of v0, enlarged: the region asked for, and no new detail. Numbers,
geometry and what is drawn over a view stay. A picture that a tool of one's own makes from native values stays too.
``blank``: every picture a tool returns is uniform, and its caption says so.
``misled`` (once called ``sham``): every picture a tool returns is v0 again, at the size of the picture it stands for,
under the caption of that picture. It misinforms: a test of how far a model trusts pictures, not of their worth.

Contract: a control changes what comes back and nothing else: prompt, declarations, limits, and which calls are errors
of the arguments are those of the same tools without it. What does not look at the image (arithmetic) comes back.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, cast, get_args

import cv2
import numpy as np

from medvision_agent.errors import ConfigError, nearest
from medvision_agent.prompts.render import render
from medvision_agent.tools.base import Reply, Tool
from medvision_agent.tools.view.display import shown
from medvision_agent.tools.view.overlay import Overlay
from medvision_agent.tools.view.png import Picture
from medvision_agent.tools.view.views import ViewSet

__all__ = ["Blank", "Blind", "Control", "Misled", "SameRegion", "Withheld", "control_named", "without_pictures"]

Withheld = Literal["all", "numbers", "pictures"]
_GREY = 128
"""Grey level of a blank picture."""


class Control(ABC):
    """Stands between a tool's reply and the model."""

    new_detail: ClassVar[bool] = True
    """Whether further views may show what v0 does not."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The control as it is written in a condition."""

    @property
    def refuses(self) -> bool:
        """Whether tools may refuse a call because of what the image is."""
        return True

    def shown(self, tool: Tool, raw: Mapping[str, Any], reply: Reply, views: ViewSet) -> Reply:  # noqa: ARG002
        """Return the reply to the call *raw* of *tool* as the model gets it: by default, with another picture."""
        return reply if reply.picture is None else replace(reply, picture=self.picture(reply.picture, views))

    def picture(self, picture: Picture, views: ViewSet) -> Picture:  # noqa: ARG002 - one signature for all
        """Return what is shown in the place of a tool's picture: by default, that picture."""
        return picture


@dataclass(frozen=True)
class Blind(Control):
    """Withholds what tools say about the image."""

    what: Withheld = "all"

    @property
    def name(self) -> str:
        """The control as it is written in a condition."""
        return f"blind:{self.what}"

    @property
    def refuses(self) -> bool:
        """Whether tools may refuse a call because of what the image is. They may where only pictures are withheld."""
        return self.what == "pictures"

    def shown(self, tool: Tool, raw: Mapping[str, Any], reply: Reply, views: ViewSet) -> Reply:
        """Return the reply without numbers, pictures, or both."""
        if not tool.sees_image or not (reply.ok or reply.about_image or reply.failure):
            return reply
        if self.what != "pictures":
            reply = _without_numbers(tool, raw, reply, views)
        return reply if self.what == "numbers" else without_pictures(reply)


def without_pictures(reply: Reply) -> Reply:
    """Return a reply that says of its picture, if it has one, that it is withheld."""
    if reply.picture is None:
        return reply
    result = {**(reply.result or {}), "picture": render("withheld")}
    return replace(reply, text=json.dumps(result), result=result, picture=None)


def _without_numbers(tool: Tool, raw: Mapping[str, Any], reply: Reply, views: ViewSet) -> Reply:
    """Return a reply of the same keys in which only the ids of views are told, whether or not anything was found."""
    told = dict(reply.result or {})
    if told.get("view") not in reply.made:
        # A call that gives points of several views is shown in one of them, which only a result can name.
        told["view"] = raw.get("view", "v0")
    withheld = render("withheld")
    result = {key: told[key] if _names_view(key, told, views) else withheld for key in tool.result.model_fields}
    picture = reply.picture
    if tool.overlay and (tool.solver or tool.code_sha256 or not reply.ok):  # may have found nothing, and would show it
        view = views.get(told["view"]) if _names_view("view", told, views) else views.whole
        picture = Overlay(view).picture(withheld)
    if picture is not None:
        picture = Picture(picture.pixels, withheld)
    return Reply(json.dumps(result), True, result, picture, failure=reply.failure)


def _names_view(key: str, told: Mapping[str, Any], views: ViewSet) -> bool:
    """Tell whether a field of a result is the id of a view, which is no news to the model."""
    return key in {"view", "of"} and isinstance(told.get(key), str) and told[key] in views


@dataclass(frozen=True)
class SameRegion(Control):
    """Has the views show what v0 shows of their region; the replies themselves stay as they are."""

    new_detail: ClassVar[bool] = False
    name: ClassVar[str] = "same-region"


@dataclass(frozen=True)
class Blank(Control):
    """Shows a uniform picture of the same size instead of every picture a tool returns, and says so."""

    name: ClassVar[str] = "blank"

    def picture(self, picture: Picture, views: ViewSet) -> Picture:  # noqa: ARG002
        """Return a uniform picture."""
        return Picture(np.full_like(picture.pixels, _GREY), render("replies/blank"))


@dataclass(frozen=True)
class Misled(Control):
    """Shows the whole image instead of every picture a tool returns, under that picture's caption."""

    name: ClassVar[str] = "misled"

    def picture(self, picture: Picture, views: ViewSet) -> Picture:
        """Return v0, at the size of the tool's picture in pixels."""
        shape = picture.pixels.shape
        size = (shape[1], shape[0])
        sent = shown(views, views.whole)
        way = cv2.INTER_AREA if size[0] * size[1] < sent.size else cv2.INTER_LINEAR
        whole = np.asarray(cv2.resize(sent, size, interpolation=way), np.uint8)
        pixels = whole if len(shape) == 2 else np.repeat(whole[:, :, None], 3, axis=2)
        return Picture(pixels, picture.caption)


_PLAIN: Mapping[str, Control] = {"same-region": SameRegion(), "blank": Blank(), "misled": Misled(), "sham": Misled()}
"""The controls without a choice, by name; `sham` is what `misled` was called in version 0.1.0."""


def control_named(text: str) -> Control | None:
    """Return the control written as *text* (``blind``, ``blind:numbers``, ``blank``), or None if it names none.

    Raises ConfigError for a way of being blind that there is not.
    """
    name, _, what = text.partition(":")
    if text in _PLAIN:
        return _PLAIN[text]
    if name != "blind":
        return None
    ways = get_args(Withheld)
    if (what or "all") not in ways:
        raise ConfigError(f"--tools {text}: blind to {', '.join(ways)}.{nearest(what, ways)}")
    return Blind(cast("Withheld", what or "all"))
