"""Summary lines of a model: over groups of sizes, angles and distances, families of these, and anatomy or lesion boxes.

Contract: groups are weighted by all their samples, failures included. If every answer of a group failed, upstream's two
types of line treat the group differently, and both are kept: a group of sizes is left out of the line, including its
success rate; a group of angles or distances adds nothing to the sum of errors but its samples to the divisor, so that
failing a whole group lowers the error. The group averages exclude such a group from both. Use the figures of ``sound``
for conclusions.

Detection sets anatomy against tumours and lesions. Groups named miscellaneous or others, and groups of fewer than 50
samples, are left out. Each value is weighted by all samples of its group, so MAE is weighted by failures too.

Source: MedVision's summaries, both versions.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from medvision_agent.eval.scorer.medvision.statistics import Statistics
from medvision_agent.eval.scorer.protocol import Protocol

__all__ = ["SIDES", "group_averages", "landmark_line", "lesion_line", "printed_table", "sides"]


_TOLERANCES = ("MRE<0.1", "MRE<0.2", "MRE<0.3")
_MEMBERS: dict[str, Callable[[str], bool]] = {
    "FeTA-Distance": lambda group: group.startswith("FeTA24_distance"),
    "Ceph-Angle": lambda group: group.startswith("Ceph-Biometrics-400_angle"),
    "Ceph-Distance": lambda group: group.startswith("Ceph-Biometrics-400_distance"),
    "Distance": lambda group: "_distance_" in group,
    # Only angles of one data set, whatever the name suggests.
    "Angle": lambda group: group.startswith("Ceph-Biometrics-400_angle"),
}


def lesion_line(groups: Mapping[str, Statistics], protocol: Protocol) -> dict[str, Any]:
    """Return a model's summary line over groups of sizes, with each group's statistics under ``labels``.

    *groups* holds the statistics of each group by name (``statistics.error_statistics``).
    """
    kept = {name: group for name, group in groups.items() if not math.isnan(group["avgMRE"])}
    labels = {name: _cells(group, ("mae", "mre", "nmae", "sr"), protocol) for name, group in kept.items()}
    return _line(kept, labels, protocol, nmae_count=True)


def landmark_line(groups: Mapping[str, Statistics], protocol: Protocol) -> dict[str, Any]:
    """Return a model's summary line over groups of angles and distances, with each group's statistics under ``labels``.

    *groups* holds the statistics of each group by name (``statistics.error_statistics``).
    """
    labels = {
        name: _cells(group, ("MAE", "MRE", "nMAE", "SR"), protocol) | {"task_type": "A/D"}
        for name, group in groups.items()
    }
    return _line(groups, labels, protocol, nmae_count=False)


def group_averages(groups: Mapping[str, Statistics], protocol: Protocol) -> dict[str, Statistics]:
    """Return MedVision's averages over families of groups, such as ``FeTA-Distance``, by the family's name.

    *groups* holds the statistics of each group of angles or distances. A value is NaN if no group defines it.
    """
    keys = {"MAE": "avgMAE", "MRE": "avgMRE"} | ({"nMAE": "avgNMAE"} if protocol.nmae else {}) | {"SR": "SuccessRate"}
    keys |= {name: name for name in _TOLERANCES}
    found = {}
    for average in protocol.averages:
        own = [group for name, group in groups.items() if _MEMBERS[average](name)]
        found[average] = {name: _divide(_sum(own, key), _weights(own, key)) for name, key in keys.items()}
        found[average]["samples"] = sum(group["num_samples"] for group in own)
    return found


def _line(
    groups: Mapping[str, Statistics], labels: Mapping[str, Any], protocol: Protocol, *, nmae_count: bool
) -> dict[str, Any]:
    """Return a summary line: sums and averages over groups, each group weighted by its number of samples.

    *labels* is put into the line unchanged; *nmae_count* adds the weight of nMAE to it.
    """
    own = groups.values()
    total = sum(group["num_samples"] for group in own)
    line: dict[str, Any] = {"labels": labels, "total_samples": total}
    for name, key in (("mae", "avgMAE"), ("mre", "avgMRE"), ("sr", "SuccessRate")):
        line |= _sum_and_average(name, _sum(own, key), total)
    if protocol.nmae:
        weights = _weights(own, "avgNMAE")
        line |= _sum_and_average("nmae", _sum(own, "avgNMAE"), weights)
        line |= {"weighted_nmae_count": weights} if nmae_count else {}
    return line | {f"weighted_{name.lower()}": _divide(_sum(own, name), total) for name in _TOLERANCES}


def _cells(group: Statistics, names: tuple[str, str, str, str], protocol: Protocol) -> dict[str, Any]:
    mae, mre, nmae, rate = names
    cells = {mae: group["avgMAE"], mre: group["avgMRE"], rate: group["SuccessRate"], "samples": group["num_samples"]}
    if protocol.nmae:
        cells[nmae] = group["avgNMAE"]
    return cells | {name: group[name] for name in _TOLERANCES}


def _sum_and_average(name: str, total: float, weights: float) -> Statistics:
    return {f"weighted_sum_{name}": total, f"weighted_avg_{name}": _divide(total, weights)}


def _sum(groups: Iterable[Statistics], key: str) -> float:
    return sum((group[key] * group["num_samples"] for group in groups if not math.isnan(group[key])), 0.0)


def _weights(groups: Iterable[Statistics], key: str) -> float:
    return sum(group["num_samples"] for group in groups if not math.isnan(group[key]))


def _divide(total: float, weights: float) -> float:
    return total / weights if weights else math.nan


SIDES = ("anatomy", "T/L")
_EXCLUDED = ("miscellaneous", "others")
_LESIONS = ("tumor", "lesion", "metastatic")
_MINIMUM = 50
_PRINTED = ("Recall", "Precision", "F1", "IoU", "SuccessRate", "IoU>0.5", "F1>0.5")
_PRINTED_GRID = {"AccIoU_50": "Acc@IoU>=0.50", "AccIoU_75": "Acc@IoU>=0.75", "AccIoU_mean": "Acc@IoU[0.50:0.95]"}

_ABSENT = {"total_samples": 0, "num_regions": 0}


def sides(groups: Mapping[str, Statistics]) -> dict[str, dict[str, Any]]:
    """Return, for ``anatomy`` and ``T/L`` (lesions), the weighted means of their groups of boxes, and the groups.

    The means are empty if no group has at least 50 samples; the groups are given by name.
    """
    members: dict[str, dict[str, Statistics]] = {side: {} for side in SIDES}
    for name, group in groups.items():
        lower = name.lower()
        if group["num_samples"] >= _MINIMUM and not any(word in lower for word in _EXCLUDED):
            members["T/L" if any(word in lower for word in _LESIONS) else "anatomy"][name] = group
    return {side: {"mean_metrics": _weighted(own), "regions": list(own)} for side, own in members.items()}


def printed_table(both: Mapping[str, Mapping[str, Any]], protocol: Protocol) -> dict[str, Statistics]:
    """Return the columns that upstream prints, for each of the two results of ``sides``; NaN if undefined."""
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
