"""The check of a tool: its declaration, a thousand generated calls, and whether its declared properties are true.

Contract: everything follows from the seed. The check runs in the process it is called in; ``process.py`` runs it in one
of its own, with bounds of time and memory.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import Any

import numpy as np

from medvision_agent.finding import Finding
from medvision_agent.tools.base import Reply, Tool
from medvision_agent.tools.own.calls import DrawnCall, DrawnScene, any_call, any_scene, usable_call, usable_scene
from medvision_agent.tools.own.declaration import problems, refusals
from medvision_agent.tools.own.measured import declares_points, unlike_points
from medvision_agent.tools.view.frames import FRAMES, MEDVISION

__all__ = ["CALLS", "Watch", "examine"]

CALLS = 1000
"""Generated calls of a check."""
_USABLE = 60
"""Number of calls that are repeated to test whether a tool's declared properties are true."""
Watch = Callable[[str], AbstractContextManager[object]]
"""A context around every call; it gets the call in words."""


@dataclass(frozen=True, eq=False)
class _Tried:
    """One generated call with its scene, its reply and the seconds it took; ``words`` describes it for messages."""

    scene: DrawnScene
    call: DrawnCall
    reply: Reply
    seconds: float
    words: str
    spoiled: bool = False
    """Whether the tool changed the image it was given."""


def examine(tool: Tool, *, calls: int = CALLS, seed: int = 0, watch: Watch = lambda _: nullcontext()) -> list[Finding]:
    """Return the findings of the check of *tool* by *calls* generated calls, in the order in which they are printed.

    All calls follow from *seed*. *watch* returns a context in which each call is made; it gets the call in words.
    """
    rng = Random(seed)  # noqa: S311 - no secret

    def call(scene: DrawnScene, drawn: DrawnCall) -> _Tried:
        views = scene.views()
        raw, before = drawn.written(views), views.slice.values.copy()
        words = f"{_shown(raw)} on {scene.pixels.shape[0]} x {scene.pixels.shape[1]} pixels, {scene.frame.name}"
        started = time.perf_counter()
        with watch(words):
            reply = tool.call(views, raw)
        seconds = time.perf_counter() - started
        return _Tried(scene, drawn, reply, seconds, words, not np.array_equal(before, views.slice.values))

    findings = [
        _held("declaration is plain", list(problems(tool)), "flat arguments, all described"),
        _held("every provider takes it", list(refusals(tool)), "OpenAI, Gemini and LangChain, in every convention"),
    ]
    usable = [call(usable_scene(rng), usable_call(tool, rng)) for _ in range(min(_USABLE, calls))]
    tried = usable + [call(any_scene(rng), any_call(tool, rng)) for _ in range(calls - len(usable))]
    good = [one for one in usable if one.reply.ok]
    findings += [
        _held(
            "no call makes it fail",
            [f"{one.reply.failure}: {one.words}" for one in tried if one.reply.failure],
            _count(tried),
        ),
        _held(
            "results are as declared",
            [f"{problem}: {one.words}" for one in tried for problem in _unfit(one)],
            _count(tried),
        ),
        _held("it leaves the image alone", [f"changed by {one.words}" for one in tried if one.spoiled], _count(tried)),
        _works(tried),
    ]
    return [*findings, *_declared(tool, good, call)]


def _declared(tool: Tool, good: list[_Tried], call: Callable[[DrawnScene, DrawnCall], _Tried]) -> Iterator[Finding]:
    """Yield a finding for each property that the tool declares: whether repeated good calls confirm it.

    *good* are calls that gave a result; *call* makes a call in a scene.
    """
    if not good:
        yield Finding("what it declares is true", "unknown", "no usable call gave a result")
        return
    many = f"{len(good)} calls made once more"

    def unlike(change: Callable[[DrawnScene], DrawnScene], fields: Callable[[str], bool] = lambda _: True) -> list[str]:
        again = [(one, call(change(one.scene), one.call)) for one in good]
        return [f"{one.words}: {difference}" for one, two in again if (difference := _difference(one, two, fields))]

    unlike_frames = [line for frame in FRAMES.values() for line in unlike(partial(replace, frame=frame), _physical)]
    yield _held("every convention measures the same", unlike_frames, many)
    if declares_points(tool):
        yield _held("measures", list(_mismeasured(tool, good, call)), f"values and points agree: {many}")
    if not tool.sees_image:
        yield _held("sees_image=False", unlike(DrawnScene.other_image), f"the same of another image: {many}")
    if not tool.states_pixels:
        yield _held(
            "states_pixels=False", unlike(DrawnScene.otherwise_perceived), f"the same at another perceived size: {many}"
        )
    if tool.overlay:
        yield _held("overlay", [f"no picture: {one.words}" for one in good if one.reply.picture is None], many)


