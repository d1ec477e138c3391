"""``medvision-agent view``: show runs and studies in the browser, down to every turn of a conversation."""

from pathlib import Path

import click

from medvision_agent.cli.completing import complete_runs
from medvision_agent.cli.options import declared_protocol_option
from medvision_agent.errors import ConfigError
from medvision_agent.text import plural, printable

__all__ = ["command"]

_SHOWN = 10


@click.command("view")
@click.argument(
    "folders",
    shell_complete=complete_runs,
    metavar="[RUN|STUDY|FOLDER]...",
    nargs=-1,
    type=click.Path(path_type=Path),
)
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="Port to listen on.  [default: any free port]")
@click.option("--no-browser", is_flag=True, help="Do not open the address in the default browser.")
@click.option(
    "--bundle",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Start no server; write the viewer into this folder, which opens from disk or any web host. An earlier bundle "
    "in it is replaced.",
)
@click.option(
    "--samples",
    type=click.IntRange(min=0),
    metavar="N",
    help="Maximum number of samples in the bundle: half are those whose loss the primary contrast changes most, the "
    "others are spread evenly. 0: all.  [default: 100, or fewer that make 200 conversations]",
)
@declared_protocol_option
def command(
    *,
    folders: tuple[Path, ...],
    port: int,
    no_browser: bool,
    bundle: Path | None,
    samples: int | None,
    protocol_name: str | None,
) -> None:
    """Show stored runs and studies in the browser: tables, conversations, and what was measured on the images.

    FOLDER holds runs and studies; the default is the current folder. Unfinished runs grow on the page. The server
    answers only this machine, and only at the printed address. Nothing stored is changed, but notes that you write on
    samples are added to the run's folder (review.jsonl). Ctrl-C ends the server.
    """
    from medvision_agent.api.viewing import view
    from medvision_agent.cli.stopping import terminable

    given = folders or (Path(),)
    if bundle is not None:
        if port or no_browser:
            raise ConfigError(
                "--port and --no-browser are for the server, and --bundle writes a folder without starting a server; "
                "leave them out, or leave --bundle out"
            )
        _write(given, bundle, samples, protocol_name)
        return
    if samples is not None:
        raise ConfigError("--samples needs --bundle, because the server shows all samples; leave --samples out")
    with terminable():
        view(given, port=port, browser=not no_browser, protocol=protocol_name, say=click.echo)


def _write(folders: tuple[Path, ...], out: Path, samples: int | None, protocol: str | None) -> None:
    """Write the viewer's bundle into *out*, and print what it has and what was left out."""
    from medvision_agent.api.viewing import bundle

    done = bundle(folders, out, samples=samples, protocol=protocol)
    what = f"{plural(done.samples, 'sample')}, {plural(done.talks, 'conversation')}, {done.size / 1e6:.1f} MB"
    click.echo(f"written: {done.folder}, {what}; open {done.folder / 'index.html'}")
    if done.words:
        click.echo(done.words)
    for line in done.left_out[:_SHOWN]:
        click.echo(printable(f"left out: {line}"), err=True)
    if len(done.left_out) > _SHOWN:
        click.echo(f"left out: {len(done.left_out) - _SHOWN} more", err=True)
