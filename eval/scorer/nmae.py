"""nMAE: the absolute error of a length divided by the physical diagonal of its slice.

Contract: ``nMAE = MAE / sqrt((H * ph * sh)^2 + (W * pw * sw)^2)``, with H, W the slice in pixels, ph, pw the in-plane
voxel sizes of the image's header, and sh, sw the factors by which a task has scaled the stated pixel size (1 but for
``scaledPS`` tasks). If one of these values is missing, there is no diagonal and no nMAE.

Source: MedVision 1.2. A known upstream error is kept: for angles and distances, the factors are recomputed from a hash
whose key ends in ``None``, while the prompts used a key without this ending; so the factors are right only if stored.
"""

import hashlib
import math
from collections.abc import Iterable, Mapping
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from medvision_agent.eval.scorer.answer import ScoredDoc
from medvision_agent.eval.scorer.answers import Answers, Column
from medvision_agent.eval.scorer.metrics import Flags, Floats
from medvision_agent.eval.tasks import Family

__all__ = ["Nmae", "diagonals", "drawn_scales", "nmae", "pixel_scale", "stored_nmae"]

_IN_PLANE = {0: (1, 2), 1: (0, 2), 2: (0, 1)}
_NOT_SCALED = (1.0, 1.0)
_CLOSE = 1e-12
_SCALED = "scaledPS"
_Scale = tuple[float, float]
_Range = tuple[float, float]
"""The lowest and the highest factor."""


class Nmae(NamedTuple):
    """The nMAE of many answers, as a summary uses it and as MedVision's parser stores it."""

    value: Floats
    """nMAE as a summary uses it, a fraction of the diagonal; NaN for answers that were not parsed."""
    success: Flags
    """Whether the answer was parsed and its nMAE is finite."""
    parsed: Floats
    """nMAE as MedVision's parser stores it, before the summary's conditions; NaN if undefined."""
    parsed_success: Flags


def nmae(numbers: Mapping[str, NDArray[Any]], mae: Floats, plain_mae: Floats, success: Flags) -> Nmae:
    """Return the nMAE of answers: stored values where there are any, otherwise *mae* divided by the diagonal.

    *numbers* holds the columns of ``stored_nmae`` and, in mm, of ``diagonals``; *success* says which answers were
    parsed. *plain_mae* is MAE in float64, from which stored values were computed; if *mae* differs (the protocol
    follows NumPy 1), a value is recomputed, so that a column does not mix both.
    """
    stored, lengths = numbers["stored nMAE"], numbers["diagonal"]
    made = numbers["is length"] & ~np.isnan(mae) & ~np.isnan(lengths) & (lengths != 0)
    with np.errstate(all="ignore"):
        stays = numbers["nMAE is stored"] & ((mae == plain_mae) | ~_close(stored * lengths, plain_mae))
        parsed = np.where(stays, stored, np.where(made, mae / lengths, np.nan))
    parsed_success = np.where(stays, numbers["stored success"], made)
    value = np.where(success, parsed, np.nan)
    return Nmae(value, success & parsed_success & np.isfinite(parsed), parsed, parsed_success)


def stored_nmae(answers: Answers) -> dict[str, NDArray[Any]]:
    """Return three columns for ``nmae``, by name, about what result files store, with an entry for each answer.

    They are the value (NaN if undefined or not stored), the file's mark of success, and whether anything is stored.
    """
    stored = answers.column("nmae")
    return {
        "stored nMAE": np.array([math.nan if one is None or one.value is None else one.value for one in stored]),
        "stored success": np.array([one is not None and one.success for one in stored], dtype=np.bool_),
        "nMAE is stored": np.array([one is not None for one in stored], dtype=np.bool_),
    }


