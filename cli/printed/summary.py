"""Print the summary of a run or of other answers: compact tables, or strict JSON.

Contract: no mean is printed without its n, and no task without its success rate and number of subjects. Text from
runs (tool names are what a model wrote) is printed as plain characters, never as markup or terminal control.
"""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

import click
from rich.console import Group

from medvision_agent.cli.printed.ending import ending
from medvision_agent.cli.printed.place import place_lines
from medvision_agent.cli.printed.results import section_view
from medvision_agent.cli.printed.table import measured, new_table, number, people, plain, show
from medvision_agent.eval.place.summary import TaskPlace
from medvision_agent.eval.scorer.protocol import scored_by
from medvision_agent.eval.summary.measures import MEASURES
from medvision_agent.eval.summary.summary import Cost, Effort, Mean, Summary, TaskSummary
from medvision_agent.eval.tasks import TaskName
from medvision_agent.text import counted, percent, plural, printable

if TYPE_CHECKING:
    from medvision_agent.api.scoring import AnswerScore, RunScore

__all__ = ["print_answers", "print_summary", "summary_view"]


_CONVENTIONS = {
    "edge": "edge-accurate targets",
    "inclusive-index": "MedVision's inclusive-index targets (boxes one pixel short in each direction)",
}


def summary_view(
    summary: Summary,
    facts: Sequence[str],
    source_note: str,
    places: Mapping[TaskName, TaskPlace] = MappingProxyType({}),
) -> Group:
    """Return the printed summary of a run, under the facts of the run and the note of its source.

    *places* says for each task where in the image its answers were measured.
    """
    targets = "; ".join(
        f"{plural(count, 'sample')} with {_CONVENTIONS[name]}" for name, count in summary.conventions.items()
    )
    left_out = plural(summary.infrastructure, "infrastructure failure")
    failed = f", {left_out} left out" if summary.infrastructure else ""
    rules = scored_by(summary.protocol, summary.tasks)
    lines = [*facts, f"scored by {rules}: {plural(summary.n, 'sample')}, {people(summary)}{failed}"]
    lines += [line for line in (targets, source_note) if line]
    # Synthetic images have an exact ground truth; the source's note says that they are not medical images.
    doubts = {name: count for name, count in summary.marks.items() if name != "synthetic"}
    if doubts:
        lines.append(f"ground truth to be read with care: {counted(doubts)}")
    blocks = [block for task, one in summary.tasks.items() for block in ("", _task_view(task, one, places.get(task)))]
    return Group(*map(plain, lines), *blocks)


def _task_view(task: TaskName, summary: TaskSummary, place: TaskPlace | None) -> Group:
    """Return the blocks of one task: a heading, a table of means with n, and notes."""
    measures = MEASURES[task]
    means = [summary.metrics[measure.name] for measure in measures]
    table = new_table(("mean", "n"))
    for measure, mean in zip(measures, means, strict=True):
        name = f"{measure.name} ({measure.unit})" if measure.unit else measure.name
        table.add_row(name, measured(mean.mean, measure), str(mean.n))
    rate = f" ({percent(summary.parsed / summary.n)})" if summary.n else ""
    parsed = f"{plural(summary.parsed, 'answer')} parsed{rate}"
    heading = plain(f"{task}: {plural(summary.n, 'sample')}, {people(summary)}, {parsed}")
    heading.stylize("bold")
    # "answered" is how the conversation ended; the parser decides whether the text holds an answer.
    endings = {"replied with text" if name == "answered" else name: count for name, count in summary.outcomes.items()}
    notes = [f"endings: {counted(endings)}; parsed as an answer: {summary.parsed}; forced to answer: {summary.forced}"]
    if summary.infrastructure:
        notes.append(f"infrastructure failures, not scored: {counted(summary.infrastructure)}")
    notes += place_lines(place) if place else []
    notes += [_reference_line(name, means, task) for name, means in summary.references.items()]
    notes += [_effort_line(summary.effort), *_tool_lines(summary.effort), _cost_line(summary.cost)]
    return Group(heading, table, *map(plain, notes))


def _reference_line(name: str, means: Mapping[str, Mean], task: TaskName) -> str:
    """Return the figures of a reference, such as the best constant answer, in one line; all have the same n."""
    known = {measure.name: measure for measure in MEASURES[task]}
    figures = ", ".join(
        f"{one} {measured(mean.mean, known[one]) if one in known else number(mean.mean)}" for one, mean in means.items()
    )
    return f"{name}, n {max((mean.n for mean in means.values()), default=0)}: {figures}"


def _effort_line(effort: Effort) -> str:
    """Return the mean time, tokens, turns, tool calls and images of a sample in one line, each with its n."""
    line = (
        f"per sample: {_with_n(effort.seconds, '.1f', 's')}, {_with_n(effort.input_tokens, ',.0f', 'tokens in')}, "
        f"{_with_n(effort.output_tokens, ',.0f', 'tokens out')}, {_with_n(effort.turns, '.2f', 'turns')}, "
        f"{_with_n(effort.tool_calls, '.2f', 'tool calls')}, {_with_n(effort.pictures, '.2f', 'images')}"
    )
    return f"{line}; usage unreported for {plural(effort.unreported, 'sample')}" if effort.unreported else line


def _tool_lines(effort: Effort) -> list[str]:
    """Return a line with the mean number of calls of each tool, as a list; empty if no tool was called."""
    if not effort.tools:
        return []
    tools = (f"{name} {use.per_sample:.2f} ({use.failed} of {use.calls} failed)" for name, use in effort.tools.items())
    return [f"tool calls per sample: {', '.join(tools)}"]


def _cost_line(cost: Cost) -> str:
    """Return the cost in US dollars in one line, with what it leaves out."""
    if cost.usd is None:
        return "cost: unknown (no prices given)"
    missing = f"; too low for {plural(cost.incomplete, 'sample')} with unreported usage" if cost.incomplete else ""
    return f"cost: {cost.usd:.4f} US dollars for {plural(cost.n, 'sample')}{missing}"


def _with_n(mean: Mean, form: str, what: str) -> str:
    """Return a mean in the format *form* with its unit and its n."""
    return f"{'-' if mean.mean is None else format(mean.mean, form)} {what} (n {mean.n})"


def print_summary(score: "RunScore", *, as_json: bool, asked: bool = False) -> None:
    """Print the summary of a run as tables or strict JSON; the tables are followed by MedVision's group summaries.

    With *asked* (the run was asked just now), a sentence, a line for each task and the next command come last.
    """
    if score.note:
        click.echo(printable(score.note), err=True)
    if as_json:
        click.echo(json.dumps(score.to_json(), indent=2, allow_nan=False))
        return
    run = score.run
    facts = [line for line in run.facts if not asked or line != run.unlike_check]  # which is then printed at the end
    show(summary_view(score.summary, [*score.no_claim, *facts], run.source_note, score.places))
    for section in score.groups:
        show(section_view(section.summary))
    if asked:
        show(ending(run, score.summary, score.places))
    else:
        click.echo(f"stored in {run.folder}")


def print_answers(score: "AnswerScore", *, as_json: bool) -> None:
    """Print the summaries of result files as tables or JSON, and remarks about the files on standard error."""
    for note in score.notes:
        click.echo(f"note: {printable(note)}", err=True)
    if as_json:
        click.echo(json.dumps(score.to_json(), indent=2, allow_nan=False))
        return
    for section in score.sections:
        show(section_view(section.summary))
