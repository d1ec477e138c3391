"""A sample: one question about one image, with the ground truth that the scorer needs. Immutable and typed.

A sample does not depend on models or tools. Its geometry is in the **slice frame** (continuous pixels, x
right, y down, origin at the outer corner of the first pixel: see ``tools/view/geometry.py``).

The numbers of a target depend on the task (``eval/tasks``); they have the order in which an answer gives them.
"""

from dataclasses import dataclass
from functools import lru_cache
from sys import intern
from typing import Annotated, Any, ClassVar, Literal, Protocol, Self

from pydantic import ConfigDict, Field, field_validator, model_validator
from pydantic.dataclasses import dataclass as validated

from medvision_agent.eval.data.facts import MedVisionFacts
from medvision_agent.eval.tasks import TASKS, Task, TaskName
from medvision_agent.frozen import ONE_LINE, Frozen
from medvision_agent.packed_list import Slotted
from medvision_agent.text import plural

__all__ = [
    "Asked",
    "Group",
    "Landmark",
    "Marks",
    "MaskFile",
    "PixelSize",
    "Question",
    "Sample",
    "StoredValues",
    "VolumeSlice",
]


class Question(Protocol):
    """The fields that statistics and groups use, whether of a sample or of a row of a result file."""

    @property
    def id(self) -> str:
        """Id, unique in its source, or among the results of one model."""
        ...

    @property
    def task(self) -> TaskName:
        """The task's name."""
        ...

    @property
    def label(self) -> str | None:
        """Name of the structure asked about; None in tasks about landmarks."""
        ...

    @property
    def landmarks(self) -> tuple[str, ...]:
        """Names of the landmarks asked for; empty in tasks about a structure."""
        ...

    @property
    def measurement(self) -> str:
        """Name of the distance or angle; empty where it has no name."""
        ...

    @property
    def subject(self) -> str:
        """The person (or phantom) in the image, by which all statistics are clustered; empty where it is not known."""
        ...

    @property
    def asks(self) -> Task:
        """The task as an object: its numbers, units, loss and rules."""
        ...


@dataclass(frozen=True, eq=False, slots=True)
class Asked(Slotted):
    """A question (``Question``) with its ground truth, kept in place of a sample where there are many."""

    id: str
    task: TaskName
    label: str | None
    landmarks: tuple[str, ...]
    measurement: str
    subject: str
    target: tuple[float, ...]
    """The ground truth, as in ``Sample``."""
    annotator_error: float | None
    """By how much two annotators typically differ, as in ``Sample``."""
    medvision_keys: tuple[str, ...]
    """MedVision's names of what is measured (as in ``Sample``)."""
    group: "Group"

    @classmethod
    def of(cls, sample: "Sample") -> Self:
        """Return the question of a sample; equal texts are shared by all questions."""
        return cls(
            id=sample.id,
            task=sample.task,
            label=None if sample.label is None else intern(sample.label),
            landmarks=_shared(sample.landmarks),
            measurement=intern(sample.measurement),
            subject=intern(sample.subject),
            target=sample.target,
            annotator_error=sample.annotator_error,
            medvision_keys=_shared(sample.medvision_keys),
            group=Group.of(sample),
        )

    @property
    def asks(self) -> Task:
        """The task as an object: its numbers, units, loss and rules."""
        return TASKS[self.task]


