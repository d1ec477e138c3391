"""``medvision-agent data``: view samples with their ground truth, and write them in the documented formats."""

import json
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medvision_agent.cli import data_import
from medvision_agent.cli.data_check import check
from medvision_agent.cli.data_medvision import print_overview, print_published
from medvision_agent.cli.sampling import data_option, reading_options, reading_with, sample_options, selection_with
from medvision_agent.errors import StorageError
from medvision_agent.quantity import ANGLE_DEG

if TYPE_CHECKING:
    from medvision_agent.eval.data.sample import Sample
    from medvision_agent.eval.data.samples import Samples
    from medvision_agent.eval.data.source import Source

__all__ = ["command"]

_FORCE = click.option("--force", is_flag=True, help="Overwrite --out if it exists.")


_PIPED_WIDTH = 180
"""Width in characters of lines written to a file or another program."""


@click.group()
def command() -> None:
    """List, show, check, import and export samples."""


command.add_command(check)
command.add_command(data_import.command)


@command.command(name="list")
@sample_options
@click.option(
    "--samples",
    "each",
    is_flag=True,
    help="List every sample of MedVision's data, instead of the configurations. Other data are always listed by "
    "sample.",
)
@click.option(
    "--published",
    is_flag=True,
    help="Print the datasets that MedVision publishes (its Table 1), instead of the samples of --data.",
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print every sample as JSON, one per line, with all fields; with --published: the datasets as JSON.",
)
def list_samples(each: bool, published: bool, as_json: bool, **options: Any) -> None:
    """List samples with their targets; of MedVision's data, the configurations and the broken cases."""
    if published:
        print_published(as_json=as_json)
        return
    if options["data"].startswith("medvision:") and not (each or as_json):
        print_overview(**options)
        return
    source, samples = _selected(**options)
    if as_json:
        from medvision_agent.eval.data.sources.framed import in_one_frame, size_of

        for sample in samples:
            fields = in_one_frame(sample, partial(size_of, source, sample))
            click.echo(json.dumps(sample.model_dump(mode="json") | fields, ensure_ascii=False, separators=(",", ":")))
        return
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Column, Table

    from medvision_agent.cli.printed.table import plain, print_wrapped

    # An id must stay copyable: it is never broken over lines, and nothing is cut.
    others = (Column(name, overflow="fold") for name in ("task", "asked", "target", "subject", "marks"))
    table = Table(Column("id", no_wrap=True, overflow="fold"), *others, box=SIMPLE, pad_edge=False)
    for sample in samples:
        # Text from files is never read as rich's markup, and never controls the terminal.
        cells = (sample.id, sample.task, _asked(sample), _target(sample), sample.subject, _marks(sample))
        table.add_row(*map(plain, cells))
    Console(width=None if sys.stdout.isatty() else _PIPED_WIDTH).print(table)
    counts = Counter(sample.task for sample in samples)
    per_task = ", ".join(f"{count} {task}" for task, count in counts.items())
    subjects = len({sample.subject for sample in samples})
    print_wrapped(f"{len(samples)} samples of {subjects} subjects: {per_task or 'none'}.")
    print_wrapped(source.info.note)


@command.command()
@click.argument("sample_id", metavar="ID")
@data_option
@reading_options
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="PNG file for the drawing.")
@_FORCE
def show(sample_id: str, data: str, out: Path, force: bool, **options: Any) -> None:
    """Draw the ground truth of one sample on its enlarged image, and print the sample's data."""
    from medvision_agent.cli.printed.table import print_wrapped
    from medvision_agent.eval.asking.recipe import recipe_named
    from medvision_agent.eval.data.medvision.source import Reading
    from medvision_agent.eval.data.selection import find_sample
    from medvision_agent.eval.data.sources import open_source
    from medvision_agent.eval.data.truth import draw_truth
    from medvision_agent.tools.view.png import encode_png

    if out.exists() and not force:
        raise StorageError(f"--out {out}: the file exists already; choose another name, or overwrite it with --force")
    source = open_source(data, reading_with(Reading(), options))
    sample = find_sample(source, sample_id)
    native = source.load(sample)
    shown = recipe_named("medvision-1.2").slice_of(native, sample)
    try:
        out.write_bytes(encode_png(draw_truth(shown, sample)))
    except OSError as error:
        raise StorageError(f"--out {out}: the drawing cannot be written ({error.strerror})") from None
    height, width = native.values.shape
    for name, value in [*_facts(sample, width, height), ("units", native.units)]:
        print_wrapped(f"{name:12} {value}", hanging=13)
    print_wrapped(f"{'drawn in':12} {out}", hanging=13)


