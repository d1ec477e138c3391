"""An answer made elsewhere: what MedVision's own result files hold for one sample, read and checked.

Contract: an answer has all that scoring and grouping need; nothing is looked up later. What a file does not carry
is None, and what follows from that is said by whoever needed it. The parts of a record that an answer keeps as they
are (``Doc``, ``Stored``) are declared as they stand in the file, so that they are made of its text at once.
"""

from typing import Annotated, Any, NamedTuple

from msgspec import Meta, Struct

from medvision_agent.eval.tasks import TASKS, Family

__all__ = ["COUNTS", "FAMILIES", "Answer", "Boxes", "Doc", "Profile", "ScoredDoc", "Stored"]

COUNTS: dict[Family, int] = {task.family: len(task.numbers) for task in TASKS.values() if task.family is not None}
"""How many numbers an answer has, for each of MedVision's task types."""
FAMILIES: tuple[Family, ...] = tuple(COUNTS)

_Side = Annotated[int, Meta(gt=0, lt=2**31)]


class Stored(Struct, frozen=True, gc=False, rename={"value": "NMAE"}):
    """An nMAE that a result file carries.

    ``gc``: these hold no cycles, and the collector need not walk them.
    """

    value: float | None = None
    """None where it is undefined: MedVision writes NaN."""
    success: bool = False


class Boxes(Struct, frozen=True, gc=False):
    """Target boxes: rows and columns of each, both end pixels counted."""

    dimensions: Any = None


class Profile(Struct, frozen=True, gc=False):
    """What was measured."""

    metric_type: Any = None
    metric_key: Any = None


_NAMES = {"profile": "biometric_profile", "image": "image_file", "task": "taskID", "size": "image_size_2d"}


class ScoredDoc(Struct, frozen=True, gc=False, rename=_NAMES):
    """What a summary needs of the data set's row, as it stands there and unchecked."""

    label: Any = ""
    """Empty where the row has none."""
    profile: Profile | None = None
    image: Any = None
    task: Any = None
    slice_dim: Any = None
    slice_idx: Any = None
    size: tuple[_Side, _Side] | None = None
    """Of the slice: rows and columns. What is no such pair stands as it is."""

    @property
    def metric_type(self) -> str | None:
        """``distance`` or ``angle`` (angles and distances only)."""
        found = self.profile.metric_type if isinstance(self.profile, Profile) else None
        return found if isinstance(found, str) else None

    @property
    def metric_key(self) -> Any:
        """Which distance or angle."""
        return self.profile.metric_key if isinstance(self.profile, Profile) else None


class Doc(ScoredDoc, frozen=True, gc=False, rename={"boxes": "bounding_boxes", "dataset": "dataset_name"}):
    """What is used of the data set's row; the rest of a row is not kept."""

    boxes: Boxes | None = None
    dataset: Any = None
    pixel_size: Any = None
    """Of the slice in mm, rows and columns, as half floats."""
    landmark_file: Any = None
    """Where the ground truth's points stand; relative to the data folder, or with the path it had elsewhere."""

    @property
    def box(self) -> Any:
        """Rows and columns of the first target box; None where there is none."""
        found = self.boxes.dimensions if isinstance(self.boxes, Boxes) else None
        return found[0] if isinstance(found, list) and found else None


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