@lru_cache(maxsize=1 << 12)
def _shared(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return one and the same tuple for all equal ones, so that equal names are kept in memory once."""
    return names


@dataclass(frozen=True, slots=True)
class Group:
    """What many samples have in common, by which they are counted; the fields are those of ``Sample``."""

    dataset: str
    modality: str
    plane: str
    convention: str
    marks: "Marks"
    annotation_version: str | None
    """The version of MedVision's annotations; None for other data."""

    @classmethod
    def of(cls, sample: "Sample") -> Self:
        """Return the group of a sample; samples of one group share one object."""
        version = None if sample.medvision is None else sample.medvision.annotation_version
        return cls._shared(sample.dataset, sample.modality, sample.plane, sample.convention, sample.marks, version)

    @classmethod
    @lru_cache(maxsize=1 << 12)
    def _shared(cls, *values: Any) -> Self:
        return cls(*values)


class PixelSize(Frozen):
    """Size of a native pixel in mm: height (down) and width (across)."""

    often_equal: ClassVar[bool] = True

    height_mm: float = Field(gt=0)
    width_mm: float = Field(gt=0)


@validated(frozen=True, slots=True, config=ConfigDict(extra="forbid", allow_inf_nan=False))
class Landmark:
    """A named ground truth point in the slice frame: pixels from the outer top left corner, x right, y down.

    It is a dataclass, which takes a quarter of the memory of a model: a sample has up to four points.
    """

    name: Annotated[str, Field(min_length=1)]
    x: float
    y: float

    def __reduce__(self) -> tuple[Any, ...]:
        """Return how pickle makes an equal point, in half the time of other slotted classes: there are very many."""
        return _landmark, (self.name, self.x, self.y)


_PUT_NAME, _PUT_X, _PUT_Y = (vars(Landmark)[name].__set__ for name in ("name", "x", "y"))


def _landmark(name: str, x: float, y: float) -> Landmark:
    one = object.__new__(Landmark)
    _PUT_NAME(one, name)
    _PUT_X(one, x)
    _PUT_Y(one, y)
    return one


class Marks(Frozen):
    """What a reader must know before trusting the ground truth of a sample."""

    often_equal: ClassVar[bool] = True

    silver: bool = False
    """The ground truth is another model's output, kept as a reference."""
    derived: bool = False
    """The ground truth was derived from a mask by this program, not placed by an annotator."""
    synthetic: bool = False
    """The image is synthetic, not acquired. A source never holds both kinds."""


class StoredValues(Frozen):
    """How a 16-bit image stores native values (value = stored x slope + intercept), and their unit."""

    often_equal: ClassVar[bool] = True

    units: Literal["HU", ""] = ""
    """Empty where the unit is not known."""
    slope: float = Field(default=1.0, gt=0, lt=1e30)
    intercept: float = Field(default=0.0, gt=-1e30, lt=1e30)


class VolumeSlice(Frozen):
    """The slice of a volume that a question is about, under MedVision's names: the array with one axis left out.

    Of the two remaining axes, the first runs down the image and the second across; nothing is turned or flipped.
    """

    slice_dim: int = Field(ge=0, le=2)
    """The axis that is left out."""
    slice_idx: int = Field(ge=0, le=65_535)
    """Index of the slice along this axis, from 0."""


class MaskFile(Frozen):
    """The mask of the structure asked about, on the pixels of the image: ``data check`` compares the sample with it."""

    file: str = Field(min_length=1)
    """Path relative to the file of samples: a PNG or TIFF of an image, a NIfTI file of a volume."""
    number: int = Field(default=1, ge=1)
    """The structure's number in the mask."""


class Sample(Frozen):
    """One question about one image, with its ground truth."""

    id: str = Field(min_length=1, max_length=200, pattern=ONE_LINE)
    """Stable and unique within its source."""
    task: TaskName
    image: str = Field(min_length=1)
    """Where the source finds the image (for a file source: path relative to the file)."""
    volume: VolumeSlice | None = Field(default=None, exclude_if=lambda volume: volume is None)
    """The slice, where ``image`` is a volume of a JSON Lines file; None for a 2-D image, and then left out of texts."""
    pixel_size: PixelSize
    """Spacing of the image before it is resized for a model."""
    description: str = ""
    """What the image shows, as the prompt says it (modality, plane, body part); may be empty."""
    modality: str
    """Any text, such as ``CT``; results are grouped by it."""
    plane: str
    """Any text, such as ``axial``; results are grouped by it."""
    label: str | None = None
    """Name of the structure that is asked about, in tasks without landmarks."""
    landmarks: tuple[str, ...] = ()
    """Names of the landmarks asked for, as many as the task needs."""
    measurement: str = ""
    """Name of the distance or angle, where it has one."""
    target: tuple[float, ...]
    """The ground truth: one number for each of the task's ``numbers``, in mm, mm2 or degrees.

    Of a box: x1, y1, x2, y2 as fractions of the image's width and height, lower left corner first, y upwards.
    """
    convention: Literal["edge", "inclusive-index"]
    """Where the edges of a detection box lie: at true pixel edges (``edge``), or at the inclusive indices of its first
    and last pixel (``inclusive-index``, as in MedVision), which makes it one pixel short. Other tasks ignore it."""
    truth_points: tuple[Landmark, ...] = ()
    """Points from which the target was made (for drawing, and for the ``oracle``); never shown to a tool.

    size: ``major 1``, ``major 2``, ``minor 1``, ``minor 2``; distance and angle: in the order of ``landmarks``;
    detection: ``lower left``, ``upper right``; area: none. A source without them leaves this empty.
    """
    dataset: str = Field(min_length=1)
    """Name of the data set that the image comes from; results are grouped by it."""
    subject: str = Field(min_length=1)
    """Dataset and person: the cluster of all statistics."""
    annotator: str = ""
    """Who made the ground truth; any text."""
    annotator_error: float | None = Field(default=None, gt=0, exclude_if=lambda error: error is None)
    """By how much two annotators typically differ, in the unit of the target; None where unknown."""
    licence: str = ""
    """Licence of the image; any text."""
    source: str = ""
    """Where the image or the ground truth comes from, for people; any text. It is not the ``Source`` that lists it."""
    marks: Marks = Marks()
    values: StoredValues | None = Field(default=None, exclude_if=lambda values: values is None)
    """How a file's 16-bit image stores native values; None where they are the stored numbers, in an unknown unit.

    Left out of every text where it is None, so that the hash of samples that do not have it stays as it was.
    """
    mask: MaskFile | None = Field(default=None, exclude_if=lambda mask: mask is None)
    """A mask to compare the sample with; never shown to a model or a tool, and only in a JSON Lines file."""
    medvision: MedVisionFacts | None = None
    """The facts that MedVision's own scorer needs; None for samples from other sources."""

    @property
    def asks(self) -> Task:
        """The task as an object: its numbers, units, loss and rules."""
        return TASKS[self.task]

    @property
    def medvision_keys(self) -> tuple[str, ...]:
        """MedVision's names of what is measured, as "DATASET KEY"; empty for other data and for boxes."""
        facts = self.medvision
        if facts is None or facts.metric is None:
            return ()
        return tuple(f"{facts.dataset_name} {key}" for key in facts.metric.keys)

    @field_validator("values")
    @classmethod
    def _says_something(cls, values: StoredValues | None) -> StoredValues | None:
        return None if values == StoredValues() else values

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        expected, needed = len(self.asks.numbers), self.asks.landmarks
        if len(self.target) != expected:
            wanted = f"{expected} ({', '.join(self.asks.numbers)})"
            raise ValueError(f"target: has {plural(len(self.target), 'number')}; the task {self.task!r} needs {wanted}")
        if len(self.landmarks) != needed:
            found = plural(len(self.landmarks), "name")
            raise ValueError(f"landmarks: has {found}; the task {self.task!r} needs {needed}")
        if needed == 0 and not self.label:
            raise ValueError(f"label: is missing; the task {self.task!r} needs the name of the structure asked about")
        return self
