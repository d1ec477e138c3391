"""The ground truth and the answer as marks.

The answer of a length or an angle is drawn where it was measured, if that is known (``eval/why/flow.py``); a box is
drawn at its own coordinates. The ground truth is drawn only in the sample's own image.
"""

from collections.abc import Iterator, Sequence

from medvision_agent.eval.browse.forms import Mark
from medvision_agent.eval.browse.marks import Pen, degrees, millimetres
from medvision_agent.eval.place.rule import corners_of
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.score import score_record
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.tasks import Task
from medvision_agent.eval.why.calls import Call
from medvision_agent.eval.why.flow import Traced, trace
from medvision_agent.eval.why.forms import PLAIN
from medvision_agent.eval.why.measured import numbers_of
from medvision_agent.eval.why.scene import Missing, Scene
from medvision_agent.eval.why.stated import stated_points
from medvision_agent.eval.why.stored import reply_of
from medvision_agent.quantity import ANGLE_DEG
from medvision_agent.tools.view.geometry import Point

__all__ = ["answer_marks", "truth_marks"]


def _words(task: Task, value: float) -> str:
    return degrees(value) if task.quantity == ANGLE_DEG else millimetres(value)


def truth_marks(record: Record, scene: Scene) -> list[Mark]:
    """Return the marks of a record's ground truth; empty if its source states no points.

    Raises ValueError for a point that cannot be on an image.
    """
    sample, pen = record.sample, Pen("truth")
    task, points, name = sample.asks, scene.truth, "ground truth"
    if task.is_box:
        a, b = (scene.views.whole.region.at(corner.x, corner.y) for corner in corners_of(sample.target))
        return [pen.corners(a, b, f"{name}: {sample.label}", _extent(a, b, scene))]
    if not task.lines or len(points) != 2 * len(task.lines):
        return []
    marks = []
    if task.drawing == "ellipse":
        marks.append(pen.ellipse(points, f"{name}: {sample.label}"))
        for at, line in enumerate(task.lines):
            marks.append(pen.lines(points[2 * at : 2 * at + 2], f"{name}: {line}", _words(task, sample.target[at])))
        return marks
    marks.append(pen.lines(points, f"{name}: {sample.measurement}".rstrip(": "), _words(task, sample.target[0])))
    named = dict.fromkeys(zip(sample.landmarks, points, strict=False)) if len(sample.landmarks) == len(points) else ()
    return marks + [pen.point(point, landmark) for landmark, point in named]


def _extent(a: Point, b: Point, scene: Scene) -> str:
    width, height = abs(b.x - a.x) * scene.spacing.width_mm, abs(b.y - a.y) * scene.spacing.height_mm
    return f"{width:.2f} x {height:.2f} mm"


def answer_marks(
    record: Record, calls: Sequence[Call], scene: Scene, rules: Protocol, turn: int | None
) -> tuple[list[Mark], list[str]]:
    """Return the marks of a record's answer, and the reasons for marks that are missing.

    *turn* is the number of the message that answered, None if unknown.
    """
    pen, task = Pen("answer", turn), record.sample.asks
    if reply_of(record) is None:
        return [], ["there is no answer to draw"]
    if task.is_box:
        return _box(record, scene, rules, pen)
    if not numbers_of(task):
        return [], [f"the answer is not drawn: {Missing.NO_PLACES}"]
    traced = trace(task, reply_of(record), calls, scene, rules)
    marks, missing = list[Mark](), dict[str, None]()
    for name, one in zip(numbers_of(task), traced, strict=True):
        if isinstance(one, Missing):
            missing[f"the answer is not drawn ({name}): {one}"] = None
        else:
            marks += list(_measured(task, name, one, pen))
    if not marks and isinstance(points := stated_points(task, record.response, scene), tuple):
        step = task.quantity.points
        marks = [pen.lines(points[k : k + step], "stated in the answer") for k in range(0, len(points), step)]
    return marks, list(missing)


def _measured(task: Task, name: str, one: Traced, pen: Pen) -> Iterator[Mark]:
    """Yield a mark for each measurement behind the number *name* of the answer.

    A mark's value is the number as it was scored, even if the answer has a wrong unit.
    """
    parts, value = one.measurements, _words(task, one.answer)
    if one.form != PLAIN:
        value += f" (made of {_words(task, one.worked)})"
    for at, part in enumerate(parts, start=1):
        which = f", part {at} of {len(parts)}" if len(parts) > 1 else ""
        own = f"{_words(task, part.value)} of {value}" if which else value
        yield pen.lines(part.points, f"answer: {name}{which}, {part.source}", own)


def _box(record: Record, scene: Scene, rules: Protocol, pen: Pen) -> tuple[list[Mark], list[str]]:
    score = score_record(record, rules)
    if score is None or not score.success:
        return [], ["the answer is not drawn: no box could be read"]
    a, b = (scene.views.whole.region.at(corner.x, corner.y) for corner in corners_of(score.values))
    try:
        return [pen.corners(a, b, "answer", _extent(a, b, scene))], []
    except ValueError:
        return [], ["the answer is not drawn: its box lies more than a million pixels away"]
