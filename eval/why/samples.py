"""One scored sample in detail: its conversation, the parts of its error, and the distance of its points.

The distance in mm between the points of an answer and the true points is

    error = min over s of mean over i of |p_s(i) - t_i|

with p the points that the answer was made of, t the true points, and s any order that gives the same answer: the two
ends of a line swapped, and the two lines of an angle or the two axes of a size swapped. Points anywhere on a line give
the right angle, and the axes of a nearly round structure may point anywhere: a large landmark error need not mean a
large error of the answer.

A box has two corners: the lower values of x and y (MedVision's convention), and the higher ones, in any order. Their
errors are ``|p - t|`` in mm of the whole image.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from sys import intern

from medvision_agent.eval.scorer.numbers import extract, parse
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.score import Score
from medvision_agent.eval.scorer.spoken import scored_text
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.tasks import Task
from medvision_agent.eval.why.behaviour import Conduct, Conversation, conduct_of
from medvision_agent.eval.why.flow import Traced
from medvision_agent.eval.why.look import Look, looks_at
from medvision_agent.eval.why.measured import numbers_of
from medvision_agent.eval.why.scene import Missing, Scene
from medvision_agent.quantity import BOX
from medvision_agent.tools.view.geometry import Point, Spacing, distance_mm

__all__ = ["AnswerErrors", "LandmarkError", "Parts", "SampleWhy", "corner_errors", "errors_of", "landmark_error"]
__all__ += ["sample_whys", "why_of"]


@dataclass(frozen=True, slots=True)
class LandmarkError:
    """The distances in mm between the points of an answer and the true points, in the order that fits best."""

    mean_mm: float
    largest_mm: float
    swapped: bool
    """Whether the two lines, or the two axes, had to be swapped."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The error of one number of an answer in three signed parts that add up to it; mm, or degrees for an angle.

    answer - target = (answer - worked)    unit: the form in which it was written
                    + (worked - seen)      arithmetic: what became of the points, rounding included
                    + (seen - target)      seeing: the points themselves
    """

    answer: float
    worked: float
    """The answer as if it had been written in the form asked for (mm or degrees)."""
    seen: float
    """The value that the points give, without rounding (mm or degrees)."""
    target: float
    source: str
    """The tools that the points come from, or ``STATED``."""
    solver: bool
    """Whether a tool found any of the points by itself."""

    @classmethod
    def of(cls, traced: Traced, target: float) -> "Parts":
        """Return the parts of a number's error from its origin."""
        return cls(traced.answer, traced.worked, traced.seen, target, intern(traced.source), traced.solver)

    @property
    def error(self) -> float:
        """Answer minus target."""
        return self.answer - self.target

    @property
    def unit(self) -> float:
        """The answer minus the answer in the form asked for."""
        return self.answer - self.worked

    @property
    def arithmetic(self) -> float:
        """The answer in the form asked for, minus the value that its points give."""
        return self.worked - self.seen

    @property
    def seeing(self) -> float:
        """The value that the points give, minus the target."""
        return self.seen - self.target


@dataclass(frozen=True, eq=False, slots=True)
class AnswerErrors:
    """The errors of one answer: the parts of each number's error, and the distances of its points from true ones."""

    quantities: dict[str, Parts | Missing]
    """The parts of each number's error, or why they are unknown, by the number's name; empty for boxes and areas."""
    landmarks: LandmarkError | None
    """None if the ground truth has no points, or if a number of the answer has none."""
    corners_mm: tuple[float, float] | None
    """Distances in mm of a box's lower and higher corner from the target's; None for other tasks, and without a finite
    box."""

    @property
    def solver(self) -> bool:
        """Whether a solver found any of the points."""
        return any(isinstance(one, Parts) and one.solver for one in self.quantities.values())


@dataclass(frozen=True, eq=False, slots=True)
class SampleWhy(AnswerErrors):
    """One sample of a run: the errors of its answer, and the model's behaviour."""

    conduct: Conduct

    @property
    def record(self) -> Record:
        """The record of the sample."""
        return self.conduct.record


