"""``medvision-agent runs``: list the runs and studies of a folder with progress, loss and cost."""

from pathlib import Path

import click

from medvision_agent.cli.options import DECLARED_PROTOCOL
from medvision_agent.text import plural, printable

__all__ = ["command"]


@click.command("runs")
@click.argument("folder", type=click.Path(path_type=Path), default=".")
@click.option("--cells", is_flag=True, help="List the runs of each study too.")
@click.option(
    "--loss/--no-loss",
    default=True,
    show_default=True,
    help="Print the mean loss, for which stored answers are scored. This takes longer the first time.",
)
@click.option("--protocol", "protocol_name", help=f"{DECLARED_PROTOCOL}.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line, all fields.")
def command(folder: Path, protocol_name: str | None, *, cells: bool, loss: bool, as_json: bool) -> None:
    """List the runs and studies in FOLDER (default: the current folder) and in its subfolders, down to six levels.

    For a study, the loss of both arms of its primary contrast is shown, for each model and over all tasks.

    States: running, unfinished (--resume would ask samples), finished, damaged, unreadable. Damage is found by the
    number of records and, when the loss is computed, by their hashes; `verify` checks everything. The loss of a run is
    stored in its folder (figures-cache.json, safe to delete) and used as long as the run is unchanged.
    """
    from medvision_agent.cli.printed.listing import print_listed
    from medvision_agent.eval.listing.read import listed, scored
    from medvision_agent.eval.scorer.protocol import protocol

    rules = protocol(protocol_name) if protocol_name is not None else None
    counts = {"run": 0, "study": 0}
    for row in listed(folder):
        found = scored(row, rules) if loss else row
        counts[row.kind] += 1
        if as_json:
            click.echo(found.model_dump_json())
        else:
            print_listed(found, cells=cells)
    if not as_json:
        found_here = f"{plural(counts['run'], 'run')} and {plural(counts['study'], 'study', 'studies')}"
        click.echo(printable(f"{found_here} in {folder}"))
