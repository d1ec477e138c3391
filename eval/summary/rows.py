"""One row per sample for other programs: metrics by MedVision's names, our loss, and how the sample ended.

Contract: strict JSON. NaN is null, infinities are the strings ``Infinity`` and ``-Infinity``; for an
infrastructure failure, which is not scored, everything but ``id``, ``task`` and ``outcome`` is null.
"""

from medvision_agent.eval.scorer.score import Score
from medvision_agent.eval.store.record import Record
from medvision_agent.frozen import strict

__all__ = ["Row", "sample_row"]

Row = dict[str, str | bool | float | None]

_NAMES = {"MAE": "mae", "MRE": "mre", "IoU": "iou", "F1": "f1", "Precision": "precision", "Recall": "recall"}
_BOX_ONLY = ("IoU", "F1", "Precision", "Recall")


def sample_row(record: Record, score: Score | None) -> Row:
    """Return the row of a record by column name: id, task, outcome, what was read, success, loss, and metrics.

    The metrics are MAE, and MRE or the overlap of boxes. With a *score* of None, all but id, task and outcome are None.
    """
    names = ("MAE", *_BOX_ONLY) if record.sample.asks.is_box else ("MAE", "MRE")
    row: Row = {"id": record.sample.id, "task": record.sample.task, "outcome": record.outcome.value}
    if score is None:
        return row | dict.fromkeys(("extracted", "success", "loss", *names))
    row |= {"extracted": score.extracted, "success": score.success, "loss": score.loss}
    return row | {name: strict(getattr(score, _NAMES[name])) for name in names}
