"""nMAE: the absolute error of a length over the physical diagonal of its slice.

Contract: ``nMAE = MAE / sqrt((H * ph * sh)^2 + (W * pw * sw)^2)``, with H, W the slice in pixels, ph, pw the
in-plane voxel sizes of the image's header, and sh, sw the factors by which a task has scaled the stated pixel size
(1 but for ``scaledPS`` tasks). Where an ingredient is missing there is no diagonal, and no nMAE.

Source: MedVision 1.2. Known there, and kept: the factors are recomputed from a hash whose key ends in ``None`` for
angles and distances, while the prompts were written with one that ends in nothing; so they are right only if stored.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from medvision_agent.eval.scorer.answers import Answers
from medvision_agent.eval.scorer.metrics import Flags, Floats

__all__ = ["StoredNmae", "diagonals", "drawn_scales", "parsed_nmae", "pixel_scale", "summary_nmae"]

_IN_PLANE = {0: (1, 2), 1: (0, 2), 2: (0, 1)}
_NOT_SCALED = (1.0, 1.0)
_CLOSE = 1e-12
_DRAWN_FROM = ("family", "doc.image", "doc.slice_dim", "doc.slice_idx", "doc.task", "doc.label")
_Scale = tuple[float, float]
_Range = tuple[float, float]
"""The lowest and the highest factor."""


def diagonals(answers: Answers, between: _Range, *, stored: bool = True) -> Floats:
    """Return the physical diagonal of each answer's slice in mm; NaN where it cannot be known.

    Factors that are not stored are drawn from the range *between*. *stored*: of answers whose nMAE is stored too.
    """
    zooms = answers.column("zooms")
    if not stored:
        rows = zip(zooms, answers.column("stored"), strict=True)
        zooms = [voxel if nmae is None else None for voxel, nmae in rows]
    columns = map(answers.column, ("doc.slice_dim", "doc.size"))
    return np.fromiter(map(_diagonal, zooms, *columns, _scales(answers, zooms, between)), np.float64, len(answers))


class StoredNmae(NamedTuple):
    """The nMAE of files, for many answers."""

    value: Floats
    success: Flags
    there: Flags

    @classmethod
    def of(cls, answers: Answers) -> "StoredNmae":
        """Return what the files of *answers* hold."""
        stored = answers.column("stored")
        value = np.array([None if one is None else one.value for one in stored], dtype=np.float64)
        success = [False if one is None else one.success for one in stored]
        return cls(value, np.array(success, np.bool_), np.array([one is not None for one in stored], np.bool_))


def parsed_nmae(
    stored: StoredNmae, is_length: Flags, mae: Floats, lengths: Floats, plain_mae: Floats
) -> tuple[Floats, Flags]:
    """Return nMAE as parsing a file gives it, and whether: one that is stored stays, even of what does not parse.

    *plain_mae* is MAE in float64. A stored value that was made with it is made again where *mae* is another (the
    protocol follows NumPy 1): else one column would mix both.
    """
    made = is_length & ~np.isnan(mae) & ~np.isnan(lengths) & (lengths != 0)
    with np.errstate(all="ignore"):
        stays = stored.there & ((mae == plain_mae) | ~_close(stored.value * lengths, plain_mae))
        value = np.where(stays, stored.value, np.where(made, mae / lengths, np.nan))
    return value, np.where(stays, stored.success, made)


def summary_nmae(parsed: Floats, parsed_success: Flags, success: Flags) -> tuple[Floats, Flags]:
    """Return nMAE as a summary takes it, and whether: of answers that parse, and finite."""
    return np.where(success, parsed, np.nan), success & parsed_success & np.isfinite(parsed)


def drawn_scales(answers: Answers) -> int:
    """Return how many answers have a diagonal whose factors are not stored, but drawn."""
    if not any("scaledPS" in file for file in set(answers.column("file"))):
        return 0
    columns = zip(*map(answers.column, ("file", "pixel_scale", "zooms")), strict=True)
    return sum(scale is None and zooms is not None and "scaledPS" in file for file, scale, zooms in columns)


def pixel_scale(
    doc: Mapping[str, object], *, axes: int, between: _Range, draw: np.random.RandomState | None = None
) -> _Scale:
    """Return the factors of a slice's stated pixel size, height and width, drawn from a hash of its row.

    One draw for both (sizes), or one for each (angles and distances), from the range *between*. *draw* is a generator
    to be seeded for it.
    """
    key = "|".join(str(doc.get(name)) for name in ("image_file", "slice_dim", "slice_idx", "taskID"))
    key += f"|{doc.get('label', '')}"
    seed = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big") % 2**32
    draw = np.random.RandomState() if draw is None else draw
    draw.seed(seed)
    draws = draw.uniform(*between, size=axes)
    return float(draws[0]), float(draws[-1])


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


def _scales(answers: Answers, zooms: Sequence[Any], between: _Range) -> list[_Scale | None]:
    files = answers.column("file")
    scaled = {file for file in set(files) if "scaledPS" in file}
    if not scaled:
        return [_NOT_SCALED] * len(files)
    stored = zip(files, answers.column("pixel_scale"), strict=True)
    found: list[_Scale | None] = [scale if file in scaled else _NOT_SCALED for file, scale in stored]
    # One generator for all draws, seeded anew for each: to make one takes much longer than to draw.
    draw, columns = np.random.RandomState(), list(map(answers.column, _DRAWN_FROM))
    for row, scale in enumerate(found):
        if scale is None and zooms[row] is not None:
            found[row] = _drawn(tuple(column[row] for column in columns), between, draw)
    return found


def _drawn(row: tuple[Any, ...], between: _Range, draw: np.random.RandomState) -> _Scale | None:
    family, image, slice_dim, slice_idx, task, label = row
    # Without a label, the key of a size ends in nothing, and that of the others in None.
    label = None if family != "TL" and label == "" else label
    doc = {"image_file": image, "slice_dim": slice_dim, "slice_idx": slice_idx, "taskID": task, "label": label}
    try:
        return pixel_scale(doc, axes=1 if family == "TL" else 2, between=between, draw=draw)
    except ValueError:  # what cannot be encoded
        return None


def _close(one: Floats, other: Floats) -> Flags:
    near = np.abs(one - other) <= _CLOSE * np.maximum(np.abs(one), np.abs(other))
    return np.asarray((one == other) | (near & np.isfinite(one) & np.isfinite(other)))
