"""Adding a list of options to a command, in the order in which its help shows them."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

__all__ = ["with_options"]

_F = TypeVar("_F", bound=Callable[..., Any])


def with_options(options: Iterable[Callable[[_F], _F]], command: _F) -> _F:
    """Return *command* with *options*, the first one shown first."""
    for option in reversed(tuple(options)):
        command = option(command)
    return command
