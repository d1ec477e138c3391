"""Format a comparison for the terminal: one table per task, or a run's figures below published results."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from medvision_agent.api.comparing import BesidePublished, Compared
from medvision_agent.cli.printed.found import found_lines, next_line
from medvision_agent.cli.printed.parts import compared_parts
from medvision_agent.cli.printed.place import gain_lines
from medvision_agent.cli.printed.table import measured, new_table, number, people, plain
from medvision_agent.eval.compare.card import Card
from medvision_agent.eval.compare.card_words import card_lines, limits_line
from medvision_agent.eval.compare.compare import Comparison, TaskComparison, Unpaired
from medvision_agent.eval.parts.compare import PartsComparison
from medvision_agent.eval.place.compare import PlaceComparison
from medvision_agent.eval.published.figures import PILOT, Figures, unit_of
from medvision_agent.eval.published.versions import Table as PublishedTable
from medvision_agent.eval.scorer.protocol import scored_by
from medvision_agent.eval.summary.measures import MEASURES
from medvision_agent.eval.tasks import TaskName
from medvision_agent.text import plural

__all__ = ["comparison_view", "paired_view", "published_view"]


def comparison_view(found: Compared, width: int) -> Group:
    """Return the printed comparison of two runs: their facts, a table for each task, and the findings at the end.

    The table of findings is no wider than *width* columns.
    """
    names = found.names
    facts = zip(names, (found.a.facts, found.b.facts), strict=True)
    lines = [*found.no_claim, *(f"{arm}: {fact}" for arm, own in facts for fact in own)]
    rules = scored_by(found.comparison.protocol, found.comparison.tasks)
    lines.append(f"scored by {rules}, paired on sample id; no test of significance")
    lines += [*card_lines(found.card), *([found.a.source_note] if found.a.source_note else [])]
    paired = paired_view(found.comparison, names, card=found.card, places=found.places, parts=found.parts)
    end = [*found_lines(found.findings, width), "", next_line(found.a.folder, found.b.folder)]
    return Group(*map(plain, lines), paired, plain(""), *map(plain, end))


def paired_view(
    comparison: Comparison,
    names: tuple[str, str],
    *,
    card: Card | None = None,
    places: Mapping[TaskName, PlaceComparison] = MappingProxyType({}),
    parts: Mapping[TaskName, PartsComparison] = MappingProxyType({}),
) -> Group:
    """Return a table for each task of two runs called *names*, and a warning if samples are not paired.

    *card* is what is proven about their parity (that they differ in their tools alone), *places* where in the image
    both runs measured, *parts* the parts of the difference in loss.
    """
    views: list[Text | Group] = []
    if comparison.pairs < comparison.chosen:
        verb = "is" if comparison.pairs == 1 else "are"
        warning = f"WARNING: {comparison.pairs} of {plural(comparison.chosen, 'chosen sample')} {verb} paired"
        views.append(Text(warning, style="bold"))
    for task, one in comparison.tasks.items():
        without = plain(f"{task}: no pairs; {_missing_line(one.missing, names)}")
        notes = [limits_line(card, task, names)] if card else []
        notes += gain_lines(places[task], names) if task in places else []
        views += [plain(""), _task_view(task, one, names, notes) if one.pairs else without]
        if (found := parts.get(task)) is not None:
            views.append(Group(*compared_parts(found, names)))
    return Group(*views)


def _task_view(task: TaskName, comparison: TaskComparison, names: tuple[str, str], more: Sequence[str]) -> Group:
    """Return the table of one task: the means of both runs, their difference and its n; *more* are lines below it."""
    table = new_table((*names, "difference", "n", "subjects"))
    for measure in MEASURES[task]:
        paired = comparison.metrics[measure.name]
        table.add_row(
            f"{measure.name} ({measure.unit})" if measure.unit else measure.name,
            measured(paired.a, measure),
            measured(paired.b, measure),
            measured(paired.difference, measure, sign=True),
            str(paired.n),
            str(paired.subjects),
        )
    heading = plain(f"{task}: {plural(comparison.pairs, 'pair')}, {people(comparison)}")
    heading.stylize("bold")
    notes = [*_parts_lines(comparison), _missing_line(comparison.missing, names), *more]
    return Group(heading, table, *map(plain, filter(None, notes)))


def _parts_lines(one: TaskComparison) -> list[str]:
    """Return lines with the declared loss, if any, and with the parts of its difference if an answer failed."""
    lines = [f"loss: {one.metric}"] if one.metric else []
    if one.missing.unparsable_a or one.missing.unparsable_b:
        parts = number(one.by_answers, sign=True), number(one.by_failures, sign=True)
        lines.append("of the difference in loss, {} comes from answers and {} from failures".format(*parts))
    if one.largest_price is not None:
        dear = number(one.largest_price, sign=True)
        lines.append(f"had failures cost as much as the worst answer, the difference in loss would be {dear}")
        if one.largest_price * (one.metrics["loss"].difference or 0.0) < 0:
            lines.append("NO VERDICT: the sign of the difference depends on the price of a failure")
    return lines


def _missing_line(missing: Unpaired, names: tuple[str, str]) -> str:
    """Return a line with how many samples are not paired and why, and how many are paired as failures."""
    a, b = names
    return (
        f"not paired: only in {a} {len(missing.only_in_a)}, only in {b} {len(missing.only_in_b)}, infrastructure "
        f"failure in {a} {len(missing.infrastructure_a)}, in {b} {len(missing.infrastructure_b)}; "
        f"paired as failures: {len(missing.unparsable_a)} in {a}, {len(missing.unparsable_b)} in {b}"
    )


def published_view(found: BesidePublished) -> Group:
    """Return the run's facts, the differences to the published experiment, and the tables with the run's figures."""
    run, published = found.run, found.published
    facts = [*run.facts, f"scored by {found.protocol.name}", *([run.source_note] if run.source_note else [])]
    scored = run.overview.scored
    blocks: list[RenderableType] = [plain(line) for line in facts]
    blocks.append(plain(f"published results: {published.name} ({published.title})"))
    blocks.append(Text("NOT THE SAME in this run and in the published results:", style="bold"))
    blocks += [plain(f"  {line}") for line in found.differences]
    for table in published.tables:
        blocks += _parts(table, found.figures.get(table.family, {}), run.identity.model_name)
    parts = (item for own in found.figures.values() for item in own.items())
    counted = sum(one.n for part, one in parts if part != PILOT)
    if counted < scored:
        why = "groups of fewer than 50 boxes, data sets or samples that MedVision's summaries leave out"
        blocks += [plain(""), plain(f"{scored - counted} of {scored} scored samples are in none of its figures: {why}")]
    blocks.append(plain(f"Source: {published.source}"))
    return Group(*blocks)


def _parts(table: PublishedTable, own: Mapping[str, Figures], model: str) -> list[RenderableType]:
    """Return a table for each part of a published table, with the run's figures *own* below the published ones."""
    blocks: list[RenderableType] = []
    for part in table.parts:
        heading = plain(f"{table.title}, {part}")
        heading.stylize("bold")
        if part in own and own[part].n:
            blocks += [plain(""), heading, _part(table, part, own[part], model), plain(table.note)]
        else:
            blocks += [plain(""), heading, plain("the run has no figure for it")]
    return blocks


def _part(table: PublishedTable, part: str, own: Figures, model: str) -> Table:
    """Return one part of a published table as a printed table, with the run's figures *own* in the last row."""
    units = [unit_of(column, part) for column in table.columns]
    heads = (name if unit == "%" else f"{name} ({unit})" for name, unit in zip(table.columns, units, strict=True))
    view = new_table([*heads, "n"])
    for row in table.rows:
        view.add_row(plain(row.model), *map(_in_unit, row.figures[part], units), table.parts[part] or "not stated")
    view.add_section()
    values = (own.values.get(column) for column in table.columns)
    cells = ("-" if value is None else f"{value:.1f}" for value in values)
    view.add_row(plain(f"this run: {model}"), *map(_in_unit, cells, units), str(own.n))
    return view


def _in_unit(figure: str, unit: str) -> str:
    """Return a figure with a per cent sign if that is its unit; a dash stays a dash, other units are in the heading."""
    return f"{figure}%" if unit == "%" and figure != "-" else figure
