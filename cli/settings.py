"""The options of ``run`` and ``rerun``, built from the settings of a run, and settings built from options.

An option sets a field of ``Settings``, or a field of one of its parts (selection, reading, limits, budget).
Its help is the docstring of that field.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

import click

from medvision_agent.cli.completing import complete_tools
from medvision_agent.cli.options import BUDGET, LIMITS, Renamed, bounded, help_of, limit_options, with_options
from medvision_agent.cli.sampling import reading_with, sample_options, selection_with
from medvision_agent.cli.workers import WORKERS
from medvision_agent.errors import ConfigError
from medvision_agent.eval.settings.settings import Asked, Settings
from medvision_agent.prompts.paraphrase import WORDINGS

__all__ = ["settings_options", "settings_with"]

_F = TypeVar("_F", bound=Callable[..., Any])
_FILE = click.Path(path_type=Path, dir_okay=False)
_METAVARS = {
    "tools": "on|off|NAME,NAME|code|CONTROL",
    "tools_dated": "YYYY-MM",
    "frame": "NAME",
    "grammar": "NAME",
}
_RANGES = {"wording": click.IntRange(0, WORDINGS - 1)}
_OTHERS = (
    click.option("--reshape", metavar="H,W", help=help_of(Settings, "reshape")),
    click.option(
        "--models-file", "--models", "models_file", cls=Renamed, type=_FILE, help=help_of(Settings, "models_file")
    ),
    click.option("--tools-from", metavar="FILE.py", type=_FILE, help=help_of(Settings, "tools_from")),
    click.option("--script", type=click.Path(dir_okay=False), help=help_of(Settings, "script")),
    click.option("--probe/--no-probe", default=True, show_default=True, help=help_of(Settings, "probe")),
    click.option(
        "--unchecked",
        metavar="RULE",
        multiple=True,
        help=f"{help_of(Settings, 'unchecked')} Repeat the option for the second rule.",
    ),
    click.option("--max-connections", type=click.IntRange(1, 100_000), help=help_of(Settings, "max_connections")),
    *WORKERS.values(),
)


def _option(name: str) -> Callable[[_F], _F]:
    """Return the option that sets the field *name* of ``Asked``, the settings of how samples are asked."""
    field = Asked.model_fields[name]
    flag, kind = f"--{name.replace('_', '-')}", field.annotation
    shown: dict[str, Any] = {
        "help": help_of(Asked, name),
        "default": field.default,
        "show_default": field.default is not None,
    }
    if name == "tools":
        shown["shell_complete"] = complete_tools
    if kind is bool:
        return click.option(f"{flag}/--no-{name.replace('_', '-')}", **shown)
    if get_origin(kind) is Literal:
        return click.option(flag, type=click.Choice(get_args(kind)), **shown)
    if Path in get_args(kind):
        return click.option(flag, type=_FILE, **shown)
    if kind is int or int in get_args(kind):
        return click.option(flag, type=_RANGES.get(name, click.INT), **shown)
    return click.option(flag, metavar=_METAVARS.get(name), **shown)


def settings_options(command: _F) -> _F:
    """Return *command* with the options for all settings except the model, the folder and ``--resume``."""
    asked = tuple(_option(name) for name in Asked.model_fields)
    return with_options((*asked, sample_options, *_OTHERS, limit_options), command)


def settings_with(base: Settings, given: Mapping[str, Any]) -> Settings:
    """Return *base* changed by the options in *given*.

    Another model, or another file of models, replaces the model's row in *base*. Raises ConfigError that names the
    option for a value that its setting does not allow.
    """
    changes = {name: value for name, value in given.items() if name in Settings.model_fields}
    if "reshape" in changes:
        changes["reshape"] = _height_and_width(changes["reshape"])
    if changes.keys() & {"model", "models_file"}:
        changes["row"] = None
    return base.but(
        **changes,
        limits=bounded(base.limits, LIMITS, given),
        budget=bounded(base.budget, BUDGET, given),
        selection=selection_with(base.selection, given),
        reading=reading_with(base.reading, given),
    )


def _height_and_width(text: str) -> tuple[int, int]:
    """Return height and width in pixels from the text HEIGHT,WIDTH; raises ConfigError for any other form."""
    try:
        height, width = (int(part) for part in text.split(","))
    except ValueError:
        height = width = 0
    if height < 1 or width < 1:
        raise ConfigError(f"--reshape {text}: expected HEIGHT,WIDTH in whole pixels, such as 512,512")
    return height, width
