"""The entry point: commands that are imported when used, and one policy for errors and exit codes.

Exit codes: 0 done, 1 finished with something left (samples without a reply, a limit reached, a check not passed), 2
wrong usage or input (130 after Ctrl-C or SIGTERM). A MedVisionAgentError is printed without a traceback and
without terminal control characters.
"""

import re
import sys
from collections.abc import Iterable
from importlib import import_module
from io import TextIOWrapper
from typing import TYPE_CHECKING

import click

from medvision_agent.cli.logs import LEVELS, printed_logs
from medvision_agent.cli.stopping import INTERRUPTED
from medvision_agent.errors import MedVisionAgentError, nearest
from medvision_agent.text import printable
from medvision_agent.uncollected import uncollected
from medvision_agent.version import VERSION

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["cli", "main"]

COMMANDS = {
    "ablate": "Run a study: models under several conditions, concurrently.",
    "compare": "Compare two runs sample by sample, or a run with MedVision's published results.",
    "completion": "Set up your shell to complete commands, models, tools and runs.",
    "counterfactual": "Score stored answers again with exact arithmetic, and with the ground truth's points.",
    "data": "List, show, check, import and export samples.",
    "decisions": "Sort stored measurements into clinical categories, and count agreement with the ground truth.",
    "export": "Write stored runs as tables, or as MedVision's own result files.",
    "models": "List, show and check the models of the catalogue.",
    "rerun": "Repeat a stored run with its settings, or with others in place of some of them.",
    "published": "Print models in the layout of MedVision's published tables, beside the published figures.",
    "report": "Write stored runs and studies as one page: text, tables, figures, images.",
    "run": "Run a model over samples, with or without tools.",
    "runs": "List stored runs and studies: what was asked, progress, loss and cost.",
    "score": "Score a stored run, or MedVision's result files, by the rules medvision-1.2 or paper-v1.",
    "serve-upstream": "Serve a model of MedVision's own package, so that it can be asked like any other.",
    "share": "Write stored runs for others: a card, tables, and the images that may be shared.",
    "show": "Print one conversation of a run, or of the arms of a study, turn by turn.",
    "tools": "List, show, try and check the tools a model can call, or start your own tool.",
    "verify": "Check that a stored run or study is undamaged.",
    "view": "Show runs and studies in the browser, down to every turn of a conversation.",
    "why": "Split the loss of a run or of MedVision's result files into wrong object, seeing, arithmetic and unit.",
}
"""Commands and their one-line help; a command's module is imported when it runs."""


_NO_THREAD = "can't start new thread"
"""Python's message if the system refuses a new thread (no memory, or too many threads)."""
_STORED = (
    "finished samples are stored; provide more memory, or lower --max-connections, and repeat the command with "
    "--resume (run, rerun) or with the study's folder as --out (ablate)"
)


class LazyGroup(click.Group):
    """A group of commands that imports the module of a command only when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of all commands, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command *cmd_name*, the object ``command`` of its module; None for an unknown name."""
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        with uncollected():
            command: click.Command = import_module(f"medvision_agent.cli.{cmd_name.replace('-', '_')}").command
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """Return the commands and options that complete *incomplete*, without importing any command."""
        from click.shell_completion import CompletionItem

        names = [CompletionItem(name, help=text) for name, text in COMMANDS.items() if name.startswith(incomplete)]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands for the help, without importing any command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(VERSION, prog_name="medvision-agent")
@click.option(
    "--log-level",
    type=click.Choice(LEVELS),
    help="Print log messages of this level and above on the error stream. Default: none.",
)
@click.pass_context
def cli(context: click.Context, log_level: str | None) -> None:
    """Measure whether tools help a vision-language model to measure medical images."""
    if log_level is not None:
        context.with_resource(printed_logs(log_level))


def main() -> None:
    """Run the command line and exit with its code; after Ctrl-C at any moment, with code 130."""
    try:
        code = _run()
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        code = INTERRUPTED
    sys.exit(code)


def _nearest(error: click.ClickException) -> str:
    """Return a hint at the command or choice nearest to a mistyped one; empty if click gives one, or none is near."""
    if getattr(error, "possibilities", None):
        return ""  # click names them
    quoted = re.search(r"'(.*?)'", error.message)
    known: Iterable[str] = ()
    if isinstance(error, click.BadParameter) and error.param is not None and isinstance(error.param.type, click.Choice):
        known = map(str, error.param.type.choices)
    elif isinstance(error, click.UsageError) and error.ctx and error.message.startswith("No such command"):
        command = error.ctx.command
        known = command.list_commands(error.ctx) if isinstance(command, click.Group) else ()
    return nearest(quoted[1], known) if quoted else ""


def _remedy(error: click.ClickException) -> str:
    """Return advice for a value that an option does not accept; empty if click's message is enough."""
    if not isinstance(error, click.BadParameter) or error.param is None or error.param.required:
        return ""
    kind, option = error.param.type, error.param.opts[-1]
    if isinstance(kind, click.Path) and error.message.endswith(" is a file."):
        return f"{option} expects a folder: give a new name, or a folder that exists"
    if isinstance(kind, click.Path) and error.message.endswith(" is a directory."):
        return f"{option} expects a file: give the name of a file in that folder"
    if isinstance(kind, click.IntRange | click.FloatRange):
        return f"Give a number in that range, or leave {option} out"
    return ""


def _run() -> int:
    """Run the command line, print its error if there is one, and return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # Windows writes files in its code page: a character outside it must not end the command.
            stream.reconfigure(errors="backslashreplace")
    try:
        # In standalone mode, click would exit with 1 after a Ctrl-C while the command is being looked up.
        return int(cli(prog_name="medvision-agent", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        if hint := _nearest(error).strip() or _remedy(error):
            click.echo(hint, err=True)
        return error.exit_code
    except MedVisionAgentError as error:
        click.echo(f"Error: {printable(str(error), lines=True)}", err=True)
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and str(error) != _NO_THREAD:
            raise
        click.echo(
            f"Error: this process ran out of memory or threads ({str(error) or 'no memory'}); {_STORED}", err=True
        )
    return 2
