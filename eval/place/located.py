"""Where each scored sample was measured: in the right place, elsewhere, or not locatable, with the reason.

The measured points are those of the tool calls whose results the answer rounds, for each of its numbers, mapped through
the views to the slice. Otherwise they are the points that the final message states unambiguously (``eval/why``). An
answer that agrees with no call, such as a mean of three readings, is not locatable. A box is its own place.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from struct import pack, unpack_from

from medvision_agent.eval.data.sample import Question, Sample
from medvision_agent.eval.place.rule import RULE, Place, Target, Tolerance, centre, corners_of, in_place
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.score import Score, score_record, scored_one_by_one
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.tasks import TASKS, Task, TaskName
from medvision_agent.eval.why.flow import Traced
from medvision_agent.eval.why.look import Look, Looks
from medvision_agent.eval.why.scene import Missing, Scene
from medvision_agent.tools.view.geometry import Point, Spacing, distance_mm

__all__ = ["Found", "Located", "found_at", "has_place", "is_ambiguous", "is_elsewhere", "locate", "locate_record"]
__all__ += ["located_records", "question_of"]

_SEVERAL = "a number of the answer was made of several measurements"
_MOST = 1e12
_UNIT = Spacing(1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Found:
    """Where one answer was measured, and where it should have been; its numbers are packed, because there are many."""

    task: TaskName
    measured: int
    """Number of measured points."""
    packed: bytes
    """Eight bytes for each number: measured points, true points, spacing, size."""

    @classmethod
    def of(cls, points: Sequence[tuple[float, float]], target: Target, size: tuple[float, float]) -> "Found":
        """Make one from the measured *points* (fractions of the image), the *target* and the image's *size*."""
        true = [number for point in target.points for number in (point.x, point.y)]
        numbers = [*chain.from_iterable(points), *true, target.spacing.height_mm, target.spacing.width_mm, *size]
        return cls(target.task.name, len(points), pack(f"{len(numbers)}d", *numbers))

    @property
    def points(self) -> list[tuple[float, float]]:
        """The measured points as fractions of the image (x right, y down), to be transferred to other images."""
        numbers = unpack_from(f"{2 * self.measured}d", self.packed)
        return list(zip(numbers[::2], numbers[1::2], strict=True))

    @property
    def target(self) -> Target:
        """The location of the ground truth, where it should have been measured."""
        numbers = unpack_from(f"{len(self.packed) // 8 - 2 * self.measured - 2}d", self.packed, 16 * self.measured)
        *true, height_mm, width_mm = numbers
        points = tuple(map(Point, true[::2], true[1::2]))
        return Target(TASKS[self.task], points, Spacing(height_mm, width_mm))

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the image in pixels of the target's grid."""
        width, height = unpack_from("2d", self.packed, len(self.packed) - 16)
        return width, height

    def right(self, tolerance: Tolerance = RULE) -> bool:
        """Return whether it was measured in the right place."""
        return self.share([self], tolerance) == 1.0

    def share(self, others: Sequence["Found"], tolerance: Tolerance = RULE) -> float:
        """Return the share of *others* whose points, transferred to this image, are in the right place here."""
        target = self.target
        return sum(in_place(points, target, tolerance) for points in map(self.placed, others)) / len(others)

    def placed(self, other: "Found") -> list[Point]:
        """Return the points of *other* transferred to this image, in the slice frame."""
        width, height = self.size
        return [Point(u * width, v * height) for u, v in other.points]


@dataclass(frozen=True, eq=False)
class Located:
    """One scored sample whose ground truth has a place."""

    sample: Question
    loss: float
    found: Found | str | None
    """Where the answer was measured, or a text that says why this is unknown; None for a failure."""

    @cached_property
    def place(self) -> Place | None:
        """Where it was measured; None for a failure."""
        if self.found is None:
            return None
        if isinstance(self.found, str):
            return Place.UNKNOWN
        return Place.RIGHT if self.found.right() else Place.ELSEWHERE

    @property
    def apart_mm(self) -> float | None:
        """Distance between the centre of what was measured and the centre of the true points, in mm; None for boxes."""
        if not isinstance(self.found, Found) or self.sample.asks.is_box:
            return None
        target = self.found.target
        return distance_mm(centre(self.found.placed(self.found)), centre(target.points), target.spacing)

    @property
    def lowest_loss(self) -> float:
        """The loss, or 1 if the answer was measured elsewhere; an unknown place counts as the right one."""
        return 1.0 if self.place is Place.ELSEWHERE else self.loss

    @property
    def highest_loss(self) -> float:
        """The same, but 1 also if it is unknown where the answer was measured."""
        return 1.0 if self.place is Place.UNKNOWN else self.lowest_loss


