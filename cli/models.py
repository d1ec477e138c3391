"""``medvision-agent models``: what the catalogue holds. Says whether a key is set, never what it is."""

import os
from pathlib import Path

import click

from medvision_agent.agent.config import ModelConfig
from medvision_agent.errors import ConfigError

__all__ = ["command"]

_EXTRA = click.option(
    "--models",
    "extra",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Your own models: a YAML file in the form of the shipped catalogue.",
)


@click.group()
def command() -> None:
    """List the models of the catalogue."""


@command.command(name="list")
@_EXTRA
def list_models(extra: Path | None) -> None:
    """List all models by name, and whether each could be asked now."""
    from medvision_agent.agent.catalogue import load_catalogue

    rows = [(name, config.provider, config.model, _readiness(config)) for name, config in load_catalogue(extra).items()]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        click.echo("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]))


@command.command()
@click.argument("name")
@_EXTRA
def show(name: str, extra: Path | None) -> None:
    """Print every setting of one model, defaults included, as YAML."""
    import yaml

    from medvision_agent.agent.catalogue import find, load_catalogue

    config = find(name, load_catalogue(extra))
    click.echo(f"# {_readiness(config)}")
    click.echo(yaml.safe_dump({name: config.model_dump(mode="json")}, sort_keys=False), nl=False)


def _readiness(config: ModelConfig) -> str:
    from medvision_agent.agent.models.factory import check_ready, key_names

    names = key_names(config)
    if not names:
        return "needs no key"
    try:
        check_ready(config, os.environ)
    except ConfigError:
        return f"key not set ({' or '.join(names)})"
    return f"key set ({' or '.join(names)})"
