"""Format the parts of the loss of one arm, and of the difference between two arms."""

from collections.abc import Mapping

from rich.console import RenderableType

from medvision_agent.cli.printed.table import new_table, number, plain
from medvision_agent.eval.parts.compare import PartsComparison, parts_sentence
from medvision_agent.eval.parts.replay import Cause
from medvision_agent.eval.parts.summary import PartMean, TaskParts
from medvision_agent.text import counted, percent, plural

__all__ = ["compared_parts", "labels_table", "parts_blocks"]


def parts_blocks(found: TaskParts) -> list[RenderableType]:
    """Return the parts of an arm's mean loss (by cause) with their intervals, and its answers by kind of error."""
    table = new_table(["mean", "95% interval"])
    table.add_row("loss", number(found.loss), "")
    for cause, part in found.parts.items():
        table.add_row(f"  {cause}", number(part.mean), _interval(part))
    if found.replays is not None:
        table.add_row(f"replay of {plural(found.replays.n, 'decomposed answer')}", "", "")
        for name, part in found.replays.losses.items():
            table.add_row(f"  loss {name}", number(part.mean), _interval(part))
    lines = [f"answers by what is wrong: {counted(found.kinds)}"]
    lines += [f"loss not decomposed: {counted(found.reasons)}"] if found.reasons else []
    lines += [f"no intervals of the parts: {found.withheld}"] if found.withheld else []
    return [table, *map(plain, lines)]


def labels_table(labels: Mapping[str, TaskParts]) -> RenderableType:
    """Return a table of mean loss and its parts by cause, a row for each structure."""
    causes = [
        cause for cause in Cause if any(cause in one.parts and one.parts[cause].mean != 0 for one in labels.values())
    ]
    table = new_table(["n", "subjects", "loss", *causes], ["structure"])
    table.columns[0].no_wrap = False
    for column in table.columns[1:]:  # long names of structures must not cut the figures
        column.min_width = max(6, *(len(word) for word in str(column.header).split()))
    for name, one in labels.items():
        parts = [number(one.parts[cause].mean if cause in one.parts else None) for cause in causes]
        table.add_row(plain(name), str(one.n), str(one.subjects or "-"), number(one.loss), *parts)
    return table


def compared_parts(found: PartsComparison, names: tuple[str, str]) -> list[RenderableType]:
    """Return the parts of the loss (by cause) of two arms called *names*, and of their difference.

    The difference is also put into a sentence where ``parts_sentence`` allows one.
    """
    table = new_table([*names, "difference", "95% interval"])
    table.add_row("loss", number(found.loss_a), number(found.loss_b), number(found.difference, sign=True), "")
    for cause, part in found.parts.items():
        a, b = (number(arm[cause].mean if cause in arm else 0.0) for arm in (found.a, found.b))
        table.add_row(f"  {cause}", a, b, number(part.mean, sign=True), _interval(part))
    said = parts_sentence(found, *names)
    lines = [said] if said else []
    if found.decomposed is None:
        lines.append("no pair differs in loss")
    else:
        lines.append(f"decomposed in both: {percent(found.decomposed)} of the summed sizes of the differences in loss")
    lines += [f"no intervals of the parts: {found.withheld}"] if found.withheld else []
    return [table, *map(plain, lines)]


def _interval(part: PartMean) -> str:
    """Return a 95% interval for a table cell; ``-`` without one."""
    return "-" if part.interval is None else " to ".join(number(end, sign=True) for end in part.interval)