def is_elsewhere(points: Sequence[Point], target: Target) -> bool | None:
    """Return whether points (slice frame) are not where the ground truth is; None if either is unknown."""
    known = points and len(target.points) == 2 * (1 if target.task.is_box else len(target.task.lines))
    return not in_place(points, target) if known else None


def is_ambiguous(one: Traced, target: Target) -> bool:
    """Return whether a number has several possible origins, some in the right place (*target*) and some elsewhere."""
    ways = {tuple(is_elsewhere(each.points, target) for each in way) for way in (one.readings, *one.others)}
    return len(ways) > 1


def has_place(sample: Sample) -> bool:
    """Return whether the ground truth of a sample states its location."""
    task = sample.asks
    return task.is_box or (bool(task.lines) and len(sample.truth_points) == 2 * len(task.lines))


def question_of(sample: Question) -> tuple[str, ...]:
    """Return a key that is equal for samples asking for the same structure, landmarks or line."""
    return (sample.task, sample.label or "", *sample.landmarks, sample.measurement)


def located_records(run: Run, rules: Protocol) -> Iterator[tuple[Record, Score | None, Located | None]]:
    """Yield every record of a run with its score, and where it was measured, as ``locate`` does; none is kept."""
    with Looks(run, rules) as looks:
        for record, score in scored_one_by_one(run.each(), rules):
            yield record, score, None if score is None else locate(looks.at(record, score))


def locate(look: Look) -> Located | None:
    """Return where a scored answer was measured; None if its ground truth does not state its location."""
    sample, score = look.record.sample, look.score
    if not has_place(sample):
        return None
    task, target = sample.asks, sample.target
    if task.is_box or not score.success:
        return Located(look.question, score.loss, found_at(task, target, score, (), Missing.NO_PICTURE))
    found = found_at(task, target, score, look.traced, look.conversation[1])
    return Located(look.question, score.loss, found)


def locate_record(run: Run, record: Record, rules: Protocol) -> Located | None:
    """Return where one record of a run was measured; None if it is not scored or its ground truth has no place."""
    score = score_record(record, rules)
    if score is None:
        return None
    with Looks(run, rules) as looks:
        return locate(looks.at(record, score))


def found_at(
    task: Task, target: Sequence[float], score: Score, traced: Sequence[Traced | Missing], scene: Scene | Missing
) -> Found | str | None:
    """Return where an answer was measured, or a text that says why this is unknown; None for a failure.

    *traced* is the origin of its numbers (``trace``), *scene* the views of its conversation or why they are missing; a
    box needs neither.
    """
    if not score.success:
        return None
    if task.is_box:
        return _box(task, target, score)
    return str(scene) if isinstance(scene, Missing) else _points(task, traced, scene)


def _box(task: Task, wanted: Sequence[float], score: Score) -> Found | str:
    """Return the place of a box, as fractions of the image."""
    if not all(abs(value) <= _MOST for value in score.values):
        return "a number of the answer is beyond 1e12"
    answer = tuple((corner.x, corner.y) for corner in corners_of(score.values))
    return Found.of(answer, Target(task, corners_of(wanted), _UNIT), (1.0, 1.0))


def _points(task: Task, traced: Sequence[Traced | Missing], scene: Scene) -> Found | str:
    """Return where the lines of an answer were measured, or why that is unknown."""
    placed = list[Point]()
    target = Target(task, scene.truth, scene.spacing)
    for one in traced:
        if isinstance(one, Missing):
            return str(one)
        if not one.points:
            return _SEVERAL
        if is_ambiguous(one, target):
            return str(Missing.AMBIGUOUS)
        placed += one.points
    whole = scene.views.whole.region
    return Found.of(list(map(whole.unit, placed)), target, (whole.width, whole.height))
