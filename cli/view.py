"""``medvision-agent view``: runs and studies in the browser, down to every turn of every conversation."""

from pathlib import Path

import click

from medvision_agent.eval.scorer.protocol import DEFAULT_PROTOCOL, PROTOCOLS

__all__ = ["command"]


@click.command("view")
@click.argument("folders", metavar="[RUN|STUDY|FOLDER]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="Port to listen on.  [default: a free one]")
@click.option("--no-browser", is_flag=True, help="Do not open the default browser.")
@click.option(
    "--protocol",
    "protocol_name",
    help=f"{', '.join(PROTOCOLS)}; default: what a study declared, else {DEFAULT_PROTOCOL}.",
)
def command(*, folders: tuple[Path, ...], port: int, no_browser: bool, protocol_name: str | None) -> None:
    """Look at stored runs and studies in the browser: tables, conversations, and what was measured on the images.

    Without arguments, at those in the current folder. Runs that are being written grow on the page. Only this machine
    is served, and only who has the address that is printed. Nothing stored is changed but the notes that you write on
    samples: review.jsonl beside the run. Ctrl-C ends it.
    """
    from medvision_agent.api.viewing import view
    from medvision_agent.cli.stopping import terminable

    with terminable():
        view(folders or (Path(),), port=port, browser=not no_browser, protocol=protocol_name, say=click.echo)
