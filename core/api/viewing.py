"""Stored runs and studies to look at in a browser: a server of this machine, or a folder that needs none."""

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path

from medvision_agent.api.loaded import PathText
from medvision_agent.errors import StorageError
from medvision_agent.eval.browse.library import Library
from medvision_agent.eval.browse.page import page_files
from medvision_agent.eval.scorer.protocol import protocol as protocol_named

__all__ = ["view"]


def view(
    folders: PathText | Sequence[PathText] = ".",
    *,
    port: int = 0,
    browser: bool = True,
    protocol: str | None = None,
    say: Callable[[str], None] = print,
) -> None:
    """Show runs and studies in the browser until Ctrl-C, those that are still being written too.

    The server listens on this machine alone, and only who has its address, with the token in it, gets an answer.
    Nothing stored is changed; notes on samples go to ``review.jsonl`` beside their run.

    Args:
        folders: Runs, studies, and folders of them.
        port: Where it listens; 0 takes a free port.
        browser: Open the address in the default browser, where there is one with a window.
        protocol: Scoring rules; where not given those a study declared, else the default ones.
        say: Gets the line that tells the address.

    Raises StorageError where a folder is not there, ConfigError where the port cannot be had.
    """
    from medvision_agent.eval.server.serve import open_browser, serve  # noqa: PLC0415 - needs the server's packages

    library = Library(_folders(folders), protocol_named(protocol) if protocol else None)

    def ready(address: str, once: str) -> None:
        say(f"{address}\nopen it in a browser on this machine; Ctrl-C ends it")
        if browser:
            open_browser(once)

    serve(library, page_files(), port=port, ready=ready)


def _folders(given: PathText | Sequence[PathText]) -> list[Path]:
    every = [Path(one) for one in ([given] if isinstance(given, str | PathLike) else given)]
    for folder in every:
        if not folder.is_dir():
            raise StorageError(f"{folder}: there is no such folder; give runs, studies or folders of them")
    return every
