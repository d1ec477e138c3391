"""An answer made elsewhere: what MedVision's own result files hold for one sample, read and checked.

Contract: an answer has all that scoring and grouping need; nothing is looked up later. What a file does not carry
is None, and what follows from that is said by whoever needed it.
"""

from typing import Any, Literal, NamedTuple

__all__ = ["COUNTS", "FAMILIES", "Answer", "Family", "Stored"]

Family = Literal["Detection", "TL", "AD"]
"""MedVision's task types: boxes, tumour/lesion sizes, angles and distances."""

COUNTS: dict[Family, int] = {"Detection": 4, "TL": 2, "AD": 1}
"""How many numbers an answer has."""
FAMILIES: tuple[Family, ...] = ("Detection", "TL", "AD")


class Stored(NamedTuple):
    """An nMAE that a result file carries."""

    value: float
    success: bool


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
    doc: dict[str, Any]
    """The data set's row."""
    label_name: str | None = None
    modality: str | None = None
    zooms: tuple[float, ...] | None = None
    """Voxel size by the header of the image file; None where the image is not there."""
    nmae: Stored | None = None
    pixel_scale: tuple[float, float] | None = None
    """Factors of a stated pixel size, height and width, where they were stored."""

    @property
    def metric_type(self) -> str | None:
        """``distance`` or ``angle``, for angles and distances."""
        profile = self.doc.get("biometric_profile")
        kind = profile.get("metric_type") if isinstance(profile, dict) else None
        return kind if isinstance(kind, str) else None
