"""The options that a user gives for an import; nothing here is read from files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from medvision_agent.eval.tasks import TaskName
from medvision_agent.tools.view.geometry import Spacing

__all__ = ["AffineChoice", "Choices", "Convention", "Measure"]

Convention = Literal["edge", "inclusive-index"]
AffineChoice = Literal["sform", "qform", "pixdim"]


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure that the user defines by named points or lines of markups."""

    task: TaskName
    name: str
    """Name of the measure; for a size, name of the structure."""
    parts: tuple[str, ...]
    """Names of points, or of two lines for a size."""


@dataclass(frozen=True, kw_only=True)
class Choices:
    """The options of an import, as a user gives them."""

    images: Path
    """A file, or a folder of them."""
    masks: Path | None = None
    markups: Path | None = None
    table: Path | None = None
    coco: Path | None = None
    measures: tuple[Measure, ...] = ()

    tasks: tuple[TaskName, ...] = ("detection", "size")
    """The tasks made from masks."""
    labels: Mapping[int, str] = field(default_factory=dict)
    """Names of the structure numbers in masks; where given, other numbers are skipped."""
    slices: Literal["largest", "all"] | int = "largest"
    """Which slices of a structure are used: the one with most of its pixels, every slice, or a given index."""
    plane: str = ""
    """Empty: the plane in which a scan was made."""
    pieces: Literal["one", "largest"] = "one"
    """Whether a structure in several pieces is left out, or its largest piece asked about."""
    convention: Convention = "edge"
    points_at: Literal["corner", "centre"] = "corner"
    """Position of a table's point (0, 0): the outer corner of the first pixel, or its centre."""

    spacing: Spacing | None = None
    """Pixel size of images that state none."""
    affine: AffineChoice | None = None
    """The matrix of a NIfTI header to use where its matrices disagree."""
    accept_detector_spacing: bool = False
    """Use the spacing at the detector of a projection, which is not corrected for magnification."""
    redact: tuple[tuple[int, int, int, int], ...] = ()
    """Rectangles x0, y0, x1, y1 of stored pixels (ends exclusive) that are blackened in every plane."""
    accept_burned_in: bool = False
    """Accept images whose header says that patient data is burned into their pixels."""

    dataset: str = ""
    subjects: Path | None = None
    """CSV file (image, subject) that says which images show the same person."""
    modality: str = ""
    units: Literal["HU", ""] = ""
    """Unit of the values for images that state none."""
    description: str = ""
    annotator: str = ""
    licence: str = ""
