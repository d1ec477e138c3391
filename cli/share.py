"""``medvision-agent share``: write stored runs and studies for others."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from medvision_agent.cli.completing import complete_runs
from medvision_agent.cli.options import declared_protocol_option
from medvision_agent.errors import ConfigError
from medvision_agent.text import plural, printable

if TYPE_CHECKING:
    from medvision_agent.api.sharing import Shared

__all__ = ["command"]


_VIEWER = "Add the viewer, as a folder that opens in a browser. Refused if an image may not be shared."
_PUBLIC = "Make a new repository of the Hub public, or share to a public one. Default: private."


@click.command("share")
@click.argument("run", metavar="RUN|STUDY|FOLDER", shell_complete=complete_runs, type=click.Path(path_type=Path))
@click.option(
    "--to", required=True, metavar="DIR|hub:ORG/NAME", help="A new folder, or a data set on the Hugging Face Hub."
)
@click.option(
    "--licence",
    "licences",
    multiple=True,
    metavar="DATASET=LICENCE",
    help="State the licence of a data set's images if the data states none. You vouch for it; the card says so. Repeat "
    "the option for more.",
)
@click.option("--no-pictures", is_flag=True, help="Share no images.")
@click.option("--viewer", is_flag=True, help=_VIEWER)
@click.option(
    "--samples",
    type=click.IntRange(min=0),
    metavar="N",
    help="Maximum number of samples in the viewer; 0: all. Tables always have all.  [default: as for `view --bundle`]",
)
@click.option("--title", help="Title of the card.  [default: the name of the folder]")
@click.option("--public", is_flag=True, help=_PUBLIC)
@click.option("--force", is_flag=True, help="Replace what was shared in the same place earlier.")
@click.option("--dry-run", is_flag=True, help="Share nothing; list every file with its size, and what is left out.")
@declared_protocol_option
def command(
    *,
    run: Path,
    to: str,
    licences: tuple[str, ...],
    no_pictures: bool,
    viewer: bool,
    samples: int | None,
    title: str | None,
    public: bool,
    force: bool,
    dry_run: bool,
    protocol_name: str | None,
) -> None:
    """Write a run, a study or a folder of both for others: a card, Parquet tables, and the images that may be shared.

    The card says what was asked, what was found, the parity card, the licence of the images, and what is left out and
    why. Images whose licence or origin is unknown are left out. Nothing stored is changed. An upload reads your key
    from HF_TOKEN or from `hf auth login`, and goes to the server in HF_ENDPOINT if that is set (docs/sharing.md).
    """
    from medvision_agent.api.sharing import share

    done = share(
        run,
        to,
        licences=_licences(licences),
        pictures=not no_pictures,
        viewer=viewer,
        samples=samples,
        title=title,
        public=public,
        force=force,
        dry_run=dry_run,
        protocol=protocol_name,
    )
    _say(done, dry_run=dry_run)


def _licences(given: tuple[str, ...]) -> dict[str, str]:
    """Return the licences by data set from texts DATASET=LICENCE; raises ConfigError for any other form."""
    found = {}
    for text in given:
        dataset, equals, licence = text.partition("=")
        if not equals:
            raise ConfigError(f"--licence {text}: expected DATASET=LICENCE, such as KiTS23='CC BY-NC-SA 4.0'")
        found[dataset] = licence
    return found


def _say(done: "Shared", *, dry_run: bool) -> None:
    """Print what was shared and what was left out; after a dry run, every file with its size."""
    if dry_run:
        for file in done.files:
            click.echo(f"{file.size:>12,} bytes  {file.name}")
    for what, why in done.left_out:
        click.echo(printable(f"left out: {what}: {why}"))
    size = f"{plural(len(done.files), 'file')}, {done.size / 1e6:.1f} MB"
    click.echo(f"dry run, nothing was written: {size}" if dry_run else printable(f"shared: {done.place}, {size}"))
