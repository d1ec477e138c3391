"""Detection by the size of the target box relative to its image.

Contract: bins of 5%, lower edge inclusive, up to 90%; a bin without samples is left out. Upstream stops at an
infinite MAE; such samples are left out here, and named.

Source: MedVision's box-size analyses, both versions.
"""

from bisect import bisect_right
from typing import Any

import numpy as np

from medvision_agent.eval.scorer.batch import Batch
from medvision_agent.eval.scorer.medvision.keys import region
from medvision_agent.eval.scorer.medvision.statistics import Index, Keys, box_statistics, rows_by
from medvision_agent.eval.scorer.metrics import OVERLAPS, Flags, Floats
from medvision_agent.eval.scorer.protocol import Protocol

__all__ = ["box_ratios", "box_size_tables"]

_EDGES = [k / 100 for k in range(5, 95, 5)]
_COLUMNS = ["box_img_group", "label", "IoU", "sample_size", "F1", "Precision", "Recall"]


def box_ratios(batch: Batch) -> list[float]:
    """Return the area of each target box divided by the area of its image: one fraction for each answer.

    It is that of the box in the data set's row, which counts both end pixels; if the row has no box, that of the
    target, which is one pixel shorter.
    """
    return list(map(_box_ratio, *map(batch.answers.column, ("doc.size", "doc.box")), batch.target))


def _box_ratio(size: Any, box: Any, target: Floats) -> float:
    try:
        height, width = size
        rows, columns = box
        return float(rows * columns / (height * width))
    except (KeyError, IndexError, TypeError, ValueError, ArithmeticError):
        x1, y1, x2, y2 = target.tolist()
        return float(abs(x2 - x1) * abs(y2 - y1))


def box_size_tables(batch: Batch, counted: Flags, protocol: Protocol) -> dict[str, Any]:
    """Return MedVision's tables by the size of the target box relative to its image, in bins of 5%.

    They hold the statistics of each bin, and the means of each bin and region (``keys.region``). *counted* states for
    each answer whether it is included.
    """
    infinite = counted & np.isinf(batch.metrics["MAE"])
    kept = counted & ~infinite
    bins = [bisect_right(_EDGES, ratio) for ratio in box_ratios(batch)]
    named = rows_by(Keys.of(_name(one, protocol) for one in bins), kept)
    order = [name for one in sorted(set(bins)) if (name := _name(one, protocol)) in named]
    tables: dict[str, Any] = {
        "note": "samples with an infinite MAE are left out (upstream stops at them)",
        "removed_ids": sorted(batch.answers.column("id")[row] for row in np.flatnonzero(infinite).tolist()),
        "per_boxImgRatio": {
            name: box_statistics(batch, named[name], protocol, error=protocol.box_size_error, grid=False)
            for name in order
        },
        "boxImgRatio_x_label_csv": _by_region(batch, bins, kept, protocol, fine=False),
    }
    if protocol.box_size_fine:
        tables["boxImgRatio_x_fineLabel_csv"] = _by_region(batch, bins, kept, protocol, fine=True)
    return tables


def _by_region(batch: Batch, bins: list[int], kept: Flags, protocol: Protocol, *, fine: bool) -> list[list[str]]:
    names = zip(batch.answers.column("label_name"), batch.answers.column("modality"), strict=True)
    regions = [region(label, modality, protocol, fine=fine) for label, modality in names]
    keys = [None if own is None else f"{_range(one)}\n{own}" for one, own in zip(bins, regions, strict=True)]
    rows = rows_by(Keys.of(keys), kept)
    return [_COLUMNS, *(_line(key, batch, rows[key]) for key in sorted(rows))]


def _line(key: str, batch: Batch, rows: Index) -> list[str]:
    means = {name: _rounded(batch.metrics[name][rows]) for name in OVERLAPS}
    return [*key.split("\n"), means["IoU"], str(len(rows)), means["F1"], means["Precision"], means["Recall"]]


def _rounded(values: Floats) -> str:
    valid = values[~np.isnan(values)]
    return str(round(float(valid.mean()), 6)) if valid.size else ""


def _name(bin_: int, protocol: Protocol) -> str:
    if bin_ == 0:
        return "Box/Image < 5%"
    return protocol.box_size_last if bin_ == len(_EDGES) else f"{5 * bin_}% <= Box/Image < {5 * bin_ + 5}%"


def _range(bin_: int) -> str:
    if bin_ == 0:
        return "<0.05"
    return ">=0.90" if bin_ == len(_EDGES) else f"{_EDGES[bin_ - 1]:.2f}~{_EDGES[bin_]:.2f}"
