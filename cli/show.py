"""``medvision-agent show``: one conversation in the terminal."""

from pathlib import Path

import click

from medvision_agent.cli.completing import complete_protocols, complete_runs
from medvision_agent.eval.scorer.protocol import DEFAULT_PROTOCOL, PROTOCOLS

__all__ = ["command"]


@click.command("show")
@click.argument("path", shell_complete=complete_runs, metavar="RUN|STUDY", type=click.Path(path_type=Path))
@click.argument("sample", metavar="ID")
@click.option("--arm", "arms", multiple=True, metavar="NAME", help="STUDY: only this arm; may be repeated.")
@click.option(
    "--protocol",
    "protocol_name",
    shell_complete=complete_protocols,
    help=f"{', '.join(PROTOCOLS)}; default: what a study declared, else {DEFAULT_PROTOCOL}.",
)
def command(*, path: Path, sample: str, arms: tuple[str, ...], protocol_name: str | None) -> None:
    """Print the conversation of sample ID: every turn with its text, tool calls, results, pictures and times.

    Of a study, those of all its arms one after another. Pictures are told by their size and their file. Nothing is
    asked of a model, and nothing stored is changed.
    """
    from medvision_agent.api.viewing import talks
    from medvision_agent.cli.printed.table import show
    from medvision_agent.cli.printed.talk import talk_view

    for found in talks(path, sample, arms, protocol=protocol_name):
        show(talk_view(found.talk, found.name, found.folder))
