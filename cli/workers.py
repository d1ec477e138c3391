"""Options of ``run``, ``rerun`` and ``ablate`` for the processes that ask: this one, several, or a cluster."""

from collections.abc import Callable, Mapping
from typing import Any

import click

from medvision_agent.cli.options import help_of
from medvision_agent.eval.settings.settings import Settings

__all__ = ["WORKERS"]

WORKERS: Mapping[str, Callable[[Any], Any]] = {
    "processes": click.option("--processes", type=click.IntRange(1, 256), help=help_of(Settings, "processes")),
    "engine": click.option("--engine", type=click.Choice(["local", "ray"]), help=help_of(Settings, "engine")),
    "address": click.option("--address", help=help_of(Settings, "address")),
    "gpus": click.option("--gpus", type=click.FloatRange(0, 64), help=help_of(Settings, "gpus")),
}
"""Options for the processes that ask, by the name of the setting."""
