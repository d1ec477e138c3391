"""Random boxes: the score of guessing, the lower reference of detection.

Contract: as upstream draws them, 100 boxes for each sample, width and height uniform over whole pixels from the
protocol's least to the full image, then the position uniform over the whole pixels where the box fits. Each box is
scored as an answer would be, in relative coordinates and float32; a sample's figures are the means of its boxes, and
the reference is the mean over samples. Upstream's first generation draws anew each time; here a sample's boxes depend
on its id and the seed alone, so that they are the same in every subset and in both arms of a comparison.

Source: MedVision's box-size analyses against random boxes, both versions (which publish no value to compare with).
"""

from collections.abc import Sequence
from hashlib import sha256

import numpy as np

from medvision_agent.eval.scorer.metrics import Floats, Target, Values, box_loss, mean_absolute_error, overlap
from medvision_agent.eval.scorer.protocol import Protocol

__all__ = ["AT_ONCE", "BOXES", "NAME", "draw_boxes", "random_boxes"]

BOXES = 100
"""Boxes for each sample."""
NAME = f"random boxes ({BOXES} per sample)"
AT_ONCE = 1000
"""Number of samples scored together: each of their arrays takes a few megabytes."""


def draw_boxes(sample_id: str, size: tuple[int, int], least: int, *, count: int = BOXES, seed: int = 0) -> Values:
    """Return *count* random boxes ``(x1, y1, x2, y2)``, shape (count, 4), as fractions of an image.

    *size* is the image's (height, width) in pixels. A side has at least *least* pixels, or the full length of a smaller
    image. Equal arguments give equal boxes; *seed* and *sample_id* select the random numbers.
    """
    rng = np.random.default_rng(list(sha256(f"{seed}\0{sample_id}".encode()).digest()))
    height, width = size
    across = rng.integers(min(least, width), width, count, endpoint=True)
    down = rng.integers(min(least, height), height, count, endpoint=True)
    left = rng.integers(0, width - across, endpoint=True)
    low = rng.integers(0, height - down, endpoint=True)
    pixels = np.stack([left, low, left + across, low + down], axis=1)
    relative: Floats = pixels / np.array([width, height, width, height])
    return relative.astype(np.float32)


def random_boxes(
    ids: Sequence[str], targets: Target, sizes: Sequence[tuple[int, int]], protocol: Protocol, *, seed: int = 0
) -> dict[str, Floats]:
    """Return the mean loss and overlaps of each sample's 100 random boxes, by MedVision's names: one value per sample.

    *targets* are ``(x1, y1, x2, y2)`` as fractions of the image, *sizes* (height, width) of the images in pixels.
    Without samples, the result is empty.
    """
    parts = [
        _figures(ids[start:end], targets[start:end], sizes[start:end], protocol, seed)
        for start in range(0, len(ids), AT_ONCE)
        for end in [start + AT_ONCE]
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {}


def _figures(
    ids: Sequence[str], targets: Target, sizes: Sequence[tuple[int, int]], protocol: Protocol, seed: int
) -> dict[str, Floats]:
    least = protocol.random_box_least
    boxes = np.stack([draw_boxes(one, size, least, seed=seed) for one, size in zip(ids, sizes, strict=True)])
    target = targets[:, None, :]
    found = overlap(boxes, target, protocol)
    figures = {
        "loss": box_loss(found.iou),
        "IoU": found.iou,
        "IoU>=0.5": (found.iou >= 0.5).astype(np.float64),
        "Precision": found.precision,
        "Recall": found.recall,
        "F1": found.f1,
        "MAE": mean_absolute_error(boxes, target),
    }
    return {name: np.asarray(values.mean(axis=1, dtype=np.float64)) for name, values in figures.items()}
