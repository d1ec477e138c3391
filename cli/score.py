"""``medvision-agent score``: score stored answers again, by either protocol: a run's, or answers made elsewhere."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from medvision_agent.errors import ConfigError
from medvision_agent.eval.scorer.protocol import DEFAULT_PROTOCOL, PROTOCOLS, Protocol, protocol
from medvision_agent.text import printable

__all__ = ["command"]


@click.command("score")
@click.argument("source", metavar="RUN|FILE|DIR", type=click.Path(path_type=Path))
@click.option("--protocol", "protocol_name", default=DEFAULT_PROTOCOL, show_default=True, help=", ".join(PROTOCOLS))
@click.option("--samples", type=click.Path(path_type=Path), metavar="OUT.jsonl", help="Write one JSON line per sample.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.option("--boxsize", is_flag=True, help="FILE, DIR: also by the size of the target box.")
@click.option(
    "--removed-samples",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="FILE, DIR: leave the listed lesions out of the groups (medvision-1.2).",
)
@click.option(
    "--numpy1", is_flag=True, help="FILE, DIR: angles and distances as MedVision computes them under NumPy 1."
)
@click.option(
    "--plans",
    type=click.Path(path_type=Path),
    metavar="DIR|FILE.json",
    help="FILE, DIR: names of labels and modalities, from MedVision's data folder or a JSON file of tasks.",
)
def command(
    *,
    source: Path,
    protocol_name: str,
    samples: Path | None,
    as_json: bool,
    boxsize: bool,
    removed_samples: Path | None,
    numpy1: bool,
    plans: Path | None,
) -> None:
    """Score stored answers again. Nothing is asked of a model, and what is stored is not changed.

    RUN is the folder of a run, FILE.jsonl[.gz] holds records in the form of MedVision's sample files, and DIR is a
    folder of MedVision results of one model.
    """
    from medvision_agent.eval.results.folder import has_results
    from medvision_agent.eval.store.files import DATABASE

    rules = protocol(protocol_name)
    if source.is_file() or (source.is_dir() and not (source / DATABASE).is_file() and has_results(source)):
        rules = replace(rules, numpy1=numpy1)
        _score_answers(source, rules, samples, plans, removed_samples, as_json=as_json, box_sizes=boxsize)
        return
    for name, given in {
        "boxsize": boxsize,
        "removed-samples": removed_samples,
        "numpy1": numpy1,
        "plans": plans,
    }.items():
        if given:
            raise ConfigError(f"--{name} is for MedVision's result files; {source} is no such file or folder")
    _score_run(source, rules, samples, as_json=as_json)


def _score_answers(
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
            _write_lines(samples, (line for one in found for line in sample_lines(one)))
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


def _score_run(run: Path, rules: Protocol, samples: Path | None, *, as_json: bool) -> None:
    from medvision_agent.cli.summary import print_summary
    from medvision_agent.eval.store.read import open_run
    from medvision_agent.eval.summary.rows import sample_row

    stored = open_run(run)
    if samples is not None:
        _write_lines(samples, [sample_row(record, rules) for record in stored.records])
    print_summary(stored, rules, as_json=as_json)


def _write_lines(file: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write one line of strict JSON per row; ConfigError where the file cannot be written."""
    try:
        with file.open("w", encoding="utf-8") as lines:
            lines.writelines(json.dumps(row, allow_nan=False) + "\n" for row in rows)
    except OSError as error:
        raise ConfigError(f"--samples {file} cannot be written: {error.strerror}") from error
