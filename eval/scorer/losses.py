"""The loss: our primary metric, within 0..1. A failure costs 1, so that silence never pays.

* ``relative error``: mean over the numbers of ``min(|p - t| / t, 1)``. For ``t <= 0``, where a relative error says
  nothing, a number costs 0 if ``p = t`` and 1 otherwise.
* ``angle``: ``min(|p - t|, 90) / 90``.
* ``overlap``: ``1 - IoU``, with the protocol's IoU.

What is not finite costs 1 (one number of a relative error, or all of the others), and so does an answer that did not
parse (NaN). As in ``metrics``, the last axis holds the numbers of an answer, and any axes before it are samples.
"""

from collections.abc import Callable

import numpy as np

from medvision_agent.eval.scorer.metrics import Floats, Target, Values, absolute_errors
from medvision_agent.eval.tasks import Loss

__all__ = ["LOSSES", "angle_loss", "box_loss", "relative_loss"]


def relative_loss(values: Values, target: Target) -> Floats:
    """Return the loss of sizes and distances."""
    errors = absolute_errors(values, target)
    with np.errstate(all="ignore"):
        return np.asarray(np.where(target > 0, _within(errors / target), errors != 0).mean(axis=-1))


def angle_loss(values: Values, target: Target) -> Floats:
    """Return the loss of angles."""
    return _within(absolute_errors(values, target)[..., 0] / 90)


def box_loss(iou: Floats) -> Floats:
    """Return the loss of boxes with these overlaps; rounding in float32 can lift one just above 1."""
    return _within(1 - iou)


def _within(loss: Floats) -> Floats:
    return np.where(np.isfinite(loss), np.clip(loss, 0.0, 1.0), 1.0)


LOSSES: dict[Loss, Callable[[Values, Target], Floats]] = {"relative error": relative_loss, "angle": angle_loss}
"""The losses of measures by their names; that of boxes takes an overlap."""
