"""``medvision-agent export``: stored runs as tables for other programs, or as MedVision's own result files."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from medvision_agent.cli.completing import complete_runs
from medvision_agent.cli.options import DECLARED_PROTOCOL
from medvision_agent.errors import ConfigError

if TYPE_CHECKING:
    from medvision_agent.eval.tables.write import Format

__all__ = ["command"]


_OUT = "New folder for the tables, or folder to which MedVision's result files of this model are added."


@click.command("export")
@click.argument("run", shell_complete=complete_runs, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help=_OUT)
@click.option(
    "--format",
    "form",
    type=click.Choice(("medvision", "parquet", "csv", "jsonl")),
    default="medvision",
    show_default=True,
    help="MedVision's result files (medvision), or tables of samples, turns and tool calls (parquet, csv, jsonl).",
)
@click.option("--protocol", "protocol_name", help=f"{DECLARED_PROTOCOL}. Only for tables.")
def command(run: Path, out: Path, form: "Literal['medvision'] | Format", protocol_name: str | None) -> None:
    """Write RUN for other programs, as MedVision's result files or as tables.

    For tables (parquet, csv, jsonl), RUN is any run, a study, or a folder of runs. They are DIR/samples.parquet,
    DIR/turns.parquet and DIR/tool_calls.parquet, and, if there are any, the tables of a second reader's readings and of
    reviewers' notes. docs/export.md describes every column.

    MedVision's own parser and summaries read its result files. For them, RUN is a run over MedVision's samples. Each
    kind of task gets a folder: DIR/Detection/MODEL, DIR/TL/MODEL, DIR/AD/MODEL. Start MedVision's parser in the data
    folder: paths of images in the files are relative to it. RUN itself is not changed.
    """
    from medvision_agent.api.writing import export, export_medvision

    if form != "medvision":
        for file, rows in export(run, out, form, protocol=protocol_name).items():
            click.echo(f"written: {file}, {rows} rows")
        return
    if protocol_name is not None:
        raise ConfigError(
            "--protocol needs --format parquet, csv or jsonl, because MedVision's result files have no scores; leave "
            "--protocol out, or give one of these formats"
        )
    done = export_medvision(run, out)
    for folder in done.files.folders:
        click.echo(f"written: {folder}")
    click.echo(f"{done.files.samples} samples, {done.files.empty} of them without an answer (an empty response)")
    if done.files.not_theirs:
        click.echo(f"left out: {done.files.not_theirs} samples of the task area, which MedVision's files do not have")
    if done.files.left_out or done.unfinished:
        left_out = f"{done.files.left_out} infrastructure failures, {done.unfinished} samples not finished"
        click.echo(f"left out: {left_out}")
