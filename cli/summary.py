"""Printing a run's summary, the same way wherever it is asked for."""

import json

import click

from medvision_agent.errors import DataError
from medvision_agent.eval.results.run import run_sections
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.summary.summary import summarise
from medvision_agent.text import printable

__all__ = ["print_summary"]


def print_summary(run: Run, protocol: Protocol, *, as_json: bool) -> None:
    """Print the summary of *run* by *protocol* as tables, or as strict JSON.

    A run over MedVision's data has MedVision's own group summaries too, under the key ``medvision`` by family.
    """
    summary = summarise(run.records, protocol)
    try:
        found, note = run_sections(run.records, protocol), ""
    except DataError as error:
        found, note = [], f"no group summaries of MedVision: {error}"
    if note:
        click.echo(printable(note), err=True)
    if as_json:
        facts = {
            "run": str(run.folder),
            "facts": run.facts,
            "source_note": run.source_note,
            "identity": run.identity.plain(),
            "superseded_attempts": len(run.superseded),
            "spent_usd": run.spent_usd,
            "summary": summary.model_dump(mode="json"),
        }
        if found:
            facts["medvision"] = {section.batch.family: section.summary for section in found}
        click.echo(json.dumps(facts, indent=2, allow_nan=False))
        return
    from medvision_agent.cli.printed.results import section_view
    from medvision_agent.cli.printed.summary import summary_view
    from medvision_agent.cli.printed.table import show

    show(summary_view(summary, run.facts, run.source_note))
    for section in found:
        show(section_view(section.summary))
    click.echo(f"stored in {run.folder}")
