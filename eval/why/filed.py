"""The content of a MedVision result file about one answer: its question, and the image with the true points.

Contract: nothing is guessed. If the file lacks what a scene needs, a reason is given (``Missing``); less important gaps
are named (``Lack``).

* The size of the image is the data set's row's ``image_size_2d``; MedVision's models may see it at another size, which
  no file states.
* Pixel sizes are those of the image's header; where a file has none, the row's, which are half floats (up to 0.05%
  off). Tasks that scale the stated pixel size (``scaledPS``) need the factors stored with the answer.
* Points are in MedVision's convention: shares of the image, x to the right and y up.
* The numbers that a question states are all those of the prompt, where the file has it.
* The subject comes from this program's exports, or is the case in the plans. Otherwise the image file is used instead.

With plans (``eval/results/plans.py``), headers, true points and cases are looked up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from medvision_agent.eval.results.plans import Plans
from medvision_agent.eval.scorer.answer import Answer
from medvision_agent.eval.scorer.medvision.keys import dataset_of
from medvision_agent.eval.tasks import ANGLE, DETECTION, DISTANCE, SIZE, TASKS, Task, TaskName
from medvision_agent.eval.why.numbers import written
from medvision_agent.eval.why.scene import Missing, Scene, whole_scene
from medvision_agent.tools.view.geometry import Point, Size, Spacing

__all__ = ["NO_TASK", "FiledQuestion", "Lack", "filed_question", "filed_scene", "subject_lack"]

_MOST_SIDE = 65_535
_MOST_MM = 1e6
"""No pixel is larger than this in mm, or smaller than its inverse."""
_MOST_PROMPT = 20_000
"""Characters of a prompt that are read at most."""
_SCALED = "scaledPS"
_IN_PLANE = {0: (1, 2), 1: (0, 2), 2: (0, 1)}


NO_TASK = "whose task does not say whether an angle or a distance was asked"
"""Why an answer without a known question is left out."""


class Lack(StrEnum):
    """A fact that a file does not state about an answer, and its consequence."""

    LANDMARKS = "the ground truth's points: wrong object and imprecise are not told apart"
    ROUNDED = "unrounded pixel sizes: half floats are used, up to 0.05% off"
    PROMPT = "the prompt: a number copied from it counts as from nowhere"
    SUBJECT = "the subject: the image file stands for it, so that images of one person count apart"
    IMAGE = "the subject, and the image file that could stand for it: no intervals"

    def matters(self, *, decomposed: bool) -> bool:
        """Return whether the missing fact affects the figures of an answer.

        *decomposed* states whether the origin of the answer's numbers is known.
        """
        if self is Lack.PROMPT:
            return not decomposed
        return decomposed or self in {Lack.SUBJECT, Lack.IMAGE}


@dataclass(frozen=True, slots=True)
class FiledQuestion:
    """A question of a result file, as far as the file states it (``eval/data/sample.Question``)."""

    id: str
    task: TaskName
    label: str | None
    measurement: str
    subject: str
    landmarks: tuple[str, ...] = ()

    @property
    def asks(self) -> Task:
        """The task that is asked."""
        return TASKS[self.task]


def filed_question(answer: Answer, plans: Plans | None = None) -> FiledQuestion | None:
    """Return the question of an answer; *plans* supply the subject if the file does not state it.

    None if the file does not state whether an angle or a distance was asked.
    """
    task = _task(answer)
    if task is None:
        return None
    dataset = str(answer.doc.dataset or dataset_of(answer.file))
    named = task in {ANGLE, DISTANCE} and answer.doc.metric_key
    measurement = f"{dataset} {answer.doc.metric_key}".strip() if named else ""
    image = str(answer.doc.image or "").rpartition("Datasets/")[2]  # independent of the location of the data folder
    subject = _named_subject(answer, plans) or (f"{dataset}/{image}" if image else "")
    label = None if answer.label_name is None else _sound(answer.label_name)
    return FiledQuestion(_sound(answer.id), task.name, label, _sound(measurement), _sound(subject))


def _sound(text: str) -> str:
    """Return a text that can be written as UTF-8; lone surrogates are replaced by their numbers."""
    return text.encode("utf-8", "backslashreplace").decode()


def _named_subject(answer: Answer, plans: Plans | None) -> str | None:
    """Return the subject that the file states, or else the case in *plans*; None if neither states it."""
    return answer.subject or (plans.case(answer) if plans else None)


def subject_lack(answer: Answer, plans: Plans | None = None) -> Lack | None:
    """Return the missing fact if neither the file nor *plans* states whose image it is; None if one does."""
    if _named_subject(answer, plans):
        return None
    return Lack.SUBJECT if answer.doc.image else Lack.IMAGE


def _task(answer: Answer) -> Task | None:
    """Return the task of an answer; None where the file does not state whether it asked for an angle or a distance."""
    if answer.family != "AD":
        return DETECTION if answer.family == "Detection" else SIZE
    kinds = {"angle": ANGLE, "distance": DISTANCE}
    named = [task for kind, task in kinds.items() if f"_{kind.capitalize()}_" in answer.task]
    return kinds.get(answer.doc.metric_type or "") or (named[0] if len(named) == 1 else None)


def filed_scene(answer: Answer, task: Task, plans: Plans | None = None) -> tuple[Scene | Missing, list[Lack]]:
    """Return the scene of an answer (its image's size, spacing and true points), and the facts that the file lacks.

    A ``Missing`` in place of the scene says why it is unknown. *plans* supply facts that the file lacks.
    """
    lacks = [] if answer.prompt is not None or task.is_box else [Lack.PROMPT]
    if (lack := subject_lack(answer, plans)) is not None:
        lacks.append(lack)
    size = _size(answer.doc.size)
    if size is None:
        return Missing.NO_IMAGE_SIZE, lacks
    if answer.zooms is None and plans is not None and plans.has_zooms and not task.is_box:
        answer = answer._replace(zooms=plans.zooms(answer.doc.image))
    spacing, rounded = _spacing(answer)
    if isinstance(spacing, Missing):
        return spacing, lacks
    truth = _points(answer.points or (plans.points(answer) if plans else None), task, size)
    if not task.is_box:
        lacks += ([Lack.ROUNDED] if rounded else []) + ([] if truth else [Lack.LANDMARKS])
    stated = tuple(number.value for number in written((answer.prompt or "")[:_MOST_PROMPT]))
    return whole_scene(size, spacing, truth, stated=stated, sized=False), lacks


def _size(found: Any) -> Size | None:
    """Return a row's stored height and width in pixels as a size; None if they are not a valid image size."""
    try:
        height, width = found
        sides = int(height), int(width)
    except (TypeError, ValueError, OverflowError):
        return None
    return Size(*sides) if sides == (height, width) and all(1 <= side <= _MOST_SIDE for side in sides) else None


def _spacing(answer: Answer) -> tuple[Spacing | Missing, bool]:
    """Return millimetres per pixel (or why they are unknown), and whether they are rounded to half floats."""
    scale = (1.0, 1.0)
    if _SCALED in answer.task or _SCALED in answer.file:
        if answer.pixel_scale is None:
            return Missing.NO_SCALE, False
        scale = answer.pixel_scale
    pairs: tuple[Any, Any] = (_header(answer), answer.doc.pixel_size)
    for rounded, pair in enumerate(pairs):
        try:
            height, width = pair  # for None and for any value that is not a pair of numbers
            spacing = Spacing(float(height) * scale[0], float(width) * scale[1])
        except (TypeError, ValueError, OverflowError):
            continue
        if all(1 / _MOST_MM <= side <= _MOST_MM for side in (spacing.height_mm, spacing.width_mm)):
            return spacing, bool(rounded)
    return Missing.NO_SPACING, False


def _header(answer: Answer) -> tuple[float, float] | None:
    """Return the height and the width in mm of a pixel of the slice, from the image's header.

    None if the slice's axis or the three voxel sizes are not stated.
    """
    axes = _IN_PLANE.get(answer.doc.slice_dim) if isinstance(answer.doc.slice_dim, int) else None
    if axes is None or answer.zooms is None or len(answer.zooms) != 3:
        return None
    return answer.zooms[axes[0]], answer.zooms[axes[1]]


def _points(found: Sequence[tuple[float, float]] | None, task: Task, size: Size) -> tuple[Point, ...]:
    """Return the true points in pixels of the slice.

    Empty unless there are two for each of the task's lines, all inside the image.
    """
    points = tuple(Point(x, y) for x, y in found or ())
    whole = not task.is_box and len(points) == 2 * len(task.lines)
    return points if whole and all(0 <= one.x <= size.width and 0 <= one.y <= size.height for one in points) else ()
