"""One scored sample looked at from all sides: its conversation, the parts of its error, and how far its points lie off.

The distance in mm between the points of an answer and the truth's is

    error = min over s of mean over i of |p_s(i) - t_i|

with p the points that the answer was made of, t the truth's, and s any order in which they are the
same answer: the two ends of a line swapped, and the two lines of an angle or the two axes of a size swapped. Points
anywhere on a line give the right angle, and the axes of a nearly round structure may point anywhere: a large landmark
error need not be a large error of the answer.

A box has two corners: the lower values of x and y (MedVision's convention), and the higher ones, in whatever order
they were given. Their errors are ``|p - t|`` in mm of the whole picture.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from medvision_agent.eval.scorer.numbers import extract, parse
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.spoken import scored_text
from medvision_agent.eval.store.read import Traces
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.tasks import Task
from medvision_agent.eval.why.behaviour import Conversation
from medvision_agent.eval.why.calls import calls_of, spoken_texts
from medvision_agent.eval.why.flow import Traced, trace
from medvision_agent.eval.why.measured import numbers_of
from medvision_agent.eval.why.scene import Missing, Scene
from medvision_agent.eval.why.stored import reply_of, scene_of, tools_of
from medvision_agent.quantity import BOX
from medvision_agent.tools.base import Measures
from medvision_agent.tools.view.geometry import Point, Spacing, distance_mm

__all__ = ["AnswerErrors", "LandmarkError", "Parts", "SampleWhy", "corner_errors", "errors_of", "landmark_error"]
__all__ += ["sample_whys"]


@dataclass(frozen=True, slots=True)
class LandmarkError:
    """Distances in mm between the points of an answer and the truth's."""

    mean_mm: float
    largest_mm: float
    swapped: bool
    """The two lines, or the two axes, had to be swapped."""


@dataclass(frozen=True, eq=False)
class Parts:
    """The error of one number of an answer in three signed parts that add up to it; mm, or degrees for an angle.

    answer - target = (answer - worked)    unit: the form in which it was written
                    + (worked - seen)      arithmetic: what became of the points, rounding included
                    + (seen - target)      seeing: the points themselves
    """

    traced: Traced
    target: float

    @property
    def error(self) -> float:
        """Answer minus target."""
        return self.traced.answer - self.target

    @property
    def unit(self) -> float:
        """Answer minus the same in the form asked for."""
        return self.traced.answer - self.traced.worked

    @property
    def arithmetic(self) -> float:
        """The answer in the form asked for, minus what its points give."""
        return self.traced.worked - self.traced.seen

    @property
    def seeing(self) -> float:
        """What the points give, minus the target."""
        return self.traced.seen - self.target


@dataclass(frozen=True, eq=False)
class AnswerErrors:
    """The parts of an answer's error, and how far its points lie from the truth's."""

    quantities: dict[str, Parts | Missing]
    """By the names of ``numbers_of`` the task; empty for detection."""
    landmarks: LandmarkError | None
    """None where the truth has no points, or a number of the answer has none."""
    corners_mm: tuple[float, float] | None
    """Errors of a box's lower and higher corner; None for other tasks, and without a finite box."""

    @property
    def solver(self) -> bool:
        """Whether a solver found any of the points."""
        return any(isinstance(one, Parts) and one.traced.solver for one in self.quantities.values())


@dataclass(frozen=True, eq=False)
class SampleWhy(AnswerErrors):
    """One sample of a run: the errors of its answer, and its conversation."""

    conversation: Conversation

    @property
    def record(self) -> Record:
        """The record of the sample."""
        return self.conversation.record


def sample_whys(run: Run, rules: Protocol) -> Iterator[SampleWhy]:
    """Yield what is known of each scored sample of a stored run, in their order."""
    tools = tools_of(run)
    with Traces(run.folder) as traces:
        for record in run.records:
            if not record.outcome.infrastructure:
                yield _sample_why(run, record, traces.of(record.sample.id), tools, rules)


