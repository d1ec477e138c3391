"""``medvision-agent rerun``: repeat a stored run with its stored settings."""

from pathlib import Path
from typing import Any

import click

from medvision_agent.cli.completing import complete_models, complete_runs
from medvision_agent.cli.lean import import_lean
from medvision_agent.cli.options import given
from medvision_agent.cli.run import PROTOCOL_HELP, carry_out
from medvision_agent.cli.settings import settings_options, settings_with
from medvision_agent.eval.scorer.protocol import DEFAULT_PROTOCOL
from medvision_agent.uncollected import uncollected

__all__ = ["command"]


_OUT = "New folder for the run, or the run to --resume."


@click.command()
@click.argument("run", shell_complete=complete_runs, type=click.Path(path_type=Path, file_okay=False))
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help=_OUT)
@click.option("--resume", is_flag=True, help="Continue the run in --out, as `run --resume` does.")
@click.option(
    "--model", shell_complete=complete_models, help="Ask this model of the catalogue, instead of the stored one."
)
@settings_options
@click.option("--protocol", default=DEFAULT_PROTOCOL, show_default=True, help=PROTOCOL_HELP)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.pass_context
def command(context: click.Context, /, run: Path, out: Path, protocol: str, *, as_json: bool, **_: Any) -> None:
    """Repeat RUN with its stored settings. Each option that you give replaces one of them.

    An option that you leave out keeps the stored setting. The model's row is the stored one too, even if the catalogue
    has changed. Files that RUN read (data, prompts) must still be there. If something has changed since RUN (the
    package, a data file), it is named before the first request. Exit codes are those of `run`.
    """
    with uncollected():
        import_lean()
        from medvision_agent.api.asking import ask_again
    from medvision_agent.eval.asking.rerun import settings_of
    from medvision_agent.eval.scorer.protocol import protocol as protocol_named
    from medvision_agent.eval.store.read import open_run

    scoring, stored = protocol_named(protocol), open_run(run)
    settings = settings_with(settings_of(stored, out), given(context))
    carry_out(context, lambda: ask_again(stored, settings, progress=True, rules=scoring), out, scoring, as_json=as_json)


for _parameter in command.params:
    if isinstance(_parameter, click.Option) and _parameter.name != "protocol":
        _parameter.show_default = False  # the default is what the run stored
        _parameter.help = (_parameter.help or "").replace("Default: ", "Default: the stored setting; if RUN set none: ")
