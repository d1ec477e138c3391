"""Use of tools: how often each tool was called in each arm, and how many of the calls failed."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from medvision_agent.eval.figures.arms import looks
from medvision_agent.eval.figures.figure import Figure, Panel
from medvision_agent.eval.figures.marks import interval, mark, rows, rows_height
from medvision_agent.eval.figures.style import INK, ROW, Look
from medvision_agent.text import percent, plural

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Use", "tool_use"]

_LANE = 0.14
"""Height of an arm within the row of a tool, in inches."""
_FAILED = Look(INK, "x")
_HOW = (
    "Calls per sample, the arms of a tool from top to bottom as named. At the right of each row: all its calls{failed}."
)
_CROSS = ", and the share of them that failed; a cross marks how many failed per sample"


class Use(NamedTuple):
    """How often one arm called one tool on one task: calls per sample, all calls, and failed calls."""

    per_sample: float
    calls: int
    failed: int
    href: str = ""
    """Link to the samples in which it was called."""
    failed_href: str = ""
    """Link to the samples in which a call failed."""


def tool_use(
    name: str, title: str, arms: Sequence[str], panels: Mapping[str, Mapping[str, Mapping[str, Use]]]
) -> Figure:
    """Return the figure of tool use: a panel for each task, with a row for each tool and a line for each arm.

    *name* is the file name and *title* the heading. *arms* are all arms of the chapter, which determine the colours.
    *panels* holds the use by task, arm and tool.
    """
    look = {arm: one for arm, one in looks(arms).items() if any(arm in own for own in panels.values())}
    failed = any(use.failed for task in panels.values() for own in task.values() for use in own.values())
    key = dict(look) | ({"failed calls": _FAILED} if failed else {})
    return Figure(
        name,
        title,
        _HOW.format(failed=_CROSS if failed else ""),
        tuple(_panel(task, own, look) for task, own in panels.items()),
        key,
    )


def _panel(task: str, arms: Mapping[str, Mapping[str, Use]], look: Mapping[str, Look]) -> Panel:
    tools = list(dict.fromkeys(tool for own in arms.values() for tool in own))
    lanes = _LANE * (len(arms) - 1)
    height = ROW + lanes

    def draw(axes: "Axes") -> None:
        names = [(tool, _note([own[tool] for own in arms.values() if tool in own])) for tool in tools]
        rows(axes, names, row=height, lanes=lanes)
        for row, tool in enumerate(tools):
            for lane, (arm, own) in enumerate(arms.items()):
                if (use := own.get(tool)) is None:
                    continue
                at = row + lane * _LANE / height
                interval(axes, (0, at), (use.per_sample, at), look[arm])
                mark(axes, use.per_sample, at, look[arm], href=use.href)
                if use.failed:
                    mark(axes, use.per_sample * use.failed / use.calls, at, _FAILED, href=use.failed_href)
        axes.set_xlim(left=0)
        axes.margins(x=0.08)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("calls per sample")

    words = "; ".join(f"{arm}: {', '.join(map(_said, own, own.values()))}" for arm, own in arms.items())
    uses = [(f"samples of {arm} with {tool}", use) for arm, own in arms.items() for tool, use in own.items()]
    links = {use.href: words for words, use in uses if use.href}
    links |= {use.failed_href: f"{words} and a failed call" for words, use in uses if use.failed and use.failed_href}
    return Panel(task, rows_height(len(tools), height), draw, f"Calls per sample. {words}.", links)


def _said(tool: str, use: Use) -> str:
    return f"{tool} {use.per_sample:.2f} ({use.failed} of {use.calls} failed)"


def _note(uses: Sequence[Use]) -> str:
    calls, failed = sum(use.calls for use in uses), sum(use.failed for use in uses)
    told = f"{percent(failed / calls)} of {plural(calls, 'call')} failed" if failed else plural(calls, "call")
    return f"{told} in {len(uses)} arms" if len(uses) > 1 else told
