"""The four questions about a phantom, with their ground truth computed from its geometry.

Ground truth is rounded to a billionth (relative coordinates, mm, degrees, pixels): far below any tool's error.
"""

import math

from medvision_agent.eval.data.phantom.geometry import Phantom
from medvision_agent.eval.data.sample import Landmark, Marks, PixelSize, Sample
from medvision_agent.eval.tasks import ANGLE, DETECTION, DISTANCE, SIZE, Task, TaskName

__all__ = ["PER_PHANTOM", "image_name", "phantom_index", "questions"]

_ASKED = (DETECTION, SIZE, ANGLE, DISTANCE)
PER_PHANTOM = len(_ASKED)
"""Questions about each phantom."""
_LANDMARKS = (
    "the centre of the small bright disc",
    "the centre of the small bright cross",
    "the centre of the small dark disc",
    "the centre of the small dark cross",
)
"""In the order of a phantom's markers."""
_MEASURED: dict[TaskName, str] = {
    DISTANCE.name: "distance between the two bright markers",
    ANGLE.name: "angle between the line through the bright markers and the line through the dark markers",
}


def image_name(phantom: Phantom) -> str:
    """Return the name by which a sample refers to the phantom's image: ``phantom/SEED/INDEX``. No such file exists."""
    return f"phantom/{phantom.seed}/{phantom.index}"


def phantom_index(image: str) -> int:
    """Return the index of the phantom (from 0) from *image*, the name that ``image_name`` returned."""
    return int(image.rpartition("/")[2])


def questions(phantom: Phantom) -> list[Sample]:
    """Return four samples about a phantom: detection, size, angle and distance, in this order."""
    return [_question(phantom, task) for task in _ASKED]


def _question(phantom: Phantom, task: Task) -> Sample:
    points = _points(phantom, task)
    landmarks = tuple(name for name, _ in points) if task.landmarks else ()
    px, py = phantom.spacing.width_mm, phantom.spacing.height_mm
    name = f"s{phantom.seed}_{phantom.index:04d}"
    return Sample(
        id=f"phantom_{name}__{task.name}",
        task=task.name,
        image=image_name(phantom),
        pixel_size=PixelSize(height_mm=py, width_mm=px),
        description="A synthetic test picture (phantom): an elliptical lesion and four small markers in tissue",
        modality="synthetic",
        plane="none",
        label=None if task.landmarks else "elliptical lesion",
        landmarks=landmarks,
        measurement=_MEASURED.get(task.name, ""),
        target=tuple(round(number, 9) for number in _target(phantom, task)),
        convention="edge",
        truth_points=tuple(Landmark(name=name, x=round(x / px, 9), y=round(y / py, 9)) for name, (x, y) in points),
        dataset="phantom",
        subject=f"phantom/{name}",
        annotator="exact by construction",
        source=f"made by medvision-agent, phantom {phantom.index} of seed {phantom.seed}",
        marks=Marks(synthetic=True),
    )


def _points(phantom: Phantom, task: Task) -> list[tuple[str, tuple[float, float]]]:
    """Return the named ground truth points, x and y in mm from the first pixel's outer corner, y down."""
    lesion = phantom.lesion
    if task is DETECTION:
        x, y = lesion.reach
        return [("lower left", (lesion.x - x, lesion.y + y)), ("upper right", (lesion.x + x, lesion.y - y))]
    if task is SIZE:
        return list(zip(("major 1", "major 2", "minor 1", "minor 2"), lesion.ends, strict=True))
    places = zip(_LANDMARKS, ((marker.x, marker.y) for marker in phantom.markers), strict=True)
    return list(places)[: task.landmarks]


def _target(phantom: Phantom, task: Task) -> tuple[float, ...]:
    places = [place for _, place in _points(phantom, task)]
    if task is DETECTION:
        width = phantom.size.width * phantom.spacing.width_mm
        height = phantom.size.height * phantom.spacing.height_mm
        (x1, y1), (x2, y2) = places
        return x1 / width, 1 - y1 / height, x2 / width, 1 - y2 / height
    if task is SIZE:
        return phantom.lesion.major, phantom.lesion.minor
    if task is DISTANCE:
        return (math.dist(*places),)
    first, second = (math.atan2(q[1] - p[1], q[0] - p[0]) for p, q in (places[:2], places[2:]))
    turn = math.degrees(first - second) % 180
    return (min(turn, 180 - turn),)
