"""Format the headroom for the terminal: facts, a table for each task, findings in words, and the next command."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Group as Stack
from rich.console import RenderableType

from medvision_agent.api.counterfactuals import Counterfactual
from medvision_agent.cli.printed.table import new_table, plain
from medvision_agent.eval.headroom.steps import REPLAYED, Step
from medvision_agent.eval.headroom.summary import Headroom, StepMean
from medvision_agent.eval.headroom.words import ASSUMED
from medvision_agent.eval.parts.summary import PartMean
from medvision_agent.eval.tasks import TaskName
from medvision_agent.text import counted, fixed, percent, plural

__all__ = ["counterfactual_view", "next_lines"]

_SHOWN = 12
"""Maximum number of structures of a task that are printed."""
_KEY = (
    "prior: the best constant answer of the other subjects; both: the true points and exact arithmetic; convention "
    "ceiling: an exact measurement at the true places; difference: from as answered, below 0 is better; bounds: the "
    "loss whatever the answers that are not decomposed were made of"
)
_ALONE = (Step.ANSWERED, Step.ARITHMETIC, Step.POINTS, Step.BOTH)


def counterfactual_view(found: Counterfactual) -> Stack:
    """Return the printed counterfactuals (losses with exact steps) of one model, at most 100 columns wide."""
    what = "what the same answers would score, without a call to a model (docs/counterfactual.md)"
    lines = [*found.facts, f"answers read by {found.protocol}; {what}"]
    blocks: list[RenderableType] = [plain(line) for line in lines]
    for task, one in found.tasks.items():
        blocks += ["", *_task(task, one, found.labels[task])]
    return Stack(*blocks, "", *map(plain, [_KEY, "", *found.headline, f"assumed: {ASSUMED}"]))


def next_lines(paths: Sequence[Path], out: Path | None) -> list[str]:
    """Return a line with the commands to use next on *paths*; *out* is the folder of written tables, if any."""
    given = shlex.join(map(str, paths))
    more = [] if out else [f"medvision-agent counterfactual {given} --out DIR"]
    return [f"next: {'; '.join([f'medvision-agent why {given}', *more])}"]


def _task(task: TaskName, one: Headroom, labels: Mapping[str, Headroom]) -> list[RenderableType]:
    """Return the blocks of one task: a heading, its losses in each step, those of its structures, and notes."""
    heading = plain(
        f"{task}: {plural(one.n, 'sample')} of {plural(one.subjects, 'subject')}; success rate "
        f"{percent(one.success_rate)}; {one.states} state coordinates, {one.decomposed} decomposed"
    )
    heading.stylize("bold")
    table = new_table(("loss", "95% interval", "difference", "95% interval", "bounds"))
    for step, mean in one.steps.items():
        if step in REPLAYED and not one.decomposed:
            continue  # nothing is known of it: its loss would be that of the answers, with a difference of 0
        name = f"{step}" if mean.n == one.n else f"{step} (n {mean.n})"
        table.add_row(name, *_cells(mean))
    blocks: list[RenderableType] = [heading, table]
    notes = [f"not decomposed: {counted(one.reasons)}"] if one.reasons else []
    notes += [f"points from: {counted(one.sources)}"] if one.sources else []
    notes += [f"no intervals: {one.withheld}"] if one.withheld else []
    if len(labels) > 1:
        blocks.append(_labels(labels))
        left = len(labels) - _SHOWN
        notes += [f"{plural(left, 'more structure')}: in --json and --out"] if left > 0 else []
    return [*blocks, *map(plain, notes)]


def _labels(labels: Mapping[str, Headroom]) -> RenderableType:
    """Return the table of losses by structure, the first twelve of them."""
    heads = ("n", "subjects", "success rate", "decomposed", *_ALONE)
    table = new_table(heads, ("structure",))
    for name, one in list(labels.items())[:_SHOWN]:
        counts = (str(one.n), str(one.subjects or "-"), percent(one.success_rate), str(one.decomposed))
        table.add_row(plain(name), *counts, *(_loss(one, step) for step in _ALONE))
    return table


def _loss(one: Headroom, step: Step) -> str:
    """Return the mean loss in a step for a table cell; ``-`` if no answer could be decomposed."""
    known = one.decomposed or step is Step.ANSWERED
    return fixed(one.steps[step].loss.mean, 3) if known else "-"


def _cells(mean: StepMean) -> tuple[str, ...]:
    """Return the table cells of a step: loss, its interval, difference from the answers as given, interval, bounds."""
    change = mean.difference
    return (
        fixed(mean.loss.mean, 3),
        _ends(mean.loss, sign=False),
        "" if change is None else fixed(change.mean, 3, sign=True),
        "" if change is None else _ends(change, sign=True),
        "" if mean.bounds is None else " to ".join(fixed(end, 3) for end in mean.bounds),
    )


def _ends(mean: PartMean, *, sign: bool) -> str:
    """Return a 95% interval for a table cell; ``-`` without one."""
    return "-" if mean.interval is None else " to ".join(fixed(end, 3, sign=sign) for end in mean.interval)
