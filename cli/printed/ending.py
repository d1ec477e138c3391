"""The last lines that ``run`` prints: one sentence, a line for each task, and the next command."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table

from medvision_agent.cli.printed.table import measured, new_table, number, plain
from medvision_agent.eval.listing.siblings import other_arms
from medvision_agent.eval.place.summary import TaskPlace
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.summary.measures import MEASURES
from medvision_agent.eval.summary.summary import Summary, TaskSummary
from medvision_agent.eval.tasks import TaskName
from medvision_agent.text import percent, plural

__all__ = ["ending"]


def ending(run: Run, summary: Summary, places: Mapping[TaskName, TaskPlace]) -> Group:
    """Return the last lines that ``run`` prints: a sentence, a line for each task, the folder and the next command.

    *places* says where in the image the answers of each task were measured.
    """
    blocks: list[RenderableType] = [plain(""), plain(_sentence(run, summary))]
    if summary.n:
        blocks.append(_table(summary, places))
    if run.unlike_check:
        blocks.append(plain(run.unlike_check))
    return Group(*blocks, *map(plain, _next(run)))


def _sentence(run: Run, summary: Summary) -> str:
    """Return the success rate and the mean loss in one sentence (a perfect answer has loss 0, a failed one 1)."""
    who = f"{run.identity.model_name} with tools {run.identity.condition}"
    if not summary.n:
        return f"{who} has no scored sample yet."
    parsed = sum(task.parsed for task in summary.tasks.values())
    answered = (
        f"gave a readable answer to {parsed} of {plural(summary.n, 'scored sample')} ({percent(parsed / summary.n)})"
    )
    losses = {name: loss for name, task in summary.tasks.items() if (loss := _loss(task)) is not None}
    best, worst = min(losses, key=losses.__getitem__), max(losses, key=losses.__getitem__)
    if len(losses) == 1:
        mean = f"its mean loss is {losses[best]:.3f} ({best})"
    else:
        mean = f"its mean loss is {losses[best]:.3f} ({best}) to {losses[worst]:.3f} ({worst})"
    left = f"; {plural(summary.infrastructure, 'sample')} ended without a result" if summary.infrastructure else ""
    return f"{who} {answered}; {mean}, where 0 is perfect and a failed answer costs 1{left}."


def _loss(task: TaskSummary) -> float | None:
    """Return the mean loss of a task; None without a scored sample."""
    return task.metrics["loss"].mean if task.n else None


def _table(summary: Summary, places: Mapping[TaskName, TaskPlace]) -> Table:
    """Return a table with n, subjects, success rate, loss, and answers in the right place, a row for each task."""
    table = new_table(("n", "subjects", "success rate", "loss", "in the right place"), ("task",))
    for name, task in summary.tasks.items():
        rate, place = task.metrics["success_rate"].mean, places.get(name)
        success = next(measure for measure in MEASURES[name] if measure.name == "success_rate")
        located = "-" if place is None or not place.share.n else f"{place.right} of {place.share.n}"
        cells = (str(task.n), str(task.subjects), measured(rate, success), number(_loss(task)), located)
        table.add_row(plain(name), *cells)
    return table


def _next(run: Run) -> Sequence[str]:
    """Return the run's folder and, if no sample is left to ask, the next command."""
    stored = f"stored in {run.folder}"
    if run.pending():
        return [stored]
    if run.identity.model.get("replay"):  # a replay has only one tool
        return [stored, f"next: {_command('score', run.folder)}"]
    beside = other_arms(run)
    arms = {run.identity.condition: run.folder, **{condition: row.folder for condition, row in beside.items()}}
    off = arms.pop("off", None)
    if off is None or not arms:
        tools = "off" if off is None else "on"
        out = _free(run.folder.with_name(f"{run.folder.name}-tools-{tools}"))
        return [stored, f"next: {_command('rerun', run.folder, '--tools', tools, '--out', out)}"]
    left = [f"{row.folder} has {row.done:,} of {row.planned:,} samples" for row in beside.values() if not row.whole]
    once = f" (once all are finished; {'; '.join(left)})" if left else ""
    return [stored, f"next{once}: {_command('compare' if len(arms) == 1 else 'report', off, *arms.values())}"]


def _command(*words: object) -> str:
    """Return a line of the shell that runs ``medvision-agent`` with these words."""
    return f"medvision-agent {shlex.join(map(str, words))}"


def _free(folder: Path) -> Path:
    """Return *folder*, or the same name with a number added if it exists already."""
    names = (folder, *(folder.with_name(f"{folder.name}-{number}") for number in range(2, 100)))
    return next((name for name in names if not name.exists()), folder)
