"""Format a row of a listing for the terminal: two or three lines, wrapped."""

from collections.abc import Iterator, Sequence

from rich.padding import Padding
from rich.text import Text

from medvision_agent.cli.printed.table import number, plain, show
from medvision_agent.eval.listing.row import ArmFigures, Listed
from medvision_agent.text import percent, plural

__all__ = ["print_listed"]

_SHOWN = 4
"""Maximum number of models, arms or sources that are named."""


def print_listed(row: Listed, *, cells: bool, indent: int = 0) -> None:
    """Print a run or a study in a few lines; with *cells*, also the runs of a study below it.

    *indent* is a number of blanks before each line.
    """
    name = plain(f"{row.name}  {row.kind}, {row.state}, {row.done:,} of {plural(row.planned, 'sample')}")
    name.stylize("bold", 0, len(row.name))
    _show(name, indent)
    for line in (_asked(row), *_arms(row), _found(row), row.problem):
        if line:
            _show(plain(line), indent + 4)
    for cell in row.cells if cells else ():
        print_listed(cell, cells=False, indent=indent + 4)


def _show(line: Text, indent: int) -> None:
    show(Padding(line, (0, 0, 0, indent), expand=False))


def _asked(row: Listed) -> str:
    """Return what was asked: models, tools (of a study: arms) and data; empty if unknown."""
    if not row.models:
        return ""
    arms = f"arms {_some(row.conditions)}" if row.kind == "study" else f"tools {_some(row.conditions)}"
    return f"{_some(row.models)}; {arms}; data {_some(row.data)}"


def _some(names: Sequence[str]) -> str:
    """Return up to four names, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _arms(row: Listed) -> Iterator[str]:
    """Yield the losses of the first arms of a study, a line for each model and source."""
    groups = list(dict.fromkeys((one.model, one.source) for one in row.arms))
    several = len(row.data) > 1
    for model, source in groups[:_SHOWN]:
        own = [one for one in row.arms if (one.model, one.source) == (model, source)]
        more = f"; {len(own) - _SHOWN} more arms with --cells" if len(own) > _SHOWN else ""
        where = f" on {source}" if several else ""
        yield f"{model}{where}, loss over all tasks: {', '.join(map(_arm, own[:_SHOWN]))}{more}"
    if len(groups) > _SHOWN:
        yield f"{len(groups) - _SHOWN} more of these with --cells"


def _arm(one: ArmFigures) -> str:
    """Return an arm with its loss, n and success rate in words."""
    if one.figures is None:
        return f"{one.arm} nothing scored yet"
    runs = f" in {one.runs} runs" if one.runs > 1 else ""
    rate = percent(one.figures.success_rate)
    return f"{one.arm} {number(one.figures.loss)} (n {one.figures.scored:,}{runs}, success rate {rate})"


def _found(row: Listed) -> str:
    """Return loss, success rate and cost in one line; empty if none is known."""
    parts = []
    if (found := row.overall) is not None:
        over = f" over {plural(len(row.tasks), 'task')}" if len(row.tasks) > 1 else f" in {next(iter(row.tasks))}"
        rate = f"success rate {percent(found.success_rate)}"
        parts.append(
            f"loss {number(found.loss)}{over}, {rate} (n {found.scored:,}, {plural(found.subjects, 'subject')})"
        )
    if row.cost_usd is not None:
        parts.append(f"cost {row.cost_usd:.4f} US dollars")
    return "; ".join(parts)
