"""The loss of one answer in parts that add up to it, by replaying the conversation with some errors corrected.

For every subset S of four causes, ``v(S)`` is the (capped) loss of the answer with the causes in S corrected:

* *wrong object*: readings that were measured elsewhere (``eval/place/rule.py``) give the target;
* *seeing*: all other readings give it, and all readings where the ground truth has no place;
* *arithmetic*: what the points give stays as it is, not changed by the model nor rounded by an instrument. Where it is
  not corrected, the answer's own arithmetic is done again: of a length by its factor, of an angle by its difference;
* *unit*: the number is written in the form asked for (``eval/why/forms.py``).

The part of a cause is its Shapley value: ``v(S) - v(S with it)``, averaged over all orders in which the causes can be
corrected (Shapley 1953). Parts add up exactly to ``v({})``, the loss, minus ``v`` of all four, which is that of the
target: 0. A part is negative where one error made up for another. An answer without numbers is *no answer*, and an
answer with a number that cannot be traced is *not decomposed*: in each case, the whole loss is one part.

A box is its own points and has no arithmetic. Its unit is wrong where shares of the image were asked for, a number is
beyond 2, and the box fits into the image in exactly one of per cent, thousandths and pixels, or is a tool's box in one
of them; without the size at which the model saw the image, it is not known whether pixels fit. What was measured where
is the rule of ``eval/place``; of a size each axis by itself.

Contract: a function of the task, the target, the final message, the tool calls with their results, and the views. It
does not depend on stored runs, raises no error for any text of a model, and reads only a limited part of it
(``eval/why/flow``).
"""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from itertools import combinations

import numpy as np

from medvision_agent.eval.parts.packed import Packed
from medvision_agent.eval.place.located import is_ambiguous, is_elsewhere
from medvision_agent.eval.place.rule import Target, corners_of
from medvision_agent.eval.scorer.metrics import LOSSES, Floats, box_loss, overlap
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.score import Score, score
from medvision_agent.eval.tasks import Task
from medvision_agent.eval.why.calls import Call
from medvision_agent.eval.why.flow import Traced, trace
from medvision_agent.eval.why.forms import PLAIN
from medvision_agent.eval.why.measured import measurements, numbers_of
from medvision_agent.eval.why.scene import Missing, Scene
from medvision_agent.packed_list import Slotted
from medvision_agent.quantity import BOX, LENGTH_MM
from medvision_agent.tools.view.frames import MEDVISION
from medvision_agent.tools.view.geometry import Spacing

__all__ = ["CAUSES", "Case", "Cause", "Kind", "LossParts", "explain", "explain_traced"]


class Cause(StrEnum):
    """A cause of error in an answer, to which a part of its loss belongs."""

    WRONG_OBJECT = "wrong object"
    """Points that lie elsewhere than the ground truth, by the rule of ``eval/place``."""
    SEEING = "seeing"
    """Points in the right place that are not exactly the true ones."""
    ARITHMETIC = "arithmetic"
    """What became of the points: computing and rounding."""
    UNIT = "unit"
    """A number that is right in another unit or form than was asked for."""
    TOGETHER = "seeing and arithmetic"
    """For an arm that states no points, so that the two cannot be separated."""
    NO_ANSWER = "no answer"
    NOT_DECOMPOSED = "not decomposed"
    """An answer with a number whose origin is unknown."""


class Kind(StrEnum):
    """The main error of one answer, or why it has none; docs/why.md defines each kind."""

    RIGHT = "right"
    WRONG_OBJECT = "wrong object"
    IMPRECISE = "imprecise"
    UNIT = "unit"
    ARITHMETIC = "arithmetic"
    IGNORED = "ignored"
    COPIED = "copied"
    NOWHERE = "from nowhere"
    AMBIGUOUS = "ambiguous"
    NO_ANSWER = "no answer"
    UNKNOWN = "not known"


