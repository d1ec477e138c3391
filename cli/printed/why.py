"""Format the summary of ``why``: compact tables, at most 100 columns wide."""

from collections.abc import Callable, Mapping, Sequence

from rich.console import Group as Stack
from rich.console import RenderableType

from medvision_agent.cli.printed.parts import labels_table, parts_blocks
from medvision_agent.cli.printed.place import place_lines
from medvision_agent.cli.printed.table import new_table, number, plain
from medvision_agent.eval.parts.summary import TaskParts
from medvision_agent.eval.place.summary import TaskPlace
from medvision_agent.eval.summary.summary import Mean
from medvision_agent.eval.tasks import TASKS, TaskName
from medvision_agent.eval.why.behaviour import Behaviour
from medvision_agent.eval.why.summary import Group, Landmarks, Quantity, TaskWhy, WhySummary
from medvision_agent.text import counted, percent, plural

__all__ = ["why_view"]

_NAMES = ("error", "unit", "arithmetic", "seeing")


def why_view(
    summary: WhySummary,
    facts: Sequence[str],
    *,
    places: Mapping[TaskName, TaskPlace],
    parts: Mapping[TaskName, TaskParts],
    labels: Mapping[TaskName, Mapping[str, TaskParts]],
) -> Stack:
    """Return the printed summary of ``why``, under the facts of its run or files.

    *places* says for each task where its answers were measured, *parts* has the parts of its loss, *labels* the parts
    by structure.
    """
    lines = [
        *facts,
        f"answers read by {summary.protocol}: {plural(summary.n, 'sample')}",
        "the loss in parts: had the points, the arithmetic or the unit been right; the parts add up (docs/why.md)",
        "error = answer - target = unit + arithmetic + seeing; means over the numbers decomposed",
    ]
    if summary.solvers:
        lines.append(f"solver: {', '.join(summary.solvers)} returns the answer itself; figures with and without it")
    each = [
        _task(task, one, places.get(task), parts[task], labels.get(task, {})) for task, one in summary.tasks.items()
    ]
    return Stack(*map(plain, lines), *(block for one in each for block in ("", one)))


def _task(
    task: TaskName, why: TaskWhy, place: TaskPlace | None, parts: TaskParts, labels: Mapping[str, TaskParts]
) -> Stack:
    """Return the blocks of one task: the parts of its loss, its errors in parts, and notes."""
    unit = f", in {TASKS[task].quantity.unit}" if why.errors.quantities else ""
    heading = plain(f"{task}: {plural(why.n, 'sample')}{unit}")
    heading.stylize("bold")
    blocks: list[RenderableType] = [heading, *parts_blocks(parts)]
    if len(labels) > 1:
        blocks.append(labels_table(labels))
    taken_apart = {name: one for name, one in why.errors.quantities.items() if one.with_solver.n}
    if taken_apart:
        blocks.append(_errors(taken_apart))
    notes = [note for name, quantity in why.errors.quantities.items() for note in _sources(name, quantity)]
    notes += _landmarks("landmark error", why.errors.landmarks)
    if why.errors.landmarks != why.errors.landmarks_without_solver:
        notes += _landmarks("landmark error without the solver", why.errors.landmarks_without_solver)
    if (corners := why.errors.corners) is not None:
        notes.append(f"corner error: lower {_said(corners.lower_mm, 'mm')}, higher {_said(corners.higher_mm, 'mm')}")
    notes += place_lines(place) if place else []
    notes += _behaviour(why.behaviour) if why.behaviour else []
    return Stack(*blocks, *map(plain, notes))


def _errors(quantities: Mapping[str, Quantity]) -> RenderableType:
    """Return a table of the errors of each quantity in parts: unit, arithmetic and seeing."""
    table = new_table([*_NAMES, "n"])
    for name, quantity in quantities.items():
        _rows(table.add_row, name, quantity.with_solver)
        if quantity.with_solver != quantity.without_solver:
            _rows(table.add_row, f"{name}, no solver", quantity.without_solver)
    return table


def _sources(name: str, quantity: Quantity) -> list[str]:
    """Return lines on where the points of a quantity come from, and why some answers are not decomposed."""
    group, lines = quantity.with_solver, list[str]()
    if group.n:
        points = counted(group.sources)
        lines.append(f"{name}: points from {points}")
    if quantity.not_decomposed:
        lines.append(f"{name}: not decomposed: {counted(quantity.not_decomposed)}")
    return lines


def _rows(add: Callable[..., None], name: str, group: Group) -> None:
    """Add three rows for a quantity by *add*: mean error with sign, mean size, and size relative to the target."""
    parts = [group.error, group.unit, group.arithmetic, group.seeing]
    add(f"{name}: mean", *(number(part.signed.mean, sign=True) for part in parts), str(group.n))
    add("  mean size", *(number(part.absolute.mean) for part in parts), str(group.n))
    relative = [part.absolute_relative for part in parts]
    add("  relative to target", *(number(mean.mean) for mean in relative), str(relative[0].n))


def _landmarks(name: str, landmarks: Landmarks | None) -> list[str]:
    """Return a line with the distances of landmarks from the true ones in mm, as a list; empty for None."""
    if landmarks is None:
        return []
    swapped = f"; lines or axes swapped in {landmarks.swapped}" if landmarks.swapped else ""
    mean, largest = _said(landmarks.mean_mm, "mm"), _said(landmarks.largest_mm, "mm")
    return [f"{name}: mean {mean}, largest point {largest}{swapped}"]


def _behaviour(done: Behaviour) -> list[str]:
    """Return lines on how the model used its tools."""
    counts = f"invalid {done.invalid}, repeated {done.repeated}, over the limit {done.over_limit}"
    lines = [f"tool calls per sample: {_said(done.calls)}; {counts}"]
    for tool, use in done.tools.items():
        lines.append(
            f"  {tool}: {use.per_sample:.2f} per sample, in {plural(use.samples, 'sample')}; invalid {use.invalid}, "
            f"repeated {use.repeated}; {_said(use.seconds, 's')} per call"
        )
    lines.append(f"orders: {counted(done.orders)}")
    if done.calls.mean:
        lines.append(f"the last tool result is the answer: {_share(done.last_result_is_answer)}")
    if done.answered_before:
        lines.append(
            f"answered before the last tool call: {done.answered_before}; changed: {_share(done.changed)}; of these "
            f"closer: {_share(done.closer)}"
        )
    lines.append(
        f"per model call: {_said(done.input_tokens, 'tokens in')}, {_said(done.output_tokens, 'tokens out')}, "
        f"{_said(done.model_seconds, 's')}"
    )
    return lines


def _said(mean: Mean, unit: str = "") -> str:
    """Return a mean with two decimals, its unit and its n; ``-`` without a value."""
    value = "-" if mean.mean is None else f"{mean.mean:.2f}"
    return f"{value} {unit} (n {mean.n})" if unit else f"{value} (n {mean.n})"


def _share(mean: Mean) -> str:
    """Return a fraction in per cent with its n; ``-`` without a value."""
    return f"{'-' if mean.mean is None else percent(mean.mean)} (n {mean.n})"
