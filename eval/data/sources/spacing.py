"""The spacing that a NIfTI header states: its unit turned to mm, and whether two statements of it agree.

One rule for volumes that are imported and for those whose slices a file of samples names.
"""

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medvision_agent.errors import DataError
from medvision_agent.eval.data.medvision.volume import Header

__all__ = ["UNITS", "in_mm", "same_spacing", "written"]

UNITS = {
    0: ("no unit named, taken as mm", 1.0),
    1: ("metres, turned to mm", 1000.0),
    2: ("mm", 1.0),
    3: ("micrometres, turned to mm", 1e-3),
}
"""Codes of ``xyzt_units``, in words and in mm. Files that state no unit are in mm by convention."""
_CLOSE = 1e-3
"""Relative difference up to which two spacings count as equal: files state them rounded."""


def in_mm(header: Header) -> Header:
    """Return *header* with its spacings and matrices in mm.

    Raises DataError if its code is not that of a unit of length.
    """
    if header.unit not in UNITS:
        known = "1 (metres), 2 (mm), 3 (micrometres) or 0 (not stated, taken as mm)"
        raise DataError(f"xyzt_units: {header.unit} is not the code of a unit of length; expected {known}")
    _, factor = UNITS[header.unit]
    if factor == 1.0:
        return header
    zooms: Any = tuple(zoom * factor for zoom in header.zooms)
    sform: Any = header.sform_zooms and tuple(zoom * factor for zoom in header.sform_zooms)
    first, second = (_scaled(form, factor) for form in header.forms)
    return replace(header, zooms=zooms, sform_zooms=sform, forms=(first, second), unit=2)


def same_spacing(some: Iterable[float], others: Iterable[float]) -> bool:
    """Return whether two spacings agree up to a relative difference of 0.001, as files state them rounded."""
    return all(math.isclose(one, other, rel_tol=_CLOSE) for one, other in zip(some, others, strict=True))


def written(spacing: Iterable[float]) -> str:
    """Return a spacing as text, such as ``0.5 x 0.5 x 3``."""
    return " x ".join(f"{step:g}" for step in spacing)


def _scaled(form: NDArray[np.float64] | None, factor: float) -> NDArray[np.float64] | None:
    return None if form is None else np.diag([factor, factor, factor, 1.0]) @ form
