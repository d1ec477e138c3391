"""An answer made elsewhere: what MedVision's own result files hold for one sample, read and checked.

Contract: an answer has all that scoring and grouping need; nothing is looked up later. What a file does not carry
is None, and what follows from that is said by whoever needed it.
"""

from typing import Any, NamedTuple

from medvision_agent.eval.tasks import TASKS, Family

__all__ = ["COUNTS", "FAMILIES", "Answer", "Doc", "Stored"]

COUNTS: dict[Family, int] = {
    task.medvision.family: len(task.numbers) for task in TASKS.values() if task.medvision is not None
}
"""How many numbers an answer has, for each of MedVision's task types."""
FAMILIES: tuple[Family, ...] = tuple(COUNTS)


class Stored(NamedTuple):
    """An nMAE that a result file carries."""

    value: float
    success: bool


class Doc(NamedTuple):
    """What is used of the data set's row, as it stands there and unchecked; the rest of a row is not kept."""

    label: Any = ""
    """Empty where the row has none."""
    box: Any = None
    """Of the first target box: rows and columns, both end pixels counted (boxes only)."""
    metric_type: str | None = None
    """``distance`` or ``angle`` (angles and distances only)."""
    metric_key: Any = None
    dataset: Any = None
    image: Any = None
    task: Any = None
    slice_dim: Any = None
    slice_idx: Any = None
    size: Any = None
    """Of the slice: rows and columns."""
    pixel_size: Any = None
    """Of the slice in mm, rows and columns, as half floats."""
    landmark_file: Any = None
    """Where the ground truth's points stand; relative to the data folder, or with the path it had elsewhere."""


class Answer(NamedTuple):
    """One response with the truth and the facts of its sample."""

    id: str
    family: Family
    task: str
    file: str
    """Name of the result file: MedVision takes the data set from it."""
    response: str | None
    """None: only the extracted numbers were kept."""
    extracted: str | None
    target: tuple[float, ...]
    bare_target: bool
    """The target was a number, not a list of one."""
    doc: Doc = Doc()
    label_name: str | None = None
    modality: str | None = None
    zooms: tuple[float, ...] | None = None
    """Voxel size by the header of the image file; None where the image is not there."""
    nmae: Stored | None = None
    pixel_scale: tuple[float, float] | None = None
    """Factors of a stated pixel size, height and width, where they were stored."""
    subject: str | None = None
    """The person whom the image shows; only this program's exports say it."""
    points: tuple[tuple[float, float], ...] | None = None
    """The ground truth's points, x and y in pixels of the slice (y down); only this program's exports say them."""
    prompt: str | None = None
    """What was asked; read only where it is wanted, for it is long."""
