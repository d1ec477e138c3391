"""``medvision-agent report``: stored runs and studies as one page."""

from pathlib import Path
from typing import Literal

import click

from medvision_agent.cli.options import DECLARED_PROTOCOL, reader_options
from medvision_agent.text import plural, printable

__all__ = ["command"]


@click.command("report")
@click.argument("folders", metavar="RUN|STUDY|RESULTS...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File for the page. Default: report.html (report.md with --format md) in the folder of a single run or study, "
    "else in the current folder.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["html", "md"]),
    help="Format of the page. Default: md if the name of --out ends in .md or .markdown, else html.",
)
@click.option(
    "--tables",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Also write all tables (CSV and LaTeX) and all figures (SVG and PDF) into this folder, and the tables of "
    "`medvision-agent published`. With this option, MedVision's result files (RESULTS) may be given beside runs.",
)
@click.option(
    "--viewer",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Link rows and figures of the HTML page to the viewer in this folder (`view --bundle`). It is written if it "
    "is missing, or shows other runs or an earlier state of these.",
)
@click.option(
    "--pictures",
    default=6,
    show_default=True,
    type=click.IntRange(0, 100),
    help="Maximum number of samples whose images are shown for each contrast.",
)
@click.option(
    "--protocol",
    "protocol_name",
    help=f"{DECLARED_PROTOCOL}.",
)
@click.option(
    "--decision-rules",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="YAML file of your own decision rules, instead of the shipped rules (docs/decisions.md).",
)
@reader_options
def command(
    *,
    folders: tuple[Path, ...],
    out: Path | None,
    form: Literal["html", "md"] | None,
    tables: Path | None,
    viewer: Path | None,
    pictures: int,
    protocol_name: str | None,
    decision_rules: Path | None,
    reader: str | None,
    models_file: str | None,
    reader_max_cost: float | None,
) -> None:
    """Write the results of runs and studies as one file that needs no network: the answer, the caveats, the details.

    Runs of one model over the same samples are compared if they differ only in their tools. Only contrasts of a study
    are tested for significance, because it declares them beforehand. RESULTS is a folder of MedVision's result files,
    which appear only in --tables. Only --reader asks a model; readings that are stored are shown without it. An
    existing file is overwritten.
    """
    from medvision_agent.api.scoring import is_answers
    from medvision_agent.api.writing import report

    if reader is None and (models_file is not None or reader_max_cost is not None):
        raise click.UsageError("--models-file and --reader-max-cost need --reader; give --reader too")
    done = report(
        folders,
        out,
        format=form,
        tables=tables,
        pictures=pictures,
        protocol=protocol_name,
        viewer=viewer,
        decision_rules=decision_rules,
        reader=reader,
        models_file=models_file,
        reader_max_cost=reader_max_cost,
    )
    click.echo(f"written: {done.page}")
    for folder in folders:
        if not is_answers(folder):
            _say_if_unfinished(folder)
    if tables is not None:
        click.echo(f"written: {done.tables} tables, each as CSV and LaTeX, in {tables}")
        click.echo(f"written: {done.figures} figures, each as SVG and PDF, in {tables}")
    if viewer is not None:
        bundle = done.bundle
        size = (
            "it is of these runs already"
            if bundle is None
            else f"{plural(bundle.samples, 'sample')}, {bundle.size / 1e6:.1f} MB"
        )
        click.echo(f"{'kept' if bundle is None else 'written'}: the viewer's bundle in {viewer}, {size}")


def _say_if_unfinished(folder: Path) -> None:
    """Print on the error stream that the page shows only part of an unfinished run or study."""
    from medvision_agent.eval.listing.read import stored
    from medvision_agent.eval.store.read import STUDY

    row = stored(folder, "study" if (folder / STUDY).is_file() else "run", str(folder))
    if row.state not in {"running", "unfinished"}:
        return
    state = "is still being written" if row.state == "running" else "is not finished"
    then = "once it is finished" if row.state == "running" else "after going on with --resume"
    if row.kind == "study":
        then = then.replace("--resume", "`ablate` and the same --out")
    done = f"the page shows {row.done:,} of {plural(row.planned, 'sample')}"
    click.echo(printable(f"{folder} {state}: {done}; write it again {then}"), err=True)