_NO_REPLAYS: Mapping[frozenset[Cause], float] = Packed({})
CAUSES = (Cause.WRONG_OBJECT, Cause.SEEING, Cause.ARITHMETIC, Cause.UNIT)
"""The causes that a replay can correct."""
_FAR = 2.0
"""A number of a box beyond this cannot be a share of the image."""
_MOST_PIXELS = 65_535
"""No image has longer sides."""
_RIGHT = 0.01
"""An answer with a smaller loss is called right."""
_KINDS = {
    Cause.WRONG_OBJECT: Kind.WRONG_OBJECT,
    Cause.SEEING: Kind.IMPRECISE,
    Cause.ARITHMETIC: Kind.ARITHMETIC,
    Cause.UNIT: Kind.UNIT,
}
_UNTRACED = {
    Missing.IGNORED: Kind.IGNORED,
    Missing.COPIED: Kind.COPIED,
    Missing.AMBIGUOUS: Kind.AMBIGUOUS,
    Missing.NO_POINTS: Kind.NOWHERE,
    Missing.UNCLEAR_POINTS: Kind.NOWHERE,
    Missing.SEVERAL_VIEWS: Kind.NOWHERE,
    Missing.SAME_POINTS: Kind.NOWHERE,
}

Replay = Callable[[frozenset[Cause]], float]


@dataclass(frozen=True, eq=False)
class Case:
    """Everything needed to judge one answer, except its text: question, target, tool calls, views, and protocol."""

    task: Task
    target: Sequence[float]
    calls: Sequence[Call]
    """The tool calls with their results; empty for an answer without tools."""
    scene: Scene | Missing
    """The views with the pixel size and the ground truth's points, or why they are unknown."""
    rules: Protocol
    """The protocol that reads and scores the answer."""


@dataclass(frozen=True, eq=False, slots=True)
class LossParts(Slotted):
    """The loss of one answer, split by cause; numbers are packed, because a run has one such object for each sample."""

    loss: float
    parts: Mapping[Cause, float]
    """The part of each cause, which may be 0; they add up to the loss. *Wrong object* has no entry if the ground truth
    has no place."""
    kind: Kind
    reason: Missing | None = None
    """Why it is not decomposed, or why there is no answer; None if it is decomposed."""
    replays: Mapping[frozenset[Cause], float] = field(default_factory=lambda: _NO_REPLAYS)
    """The loss with each subset of the present causes corrected; empty without an answer or a known origin."""

    @property
    def decomposed(self) -> bool:
        """Whether the causes of the loss are known; also true without an answer, where the cause is *no answer*."""
        return Cause.NOT_DECOMPOSED not in self.parts

    def corrected(self, causes: Collection[Cause]) -> float | None:
        """Return the loss (0 to 1) that the answer would have with these causes corrected.

        None without an answer, or if the origin of its numbers is unknown.
        """
        if not self.replays:
            return None
        present = max(self.replays, key=len)
        return self.replays[present & frozenset(causes)]


def explain(case: Case, response: str | None) -> LossParts:
    """Return the loss of one answer in parts; *case* is everything that is needed to judge it, except its text.

    *response* is the final message, with boxes in MedVision's convention; None if there is no answer.
    """
    found = score(case.task.name, response, case.target, case.rules)
    trace_it = found.success and not case.task.is_box
    traced = trace(case.task, response, case.calls, case.scene, case.rules) if trace_it else []
    return explain_traced(case, found, traced)