@command.command()
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A new folder, or a new FILE.parquet.")
@sample_options
@_FORCE
def export(out: Path, force: bool, **options: Any) -> None:
    """Write samples as a folder (samples.jsonl and images/) or as one Parquet file that includes the images.

    To use the samples, give --data the file samples.jsonl of the folder, or the Parquet file. docs/data.md describes
    the format.
    """
    from medvision_agent.eval.data.sources.export import export as write

    source, samples = _selected(**options)
    write(source, samples, out, force=force)
    again = out if out.suffix == ".parquet" else out / "samples.jsonl"
    click.echo(f"{len(samples)} samples in {out}; use them with: --data {again}")


def _selected(data: str, **options: Any) -> "tuple[Source, Samples]":
    """Return the source of samples, and the samples in it that the options select."""
    from medvision_agent.eval.data.medvision.source import Reading
    from medvision_agent.eval.data.selection import Selection, select
    from medvision_agent.eval.data.sources import open_source

    selection = selection_with(Selection(), options)
    source = open_source(data, reading_with(Reading(), options))
    return source, select(source, selection)


def _asked(sample: "Sample") -> str:
    """Return what a sample asks about: its structure, or the names of its landmarks."""
    if sample.label:
        return sample.label
    lines = [" - ".join(pair) for pair in zip(sample.landmarks[::2], sample.landmarks[1::2], strict=True)]
    return " / ".join(lines)


def _target(sample: "Sample") -> str:
    """Return the ground truth in words: corners of a box as fractions of the image, or numbers with their unit."""
    asked = sample.asks
    if asked.is_box:
        return ", ".join(f"{number:.3f}" for number in sample.target)
    unit = "°" if asked.quantity == ANGLE_DEG else asked.unit_after
    return " x ".join(f"{number:.2f}" for number in sample.target) + unit


def _marks(sample: "Sample") -> str:
    """Return the names of a sample's marks (silver, derived or synthetic data), joined by commas."""
    return ", ".join(name for name, is_set in sample.marks.model_dump().items() if is_set)


def _facts(sample: "Sample", width: int, height: int) -> list[tuple[str, Any]]:
    """Return the facts about a sample that are known, each with its name; *width* and *height* are in pixels."""
    size = sample.pixel_size
    facts = [
        ("id", sample.id),
        ("task", sample.task),
        ("asked", _asked(sample)),
        ("target", _target(sample)),
        ("convention", _CONVENTIONS[sample.convention] if sample.asks.is_box else ""),
        ("picture", f"{width} x {height} px; one pixel is {size.width_mm:g} mm wide and {size.height_mm:g} mm high"),
        ("slice", f"{one.slice_idx} along axis {one.slice_dim} of {sample.image}" if (one := sample.volume) else ""),
        ("truth", "" if sample.truth_points or sample.asks.is_box else "no points given: nothing is drawn"),
        ("description", sample.description),
        ("modality", f"{sample.modality}, {sample.plane}"),
        ("subject", sample.subject),
        ("marks", _marks(sample)),
        ("annotator", sample.annotator),
        ("licence", sample.licence),
        ("source", sample.source),
    ]
    return [(name, value) for name, value in facts if value]


_CONVENTIONS = {
    "edge": "edge: the box lies at true pixel edges",
    "inclusive-index": "inclusive-index: the box is made of inclusive pixel indices, one pixel short in each direction",
}
