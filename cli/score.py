"""``medvision-agent score``: score the stored answers of a run or of result files by either protocol."""

import json
import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from medvision_agent.cli.completing import complete_runs
from medvision_agent.cli.options import protocol_option, reader_options
from medvision_agent.errors import ConfigError

__all__ = ["command"]

_FACTORS = {"MEDVISION_SCALED_PS_LOW": 0.5, "MEDVISION_SCALED_PS_HIGH": 3.0}
"""MedVision's environment variables for the range of scaled pixel sizes, with their defaults."""
_SAMPLES = "Write the numbers and the score of each sample into this file, as one line of JSON."
_PROCESSES = "RUN: number of processes, or of workers of a Ray cluster, that score."


@click.command("score")
@click.argument("source", shell_complete=complete_runs, metavar="RUN|FILE|DIR", type=click.Path(path_type=Path))
@protocol_option
@click.option("--samples", type=click.Path(path_type=Path), metavar="OUT.jsonl", help=_SAMPLES)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.option("--boxsize", is_flag=True, help="FILE, DIR: group boxes by the size of the target too.")
@click.option(
    "--removed-samples",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="FILE, DIR: leave out of the groups the lesions that this JSON file (or a folder of such files) lists. Only "
    "by medvision-1.2.",
)
@click.option(
    "--numpy1", is_flag=True, help="FILE, DIR: compute angles and distances as MedVision does under NumPy 1, not 2."
)
@click.option(
    "--scaled-pixel-size",
    metavar="LOW,HIGH",
    help="FILE, DIR of scaledPS tasks: the range of the factors of their pixel sizes, which the files do not state. "
    "Only by medvision-1.2. Default: MEDVISION_SCALED_PS_LOW and MEDVISION_SCALED_PS_HIGH if set, else 0.5,3.",
)
@click.option(
    "--plans",
    type=click.Path(path_type=Path),
    metavar="DIR|FILE.json",
    help="FILE, DIR: where to look up names of labels and modalities that the files lack. DIR is MedVision's data "
    "folder; FILE.json is a file of tasks.",
)
@reader_options
@click.option(
    "--readings",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="With --reader: file in which its readings are kept; those in it are not asked again. Default: "
    "readings.sqlite in the folder, or FILE.readings.sqlite.",
)
@click.option("--processes", type=click.IntRange(1, 256), default=1, show_default=True, help=_PROCESSES)
@click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="RUN: score in processes on this machine (local), or in workers of a Ray cluster that can read the run's "
    "folder (ray).",
)
@click.option("--address", help="RUN, with --engine ray: address of the Ray cluster, as for `run`.")
@click.pass_context
def command(
    context: click.Context,
    /,
    *,
    source: Path,
    protocol_name: str,
    samples: Path | None,
    as_json: bool,
    boxsize: bool,
    removed_samples: Path | None,
    numpy1: bool,
    scaled_pixel_size: str | None,
    plans: Path | None,
    reader: str | None,
    models_file: str | None,
    reader_max_cost: float | None,
    readings: str | None,
    processes: int,
    engine: str,
    address: str | None,
) -> None:
    """Score stored answers again. Nothing stored is changed, and only --reader asks a model.

    RUN is the folder of a run. FILE is a result file of MedVision (FILE.jsonl[.gz]), and DIR is a folder of such files
    of one model. An option whose help names one of these is for that alone. Exit code 1: the reader did not read all
    responses.
    """
    from medvision_agent.api.score_apart import Workers
    from medvision_agent.api.scoring import is_answers, score, score_answers

    _check(context.params, source, files=is_answers(source))
    if reader is not None:
        from medvision_agent.api.reading import read_responses
        from medvision_agent.cli.printed.reading import read_view
        from medvision_agent.cli.printed.table import show

        found = read_responses(
            source,
            reader,
            protocol=protocol_name,
            models_file=models_file,
            readings=readings,
            plans=plans,
            most_usd=reader_max_cost,
            progress=True,
        )
        _write_lines(samples, found.rows())
        if as_json:
            click.echo(json.dumps(found.to_json(), indent=2, allow_nan=False))
        else:
            show(read_view(found))
        context.exit(0 if found.whole else 1)
    from medvision_agent.cli.printed.summary import print_answers, print_summary

    if is_answers(source):
        answers = score_answers(
            source,
            protocol_name,
            keep=samples is not None,
            box_sizes=boxsize,
            removed_samples=removed_samples,
            numpy1=numpy1,
            scaled_pixel_size=_factors(scaled_pixel_size),
            plans=plans,
        )
        _write_lines(samples, answers.rows())
        print_answers(answers, as_json=as_json)
        return
    run = score(source, protocol_name, Workers(processes, engine, address))
    _write_lines(samples, run.rows())
    print_summary(run, as_json=as_json)


def _check(given: Mapping[str, Any], source: Path, *, files: bool) -> None:
    """Raise UsageError or ConfigError for options that do not fit together or do not fit the source."""
    of_reader = ("models_file", "reader_max_cost", "readings")
    of_groups = ("boxsize", "removed_samples", "numpy1", "scaled_pixel_size")
    alone, groups, plans = (
        [f"--{name.replace('_', '-')}" for name in names if given[name] not in {None, False}]
        for names in (of_reader, of_groups, ("plans",))
    )
    if alone and given["reader"] is None:
        raise click.UsageError(f"{alone[0]} needs --reader; give --reader too")
    if (groups or plans) and not files:
        option = [*groups, *plans][0]
        raise ConfigError(f"{option} is for MedVision's result files only; {source} is not one: leave {option} out")
    workers = given["processes"] > 1 or given["engine"] != "local"
    if workers and (files or given["reader"] is not None):
        raise click.UsageError("--processes and --engine are for scores of a RUN without --reader; leave them out")
    if given["address"] is not None and given["engine"] == "local":
        raise click.UsageError("--address needs --engine ray; give --engine ray too")
    if groups and given["reader"] is not None:
        raise click.UsageError(f"{groups[0]} changes MedVision's summary, which --reader does not show; leave it out")


def _factors(given: str | None) -> tuple[float, float]:
    """Return the lowest and the highest factor, from the text LOW,HIGH or, for None, from MedVision's variables.

    Raises ConfigError unless they are two numbers above 0, the lower one first.
    """
    words = given.split(",") if given is not None else [os.environ.get(name, own) for name, own in _FACTORS.items()]
    try:
        low, high = map(float, words)
    except ValueError:
        low = high = math.nan
    if not 0 < low <= high < math.inf:
        where = f"--scaled-pixel-size {given}" if given is not None else " and ".join(_FACTORS)
        raise ConfigError(f"{where}: expected two numbers above 0 (factors), the lower one first, such as 0.5,3")
    return low, high


def _write_lines(file: Path | None, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write one line of strict JSON per row into *file* (None: nothing); raises ConfigError if it cannot be written."""
    if file is None:
        return
    try:
        with file.open("w", encoding="utf-8") as lines:
            lines.writelines(json.dumps(row, allow_nan=False) + "\n" for row in rows)
    except OSError as error:
        raise ConfigError(f"--samples {file}: this file cannot be written ({error.strerror})") from error
