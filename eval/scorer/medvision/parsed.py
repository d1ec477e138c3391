"""What MedVision writes for a task when its file is parsed, before any summary.

Contract: its own shape: means are strings, ``nan`` where there is none; fractions divide by all samples. Unlike in
the summaries, ``MRE<k`` is strict, near-zero targets are in, and infinities are not skipped.

Source: MedVision's parsing of result files, both versions.
"""

import numpy as np

from medvision_agent.eval.scorer.batch import Batch
from medvision_agent.eval.scorer.medvision.statistics import Index, rows_by
from medvision_agent.eval.scorer.metrics import Floats
from medvision_agent.eval.scorer.protocol import Protocol

__all__ = ["parse_iou", "parse_results"]


def parse_results(batch: Batch, protocol: Protocol) -> dict[str, dict[str, float | str]]:
    """Return the results of each task."""
    everything = np.ones(len(batch), dtype=np.bool_)
    tasks = rows_by(batch.answers.column("task"), everything)
    return {task: _results(task, batch, rows, protocol) for task, rows in tasks.items()}


def parse_iou(batch: Batch, protocol: Protocol) -> Floats:
    """Return the IoU of each box as parsing stores it: what a failure gets differs between the versions."""
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
