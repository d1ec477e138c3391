"""MedVision's metrics of parsed answers, bit for bit, and our loss; for one answer or many at once.

Contract: the last axis holds the numbers of an answer; any axes before it are samples. Predictions are float32, targets
float64, and mixed operations follow NumPy 2's promotion rules, because upstream's values depend on them. Infinite
predictions give infinite or NaN metrics and never a warning.

The loss is our primary metric, within 0..1. A failure costs 1, so that giving no answer is never better.

* ``relative error``: mean over the numbers of ``min(|p - t| / t, 1)``. For ``t <= 0``, where a relative error is
  meaningless, a number costs 0 if ``p = t`` and 1 otherwise.
* ``angle``: ``min(|p - t|, 90) / 90``.
* ``overlap``: ``1 - IoU``, with the protocol's IoU.

A value that is not finite costs 1 (for a relative error only that number, otherwise the whole answer), and so does an
answer that was not parsed (NaN).

Source: MedVision's per-sample metrics (both versions, see ``protocol``).
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.tasks import Loss

__all__ = ["LOSSES", "OVERLAPS", "Flags", "Floats", "Overlap", "Target", "Values", "absolute_errors", "angle_loss"]
__all__ += [
    "box_loss",
    "float32_errors",
    "mean_absolute_error",
    "mean_relative_error",
    "measure",
    "overlap",
    "relative_loss",
]


Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]
Values = NDArray[np.float32]
Target = NDArray[np.float64]
_Numbers = TypeVar("_Numbers", Values, Floats)

OVERLAPS = ("IoU", "F1", "Precision", "Recall")
_EPSILON = 1e-15
"""Upstream adds it to every target, so that a target of 0 gives huge instead of infinite relative errors."""


def measure(
    loss: Loss, values: Values, success: Flags, target: Target, protocol: Protocol
) -> tuple[dict[str, Floats], Floats]:
    """Return MedVision's metrics by name (MAE and MRE, or the overlaps) and our loss; one value per answer.

    *loss* is the rule of the task (``Task.loss``). *values* and *target* have a row for each answer. A failure, whose
    values are NaN, has MAE and MRE NaN, overlaps 0 and loss 1.
    """
    mae = mean_absolute_error(values, target)
    if loss != "overlap":
        return {"MAE": mae, "MRE": mean_relative_error(values, target)}, LOSSES[loss](values, target)
    found = zip(OVERLAPS, overlap(values, target, protocol), strict=True)
    metrics = {name: np.where(success, value, 0.0) for name, value in found}
    return metrics | {"MAE": mae}, box_loss(metrics["IoU"])


class Overlap(NamedTuple):
    """Measures of the overlap of answered and target boxes, fractions with one value per box; NaN if undefined."""

    iou: Floats
    f1: Floats
    precision: Floats
    recall: Floats


def absolute_errors(values: Values, target: Target) -> Floats:
    """Return ``|p_i - t_i|`` of each number in float64, in the unit of the target."""
    with np.errstate(all="ignore"):
        return np.abs(values.astype(np.float64) - target)


def mean_absolute_error(values: Values, target: Target) -> Floats:
    """Return MAE: the mean of ``|p_i - t_i|`` over an answer's numbers, in the unit of the target.

    Boxes are not clipped to the image.
    """
    with np.errstate(all="ignore"):
        return np.asarray(absolute_errors(values, target).mean(axis=-1))


def mean_relative_error(values: Values, target: Target) -> Floats:
    """Return MRE, a fraction: the mean of ``|p_i - t_i| / (t_i + 1e-15)`` over an answer's numbers.

    It is negative for a negative target.
    """
    with np.errstate(all="ignore"):
        return np.asarray((absolute_errors(values, target) / (target + _EPSILON)).mean(axis=-1))


def float32_errors(values: Values, target: Target) -> tuple[Floats, Floats]:
    """Return MAE and MRE of answers with one number, computed in float32 as in NumPy 1.

    There a target that is a bare number, not a list, takes the type of the prediction.
    """
    with np.errstate(all="ignore"):
        errors = np.abs(values - target.astype(np.float32))
        relative = errors / (target + _EPSILON).astype(np.float32)
    return errors[..., 0].astype(np.float64), relative[..., 0].astype(np.float64)


def overlap(values: Values, target: Target, protocol: Protocol) -> Overlap:
    """Return IoU, F1, precision and recall (fractions) of answered boxes *values* against *target*.

    Boxes are ``(x1, y1, x2, y2)`` on the last axis, fractions of the image; *protocol* says how corners are ordered.

    With I, P, T the areas of intersection, prediction and target: ``IoU = I / (P + T - I)``,
    ``F1 = 2 I / (P + T)``, ``precision = I / P``, ``recall = I / T``.
    """
    axes = max(values.ndim, target.ndim)
    values, target = _numbers_first(values, axes), _numbers_first(target, axes)
    if protocol.sort_corners:
        values, target = _sorted_corners(values), _sorted_corners(target)
    with np.errstate(all="ignore"):
        mixed = _areas(values, target)
        own = _areas(values.astype(np.float64), target) if protocol.overlap_float64 else mixed
        union = own.box + own.truth - own.common
        result = Overlap(
            iou=np.where(own.apart | ~(union > 0), 0.0, own.common / union),
            f1=_ratio(2 * own.common, own.box + own.truth, own.apart),
            precision=_ratio(mixed.common, mixed.box, mixed.apart),
            recall=_ratio(mixed.common, mixed.truth, mixed.apart),
        )
    return Overlap(*(np.minimum(value, 1.0) for value in result)) if protocol.clamp_overlap else result


def _numbers_first(answers: _Numbers, axes: int) -> _Numbers:
    """Return *answers* with *axes* axes, where the axis of an answer's numbers is moved from last to first."""
    whole = answers.reshape(*[1] * (axes - answers.ndim), *answers.shape)
    return np.ascontiguousarray(np.moveaxis(whole, -1, 0))


