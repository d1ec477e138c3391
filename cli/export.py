"""``medvision-agent export``: a stored run as MedVision's own result files."""

from datetime import datetime
from pathlib import Path

import click

__all__ = ["command"]


@click.command("export")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="Folder of results.")
def command(run: Path, out: Path) -> None:
    """Write RUN as MedVision's result files, which its own parser and summaries read.

    Each kind of task gets a folder: DIR/Detection/MODEL, DIR/TL/MODEL, DIR/AD/MODEL. Start MedVision's parser in the
    data folder: the names of the images in the files begin there. RUN itself is not changed.
    """
    from medvision_agent.eval.results.export import export_run
    from medvision_agent.eval.store.read import open_run

    stored = open_run(run)
    done = export_run(stored.records, str(stored.identity["model_name"]), out, datetime.now().astimezone())
    unfinished = len(stored.samples) - len(stored.records)
    for folder in done.folders:
        click.echo(f"written: {folder}")
    click.echo(f"{done.samples} samples, {done.empty} of them without an answer (an empty response)")
    if done.left_out or unfinished:
        click.echo(f"left out: {done.left_out} infrastructure failures, {unfinished} samples not finished")
