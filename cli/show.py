"""``medvision-agent show``: print one conversation in the terminal."""

from pathlib import Path

import click

from medvision_agent.cli.completing import complete_runs
from medvision_agent.cli.options import declared_protocol_option
from medvision_agent.errors import ConfigError

__all__ = ["command"]


@click.command("show")
@click.argument("path", shell_complete=complete_runs, metavar="RUN|STUDY", type=click.Path(path_type=Path))
@click.argument("sample", metavar="ID")
@click.option(
    "--arm",
    "arms",
    multiple=True,
    metavar="NAME",
    help="For a study: show this arm. A name such as `on` means the arm of every model, and `MODEL on` that of one "
    "model. Repeat the option for more arms. Default: the two arms of the primary contrast, of the first model.",
)
@click.option("--all", "every", is_flag=True, help="For a study: show all arms, instead of those of --arm.")
@declared_protocol_option
def command(*, path: Path, sample: str, arms: tuple[str, ...], every: bool, protocol_name: str | None) -> None:
    """Print the conversation of sample ID: every turn with its text, tool calls, results, images and times.

    For a study, print the two arms of its primary contrast with the first model, one after the other, or the arms of
    --arm or --all. An image is printed as its size and its file. No model is asked, and nothing stored is changed.
    """
    from medvision_agent.api.viewing import talks
    from medvision_agent.cli.printed.table import show
    from medvision_agent.cli.printed.talk import others_line, talk_view

    if arms and every:
        raise ConfigError("--arm and --all cannot be combined; give the arms you want, or --all")
    found = talks(path, sample, arms, every=every, protocol=protocol_name)
    for one in found.shown:
        show(talk_view(one.talk, one.name, one.folder))
    if found.left_out and not arms:
        show(others_line(found.left_out))