def diagonals(answers: Answers, between: _Range, *, stored: bool = True) -> Floats:
    """Return the physical diagonal of each answer's slice in mm; NaN if unknown.

    Factors by which a task scaled the stated pixel size are drawn from the range *between* if they are not stored.
    Unless *stored*, answers with a stored nMAE get NaN.
    """
    zooms = answers.column("zooms")
    if not stored:
        zooms = [own if one is None else None for own, one in zip(zooms, answers.column("nmae"), strict=True)]
    columns = map(answers.column, ("doc.slice_dim", "doc.size"))
    return np.fromiter(map(_diagonal, zooms, *columns, _scales(answers, zooms, between)), np.float64, len(answers))


def _diagonal(zooms: tuple[float, ...] | None, slice_dim: Any, size: Any, scale: Any) -> float:
    if zooms is None:
        return math.nan
    try:
        rows, columns = _IN_PLANE[slice_dim]
        height, width = size
        tall, wide = scale
        return math.sqrt((height * zooms[rows] * tall) ** 2 + (width * zooms[columns] * wide) ** 2)
    except (KeyError, IndexError, TypeError, ValueError, OverflowError):
        return math.nan


def _scales(answers: Answers, zooms: Column, between: _Range) -> Iterable[_Scale | None]:
    """Return each answer's factors of the pixel size (height, width); None for unknown ones.

    They are 1 except in ``scaledPS`` tasks, where they are stored or drawn from the range *between*.
    """
    files = answers.column("file")
    if not _has_scaled(files):
        return repeat(_NOT_SCALED, len(files))
    # One generator for all draws, seeded again for each: creating one takes much longer than drawing.
    draw = np.random.RandomState()
    rows = zip(files, answers.column("pixel_scale"), zooms, answers.column("doc"), strict=True)
    return [
        (scale or (voxel and _drawn(doc, answers.family, between, draw))) if _SCALED in file else _NOT_SCALED
        for file, scale, voxel, doc in rows
    ]


def _has_scaled(files: Column) -> bool:
    return any(_SCALED in file for file in set(files))


def drawn_scales(answers: Answers) -> Flags:
    """Return a flag for each answer: whether its diagonal uses drawn instead of stored factors of the pixel size."""
    columns = [answers.column(name) for name in ("file", "pixel_scale", "zooms")]
    if not _has_scaled(columns[0]):
        return np.zeros(len(answers), dtype=np.bool_)
    drawn = [
        _SCALED in file and scale is None and zooms is not None for file, scale, zooms in zip(*columns, strict=True)
    ]
    return np.array(drawn, dtype=np.bool_)


def _drawn(doc: ScoredDoc, family: Family, between: _Range, draw: "np.random.RandomState") -> _Scale | None:
    # Without a label, the key of a size has no ending, and that of the others ends in None.
    label = None if family != "TL" and doc.label == "" else doc.label
    row = {"image_file": doc.image, "slice_dim": doc.slice_dim, "slice_idx": doc.slice_idx, "taskID": doc.task}
    try:
        return pixel_scale(row | {"label": label}, axes=1 if family == "TL" else 2, between=between, draw=draw)
    except ValueError:  # text that cannot be encoded
        return None


def pixel_scale(
    doc: Mapping[str, object], *, axes: int, between: _Range, draw: "np.random.RandomState | None" = None
) -> _Scale:
    """Return the factors (height, width) of a slice's stated pixel size, drawn from the range *between*.

    *doc* is the row of the data set, whose hash is the seed. *axes* is 1 if one draw gives both factors (sizes), 2 for
    one each (angles and distances). *draw* is a generator that is seeded here; without it, one is made.
    """
    key = "|".join(str(doc.get(name)) for name in ("image_file", "slice_dim", "slice_idx", "taskID"))
    key += f"|{doc.get('label', '')}"
    seed = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big") % 2**32
    draw = np.random.RandomState() if draw is None else draw
    draw.seed(seed)
    draws = draw.uniform(*between, size=axes)
    return float(draws[0]), float(draws[-1])


def _close(one: Floats, other: Floats) -> Flags:
    near = np.abs(one - other) <= _CLOSE * np.maximum(np.abs(one), np.abs(other))
    return np.asarray((one == other) | (near & np.isfinite(one) & np.isfinite(other)))