def explain_traced(case: Case, found: Score, traced: Sequence[Traced | Missing]) -> LossParts:
    """Return the parts of an answer's loss, from its score *found* and the origin of its numbers *traced* (``trace``).

    For boxes and failures, *traced* is ignored.
    """
    if not found.success:
        return LossParts(found.loss, Packed({Cause.NO_ANSWER: found.loss}), Kind.NO_ANSWER, Missing.NO_ANSWER)
    if case.task.is_box:
        return _box(case, found)
    if not numbers_of(case.task):
        return _whole(found, Missing.NO_PLACES)
    known = [one for one in traced if isinstance(one, Traced)]
    if len(known) < len(traced) or isinstance(case.scene, Missing):
        return _whole(found, next(one for one in traced if isinstance(one, Missing)))
    place = Target(case.task, case.scene.truth, case.scene.spacing)
    if any(is_ambiguous(one, place) for one in known):
        return _whole(found, Missing.AMBIGUOUS)
    elsewhere = [[is_elsewhere(each.points, place) is True for each in one.readings] for one in known]

    def replay(corrected: frozenset[Cause]) -> float:
        each = zip(known, case.target, elsewhere, strict=True)
        values = [_replayed(case.task, one, wanted, flags, corrected) for one, wanted, flags in each]
        return float(LOSSES[case.task.loss](np.array(values), np.array(case.target)))

    present = {Cause.ARITHMETIC, *(_cause(flag) for flags in elsewhere for flag in flags)}
    present |= {Cause.UNIT} if any(one.form != PLAIN for one in known) else set()
    values = _replays(replay, found.loss, present)
    parts = _shapley(values)
    if len(place.points) != 2 * len(case.task.lines):
        del parts[Cause.WRONG_OBJECT]  # unknown; an entry of 0 would say that there is none
    kind = _kind(parts, found.loss, elsewhere=Cause.WRONG_OBJECT in present)
    if kind is Kind.WRONG_OBJECT and _other_in_place(case.task, case.calls, case.scene, place):
        kind = Kind.COPIED
    return LossParts(found.loss, Packed(parts), kind, replays=Packed(values))


def _whole(found: Score, reason: Missing) -> LossParts:
    """Return the loss of an answer as a single part, *not decomposed*, for the given reason."""
    kind = _UNTRACED.get(reason, Kind.UNKNOWN)
    return LossParts(found.loss, Packed({Cause.NOT_DECOMPOSED: found.loss}), kind, reason)


def _cause(elsewhere: bool) -> Cause:
    """Return the cause of an error of points: wrong object if they lie *elsewhere*, otherwise seeing."""
    return Cause.WRONG_OBJECT if elsewhere else Cause.SEEING


def _replayed(task: Task, one: Traced, target: float, elsewhere: Sequence[bool], corrected: frozenset[Cause]) -> float:
    """Return one number of an answer, in the unit of the answer, as it would be with the causes *corrected*.

    *target* is the true number. *elsewhere* says of each reading that the number is made of whether it was measured at
    another place than the ground truth.
    """
    each = zip(one.readings, elsewhere, strict=True)
    seen = [target if _cause(flag) in corrected else reading.exact for reading, flag in each]
    value = math.fsum(seen) / len(seen)
    if Cause.ARITHMETIC not in corrected:
        by_factor = task.quantity == LENGTH_MM and one.seen > 0
        value = value * (one.worked / one.seen) if by_factor else value + (one.worked - one.seen)
    return value if Cause.UNIT in corrected else one.form.of(value)


@cache
def _subsets(present: frozenset[Cause]) -> tuple[frozenset[Cause], ...]:
    """Return all subsets of some causes; each set is created once, for any number of answers."""
    causes = [one for one in CAUSES if one in present]
    return tuple(frozenset(some) for size in range(len(causes) + 1) for some in combinations(causes, size))


def _replays(replay: Replay, loss: float, present: Collection[Cause]) -> dict[frozenset[Cause], float]:
    """Return the loss with each subset of the causes *present* corrected; *replay* computes it.

    With nothing corrected, the value is *loss* itself; a replay of it would differ by the scorer's float32 rounding.
    """
    return {some: replay(some) if some else loss for some in _subsets(frozenset(present))}


def _shapley(value: Mapping[frozenset[Cause], float]) -> dict[Cause, float]:
    """Return each cause's mean reduction of the loss, over all orders in which causes can be corrected.

    *value* is the loss by the set of corrected causes. A cause that is not present has 0.
    """
    causes = max(value, key=len)
    count = len(causes)
    weights = [math.factorial(k) * math.factorial(count - k - 1) / math.factorial(count) for k in range(count)]
    found = {
        one: math.fsum(weights[len(some)] * (value[some] - value[some | {one}]) for some in value if one not in some)
        for one in causes
    }
    return {one: found.get(one, 0.0) for one in CAUSES}


def _kind(parts: Mapping[Cause, float], loss: float, *, elsewhere: bool) -> Kind:
    """Return the kind of error with the largest part, or "right" for a loss below 0.01.

    An answer with such a loss that was measured *elsewhere* is right by luck: its kind is "wrong object".
    """
    if loss < _RIGHT:
        return Kind.WRONG_OBJECT if elsewhere else Kind.RIGHT
    return _KINDS[max(CAUSES, key=lambda one: parts.get(one, 0.0))]


def _other_in_place(task: Task, calls: Sequence[Call], scene: Scene, place: Target) -> bool:
    """Return whether any tool call of the conversation measured in the right place."""
    measured = measurements(task, calls, scene)
    return not isinstance(measured, Missing) and any(is_elsewhere(one.points, place) is False for one in measured)


def _box(case: Case, found: Score) -> LossParts:
    """Return the parts of a box's loss: its position, and the unit of its coordinates."""
    values, wanted = np.array(found.values, dtype=np.float64), np.array(case.target)
    if not np.isfinite(values).all():
        return _whole(found, Missing.TOO_LARGE)
    scales = _scales(values, case)
    if isinstance(scales, Missing):
        return _whole(found, scales)
    if len(scales) > 1:
        return _whole(found, Missing.AMBIGUOUS)
    scale = np.array((*scales[0], *scales[0]) if scales else (1.0,) * len(values))
    elsewhere = is_elsewhere(corners_of(values / scale), Target(case.task, corners_of(wanted), Spacing(1.0, 1.0)))
    cause = _cause(elsewhere is True)

    def replay(corrected: frozenset[Cause]) -> float:
        box = wanted if cause in corrected else values / scale
        return float(box_loss(overlap(box if Cause.UNIT in corrected else box * scale, wanted, case.rules).iou))

    replays = _replays(replay, found.loss, {cause, Cause.UNIT} if scales else {cause})
    parts = _shapley(replays)
    kind = _kind(parts, found.loss, elsewhere=elsewhere is True)
    return LossParts(found.loss, Packed(parts), kind, replays=Packed(replays))


def _scales(values: Floats, case: Case) -> list[tuple[float, float]] | Missing:
    """Return the factors by which x and y may have been multiplied, if numbers of a box are far above 1.

    Empty if they are not, or if none fits. Returns a reason if they may be pixels of an image of unknown size.
    """
    scene = case.scene
    if values.max() <= _FAR or (isinstance(scene, Scene) and scene.views.frame.name != MEDVISION.name):
        return []
    scales = {(100.0, 100.0), (1000.0, 1000.0)}
    sized = isinstance(scene, Scene) and scene.sized
    if isinstance(scene, Scene) and sized:
        size = scene.views.whole.perceived
        scales.add((float(size.width), float(size.height)))
    fit = [one for one in sorted(scales) if values.min() >= 0 and (values <= np.array((*one, *one))).all()]
    boxes = [box for call in case.calls if (box := _box_of(call)) is not None]
    cited = [one for one in fit if any(np.allclose(values, box * (*one, *one), atol=0.51, rtol=0) for box in boxes)]
    if not cited and not sized and values.min() >= 0 and values.max() <= _MOST_PIXELS:
        return Missing.NO_PERCEIVED
    return cited or fit


def _box_of(call: Call) -> Floats | None:
    """Return the box that a call measured, as shares of the image (v0); None if it measured no box."""
    taken = call.measures.of(BOX) if call.ok else None
    numbers = [call.number(name) for name in taken.fields] if taken else []
    return np.array(numbers, dtype=np.float64) if len(numbers) == BOX.numbers and None not in numbers else None
