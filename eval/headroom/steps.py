"""One stored answer, and the loss it would have if part of it were right: a counterfactual without any model call.

The losses are replays of ``eval/parts/replay.py``:

* *exact arithmetic*: an exact ruler or protractor measures between the answer's own points, with the exact pixel size,
  and the number is written in the unit asked for (the causes arithmetic and unit are corrected);
* *true points*: the points are the true ones, with the model's own arithmetic applied to them: for a length its factor,
  for an angle its difference, and its unit (the causes wrong object and seeing are corrected);
* *both*: all of these, which gives the target.

Contract: pure functions. An answer whose origin is unknown keeps its loss in every step, and so does a failed answer.
``Answered.ideal`` adds the reading of an exact instrument at the true places, which may differ from the target because
of a data set's conventions (``eval/scorer/ceiling.py`` for boxes; for lengths and angles, the ground truth's points and
the rounded target).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from medvision_agent.eval.data.sample import Question
from medvision_agent.eval.parts.replay import CAUSES, Case, Cause, LossParts, explain_traced
from medvision_agent.eval.scorer.ceiling import edge_boxes
from medvision_agent.eval.scorer.score import Score
from medvision_agent.eval.tasks import Task
from medvision_agent.eval.why.flow import Traced
from medvision_agent.eval.why.measured import exact_of
from medvision_agent.eval.why.scene import Missing, Scene, whole_scene
from medvision_agent.eval.why.stated import STATED, stated_points
from medvision_agent.packed_list import Slotted
from medvision_agent.tools.view.geometry import Size, Spacing

__all__ = ["REPLAYED", "Answered", "Step", "answered"]


class Step(StrEnum):
    """One step of the headroom: a way to answer, or to correct the answers; in the order in which they are shown."""

    PRIOR = "prior"
    """The best constant answer of the other subjects (``references.py``)."""
    ANSWERED = "as answered"
    """The answer as it is."""
    ARITHMETIC = "exact arithmetic"
    """The answer that its own points give, in the right unit."""
    POINTS = "true points"
    """The answer with the true points, but its own arithmetic and unit."""
    BOTH = "both"
    """The answer with the true points and exact arithmetic."""
    CEILING = "convention ceiling"
    """An exact measurement at the true places."""


REPLAYED = {
    Step.ARITHMETIC: (Cause.ARITHMETIC, Cause.UNIT),
    Step.POINTS: (Cause.WRONG_OBJECT, Cause.SEEING),
    Step.BOTH: CAUSES,
}
"""The causes that are corrected in each counterfactual step."""
_ANYWHERE = whole_scene(Size(1, 1), Spacing(1.0, 1.0), ())


@dataclass(frozen=True, eq=False, slots=True)
class Answered(Slotted):
    """One scored answer with the losses that it would have if part of it were right."""

    question: Question
    target: tuple[float, ...]
    success: bool
    """Whether it was parsed into the numbers asked for."""
    states: bool
    """Whether it states any coordinates: a point, or the corners of a box."""
    decomposed: bool
    """Whether the origin of its numbers is known."""
    reason: Missing | None
    """Why it is not decomposed, or why it failed; None if neither."""
    sources: tuple[str, ...]
    """Where the points come from: tools, or ``STATED``; empty for boxes and for answers that are not decomposed."""
    losses: tuple[float, float, float, float]
    """Losses as answered, with exact arithmetic, with the true points, with both."""
    ideal: tuple[float, ...] | None
    """The reading of an exact instrument at the true places; None if the ground truth does not state them."""


def answered(
    question: Question,
    case: Case,
    found: Score,
    traced: Sequence[Traced | Missing],
    *,
    text: str | None,
    inclusive: bool,
    size: Size | None = None,
    parts: LossParts | None = None,
) -> Answered:
    """Return an answer with the loss that it would have in each counterfactual step.

    *case* is everything that is needed to judge it, except its text; *found* is its score, and *traced* the origin of
    its numbers (``eval/why/flow.trace``). *text* is the response, or None. *inclusive* says whether a target box ends
    at its last row and column (MedVision's convention), in an image of *size* pixels. *parts* are the parts of its
    loss, if known.
    """
    parts = parts or explain_traced(case, found, traced)
    decomposed = bool(parts.replays)
    known = [one for one in traced if isinstance(one, Traced)] if decomposed else []
    return Answered(
        question=question,
        target=tuple(case.target),
        success=found.success,
        states=_states(case, found, traced, text),
        decomposed=decomposed,
        reason=parts.reason,
        sources=tuple(dict.fromkeys(one.source for one in known)),
        losses=_losses(parts),
        ideal=_ideal(case, size if inclusive else None, inclusive=inclusive),
    )


def _losses(parts: LossParts) -> tuple[float, float, float, float]:
    """Return the losses as answered, with exact arithmetic, with the true points, and with both.

    Without replays, all four are the loss as answered.
    """
    arithmetic, points, both = (parts.corrected(causes) for causes in REPLAYED.values())
    if arithmetic is None or points is None or both is None:
        return (parts.loss,) * 4
    return parts.loss, arithmetic, points, both


def _states(case: Case, found: Score, traced: Sequence[Traced | Missing], text: str | None) -> bool:
    """Return whether an answer states any coordinates.

    If the size of the image is unknown, points are read in MedVision's convention, which does not need it.
    """
    if case.task.is_box:
        return found.success
    if any(isinstance(one, Traced) and STATED in one.source for one in traced):
        return True
    if Missing.NO_POINTS in traced:  # so the search for the origin has looked for points
        return False
    scene = case.scene if isinstance(case.scene, Scene) else _ANYWHERE
    return text is not None and stated_points(case.task, text, scene) is not Missing.NO_POINTS


def _ideal(case: Case, size: Size | None, *, inclusive: bool) -> tuple[float, ...] | None:
    """Return what an exact instrument would read at the true places, in the form of the target.

    None if the ground truth states no points, or for an *inclusive* box in an image of unknown *size*.
    """
    if case.task.is_box:
        if not inclusive:
            return tuple(case.target)
        return None if size is None else _edges(case.target, size)
    scene, step = case.scene, case.task.quantity.points
    if isinstance(scene, Missing) or not scene.truth or not step:
        return None
    return _between(case.task, scene, step)


def _edges(target: Sequence[float], size: Size) -> tuple[float, ...]:
    """Return the box at the true edges, in MedVision's convention, for a target that ends at its last row and column.

    *size* is that of the image in pixels.
    """
    sides = np.array([[size.height, size.width]], dtype=np.float64)
    return tuple(edge_boxes(np.array([target], dtype=np.float64), sides)[0].tolist())


def _between(task: Task, scene: Scene, step: int) -> tuple[float, ...] | None:
    """Return the numbers (mm or degrees) that the ground truth's points give; *step* points give one number.

    None unless there are as many points as the task has, and each number is defined.
    """
    points = scene.truth
    if len(points) != step * len(task.numbers):
        return None
    exact = [exact_of(points[k : k + step], scene.spacing) for k in range(0, len(points), step)]
    known = [one for one in exact if one is not None]
    return tuple(known) if len(known) == len(exact) else None