def _sorted_corners(box: _Numbers) -> _Numbers:
    return np.concatenate([np.minimum(box[:2], box[2:]), np.maximum(box[:2], box[2:])])


class _Areas(NamedTuple):
    common: NDArray[Any]
    box: NDArray[Any]
    truth: NDArray[Any]
    apart: NDArray[np.bool_]


def _areas(box: NDArray[Any], truth: Floats) -> _Areas:
    # Upstream computes with scalars: a difference or product of predicted values only keeps their type. On a tie (and
    # for NaN), the edge of the intersection is the prediction's.
    low, high, true_low, true_high = box[:2], box[2:], truth[:2], truth[2:]
    own_low, own_high = ~(true_low > low), ~(true_high < high)
    start, end = np.where(own_low, low, true_low), np.where(own_high, high, true_high)
    side = np.where(own_low & own_high, high - low, end - start)
    inside = np.asarray((own_low & own_high).all(axis=0))
    area = _area(high - low)
    common = np.where(inside, area, _area(side))
    return _Areas(common, area, _area(true_high - true_low), np.asarray((start >= end).any(axis=0)))


def _area(sides: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(sides[0] * sides[1])


def _ratio(part: NDArray[Any], whole: NDArray[Any], apart: NDArray[np.bool_]) -> Floats:
    return np.where(apart, 0.0, np.where(whole > 0, part / whole, np.nan))


def relative_loss(values: Values, target: Target) -> Floats:
    """Return the loss of sizes, distances and areas, 0..1: the mean of ``min(|p - t| / t, 1)`` over the numbers.

    A number whose error is not finite costs 1, and so does a wrong number for a target of 0 or less.
    """
    axes = max(values.ndim, target.ndim)
    values, target = _numbers_first(values, axes), _numbers_first(target, axes)
    errors = absolute_errors(values, target)
    with np.errstate(all="ignore"):
        return np.asarray(np.where(target > 0, _within(errors / target), errors != 0).mean(axis=0))


def angle_loss(values: Values, target: Target) -> Floats:
    """Return the loss of answers with one angle in degrees, 0..1: ``min(|p - t|, 90) / 90``; 1 if not finite."""
    return _within(absolute_errors(values, target)[..., 0] / 90)


def box_loss(iou: Floats) -> Floats:
    """Return the loss of boxes with these IoU: ``1 - IoU`` limited to 0..1; 1 if the IoU is not finite.

    The limit is needed because float32 rounding can make an IoU slightly larger than 1.
    """
    return _within(1 - iou)


def _within(loss: Floats) -> Floats:
    return np.where(np.isfinite(loss), np.clip(loss, 0.0, 1.0), 1.0)


LOSSES: dict[Loss, Callable[[Values, Target], Floats]] = {"relative error": relative_loss, "angle": angle_loss}
"""The loss functions by name; that of boxes takes an overlap."""
