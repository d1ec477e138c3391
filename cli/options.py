"""Adding options to a command, and their help from the settings they stand for."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click
from click.core import ParameterSource
from pydantic import BaseModel

__all__ = ["given", "help_of", "with_options"]

_F = TypeVar("_F", bound=Callable[..., Any])


def with_options(options: Iterable[Callable[[_F], _F]], command: _F) -> _F:
    """Return *command* with *options*, the first one shown first."""
    for option in reversed(tuple(options)):
        command = option(command)
    return command


def help_of(model: type[BaseModel], field: str) -> str:
    """Return the docstring of a field as the help of its option."""
    return " ".join((model.model_fields[field].description or "").replace("`", "").split())


def given(context: click.Context) -> dict[str, Any]:
    """Return the options that stand on the command line; what was left out is not in it."""
    return {
        name: value
        for name, value in context.params.items()
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }
