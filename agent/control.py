"""Controls: changed tool replies, for arms that test why tools help.

``blind``: tools can be called, but what they say about the image is withheld: every number and every verdict in
a result (also that nothing was found, or that the tool failed), every picture, or both. Errors in the arguments
come back as usual, and a crop still gets the id of its view. An arm without numbers must not learn from a refusal what
the image shows, so tools refuse no call for that reason (``ViewSet.refuses``). The picture of a tool that finds a
structure by itself shows the view only, because a missing outline would reveal that nothing was found.
``same-region``: every further view shows the pixels of v0, enlarged: the region asked for, and no new detail. Numbers,
geometry and drawings over a view stay. A picture that a user's tool makes from native values stays too.
``blank``: every picture a tool returns is uniform, and its caption says so.
``misled`` (once called ``sham``): every picture a tool returns is replaced by v0, at the size of that picture and
under its caption. It misinforms: it tests how far a model trusts pictures, not what they are worth.

Contract: a control changes replies and nothing else: prompt, declarations, limits, and which calls are argument errors
are those of the same tools without it. Tools that do not look at the image (arithmetic) reply as usual.
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
    """A control of an arm: it changes what a tool replies before the model gets the reply."""

    new_detail: ClassVar[bool] = True
    """Whether further views may show detail that v0 does not show."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The control's name as it is written in a condition, such as ``blind:numbers``."""

    @property
    def refuses(self) -> bool:
        """Whether tools may refuse a call because of what the image shows."""
        return True

    def shown(self, tool: Tool, raw: Mapping[str, Any], reply: Reply, views: ViewSet) -> Reply:  # noqa: ARG002
        """Return the reply to the call *raw* of *tool* as the model gets it.

        By default only its picture is changed, as the method ``picture`` says.
        """
        return reply if reply.picture is None else replace(reply, picture=self.picture(reply.picture, views))

    def picture(self, picture: Picture, views: ViewSet) -> Picture:  # noqa: ARG002 - one signature for all
        """Return the picture that replaces a tool's picture: by default, that picture itself."""
        return picture


@dataclass(frozen=True)
class Blind(Control):
    """The control ``blind``: withholds the numbers, the pictures or both of what tools say about the image."""

    what: Withheld = "all"

    @property
    def name(self) -> str:
        """The control's name as it is written in a condition, such as ``blind:numbers``."""
        return f"blind:{self.what}"

    @property
    def refuses(self) -> bool:
        """Whether tools may refuse a call because of what the image shows: only if just pictures are withheld."""
        return self.what == "pictures"

    def shown(self, tool: Tool, raw: Mapping[str, Any], reply: Reply, views: ViewSet) -> Reply:
        """Return the reply to the call *raw* of *tool* without numbers, pictures, or both.

        A reply that does not depend on the image, such as one about wrong arguments, is returned unchanged.
        """
        if not tool.sees_image or not (reply.ok or reply.about_image or reply.failure):
            return reply
        if self.what != "pictures":
            reply = _without_numbers(tool, raw, reply, views)
        return reply if self.what == "numbers" else without_pictures(reply)


def without_pictures(reply: Reply) -> Reply:
    """Return the reply with its picture, if any, replaced by the words that it is withheld."""
    if reply.picture is None:
        return reply
    result = {**(reply.result or {}), "picture": render("withheld")}
    return replace(reply, text=json.dumps(result), result=result, picture=None)


def _without_numbers(tool: Tool, raw: Mapping[str, Any], reply: Reply, views: ViewSet) -> Reply:
    """Return *reply* with the same keys; all values but the ids of views are withheld.

    *raw* are the arguments of the call. A picture that would show that nothing was found shows the view only.
    """
    told = dict(reply.result or {})
    if told.get("view") not in reply.made:
        # A call with points of several views is drawn in one of them; only a result can name that view.
        told["view"] = raw.get("view", "v0")
    withheld = render("withheld")
    result = {key: told[key] if _names_view(key, told, views) else withheld for key in tool.result.model_fields}
    picture = reply.picture
    if tool.overlay and (
        tool.solver or tool.code_sha256 or not reply.ok
    ):  # nothing may have been found, which it would show
        view = views.get(told["view"]) if _names_view("view", told, views) else views.whole
        picture = Overlay(view).picture(withheld)
    if picture is not None:
        picture = Picture(picture.pixels, withheld)
    return Reply(json.dumps(result), True, result, picture, failure=reply.failure)


def _names_view(key: str, told: Mapping[str, Any], views: ViewSet) -> bool:
    """Return whether a field of a result is the id of a view, which the model knows already."""
    return key in {"view", "of"} and isinstance(told.get(key), str) and told[key] in views


@dataclass(frozen=True)
class SameRegion(Control):
    """The control ``same-region``: further views show no more detail than v0 does; replies stay unchanged."""

    new_detail: ClassVar[bool] = False
    name: ClassVar[str] = "same-region"


@dataclass(frozen=True)
class Blank(Control):
    """The control ``blank``: replaces every picture a tool returns by a uniform picture of its size, and says so."""

    name: ClassVar[str] = "blank"

    def picture(self, picture: Picture, views: ViewSet) -> Picture:  # noqa: ARG002
        """Return a uniform grey picture of the same size, whose caption says that it is blank."""
        return Picture(np.full_like(picture.pixels, _GREY), render("replies/blank"))


@dataclass(frozen=True)
class Misled(Control):
    """The control ``misled``: replaces every picture of a tool by the whole image, under the picture's caption."""

    name: ClassVar[str] = "misled"

    def picture(self, picture: Picture, views: ViewSet) -> Picture:
        """Return the whole image (v0) in the size in pixels of *picture*, with the caption of *picture*."""
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
    """Return the control written as *text* (``blind``, ``blind:numbers``, ``blank``); None if *text* is no control.

    Raises ConfigError for an unknown word after ``blind:``.
    """
    name, _, what = text.partition(":")
    if text in _PLAIN:
        return _PLAIN[text]
    if name != "blind":
        return None
    ways = get_args(Withheld)
    if (what or "all") not in ways:
        raise ConfigError(
            f"--tools {text}: after blind: expected one of {', '.join(ways)} (what tools return that is withheld)."
            f"{nearest(what, ways)}"
        )
    return Blind(cast("Withheld", what or "all"))
