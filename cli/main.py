"""The entry point: a lazy group of commands, one error policy, three exit codes.

Exit codes: 0 done, 1 finished with something left (samples without a reply, a limit reached, a check not passed), 2
wrong usage or input (130 after Ctrl-C or SIGTERM). A MedVisionAgentError is printed without a traceback; nothing in
it steers a terminal.
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
    "ablate": "Run a study: models under several conditions, side by side.",
    "compare": "Compare two runs of the same samples, paired sample by sample.",
    "completion": "Set up your shell to complete commands, models, tools and runs.",
    "counterfactual": "Score stored answers again with exact arithmetic, and with the true points.",
    "data": "List, show and export samples.",
    "decisions": "Sort stored measurements into clinical categories, and count those that agree with the truth.",
    "export": "Write stored runs as tables, or as MedVision's own result files.",
    "models": "List, show and check the models of the catalogue.",
    "rerun": "Ask again what a stored run asked, or the same with other tools.",
    "published": "Print models in the shape of MedVision's published tables, beside the published figures.",
    "report": "Write stored runs and studies as one page: words, tables, figures, pictures.",
    "run": "Run a model over samples, with or without tools.",
    "runs": "List stored runs and studies: what was asked, how far each is, loss and cost.",
    "score": "Score a stored run, or MedVision's result files, by either protocol.",
    "serve-upstream": "Serve a model of MedVision's own package, so that it can be asked like any other.",
    "share": "Write stored runs for others: card, tables, and the images that may be shared.",
    "show": "Print one conversation of a run, or of the arms of a study, turn by turn.",
    "tools": "List, show and try the tools a model can call.",
    "verify": "Check that a stored run or study is what was stored.",
    "view": "Look at runs and studies in the browser, down to every turn of a conversation.",
    "why": "Split the loss of a run or of MedVision's result files into wrong object, seeing, arithmetic and unit.",
}
"""Commands and their one-line help; the module of each is imported when it runs."""


_NO_THREAD = "can't start new thread"
"""What Python says where the system gives no memory, or no number, for a thread."""
_STORED = "finished samples are stored; give it more, or lower --max-connections, and go on with --resume"


class LazyGroup(click.Group):
    """A group that imports a command's module only when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the command names."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command; its object is called ``command`` in its module."""
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        with uncollected():
            command: click.Command = import_module(f"medvision_agent.cli.{cmd_name.replace('-', '_')}").command
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """Return commands and options without importing any command."""
        from click.shell_completion import CompletionItem

        names = [CompletionItem(name, help=text) for name, text in COMMANDS.items() if name.startswith(incomplete)]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the command list without importing any command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(VERSION, prog_name="medvision-agent")
@click.option(
    "--log-level", type=click.Choice(LEVELS), help="Print log messages of this level and above; default: none."
)
@click.pass_context
def cli(context: click.Context, log_level: str | None) -> None:
    """Measure whether tools help a vision-language model to measure medical images."""
    if log_level is not None:
        context.with_resource(printed_logs(log_level))


def main() -> None:
    """Run the command line and exit with its code, for a Ctrl-C at any moment that of an interruption."""
    try:
        code = _run()
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        code = INTERRUPTED
    sys.exit(code)


def _nearest(error: click.ClickException) -> str:
    """Return the nearest command or choice, where a mistyped one is what is wrong; click names options itself."""
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
    """Return what to give instead of a value that an option does not take; empty where click's message says it."""
    if not isinstance(error, click.BadParameter) or error.param is None or error.param.required:
        return ""
    kind, option = error.param.type, error.param.opts[-1]
    if isinstance(kind, click.Path) and error.message.endswith(" is a file."):
        return f"{option} is a folder: give one that is new, or whose name is not a file's"
    if isinstance(kind, click.Path) and error.message.endswith(" is a directory."):
        return f"{option} is a file: give a name in that folder"
    if isinstance(kind, click.IntRange | click.FloatRange):
        return f"Give a number in that range, or leave {option} out"
    return ""


def _run() -> int:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # Into a file, Windows writes its code page: a letter that is not in it must not end the command.
            stream.reconfigure(errors="backslashreplace")
    try:
        # Standalone, click would end a Ctrl-C while the command is still being found as any failure, with 1.
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
