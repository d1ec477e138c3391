"""A section as a person reads it: MedVision's groups and lines first, ours after them under a heading that says so.

Contract: no mean without its n. Names from files are printed as plain characters.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from medvision_agent.cli.printed.table import number, plain
from medvision_agent.text import counted

__all__ = ["section_view"]

_COUNTS = {"num_samples": "n", "SuccessRate": "SR"}
_BOX_COLUMNS = _COUNTS | {"IoU": "IoU", "IoU>0.5": "IoU>0.5", "F1": "F1", "avgMAE": "MAE"}
_ERROR_COLUMNS = _COUNTS | {"avgMAE": "MAE", "avgMRE": "MRE", "avgNMAE": "nMAE", "MRE<0.1": "MRE<0.1"}
_ERROR_COLUMNS |= {"MRE<0.2": "MRE<0.2", "MRE<0.3": "MRE<0.3"}
_LINE = {"MAE": "mae", "MRE": "mre", "nMAE": "nmae", "SR": "sr"}
_FAMILIES = {"Detection": "detection", "TL": "tumour/lesion size", "AD": "angles and distances"}


def section_view(summary: Mapping[str, Any]) -> Group:
    """Return the summary of one family as tables."""
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
    shown = [name for name in columns if all(name in group for group in groups.values())]
    table = _table(columns[name] for name in shown)
    for name, group in groups.items():
        table.add_row(plain(name), *(_cell(group[column]) for column in shown))
    return table


def _averages(averages: Mapping[str, Mapping[str, Any]]) -> Table:
    table = _table(averages)
    for name in next(iter(averages.values()), {}):
        table.add_row(name, *(_cell(average[name]) for average in averages.values()))
    return table


def _table(columns: Iterable[str]) -> Table:
    # Long names of groups fold; a number is never cut.
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 0, 0, 1), show_edge=False)
    table.add_column("", overflow="fold")
    for column in columns:
        table.add_column(Text(column), justify="right", no_wrap=True, min_width=len(column))
    return table


def _model_line(aggregate: Mapping[str, Any]) -> list[RenderableType]:
    if not aggregate["total_samples"]:
        return [plain("MedVision's line over all groups: none, no group has a valid answer")]
    cells = {name: aggregate.get(f"weighted_avg_{key}") for name, key in _LINE.items()}
    cells |= {f"MRE<0.{k}": aggregate[f"weighted_mre<0.{k}"] for k in (1, 2, 3)}
    text = ", ".join(f"{name} {_cell(value)}" for name, value in cells.items() if value is not None)
    return [plain(f"MedVision's line over all groups (n {aggregate['total_samples']}): {text}")]


def _sound(figures: Mapping[str, Mapping[str, Any]]) -> Table:
    table = _table(["mean", "n"])
    for name, figure in figures.items():
        table.add_row(name, _cell(figure["mean"]), _cell(figure["n"]))
    return table


def _ceiling(figures: Mapping[str, Any]) -> str:
    if not figures["n"]:
        return "convention ceiling: unknown, no row has the size of its image"
    return (
        f"convention ceiling (boxes at the true edges, against targets one pixel short; n {figures['n']}): "
        f"IoU {figures['IoU']:.4f}, IoU>=0.75 {figures['IoU>=0.75']:.4f}, IoU>=0.9 {figures['IoU>=0.9']:.4f}"
    )


def _cell(value: Any) -> str:
    return str(value) if isinstance(value, str | int) else number(value)
