"""The statistics of one group of samples, as MedVision's summaries define them, and of one task, as its parser does.

Contract: every fraction divides by all samples of the group, failures included; means skip what is NaN (and what is
infinite, where the protocol says so). Kept as upstream has it: ``MAE<1.0`` and ``MRE<1.0`` count every valid sample,
however wrong; ``IoU>0.5`` counts 0.5 itself; a negative error is counted from the last bucket backwards.

The results that MedVision writes when it parses a task's file, before any summary, have another form: means are
strings, ``nan`` if undefined. Unlike in the summaries, ``MRE<k`` is strict, near-zero targets are in, and infinities
are not skipped.

Source: MedVision's summaries and its parsing of result files, both versions.
"""

from collections import defaultdict
from collections.abc import Iterable
from itertools import count
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from medvision_agent.eval.scorer.batch import Batch
from medvision_agent.eval.scorer.metrics import OVERLAPS, Floats
from medvision_agent.eval.scorer.protocol import Protocol

__all__ = [
    "Index",
    "Keys",
    "Statistics",
    "below",
    "box_statistics",
    "error_statistics",
    "mean",
    "parse_iou",
    "parse_results",
]
__all__ += ["rows_by"]

Statistics = dict[str, float]
Index = NDArray[np.intp]
"""Row numbers of a batch."""

_LIMITS = [k / 10 for k in range(1, 11)]
_OVERLAP_LIMITS = (0.5, 0.6, 0.7, 0.8, 0.9)
_GRID = [k / 100 for k in range(50, 100, 5)]


class Keys(NamedTuple):
    """The names of the rows of a batch, such as their groups; each distinct name is stored once."""

    names: list[Any]
    """The distinct names."""
    code: Index
    """For each row, the index of its name."""

    @classmethod
    def of(cls, names: Iterable[Any]) -> "Keys":
        """Return the keys of rows whose names are *names*, in order."""
        numbers: defaultdict[Any, int] = defaultdict(count().__next__)
        code = np.fromiter(map(numbers.__getitem__, names), np.intp)
        return cls(list(numbers), code)

    def renamed(self, names: Iterable[Any]) -> "Keys":
        """Return the keys of the same rows, in which *names* replace the distinct names in order; they may be equal."""
        own = Keys.of(names)
        return Keys(own.names, own.code[self.code])

    def by_row(self) -> list[Any]:
        """Return the name of each row."""
        return [self.names[code] for code in self.code.tolist()]


def rows_by(keys: Keys, counted: NDArray[np.bool_]) -> dict[str, Index]:
    """Return the row numbers of each name (except None), among the rows that *counted* flags.

    Names are in the order of their first rows.
    """
    rows = np.flatnonzero(counted)
    code = keys.code[rows]
    ends = np.bincount(code, minlength=len(keys.names)).cumsum()
    own = zip(keys.names, np.split(rows[np.argsort(code, kind="stable")], ends[:-1]), strict=False)
    there = [(name, rows) for name, rows in own if name is not None and rows.size]
    return dict(sorted(there, key=lambda one: int(one[1][0])))


def mean(values: Floats, protocol: Protocol) -> float:
    """Return the mean of the values that the protocol does not skip; NaN if it skips all."""
    kept = values[np.isfinite(values)] if protocol.skip_infinite else values[~np.isnan(values)]
    return float(kept.mean()) if kept.size else float("nan")


def below(name: str, values: Floats) -> Statistics:
    """Return, for k = 0.1 ... 1.0, the fraction of errors *values* below k as MedVision counts it, by ``<name><k``.

    MedVision counts buckets ``int(10 value)`` and adds them up. Errors of 1 or more are in the last bucket; NaN and
    infinite errors are in none, but in the divisor.
    """
    finite = values[np.isfinite(values)]
    # int() truncates towards zero; a negative bucket counts from the end, like a Python list index.
    buckets = np.trunc(np.minimum(finite, 1.0) * 10).clip(max=9).astype(np.intp)
    buckets = np.where(buckets < 0, buckets + 10, buckets)
    counts = np.bincount(buckets[buckets >= 0], minlength=10).cumsum()
    return {f"{name}<{limit}": number / len(values) for limit, number in zip(_LIMITS, counts.tolist(), strict=True)}