def _sample_why(
    run: Run, record: Record, stored: Mapping[str, Any], tools: Mapping[str, Measures], rules: Protocol
) -> SampleWhy:
    calls = calls_of(stored, tools)
    scene = scene_of(run, record, calls)
    sample = record.sample
    traced = trace(sample.asks, reply_of(record), calls, scene, rules)
    errors = errors_of(sample.asks, sample.target, scored_text(record), traced, scene=scene, rules=rules)
    talk = Conversation(record, calls, spoken_texts(stored))
    return SampleWhy(errors.quantities, errors.landmarks, errors.corners_mm, talk)


def errors_of(
    task: Task,
    target: Sequence[float],
    text: str | None,
    traced: Sequence[Traced | Missing],
    *,
    scene: Scene | Missing,
    rules: Protocol,
) -> AnswerErrors:
    """Return the errors of an answer; *text* is what is scored, *traced* what its numbers were made of (``trace``)."""
    parts = [
        Parts(one, wanted) if isinstance(one, Traced) else one for one, wanted in zip(traced, target, strict=False)
    ]
    return AnswerErrors(
        dict(zip(numbers_of(task), parts, strict=True)),
        _landmarks(parts, scene),
        _corners(task, target, text, scene, rules),
    )


def _landmarks(parts: Sequence[Parts | Missing], scene: Scene | Missing) -> LandmarkError | None:
    if isinstance(scene, Missing):
        return None
    points = [point for part in parts if isinstance(part, Parts) for point in part.traced.points]
    return landmark_error(points, scene.truth, scene.spacing)


def _corners(
    task: Task, target: Sequence[float], text: str | None, scene: Scene | Missing, rules: Protocol
) -> tuple[float, float] | None:
    if not task.is_box or text is None or isinstance(scene, Missing):
        return None
    extracted = extract(text, BOX.numbers, rules)
    values = parse(extracted, BOX.numbers)
    if values is None or not all(abs(value) <= 1e12 for value in values.tolist()):
        return None
    box = [float(number.replace(",", "")) for number in extracted.split(",")]
    return corner_errors(box, target, scene.views.whole.field_mm)


def landmark_error(points: Sequence[Point], truth: Sequence[Point], spacing: Spacing) -> LandmarkError | None:
    """Return the error of two or four points (slice frame, line by line); None where the truth has no such points."""
    if len(points) != len(truth) or len(points) not in (2, 4):
        return None
    lines = [(points[k], points[k + 1]) for k in range(0, len(points), 2)]
    best: LandmarkError | None = None
    for swapped in (False, True)[: len(lines)]:
        ordered = lines[::-1] if swapped else lines
        for turned in product((False, True), repeat=len(lines)):
            placed = [p for line, turn in zip(ordered, turned, strict=True) for p in (line[::-1] if turn else line)]
            errors = [distance_mm(p, t, spacing) for p, t in zip(placed, truth, strict=True)]
            found = LandmarkError(math.fsum(errors) / len(errors), max(errors), swapped)
            if best is None or found.mean_mm < best.mean_mm:
                best = found
    return best


def corner_errors(box: Sequence[float], target: Sequence[float], field_mm: tuple[float, float]) -> tuple[float, float]:
    """Return the errors in mm of the lower and of the higher corner of a box (0..1) in a field (height, width)."""
    height, width = field_mm
    (low, high), (true_low, true_high) = _low_and_high(box), _low_and_high(target)

    def apart(p: tuple[float, float], t: tuple[float, float]) -> float:
        return math.hypot((p[0] - t[0]) * width, (p[1] - t[1]) * height)

    return apart(low, true_low), apart(high, true_high)


def _low_and_high(box: Sequence[float]) -> tuple[tuple[float, float], tuple[float, float]]:
    x1, y1, x2, y2 = box
    return (min(x1, x2), min(y1, y2)), (max(x1, x2), max(y1, y2))
