"""Detection: anatomy against tumours and lesions.

Contract: groups named miscellaneous or others, and groups of fewer than 50 samples, are left out. Each value is
weighted by all samples of its group, so MAE is weighted by failures too, as upstream has it.

Source: MedVision's detection summaries, both versions.
"""

import math
from collections.abc import Mapping
from typing import Any

from medvision_agent.eval.scorer.medvision.statistics import Statistics
from medvision_agent.eval.scorer.protocol import Protocol

__all__ = ["SIDES", "printed_table", "sides"]

SIDES = ("anatomy", "T/L")
_EXCLUDED = ("miscellaneous", "others")
_LESIONS = ("tumor", "lesion", "metastatic")
_MINIMUM = 50
_PRINTED = ("Recall", "Precision", "F1", "IoU", "SuccessRate", "IoU>0.5", "F1>0.5")
_PRINTED_GRID = {"AccIoU_50": "Acc@IoU>=0.50", "AccIoU_75": "Acc@IoU>=0.75", "AccIoU_mean": "Acc@IoU[0.50:0.95]"}

_ABSENT = {"total_samples": 0, "num_regions": 0}


def sides(groups: Mapping[str, Statistics]) -> dict[str, dict[str, Any]]:
    """Return both sides: the weighted means of their groups' statistics (none without groups), and the groups."""
    members: dict[str, dict[str, Statistics]] = {side: {} for side in SIDES}
    for name, group in groups.items():
        lower = name.lower()
        if group["num_samples"] >= _MINIMUM and not any(word in lower for word in _EXCLUDED):
            members["T/L" if any(word in lower for word in _LESIONS) else "anatomy"][name] = group
    return {side: {"mean_metrics": _weighted(own), "regions": list(own)} for side, own in members.items()}


def printed_table(both: Mapping[str, Mapping[str, Any]], protocol: Protocol) -> dict[str, Statistics]:
    """Return the few columns upstream prints for each side."""
    names = {name: name for name in _PRINTED} | (_PRINTED_GRID if protocol.accuracy_grid else {})
    names |= {name: name for name in ("total_samples", "num_regions")}
    return {
        side: {name: one["mean_metrics"].get(source, _ABSENT.get(name, math.nan)) for name, source in names.items()}
        for side, one in both.items()
    }


def _weighted(groups: Mapping[str, Statistics]) -> Statistics:
    found: Statistics = {}
    if not groups:
        return found
    for name in next(iter(groups.values())):
        if name != "num_samples":
            valid = [(group[name], group["num_samples"]) for group in groups.values() if math.isfinite(group[name])]
            weights = sum(weight for _, weight in valid)
            found[name] = sum(value * weight for value, weight in valid) / weights if weights else math.nan
    total = sum(group["num_samples"] for group in groups.values())
    return found | {"total_samples": total, "num_regions": len(groups)}
