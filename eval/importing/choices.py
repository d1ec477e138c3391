"""What a user chooses for an import, and nothing that is read from files."""

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
    """A measure of named points or lines of markups that a user defines."""

    task: TaskName
    name: str
    """What is measured; of a size, the structure."""
    parts: tuple[str, ...]
    """Names of points, or of two lines for a size."""


@dataclass(frozen=True, kw_only=True)
class Choices:
    """How images become samples."""

    images: Path
    """A file, or a folder of them."""
    masks: Path | None = None
    markups: Path | None = None
    table: Path | None = None
    coco: Path | None = None
    measures: tuple[Measure, ...] = ()

    tasks: tuple[TaskName, ...] = ("detection", "size")
    """What is asked about masks."""
    labels: Mapping[int, str] = field(default_factory=dict)
    """Names of the numbers in masks; where given, others are passed over."""
    slices: Literal["largest", "all"] | int = "largest"
    """Which slices of a structure are asked about: the one with most of its pixels, every one, or that index."""
    plane: str = ""
    """Empty: the plane in which a scan was made."""
    pieces: Literal["one", "largest"] = "one"
    """Whether a structure in several pieces is left out, or its largest piece asked about."""
    convention: Convention = "edge"
    points_at: Literal["corner", "centre"] = "corner"
    """Where a table's point (0, 0) lies: the outer corner of the first pixel, or its centre."""

    spacing: Spacing | None = None
    """Of images that state none."""
    affine: AffineChoice | None = None
    """Which of a NIfTI header's matrices counts, where they disagree."""
    accept_detector_spacing: bool = False
    """Use the spacing at the detector of a projection, which is not corrected for magnification."""
    redact: tuple[tuple[int, int, int, int], ...] = ()
    """Rectangles x0, y0, x1, y1 of stored pixels (ends exclusive) that are blackened in every plane."""
    accept_burned_in: bool = False
    """Take images whose header says that patient data is burned into their pixels."""

    dataset: str = ""
    subjects: Path | None = None
    """CSV (image, subject): which images show one person."""
    modality: str = ""
    units: Literal["HU", ""] = ""
    """Unit of the values of images that do not state it."""
    description: str = ""
    annotator: str = ""
    licence: str = ""
