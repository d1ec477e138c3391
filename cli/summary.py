"""Printing scores, the same way wherever they are asked for: of a run, and of answers made elsewhere."""

import json
from typing import TYPE_CHECKING

import click

from medvision_agent.text import printable

if TYPE_CHECKING:
    from medvision_agent.api.scoring import AnswerScore, RunScore

__all__ = ["print_answers", "print_summary"]


def print_summary(score: "RunScore", *, as_json: bool) -> None:
    """Print the summary of a run as tables, or as strict JSON; MedVision's own group summaries come after ours."""
    if score.note:
        click.echo(printable(score.note), err=True)
    if as_json:
        click.echo(json.dumps(score.to_json(), indent=2, allow_nan=False))
        return
    from medvision_agent.cli.printed.results import section_view
    from medvision_agent.cli.printed.summary import summary_view
    from medvision_agent.cli.printed.table import show

    run = score.run
    show(summary_view(score.summary, [*score.no_claim, *run.facts], run.source_note))
    for section in score.groups:
        show(section_view(section.summary))
    click.echo(f"stored in {run.folder}")


def print_answers(score: "AnswerScore", *, as_json: bool) -> None:
    """Print the summaries of answers as tables or JSON; what is to be known about their files is on standard error."""
    for note in score.notes:
        click.echo(f"note: {printable(note)}", err=True)
    if as_json:
        click.echo(json.dumps(score.to_json(), indent=2, allow_nan=False))
        return
    from medvision_agent.cli.printed.results import section_view
    from medvision_agent.cli.printed.table import show

    for section in score.sections:
        show(section_view(section.summary))