def _mismeasured(tool: Tool, good: list[_Tried], call: Callable[[DrawnScene, DrawnCall], _Tried]) -> Iterator[str]:
    """Yield a sentence for each length or angle that differs from that between the points declared for it."""
    for one in good:
        again = call(replace(one.scene, frame=MEDVISION), one.call)  # its coordinates have the most decimals
        views = again.scene.views()
        for line in unlike_points(tool, views, again.call.written(views), again.reply.result or {}):
            yield f"{again.words}: {line}"


def _difference(one: _Tried, two: _Tried, fields: Callable[[str], bool]) -> str:
    """Return which of the result fields chosen by *fields* differ by more than rounding; an empty string if none do.

    Where the second call gave no result, its failure or error is returned.
    """
    if not two.reply.ok:
        return two.reply.failure or two.reply.text
    a, b = one.reply.result or {}, two.reply.result or {}
    return ", ".join(f"{key} {a[key]} and {b[key]}" for key in a if fields(key) and not _alike(a[key], b[key]))


def _alike(a: Any, b: Any) -> bool:
    """Return whether two values are equal, floats within 0.001 plus 0.1%."""
    if isinstance(a, float) and isinstance(b, float):
        return abs(a - b) <= 1e-3 + 1e-3 * max(abs(a), abs(b))
    return bool(a == b)


def _physical(field: str) -> bool:
    """Return whether a result field is independent of the coordinate frame: a physical size, by its unit."""
    return field.endswith(("_mm", "_mm2", "_deg"))


def _unfit(tried: _Tried) -> Iterator[str]:
    """Yield a sentence for each defect in the form of a reply; a failure inside the tool is not among them."""
    reply = tried.reply
    if reply.ok == reply.text.startswith("Error:") or (reply.result is None) == reply.ok:
        yield "the reply is neither a result nor an error"
    if reply.ok and json.loads(reply.text) != reply.result:
        yield "the text of the reply is not the JSON of its result"
    if not reply.text.isprintable():
        yield "the text of the reply contains characters that cannot be printed"
    if not reply.ok and len(reply.text) > 500:
        yield "the error that the tool raised is longer than 500 characters"


def _works(tried: list[_Tried]) -> Finding:
    """Return the finding that states how many calls gave a result, and how long the longest took."""
    worked, longest = sum(one.reply.ok for one in tried), max(one.seconds for one in tried)
    words = f"{worked} of {_count(tried)} gave a result; the longest took {longest:.2f} s"
    return Finding("it works", "yes" if worked else "no", words)


def _held(what: str, wrong: list[str], words: str) -> Finding:
    """Return the finding *what*: "yes" with *words* if nothing is wrong, else "no" with the first item of *wrong*."""
    if not wrong:
        return Finding(what, "yes", words)
    more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
    return Finding(what, "no", f"{wrong[0]}{more}")


def _count(tried: list[_Tried]) -> str:
    return f"{len(tried)} generated calls"


def _shown(raw: dict[str, Any]) -> str:
    """Return the arguments of a call in short printable ASCII."""
    text = ", ".join(
        f"{key[:20]}={repr(value)[:40] if not isinstance(value, int) else _digits(value)}" for key, value in raw.items()
    )
    return ascii(f"({text})")[1:-1]


def _digits(value: int) -> str:
    return str(value) if abs(value) < 10**18 else "a huge integer"
