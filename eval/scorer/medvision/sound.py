"""Our figures in addition to MedVision's: equal weight for all samples, none dropped, every mean with its n.

Contract: figures are over all samples that were read, with or without an upstream group. Success and overlap count
failures (0); MAE, MRE and nMAE are over valid, finite values, and ``n`` says how many. MRE is over targets of at least
0.1, below which a relative error says nothing. ``loss`` is our primary metric (``metrics``), by task.
"""

import numpy as np

from medvision_agent.eval.scorer.batch import Batch, angle_rows
from medvision_agent.eval.scorer.metrics import OVERLAPS, Flags, Floats
from medvision_agent.eval.tasks import ANGLE, DETECTION, DISTANCE, SIZE, TaskName

__all__ = ["Sound", "sound_figures"]

Sound = dict[str, dict[str, float]]
"""Mean and n by name."""
_NEAR_ZERO = 0.1


def sound_figures(batch: Batch) -> Sound:
    """Return our figures over all samples of a batch by name, each with its mean (NaN if n is 0) and n."""
    everything = np.ones(len(batch), dtype=np.bool_)
    figures = {f"loss ({task})": _mean(batch.loss, rows) for task, rows in _tasks(batch).items() if rows.any()}
    figures["success rate (all samples)"] = _mean(batch.success, everything)
    if batch.family == "Detection":
        figures |= {f"{name} (all samples, all groups)": _mean(batch.metrics[name], everything) for name in OVERLAPS}
        figures["IoU>=0.5 (all samples, all groups)"] = _mean(batch.metrics["IoU"] >= 0.5, everything)
    for kind, rows in _units(batch).items():
        figures[f"MAE{kind} (valid samples, all groups)"] = _mean(batch.metrics["MAE"], rows)
    if batch.family != "Detection":
        mre = batch.metrics["MRE"]
        targets = batch.target.min(axis=1) >= _NEAR_ZERO
        figures["MRE (valid samples with targets >= 0.1, all groups)"] = _mean(mre, targets)
        figures["MRE<0.1 (all samples with targets >= 0.1, all groups)"] = _mean(mre < 0.1, targets)
        if batch.nmae is not None:
            figures["nMAE (valid samples, all groups)"] = _mean(batch.metrics["nMAE"], batch.nmae.success)
    return figures


def _tasks(batch: Batch) -> dict[TaskName, Flags]:
    everything = np.ones(len(batch), dtype=np.bool_)
    if batch.family != "AD":
        return {DETECTION.name if batch.family == "Detection" else SIZE.name: everything}
    angle = angle_rows(batch.answers)
    return {ANGLE.name: angle, DISTANCE.name: ~angle}


def _units(batch: Batch) -> dict[str, Flags]:
    """Return a flag for each row, by kind of error, so that degrees and millimetres are never averaged together.

    The kind is ``of angles`` or ``of distances``; empty for sizes and boxes, whose errors have one unit.
    """
    tasks = _tasks(batch)
    if batch.family != "AD":
        return {"": next(iter(tasks.values()))}
    return {f" of {task}s": rows for task, rows in tasks.items() if rows.any()}


def _mean(values: Floats | Flags, rows: Flags) -> dict[str, float]:
    valid = values[rows & np.isfinite(values)].astype(np.float64)
    return {"mean": float(valid.mean()) if valid.size else float("nan"), "n": int(valid.size)}
