"""An answer made elsewhere: the content of MedVision's own result files for one sample, read and checked.

Contract: an answer contains everything that scoring and grouping need; nothing is looked up later. A value missing from
the file is None, and the code that needs the value reports the consequence. The parts of a record that an answer keeps
unchanged (``Doc``, ``Stored``) are declared as in the file, so that they are decoded directly.
"""

from typing import Annotated, Any, NamedTuple

from msgspec import Meta, Struct

from medvision_agent.eval.tasks import TASKS, Family

__all__ = ["COUNTS", "FAMILIES", "Answer", "Boxes", "Doc", "Profile", "ScoredDoc", "Stored"]

COUNTS: dict[Family, int] = {task.family: len(task.numbers) for task in TASKS.values() if task.family is not None}
"""Number of numbers in an answer, for each of MedVision's task types."""
FAMILIES: tuple[Family, ...] = tuple(COUNTS)

_Side = Annotated[int, Meta(gt=0, lt=2**31)]


class Stored(Struct, frozen=True, gc=False, rename={"value": "NMAE"}):
    """An nMAE value (error divided by the slice's diagonal) that a result file stores for one answer.

    ``gc``: these objects have no reference cycles, so the garbage collector can skip them.
    """

    value: float | None = None
    """None if it is undefined: MedVision writes NaN."""
    success: bool = False
    """The file's own mark that the value counts in MedVision's summary."""


class Boxes(Struct, frozen=True, gc=False):
    """The sizes of the target boxes of one row of the data set, as stored and unchecked."""

    dimensions: Any = None
    """A list with the height and the width of each box in pixels (rows, columns), where the first and the last pixel
    both count; None if the row has no box."""


class Profile(Struct, frozen=True, gc=False):
    """The type and the key of the distance or angle that a row of the data set asks for, unchecked."""

    metric_type: Any = None
    metric_key: Any = None


_NAMES = {"profile": "biometric_profile", "image": "image_file", "task": "taskID", "size": "image_size_2d"}


class ScoredDoc(Struct, frozen=True, gc=False, rename=_NAMES):
    """The fields of the data set's row that a summary needs, as stored and unchecked."""

    label: Any = ""
    """Empty if the row has none."""
    profile: Profile | None = None
    image: Any = None
    task: Any = None
    slice_dim: Any = None
    slice_idx: Any = None
    size: tuple[_Side, _Side] | None = None
    """Rows and columns of the slice. A value that is not such a pair is kept unchanged."""

    @property
    def metric_type(self) -> str | None:
        """``distance`` or ``angle``; None for boxes and sizes, and if the row does not state it."""
        found = self.profile.metric_type if isinstance(self.profile, Profile) else None
        return found if isinstance(found, str) else None

    @property
    def metric_key(self) -> Any:
        """The name of the distance or angle that was asked for, unchecked; None if the row does not state it."""
        return self.profile.metric_key if isinstance(self.profile, Profile) else None


class Doc(ScoredDoc, frozen=True, gc=False, rename={"boxes": "bounding_boxes", "dataset": "dataset_name"}):
    """The used fields of the data set's row; the rest of a row is not kept."""

    boxes: Boxes | None = None
    dataset: Any = None
    pixel_size: Any = None
    """Size of a pixel of the slice in mm, by rows and columns, as half floats."""
    landmark_file: Any = None
    """The file with the ground truth's points, relative to the data folder or with its path on another machine."""

    @property
    def box(self) -> Any:
        """Rows and columns in pixels of the row's first target box, unchecked; None if the row states no box."""
        found = self.boxes.dimensions if isinstance(self.boxes, Boxes) else None
        return found[0] if isinstance(found, list) and found else None


class Answer(NamedTuple):
    """One answer in a result file: the response, its ground truth, and the facts of its sample."""

    id: str
    family: Family
    task: str
    file: str
    """Name of the result file, from which MedVision derives the data set."""
    response: str | None
    """None if only the extracted numbers were kept."""
    extracted: str | None
    """The numbers that MedVision's parser read in the response, joined by commas; None if the file has none."""
    target: tuple[float, ...]
    bare_target: bool
    """Whether the target was a number instead of a list of one number."""
    doc: Doc = Doc()
    label_name: str | None = None
    modality: str | None = None
    zooms: tuple[float, ...] | None = None
    """Voxel size in mm along each axis of the array, from the header of the image file; None without the image."""
    nmae: Stored | None = None
    pixel_scale: tuple[float, float] | None = None
    """Factors by which a ``scaledPS`` task changed the stated pixel size, height and width; None if not stored."""
    subject: str | None = None
    """The person in the image; only this program's exports state it."""
    points: tuple[tuple[float, float], ...] | None = None
    """The ground truth's points, x and y in pixels of the slice (y down); only this program's exports state them."""
    prompt: str | None = None
    """The question; read only on request, because it is long."""
