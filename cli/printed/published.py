"""The published results as a person reads them: each part of a table with the run's own line below."""

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from medvision_agent.api.comparing import BesidePublished
from medvision_agent.cli.printed.table import new_table, plain
from medvision_agent.eval.results.published import Figures

__all__ = ["published_view"]


def published_view(found: BesidePublished) -> Group:
    """Return the parts the run has figures for, under its facts and what is not the same."""
    run, published = found.run, found.published
    facts = [*run.facts, f"scored by {found.protocol.name}", *([run.source_note] if run.source_note else [])]
    scored = sum(not record.outcome.infrastructure for record in run.records)
    blocks: list[RenderableType] = [plain(line) for line in facts]
    blocks.append(Text("NOT THE SAME in this run and in the published results:", style="bold"))
    blocks += [plain(f"  {line}") for line in found.differences]
    for table in published["tables"]:
        blocks += _parts(table, found.figures.get(table["family"], {}), run.identity.model_name)
    counted = sum(part.n for own in found.figures.values() for part in own.values())
    if counted < scored:
        why = "groups of fewer than 50 boxes, data sets or samples that MedVision's summaries leave out"
        blocks += [plain(""), plain(f"{scored - counted} of {scored} scored samples are in none of its figures: {why}")]
    blocks.append(plain(f"Source: {published['source']}"))
    return Group(*blocks)


def _parts(table: Mapping[str, Any], own: Mapping[str, Figures], model: str) -> list[RenderableType]:
    blocks: list[RenderableType] = []
    for part in table["parts"]:
        heading = plain(f"{table['title']}, {part}")
        heading.stylize("bold")
        if part in own and own[part].n:
            blocks += [plain(""), heading, _part(table, part, own[part], model), plain(table["note"])]
        else:
            blocks += [plain(""), heading, plain("the run has no figure for it")]
    return blocks


def _part(table: Mapping[str, Any], part: str, own: Figures, model: str) -> Table:
    view = new_table([*table["columns"], "n"])
    for row in table["rows"]:
        view.add_row(plain(row["model"]), *row["figures"][part], "not stated")
    view.add_section()
    values = (own.values[column] for column in table["columns"])
    cells = ("-" if value is None else f"{value:.1f}" for value in values)
    view.add_row(plain(f"this run: {model}"), *cells, str(own.n))
    return view
