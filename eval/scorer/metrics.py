"""MedVision's metrics of one parsed answer, to the last bit.

Contract: predictions are float32, targets float64, and where the two meet NumPy 2's promotion decides, because
upstream's values depend on it. Infinite predictions give infinite or NaN metrics and never a warning.

Source: MedVision's per-sample metrics (both versions, see ``protocol``).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from medvision_agent.eval.scorer.protocol import Protocol

__all__ = ["NO_OVERLAP", "Overlap", "absolute_errors", "mean_absolute_error", "mean_relative_error", "overlap"]

Values = NDArray[np.float32]
Target = NDArray[np.float64]
_Float = TypeVar("_Float", np.float32, np.float64)

_EPSILON = 1e-15
"""Upstream adds it to every target: a target of 0 gives huge, not infinite, relative errors."""


class Overlap(NamedTuple):
    """How well two boxes overlap; NaN where a measure is undefined."""

    iou: float
    f1: float
    precision: float
    recall: float


NO_OVERLAP = Overlap(0.0, 0.0, 0.0, 0.0)
"""Boxes that do not meet, and answers without a box."""


def absolute_errors(values: Values, target: Target) -> Target:
    """Return ``|p_i - t_i|`` in float64."""
    return np.abs(values.astype(np.float64) - target)


def mean_absolute_error(values: Values, target: Target) -> float:
    """Return MAE: the mean of ``|p_i - t_i|``, in the unit of the target; boxes are not clipped."""
    with np.errstate(all="ignore"):
        return float(np.mean(absolute_errors(values, target)))


def mean_relative_error(values: Values, target: Target) -> float:
    """Return MRE: the mean of ``|p_i - t_i| / (t_i + 1e-15)``; negative for a negative target."""
    with np.errstate(all="ignore"):
        return float(np.mean(absolute_errors(values, target) / (target + _EPSILON)))


def overlap(values: Values, target: Target, protocol: Protocol) -> Overlap:
    """Return IoU, F1, precision and recall of two boxes ``(x1, y1, x2, y2)``.

    With I, P, T the areas of intersection, prediction and target: ``IoU = I / (P + T - I)``,
    ``F1 = 2 I / (P + T)``, ``precision = I / P``, ``recall = I / T``.
    """
    if protocol.sort_corners:
        values, target = _sorted_corners(values), _sorted_corners(target)
    with np.errstate(all="ignore"):
        result = _overlap(list(values), list(target))
        if protocol.overlap_float64:
            exact = _overlap(list(values.astype(np.float64)), list(target))
            result = result._replace(iou=exact.iou, f1=exact.f1)
    return Overlap(*(min(value, 1.0) for value in result)) if protocol.clamp_overlap else result


def _sorted_corners(box: NDArray[_Float]) -> NDArray[_Float]:
    return np.sort(box.reshape(2, 2), axis=0).reshape(4)


def _overlap(box: Sequence[np.floating[Any]], truth: Sequence[np.floating[Any]]) -> Overlap:
    # Scalars, not arrays: each difference has the wider type of its two operands. Python's max and min return
    # their first argument on a tie, hence the prediction's (float32) value, as upstream does.
    left, bottom = max(box[0], truth[0]), max(box[1], truth[1])
    right, top = min(box[2], truth[2]), min(box[3], truth[3])
    if left >= right or bottom >= top:
        return NO_OVERLAP
    common = (right - left) * (top - bottom)
    area = (box[2] - box[0]) * (box[3] - box[1])
    true_area = (truth[2] - truth[0]) * (truth[3] - truth[1])
    union = area + true_area - common
    return Overlap(
        iou=float(common / union) if union > 0 else 0.0,
        f1=_ratio(2 * common, area + true_area),
        precision=_ratio(common, area),
        recall=_ratio(common, true_area),
    )


def _ratio(part: np.floating[Any], whole: np.floating[Any]) -> float:
    return float(part / whole) if whole > 0 else float("nan")
