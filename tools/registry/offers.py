"""Where tools come from: installed packages by entry point, and files.

A package names each of its tools by an entry point of the group ``medvision_agent.tools``, and the shipped tools come
through the same door. Nothing of a package is imported before one of its tools is asked for. A file is executed once,
as a module of its own, and offers every function in it that is decorated with ``@tool``.
"""

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from types import ModuleType

from medvision_agent import plugins
from medvision_agent.errors import ConfigError
from medvision_agent.text import printable
from medvision_agent.tools.base import Tool

__all__ = ["DOOR", "RESERVED", "ToolOffer", "from_file", "from_packages", "unfit_name"]

DOOR = plugins.Door("medvision_agent.tools", "tool")
"""Where the tools of packages come from."""
RESERVED = frozenset({"on", "off", "code", "again", "blind", "blank", "misled", "sham", "upstream"})
"""Names of conditions, which no tool can have."""
_SHIPPED = "the shipped tools"


@dataclass(frozen=True, eq=False)
class ToolOffer:
    """A tool that is available but perhaps not loaded: its name, its origin, and the function that loads it."""

    name: str
    origin: str
    """The shipped tools, a package or a file, as messages call it."""
    load: Callable[[], Tool]
    """Returns the tool; raises ConfigError where its code fails."""


def unfit_name(name: str) -> str:
    """Return the reason why *name* is not a valid tool name, or an empty string."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,63}", name):
        return (
            "the name of a tool must have 1 to 64 characters: letters (a to z, A to Z), digits and underscores, "
            "with no digit at the start"
        )
    return f"a tool cannot have the name of a condition ({', '.join(sorted(RESERVED))})" if name in RESERVED else ""


def from_packages() -> Iterator[ToolOffer]:
    """Yield an offer for each tool of the installed packages, the shipped tools first; no tool is imported."""
    for one in DOOR.offers():
        if one.shipped:
            yield ToolOffer(one.name, _SHIPPED, one.loaded)
        else:
            yield ToolOffer(one.name, f"the package {one.package}", partial(_of_package, one))


@cache
def _of_package(offer: plugins.Offer) -> Tool:
    """Return the tool that a package offers, imported, with the hash of its code.

    Raises ConfigError naming the package where the import fails, or finds no tool, or a tool with another name.
    """
    found = offer.loaded()
    if not isinstance(found, Tool):
        raise offer.failed(f"{offer.point.value} is no tool; name a function decorated with @tool")
    if found.name != offer.name:
        raise offer.failed(
            f"{offer.point.value} is a tool called {found.name!r}; the entry point must have the same name as the tool"
        )
    return replace(found, code_sha256=offer.origin()["code_sha256"])


def from_file(path: Path) -> tuple[ToolOffer, ...]:
    """Execute a file, and return an offer for each tool that it defines, in the order of the file.

    Raises ConfigError where the file cannot be read or executed (with the line, if known), and where it has no tool.
    """
    try:
        code = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{path}: the file of tools cannot be read ({error.strerror}); expected a Python file with functions "
            "decorated with @tool (docs/tools.md)"
        ) from None
    place = path.resolve()
    try:
        module = _executed(place, code)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the file may raise anything
        line = _line(error, str(place))
        where = f"line {line}: " if line else ""
        raise ConfigError(f"{path}: {where}this file of tools cannot be executed: {_words(error)}") from None
    tools = [one for one in dict.fromkeys(_tools(module)) if one.function.__module__ == module.__name__]
    if not tools:
        raise ConfigError(
            f"{path}: the file defines no tool; a tool is a function decorated with @tool (docs/tools.md)"
        )
    code_sha256 = sha256(code).hexdigest()
    return tuple(ToolOffer(one.name, str(path), partial(replace, one, code_sha256=code_sha256)) for one in tools)


def _tools(module: ModuleType) -> Iterator[Tool]:
    """Return an iterator over all tools among the global names of a module."""
    return (value for value in vars(module).values() if isinstance(value, Tool))


@cache
def _executed(path: Path, code: bytes) -> ModuleType:
    """Return the module that results from executing *code*, the content of the file *path*.

    Raises what the code raises. It is executed once, and again only if the path or the content has changed.
    """
    name = f"tools_from_{re.sub(r'[^A-Za-z0-9_]', '_', path.stem)}_{sha256(str(path).encode() + code).hexdigest()[:12]}"
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module  # pydantic looks annotations up there
    try:
        exec(compile(code, str(path), "exec"), vars(module))  # noqa: S102 - the user's own file, named by the user
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _line(error: BaseException, path: str) -> int | None:
    """Return the number of the line of the file *path* that raised *error*; None where no line of this file did."""
    if isinstance(error, SyntaxError) and error.filename == path:
        return error.lineno
    line, step = None, error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == path:
            line = step.tb_lineno
        step = step.tb_next
    return line


def _words(error: BaseException) -> str:
    """Return the type and text of another's error in one line of at most 300 characters."""
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    if isinstance(error, SystemExit):
        text = f"it ends the program (exit code {error.code})"
    return printable(" ".join(f"{type(error).__name__}: {text}".split())[:300])