def box_statistics(
    batch: Batch, rows: Index, protocol: Protocol, *, error: str = "MAE", grid: bool = True
) -> Statistics:
    """Return MedVision's statistics of a group of boxes, which are the *rows* of a batch.

    *error* is the name under which the fractions of small MAE are given; *grid* adds Acc@IoU if the protocol has it.
    """
    mae = batch.metrics["MAE"][rows]
    overlaps = {name: batch.metrics[name][rows] for name in OVERLAPS}
    found: Statistics = {"avgMAE": mean(mae, protocol)}
    found |= {name: mean(values, protocol) for name, values in overlaps.items()}
    found |= {"SuccessRate": _rate(batch, rows), "num_samples": len(rows)}
    found |= below(error, mae)
    for name, values in overlaps.items():
        found |= {f"{name}>{limit}": _at_least(values, limit) for limit in _OVERLAP_LIMITS}
    if grid and protocol.accuracy_grid:
        accuracy = {f"Acc@IoU>={limit:.2f}": _at_least(overlaps["IoU"], limit) for limit in _GRID}
        found |= accuracy | {"Acc@IoU[0.50:0.95]": sum(accuracy.values()) / len(accuracy)}
    return found


def error_statistics(batch: Batch, rows: Index, protocol: Protocol) -> Statistics:
    """Return MedVision's statistics of a group of sizes, angles or distances, which are the *rows* of a batch."""
    mre = batch.metrics["MRE"][rows]
    found = {"avgMAE": mean(batch.metrics["MAE"][rows], protocol), "avgMRE": mean(mre, protocol)}
    if batch.nmae is not None:
        found["avgNMAE"] = mean(batch.metrics["nMAE"][rows[batch.nmae.success[rows]]], protocol)
    found |= {"SuccessRate": _rate(batch, rows), "num_samples": len(rows)}
    return found | below("MRE", mre)


def _rate(batch: Batch, rows: Index) -> float:
    return int(batch.success[rows].sum()) / len(rows)


def _at_least(values: Floats, limit: float) -> float:
    return int((values >= limit).sum()) / len(values)


def parse_results(batch: Batch, protocol: Protocol) -> dict[str, dict[str, float | str]]:
    """Return, by task, the results that MedVision writes when it parses a file; undefined means are "nan"."""
    everything = np.ones(len(batch), dtype=np.bool_)
    tasks = rows_by(Keys.of(batch.answers.column("task")), everything)
    return {task: _results(task, batch, rows, protocol) for task, rows in tasks.items()}


def parse_iou(batch: Batch, protocol: Protocol) -> Floats:
    """Return the IoU of each box as MedVision's parser stores it; a failure is 0 or NaN, depending on the protocol."""
    iou = batch.metrics["IoU"]
    return iou if protocol.failed_box_counts else np.where(batch.success, iou, np.nan)


def _results(task: str, batch: Batch, rows: Index, protocol: Protocol) -> dict[str, float | str]:
    boxes = batch.family == "Detection"
    none = np.full(len(rows), np.nan)
    mre = none if boxes else batch.metrics["MRE"][rows]
    results: dict[str, float | str] = {
        "alias": task,
        "avgMAE,none": _mean(batch.metrics["MAE"][rows]),
        "avgMRE,none": _mean(mre),
        "avgIoU,none": _mean(parse_iou(batch, protocol)[rows] if boxes else none),
        "SuccessRate,none": int(batch.success[rows].sum()) / len(rows),
    }
    for limit in (k / 10 for k in range(1, 11)):
        results[f"MRE<{limit}"] = "N/A" if boxes else int((mre < limit).sum()) / len(rows)
    return results


def _mean(values: Floats) -> str:
    valid = values[~np.isnan(values)]
    return str(float(valid.mean())) if valid.size else "nan"
