"""``medvision-agent data`` for MedVision's own folder: overview, and the published table."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medvision_agent.cli.sampling import reading_with, selection_with

if TYPE_CHECKING:
    from medvision_agent.eval.data.medvision.survey import Survey

__all__ = ["facts_of", "print_overview", "print_published", "print_rows"]


def print_overview(data: str, **options: Any) -> None:
    """Print the configurations that the options select with their counts, and the cases that cannot be read."""
    from medvision_agent.cli.printed.table import print_wrapped
    from medvision_agent.eval.data.medvision.source import MedVisionSource, Reading
    from medvision_agent.eval.data.medvision.survey import Survey
    from medvision_agent.eval.data.selection import Selection

    selection = selection_with(Selection(), options)
    source = MedVisionSource(Path(data.removeprefix("medvision:")), reading_with(Reading(), options))
    survey = Survey(source, selection.takes_config, lambda _: None)
    survey.run()
    print_rows(survey, masks_too=selection.asks_masks)
    print_wrapped(source.info.note)
    for problem in survey.problems:
        print_wrapped(f"broken: {problem}")


def print_published(*, as_json: bool) -> None:
    """Print the datasets that MedVision publishes with their numbers of samples, as tables or JSON."""
    from medvision_agent.cli.printed.table import print_wrapped
    from medvision_agent.eval.published.datasets import published_datasets, release_rows

    table = published_datasets()
    if as_json:
        click.echo(json.dumps(table, indent=1, ensure_ascii=False))
        return
    print_wrapped(table["title"])
    total = {"dataset": "total"} | table["total"]
    _print_table(table["datasets"] + [total])
    print_wrapped(table["note"])
    releases = table["releases"]
    print_wrapped(releases["title"])
    for rows in release_rows(releases):
        _print_table(rows)
    for name, total in releases["totals"].items():
        print_wrapped(f"{name}: {total['datasets']} datasets, {total['single']:,} / {total['all']:,}")
    print_wrapped(releases["note"])
    print_wrapped(f"Source: {releases['source']}")


def facts_of(survey: "Survey") -> list[dict[str, Any]]:
    """Return a row for each configuration: its name, version, and numbers of cases, subjects and samples."""
    return [
        {
            "configuration": row.config,
            "version": row.version,
            "cases": row.cases,
            "broken": row.broken,
            "subjects": len(row.subjects),
            "samples": row.counter.doc_id,
            "in plan": row.counter.key,
        }
        for row in survey.rows.values()
    ]


def print_rows(survey: "Survey", *, masks_too: bool = False) -> None:
    """Print a row of counts for each configuration, and the total of samples and subjects.

    Samples of masks are in the total only if *masks_too*, or if there are no others.
    """
    rows = facts_of(survey)
    if rows:
        _print_table(rows)
    # Masks are asked only by name, and configurations with only distances or angles repeat others.
    usual = [row for config, row in survey.rows.items() if config.whole == config and config.family != "MaskSize"]
    masks = [row for config, row in survey.rows.items() if config.family == "MaskSize"]
    counted = (usual + masks if masks_too else usual) or list(survey.rows.values())
    samples = sum(row.counter.doc_id for row in counted)
    subjects = len(set[str]().union(*(row.subjects for row in counted)))
    click.echo(f"{len(rows)} configurations; {samples} different samples of {subjects} subjects.")


def _print_table(rows: list[dict[str, Any]]) -> None:
    """Print rows with the same keys as columns, with the keys as heads."""
    from medvision_agent.cli.printed.table import print_columns

    columns = list(rows[0])
    print_columns([[row.get(column, "") for column in columns] for row in rows], columns)
