"""Where each scored sample was measured: in the right place, elsewhere, or not locatable, with the reason.

The measured points are those of the tool calls whose results the answer rounds, for each of its numbers, mapped through
the views to the slice. Otherwise they are the points that the final message states unambiguously (``eval/why``). An
answer that agrees with no call, such as a mean of three readings, is not locatable. A box is its own place.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
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
from medvision_agent.packed_list import Slotted
from medvision_agent.tools.view.geometry import Point, Spacing, distance_mm

__all__ = ["Found", "Located", "found_at", "has_place", "is_ambiguous", "is_elsewhere", "locate", "locate_record"]
__all__ += ["located_records", "question_of"]

_SEVERAL = "a number of the answer was made of several measurements"
_MOST = 1e12
_UNIT = Spacing(1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Found(Slotted):
    """Where one answer was measured, and where the ground truth lies; numbers are packed, because there are many."""

    task: TaskName
    measured: int
    """Number of measured points."""
    packed: bytes
    """Eight bytes for each number: measured points, true points, spacing, size."""

    @classmethod
    def of(cls, points: Sequence[tuple[float, float]], target: Target, size: tuple[float, float]) -> "Found":
        """Return the place of an answer from its *points* (shares of width and height) and its *target*.

        *size* is the image's width and height in pixels of the target's grid; for a box, whose target is in shares of
        the image, it is 1 x 1.
        """
        true = [number for point in target.points for number in (point.x, point.y)]
        numbers = [*chain.from_iterable(points), *true, target.spacing.height_mm, target.spacing.width_mm, *size]
        return cls(target.task.name, len(points), pack(f"{len(numbers)}d", *numbers))

    @property
    def points(self) -> list[tuple[float, float]]:
        """The measured points as shares of width and height (x right, y down), to be transferred to other images."""
        numbers = unpack_from(f"{2 * self.measured}d", self.packed)
        return list(zip(numbers[::2], numbers[1::2], strict=True))

    @property
    def target(self) -> Target:
        """The location of the ground truth, with its task and pixel size."""
        numbers = unpack_from(f"{len(self.packed) // 8 - 2 * self.measured - 2}d", self.packed, 16 * self.measured)
        *true, height_mm, width_mm = numbers
        points = tuple(map(Point, true[::2], true[1::2]))
        return Target(TASKS[self.task], points, Spacing(height_mm, width_mm))

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the image in pixels of the target's grid; 1 x 1 for boxes, whose points are in shares."""
        width, height = unpack_from("2d", self.packed, len(self.packed) - 16)
        return width, height

    def right(self, tolerance: Tolerance = RULE) -> bool:
        """Return whether the answer was measured in the right place, by the rule *tolerance*."""
        return self.share([self], tolerance) == 1.0

    def share(self, others: Sequence["Found"], tolerance: Tolerance = RULE) -> float:
        """Return which share (0 to 1) of the answers *others* would be in the right place if measured on this image.

        Their points are transferred as shares of width and height.
        """
        target = self.target
        return sum(in_place(points, target, tolerance) for points in map(self.placed, others)) / len(others)

    def placed(self, other: "Found") -> list[Point]:
        """Return the measured points of *other* transferred to this image, in the frame of this target.

        That is in pixels of the slice (x right, y down), or for a box in shares of the image.
        """
        width, height = self.size
        return [Point(u * width, v * height) for u, v in other.points]