def sample_whys(run: Run, rules: Protocol, scores: Sequence[Score | None] | None = None) -> Iterator[SampleWhy]:
    """Yield the errors and the behaviour of each scored sample of a stored run, in the run's order.

    *scores* are the scores of all its records in order, None for a record without a score; without *scores*, the
    records are scored by *rules*. Raises DamageError if a conversation or an image was changed.
    """
    return map(why_of, looks_at(run, rules, scores))


def why_of(look: Look) -> SampleWhy:
    """Return the errors and the behaviour of a scored answer.

    Raises DamageError if its conversation or its image was changed.
    """
    sample, scene = look.record.sample, look.scene
    text = scored_text(look.record)
    errors = errors_of(sample.asks, sample.target, text, look.traced, scene=scene, rules=look.rules)
    conduct = conduct_of(Conversation(look.record, look.calls, look.texts), look.rules)
    return SampleWhy(errors.quantities, errors.landmarks, errors.corners_mm, conduct)


def errors_of(
    task: Task,
    target: Sequence[float],
    text: str | None,
    traced: Sequence[Traced | Missing],
    *,
    scene: Scene | Missing,
    rules: Protocol,
) -> AnswerErrors:
    """Return the errors of an answer with the ground truth *target*.

    *text* is the scored text, None for a failure; *rules* read a box in it. *traced* is the origin of each number
    (``flow.trace``); *scene* holds the views of the conversation.
    """
    parts = [
        Parts.of(one, wanted) if isinstance(one, Traced) else one for one, wanted in zip(traced, target, strict=False)
    ]
    return AnswerErrors(
        dict(zip(numbers_of(task), parts, strict=True)),
        _landmarks(traced, scene),
        _corners(task, target, text, scene, rules),
    )


def _landmarks(traced: Sequence[Traced | Missing], scene: Scene | Missing) -> LandmarkError | None:
    """Return the distances of the answer's points from the true ones; None if either are not known."""
    if isinstance(scene, Missing):
        return None
    points = [point for one in traced if isinstance(one, Traced) for point in one.points]
    return landmark_error(points, scene.truth, scene.spacing)


def _corners(
    task: Task, target: Sequence[float], text: str | None, scene: Scene | Missing, rules: Protocol
) -> tuple[float, float] | None:
    """Return the distances in mm of the lower and the higher corner of an answered box from the target's.

    None for other tasks, if no box can be read, and if the size of the image is unknown.
    """
    if not task.is_box or text is None or isinstance(scene, Missing):
        return None
    extracted = extract(text, BOX.numbers, rules)
    values = parse(extracted, BOX.numbers)
    if values is None or not all(abs(value) <= 1e12 for value in values.tolist()):
        return None
    box = [float(number.replace(",", "")) for number in extracted.split(",")]
    return corner_errors(box, target, scene.views.whole.field_mm)


def landmark_error(points: Sequence[Point], truth: Sequence[Point], spacing: Spacing) -> LandmarkError | None:
    """Return the distances in mm of two or four points from the true ones, in the order that fits best.

    The ends of a line, and two lines, may be swapped. Points are in the slice frame, line by line; *spacing* is the
    millimetres per pixel. None unless there are two or four points, and as many true ones.
    """
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
    """Return the distances in mm of the lower and of the higher corner of *box* from those of *target*.

    Both boxes are fractions of the image (0..1); *field_mm* is the height and width of the image in mm.
    """
    height, width = field_mm
    (low, high), (true_low, true_high) = _low_and_high(box), _low_and_high(target)

    def apart(p: tuple[float, float], t: tuple[float, float]) -> float:
        return math.hypot((p[0] - t[0]) * width, (p[1] - t[1]) * height)

    return apart(low, true_low), apart(high, true_high)


def _low_and_high(box: Sequence[float]) -> tuple[tuple[float, float], tuple[float, float]]:
    x1, y1, x2, y2 = box
    return (min(x1, x2), min(y1, y2)), (max(x1, x2), max(y1, y2))
