"""Shell completion of models, tools, protocols, and folders of runs; empty if they cannot be read."""

from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from medvision_agent.errors import MedVisionAgentError

__all__ = ["complete_models", "complete_protocols", "complete_runs", "complete_tools"]

_CONDITIONS = ("on", "off", "code", "upstream", "blind", "same-region", "blank", "misled")
_DEPTH = 4
_MOST = 200
"""Maximum number of folders that are offered."""


def _offered(names: Callable[[], Iterable[str]], incomplete: str) -> list[CompletionItem]:
    """Return the *names* that begin with *incomplete*; an empty list where the names cannot be read."""
    try:
        return [CompletionItem(name) for name in names() if name.startswith(incomplete)]
    except (MedVisionAgentError, OSError):
        return []


def complete_models(context: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the names of models that fit *incomplete*: of the catalogue, and of a file given with --models-file."""

    def names() -> Iterable[str]:
        from medvision_agent.agent.models.catalogue import load_catalogue

        return load_catalogue(context.params.get("models_file"))

    return _offered(names, incomplete)


def complete_tools(_context: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the values of --tools that fit *incomplete*; after a comma, only names of tools."""
    before, comma, _ = incomplete.rpartition(",")

    def names() -> Iterable[str]:
        from medvision_agent.tools.registry import registry_of

        tools = list(registry_of(None).offers)
        return [f"{before},{name}" for name in tools] if comma else [*_CONDITIONS, *tools]

    return _offered(names, incomplete)


def complete_protocols(_context: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the names of scoring rules that fit *incomplete*."""
    from medvision_agent.eval.scorer.protocol import PROTOCOLS

    return _offered(lambda: PROTOCOLS, incomplete)


def complete_runs(_context: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the runs and studies below the current folder that fit; if none does, the shell completes folders."""

    def names() -> Iterable[str]:
        from medvision_agent.eval.listing.find import cells_in, stored_in

        for path, kind in stored_in(Path(), _DEPTH):
            yield path.as_posix()
            if kind == "study":
                yield from (cell.as_posix() for cell in cells_in(path))

    fitting = list(islice(_offered(names, incomplete), _MOST))
    return fitting or [CompletionItem(incomplete, type="dir")]
