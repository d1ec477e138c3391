"""Scoring answers made elsewhere: printing what MedVision would print, and ours beside it."""

import json
from pathlib import Path

import click

from medvision_agent.cli.score import write_lines
from medvision_agent.errors import ConfigError
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.text import printable

__all__ = ["score_answers"]


def score_answers(
    source: Path,
    rules: Protocol,
    samples: Path | None,
    plans: Path | None,
    removed_samples: Path | None,
    *,
    as_json: bool,
    box_sizes: bool,
) -> None:
    """Print the summary of the answers in *source*; write one line per sample to the file *samples*.

    One family of tasks is printed as JSON in MedVision's shape, several as an object of these by family. What is to be
    said about the files goes to standard error too.
    """
    from medvision_agent.eval.results.load import load_answers, load_batches, without_collector
    from medvision_agent.eval.results.removed import read_removed
    from medvision_agent.eval.results.summary import sample_lines, section, sections

    if removed_samples is not None and not rules.removed_samples:
        raise ConfigError(f"--removed-samples: {rules.name} has no such filter")
    removed = read_removed(removed_samples) if removed_samples is not None else set()
    with without_collector():
        if samples is None and not removed and not box_sizes:
            batches, notes = load_batches(source, rules, plans)
            found = [section(batch, rules) for batch in batches]
        else:
            answers, notes = load_answers(source, rules, plans)
            found = sections(answers, rules, removed=removed, box_sizes=box_sizes)
        if samples is not None:
            write_lines(samples, (line for one in found for line in sample_lines(one)))
    for note in notes:
        click.echo(f"note: {printable(note)}", err=True)
    if as_json:
        for one in found:
            one.summary["medvision_agent"]["notes"] += notes
        by_family = {one.batch.family: one.summary for one in found}
        click.echo(json.dumps(by_family if len(found) > 1 else found[0].summary, indent=2, allow_nan=False))
        return
    from medvision_agent.cli.printed.results import section_view
    from medvision_agent.cli.printed.table import show

    for one in found:
        show(section_view(one.summary))
