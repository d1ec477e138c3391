"""The convention ceiling: the score of an answer at the true edges of a structure, against MedVision's boxes.

Contract: MedVision uses the inclusive indices of a box's last row and column as edges, so its targets are one pixel
short at the right and at the bottom. The correct answer to the question is one pixel longer, and this is its score by
the protocol. A model that scores higher cannot be distinguished from one that has learned the convention.
"""

from collections.abc import Sequence
from itertools import chain, compress
from typing import Any

import numpy as np

from medvision_agent.eval.scorer.metrics import Floats, Target, overlap
from medvision_agent.eval.scorer.protocol import Protocol

__all__ = ["answers_ceiling", "ceiling", "edge_boxes"]


def edge_boxes(targets: Target, sizes: Floats) -> Floats:
    """Return boxes (n, 4) at the true edges, for targets ``(x1, y1, x2, y2)`` in images of ``(height, width)`` pixels.

    Boxes are fractions of the image, with the origin at the lower left and y up.
    A target is ``[c0/W, (H-r1)/H, c1/W, (H-r0)/H]`` with inclusive r1, c1; its last row and column end at r1+1, c1+1.
    """
    one = 1 / sizes
    none = np.zeros(len(targets))
    return targets + np.stack([none, -one[:, 0], one[:, 1], none], axis=1)


def ceiling(targets: Target, sizes: Floats, protocol: Protocol) -> dict[str, float]:
    """Return the mean scores, by name, of answers at the true edges of boxes, and their number (``n``).

    *targets* and *sizes* are those of ``edge_boxes``; without targets, the means are NaN.
    """
    found = overlap(edge_boxes(targets, sizes).astype(np.float32), targets, protocol)
    figures = {"IoU": found.iou, "F1": found.f1, "Precision": found.precision, "Recall": found.recall}
    figures |= {f"IoU>={limit}": (found.iou >= limit).astype(np.float64) for limit in (0.5, 0.75, 0.9, 0.95)}
    means = {name: float(values.mean()) if len(targets) else float("nan") for name, values in figures.items()}
    return means | {"n": len(targets)}


def answers_ceiling(targets: Target, sizes: Sequence[Any], protocol: Protocol) -> dict[str, float]:
    """Return the means of ``ceiling`` over those targets whose image size is stated.

    *sizes* are (height, width) in pixels as result files state them (``Doc.size``); any other value leaves its target
    out.
    """
    known = np.array([type(size) is tuple for size in sizes], dtype=np.bool_)
    pairs = np.fromiter(chain.from_iterable(compress(sizes, known.tolist())), np.float64).reshape(-1, 2)
    return ceiling(targets[known], pairs, protocol)
