"""Checks the header of a NIfTI volume: does it leave doubts about millimetres or directions?

Millimetres follow ``pixdim``, here as in MedVision. If another field of the header contradicts it, that is a warning.
The worst contradictions in the user's own volumes are refused earlier, when the list is read
(``eval/data/sources/volumes.py``).
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from medvision_agent.eval.checking.finding import Fault
from medvision_agent.eval.data.medvision.volume import Header
from medvision_agent.eval.data.sources.spacing import same_spacing, written

__all__ = ["header_faults", "plane_faults"]

_UNITS = {0: "states no unit for its spacing", 1: "gives its spacing in metres", 3: "gives its spacing in micrometres"}
_MM = 0.1
"""Largest distance between the places of a corner of the volume by two matrices of the header."""
_PLANES = {0: "sagittal", 1: "coronal", 2: "axial"}
"""The plane of a slice, by the axis of the world that it leaves out: left-right, back-front, feet-head."""


def header_faults(header: Header) -> Iterator[Fault]:
    """Yield a warning if a header's unit is not mm, if sform contradicts the spacing, or if sform contradicts qform."""
    if header.unit in _UNITS:
        told = f"the header {_UNITS[header.unit]}, but here the spacing is taken to be in mm; check the pixel sizes"
        yield Fault("header", "xyzt_units", told, refused=False)
    if (zooms := header.sform_zooms) is not None and not same_spacing(zooms, header.zooms):
        told = (
            f"sform says a spacing of {written(zooms)} mm, but pixdim says {written(header.zooms)} mm, which is used; "
            "check which one is right"
        )
        yield Fault("header", "sform", told, refused=False)
    sform, qform = header.forms
    if sform is not None and qform is not None and (away := _apart(sform, qform, header.shape)) > _MM:
        told = (
            f"sform and qform place the volume differently, up to {away:.3g} mm apart; lengths do not change (they "
            "follow pixdim), but check the plane"
        )
        yield Fault("header", "qform", told, refused=False)


def plane_faults(header: Header, slice_dim: int, plane: str) -> Iterator[Fault]:
    """Yield a warning if the header's directions contradict *plane*, which the sample states.

    *slice_dim* is the axis of the array (0 to 2) perpendicular to the slice.
    """
    found = _plane(header, slice_dim)
    if found and plane.lower() in _PLANES.values() and found != plane.lower():
        told = (
            f"is {plane!r}, but by the header's directions a slice along axis {slice_dim} is {found}; check which one "
            "is right"
        )
        yield Fault("header", "plane", told, refused=False)


def _plane(header: Header, slice_dim: int) -> str:
    """Return the plane of slices perpendicular to an axis of the array; empty if the header has no directions."""
    form = next((form for form in header.forms if form is not None), None)
    if form is None:
        return ""
    directions = np.abs(form[:3, :3])
    if not (lengths := np.linalg.norm(directions, axis=0)).all():
        return ""
    world = int(np.argmax((directions / lengths)[:, slice_dim]))
    return _PLANES[world]


def _apart(one: NDArray[np.float64], other: NDArray[np.float64], shape: tuple[int, int, int]) -> float:
    """Return how far in mm two matrices (4, 4), from voxels to mm, at most place one corner of a volume apart."""
    corners = np.array([[i, j, k, 1] for i in (0, shape[0]) for j in (0, shape[1]) for k in (0, shape[2])], float)
    return float(np.linalg.norm(corners @ (one - other).T, axis=1).max())