@dataclass(frozen=True, eq=False, slots=True)
class Located(Slotted):
    """One scored sample whose ground truth has a place, with its loss and where its answer was measured."""

    sample: Question
    loss: float
    found: Found | str | None
    """Where the answer was measured, or a text that says why this is unknown; None for a failure."""
    place: Place | None = field(init=False)
    """Whether the answer was measured in the right place, elsewhere, or at an unknown place; None for a failure."""

    def __post_init__(self) -> None:
        """Judge the place once: it is used in many figures."""
        place = None if self.found is None else Place.UNKNOWN
        if isinstance(self.found, Found):
            place = Place.RIGHT if self.found.right() else Place.ELSEWHERE
        object.__setattr__(self, "place", place)

    @property
    def apart_mm(self) -> float | None:
        """Distance in mm between the centre of the measured points and that of the true points.

        None for boxes, for failures, and if the place is unknown.
        """
        if not isinstance(self.found, Found) or self.sample.asks.is_box:
            return None
        target = self.found.target
        return distance_mm(centre(self.found.placed(self.found)), centre(target.points), target.spacing)

    @property
    def lowest_loss(self) -> float:
        """The loss, or 1 if the answer was measured elsewhere than at the ground truth.

        An answer whose place is unknown keeps its loss.
        """
        return 1.0 if self.place is Place.ELSEWHERE else self.loss

    @property
    def highest_loss(self) -> float:
        """The loss, or 1 if the answer was measured elsewhere or at an unknown place."""
        return 1.0 if self.place is Place.UNKNOWN else self.lowest_loss


def is_elsewhere(points: Sequence[Point], target: Target) -> bool | None:
    """Return whether *points* lie elsewhere than the ground truth; None if either is unknown.

    They are in the frame of the target: pixels of the slice, or for a box shares of the image.
    """
    known = points and len(target.points) == 2 * (1 if target.task.is_box else len(target.task.lines))
    return not in_place(points, target) if known else None


def is_ambiguous(one: Traced, target: Target) -> bool:
    """Return whether a number may have several origins, of which some lie in the right place and some elsewhere.

    *one* is the number with its possible origins, *target* the location of the ground truth.
    """
    ways = {tuple(is_elsewhere(each.points, target) for each in way) for way in (one.readings, *one.others)}
    return len(ways) > 1


def has_place(sample: Sample) -> bool:
    """Return whether the ground truth of a sample states its location."""
    task = sample.asks
    return task.is_box or (bool(task.lines) and len(sample.truth_points) == 2 * len(task.lines))


def question_of(sample: Question) -> tuple[str, ...]:
    """Return a key that is equal for samples asking for the same: task, label, landmarks and measurement."""
    return (sample.task, sample.label or "", *sample.landmarks, sample.measurement)


def located_records(run: Run, rules: Protocol) -> Iterator[tuple[Record, Score | None, Located | None]]:
    """Yield every record of a run with its score, and where its answer was measured, as ``locate`` returns it.

    The score is None for an infrastructure failure. Records are not kept in memory.
    """
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
    """Return where the answer of one record of a run was measured.

    None if the record is not scored, or if its ground truth has no place.
    """
    score = score_record(record, rules)
    if score is None:
        return None
    with Looks(run, rules) as looks:
        return locate(looks.at(record, score))


def found_at(
    task: Task, target: Sequence[float], score: Score, traced: Sequence[Traced | Missing], scene: Scene | Missing
) -> Found | str | None:
    """Return where an answer was measured, or a text that says why this is unknown; None for a failure.

    *traced* is the origin of the answer's numbers (``trace``), *scene* the views of its conversation or why they are
    missing; a box needs neither.
    """
    if not score.success:
        return None
    if task.is_box:
        return _box(task, target, score)
    return str(scene) if isinstance(scene, Missing) else _points(task, traced, scene)


def _box(task: Task, wanted: Sequence[float], score: Score) -> Found | str:
    """Return the place of a box as shares of the image, or a text that says why it has none.

    *wanted* is the true box; both are in MedVision's convention.
    """
    if not all(abs(value) <= _MOST for value in score.values):
        return "a number of the answer is beyond 1e12"
    answer = tuple((corner.x, corner.y) for corner in corners_of(score.values))
    return Found.of(answer, Target(task, corners_of(wanted), _UNIT), (1.0, 1.0))


def _points(task: Task, traced: Sequence[Traced | Missing], scene: Scene) -> Found | str:
    """Return where the lines of an answer were measured, or a text that says why this is unknown."""
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
