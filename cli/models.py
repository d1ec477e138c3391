"""``medvision-agent models``: list the catalogue, and check that a model can do what a run needs.

It prints whether an API key is set, never the key itself.
"""

import os
from pathlib import Path

import click

from medvision_agent.cli.completing import complete_models
from medvision_agent.cli.options import Renamed
from medvision_agent.cli.printed.table import print_columns, print_findings, print_wrapped
from medvision_agent.errors import ConfigError
from medvision_agent.text import printable

__all__ = ["command"]

_EXTRA = click.option(
    "--models-file",
    "--models",
    "models_file",
    cls=Renamed,
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A YAML file of your own models, which are added to the catalogue (docs/models.md).",
)


@click.group()
def command() -> None:
    """List, show and check the models of the catalogue."""


@command.command(name="list")
@_EXTRA
def list_models(models_file: Path | None) -> None:
    """List all models by name, and whether each is ready: its key is set, its packages are there. None is asked."""
    from medvision_agent.api.listing import models

    print_columns([tuple(map(str, row)) for row in models(models_file).itertuples(index=False)])


@command.command()
@click.argument("name", shell_complete=complete_models)
@_EXTRA
def show(name: str, models_file: Path | None) -> None:
    """Print every setting of one model, defaults included, as YAML."""
    import yaml

    from medvision_agent.agent.models.catalogue import find, load_catalogue, origins
    from medvision_agent.api.listing import readiness

    config = find(name, load_catalogue(models_file))
    click.echo(printable(f"# {origins(models_file)[name]}; {readiness(config)}"))
    click.echo(yaml.safe_dump({name: config.model_dump(mode="json")}, sort_keys=False), nl=False)


@command.command()
@click.argument("name", shell_complete=complete_models)
@_EXTRA
@click.pass_context
def check(context: click.Context, name: str, models_file: Path | None) -> None:
    """Test a model with a tiny image and one tool, and print what worked.

    Three short conversations show whether it answers, sees the image, calls a tool, gets the tool's image back, reports
    its tokens and keeps the output limit. The result is stored, and `run` warns of a model that failed or was never
    checked. Exit code 0: everything works; 1: something fails, or there was no reply; 2: the model cannot be asked
    (no key, a refused key, no such model).
    """
    import asyncio

    from medvision_agent.agent.check import check_model
    from medvision_agent.agent.checks import keep
    from medvision_agent.agent.models import Offline
    from medvision_agent.agent.models.catalogue import find, load_catalogue
    from medvision_agent.agent.wire.notices import notices

    config = find(name, load_catalogue(models_file))
    if isinstance(config, Offline):
        raise ConfigError(
            f"model {name} is an offline policy: it runs in this program and needs no check; name another model "
            "(`medvision-agent models list`)"
        )
    for line in notices(config):
        click.echo(printable(line), err=True)
    found = asyncio.run(check_model(config, os.environ))
    print_findings(found.findings)
    if problem := keep(name, config, found):
        click.echo(printable(problem), err=True)
    usd, usage = found.usage.cost_usd(config.prices), found.usage
    cost = "no prices known" if usd is None else f"{usd:.6f} US dollars"
    unreported = f" (of {usage.unreported} calls not known)" if usage.unreported else ""
    print_wrapped(f"{usage.model_calls} calls, {usage.input} tokens in, {usage.output} out, {cost}{unreported}")
    context.exit(0 if found.passed else 1)
