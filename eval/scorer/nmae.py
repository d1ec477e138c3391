"""nMAE: the absolute error of a length over the physical diagonal of its slice.

Contract: ``nMAE = MAE / sqrt((H * ph * sh)^2 + (W * pw * sw)^2)``, with H, W the slice in pixels, ph, pw the
in-plane voxel sizes of the image's header, and sh, sw the factors by which a task has scaled the stated pixel size
(1 but for ``scaledPS`` tasks). Where an ingredient is missing there is no diagonal, and no nMAE.

Source: MedVision 1.2. Known there, and kept: the factors are recomputed from a hash whose key ends in ``None`` for
angles and distances, while the prompts were written with one that ends in nothing; so they are right only if stored.
"""

import hashlib
import math
import os

import numpy as np

from medvision_agent.eval.scorer.answer import Answer, Stored

__all__ = ["diagonal", "parsed_nmae", "pixel_scale", "summary_nmae"]

_IN_PLANE = {0: (1, 2), 1: (0, 2), 2: (0, 1)}
_ABSENT = Stored(math.nan, False)


def diagonal(answer: Answer) -> float:
    """Return the physical diagonal of an answer's slice in mm; NaN where it cannot be known."""
    try:
        rows, columns = _IN_PLANE[answer.doc["slice_dim"]]
        height, width = answer.doc["image_size_2d"]
        zooms = answer.zooms
        if zooms is None:
            return math.nan
        tall, wide = _scale(answer)
        return math.sqrt((height * zooms[rows] * tall) ** 2 + (width * zooms[columns] * wide) ** 2)
    except (KeyError, IndexError, TypeError, ValueError, OverflowError):
        return math.nan


def parsed_nmae(answer: Answer, mae: float, length: float, plain_mae: float) -> Stored:
    """Return nMAE as parsing a file gives it: one that is stored stays, even where the answer does not parse.

    *plain_mae* is MAE in float64. A stored value that was made with it is made again where *mae* is another (the
    protocol follows NumPy 1): else one column would mix both.
    """
    stored = answer.nmae
    if stored is not None and (mae == plain_mae or not math.isclose(stored.value * length, plain_mae, rel_tol=1e-12)):
        return stored
    is_length = answer.family == "TL" or answer.metric_type == "distance"
    if math.isnan(mae) or math.isnan(length) or length == 0 or not is_length:
        return _ABSENT
    return Stored(mae / length, True)


def summary_nmae(parsed: Stored, *, success: bool) -> Stored:
    """Return nMAE as a summary takes it: of answers that parse, and finite."""
    if not success:
        return _ABSENT
    return Stored(parsed.value, parsed.success and math.isfinite(parsed.value))


def pixel_scale(doc: dict[str, object], *, axes: int) -> tuple[float, float]:
    """Return the factors of a slice's stated pixel size, height and width, drawn from a hash of its row.

    One draw for both (sizes), or one for each (angles and distances).
    """
    key = "|".join(str(doc.get(name)) for name in ("image_file", "slice_dim", "slice_idx", "taskID"))
    key += f"|{doc.get('label', '')}"
    seed = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big") % 2**32
    low = float(os.environ.get("MEDVISION_SCALED_PS_LOW", "0.5"))
    high = float(os.environ.get("MEDVISION_SCALED_PS_HIGH", "3.0"))
    draws = np.random.RandomState(seed).uniform(low, high, size=axes)
    return float(draws[0]), float(draws[-1])


def _scale(answer: Answer) -> tuple[float, float]:
    if "scaledPS" not in answer.file:
        return 1.0, 1.0
    if answer.pixel_scale is not None:
        return answer.pixel_scale
    if answer.family == "TL":
        return pixel_scale(answer.doc, axes=1)
    return pixel_scale({**answer.doc, "label": answer.doc.get("label")}, axes=2)
