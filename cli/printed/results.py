"""Format a section: MedVision's groups and lines first, then this package's figures under their own heading.

Contract: no mean without its n. Names from files are printed as plain characters.
"""

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table

from medvision_agent.cli.printed.table import new_table, number, plain
from medvision_agent.text import counted, percent

__all__ = ["section_view"]

_COUNTS = {"num_samples": "n", "SuccessRate": "SR"}
_BOX_COLUMNS = _COUNTS | {"IoU": "IoU", "IoU>0.5": "IoU>0.5", "F1": "F1", "avgMAE": "MAE"}
_ERROR_COLUMNS = _COUNTS | {"avgMAE": "MAE", "avgMRE": "MRE", "avgNMAE": "nMAE", "MRE<0.1": "MRE<0.1"}
_ERROR_COLUMNS |= {"MRE<0.2": "MRE<0.2", "MRE<0.3": "MRE<0.3"}
_LINE = {"MAE": "mae", "MRE": "mre", "nMAE": "nmae", "SR": "sr"}
_SHARES = ("SR", "SuccessRate", "success_rate", "IoU", "AccIoU", "F1", "Precision", "Recall", "MRE", "avgMRE")
"""How names of rates, overlaps and relative errors begin; they are printed in per cent, as MedVision publishes them."""
_FAMILIES = {"Detection": "detection", "TL": "tumour/lesion size", "AD": "angles and distances"}


def section_view(summary: Mapping[str, Any]) -> Group:
    """Return the printed summary of one family of MedVision's tasks; *summary* is as in ``score --json``."""
    ours = summary["medvision_agent"]
    boxes = summary["task_type"] == "Detection"
    heading = plain(f"{_FAMILIES[summary['task_type']]}: {summary['n_inputs']} samples, by {ours['protocol']}")
    heading.stylize("bold")
    groups = summary["groups"] or {"all samples (no groups)": ours["all_samples"]}
    blocks: list[RenderableType] = [heading, _groups(groups, _BOX_COLUMNS if boxes else _ERROR_COLUMNS)]
    blocks += [_averages(summary["printed_table"])] if boxes else _model_line(summary["aggregate"])
    if summary.get("group_averages"):
        blocks.append(_averages(summary["group_averages"]))
    if "boxsize" in summary:
        blocks.append(_groups(summary["boxsize"]["per_boxImgRatio"], _BOX_COLUMNS))
    blocks += [
        plain(""),
        plain("Not MedVision's figures, but ours (each sample counts the same):"),
        _sound(ours["sound"]),
    ]
    if boxes:
        blocks.append(plain(_ceiling(ours["convention_ceiling"])))
    if ours["left_out"]:
        blocks.append(plain(f"samples in no group above: {counted(ours['left_out'])}"))
    return Group(*blocks, *(plain(f"note: {note}") for note in ours["notes"]))


def _groups(groups: Mapping[str, Mapping[str, Any]], columns: Mapping[str, str]) -> Table:
    """Return a table with a row for each group, of the *columns* that all groups have."""
    shown = [name for name in columns if all(name in group for group in groups.values())]
    table = new_table(columns[name] for name in shown)
    for name, group in groups.items():
        table.add_row(plain(name), *(_cell(group[column], column) for column in shown))
    return table


def _averages(averages: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return a table with a column for each average, and a row for each measure."""
    table = new_table(averages)
    for name in next(iter(averages.values()), {}):
        table.add_row(name, *(_cell(average[name], name) for average in averages.values()))
    return table


def _model_line(aggregate: Mapping[str, Any]) -> list[RenderableType]:
    """Return MedVision's line over all groups, as a list of one."""
    if not aggregate["total_samples"]:
        return [plain("MedVision's line over all groups: none, no group has a valid answer")]
    cells = {name: aggregate.get(f"weighted_avg_{key}") for name, key in _LINE.items()}
    cells |= {f"MRE<0.{k}": aggregate[f"weighted_mre<0.{k}"] for k in (1, 2, 3)}
    text = ", ".join(f"{name} {_cell(value, name)}" for name, value in cells.items() if value is not None)
    return [plain(f"MedVision's line over all groups (n {aggregate['total_samples']}): {text}")]


def _sound(figures: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return a table of this package's own figures, each with its n."""
    table = new_table(["mean", "n"])
    for name, figure in figures.items():
        table.add_row(name, _cell(figure["mean"], name), _cell(figure["n"]))
    return table


def _ceiling(figures: Mapping[str, Any]) -> str:
    """Return in words what boxes at the true edges would score against MedVision's targets (one pixel short)."""
    if not figures["n"]:
        return "convention ceiling: unknown, no row has the size of its image"
    return (
        f"convention ceiling (boxes at the true edges, against targets one pixel short; n {figures['n']}): "
        f"{', '.join(f'{name} {percent(figures[name])}' for name in ('IoU', 'IoU>=0.75', 'IoU>=0.9'))}"
    )


def _cell(value: Any, name: str = "") -> str:
    """Return a value for a table cell: in per cent where *name* is that of a rate, an overlap or a relative error."""
    if isinstance(value, str | int):
        return str(value)
    return percent(value) if value is not None and name.startswith(_SHARES) else number(value)
