"""Removes the names of this machine's folders from everything that is shared: reports and bundles of the viewer.

Contract: for the folders of runs, and those that sources of samples name, only the last part of the path stays. In the
folder names that studies derive from sources, no part of it stays. Any other text is unchanged.
"""

import json
import re
from collections.abc import Callable, Iterable
from html import escape
from pathlib import Path

from medvision_agent.eval.data.shared import shared_name

__all__ = ["Folders"]

_UNSAFE, _LONGEST = re.compile(r"[^A-Za-z0-9._@+-]"), 80
"""As in ``eval/study/cells.py``."""


class Folders:
    """The folders of this machine whose names are removed from texts that are shared.

    *folders* are folders of runs, *sources* the names of sources of samples, which may contain paths. *written*
    converts a plain text to the format of the page (for Markdown: with its escapes), so that a path is recognised in
    that form too.
    """

    def __init__(
        self, folders: Iterable[Path] = (), sources: Iterable[str] = (), written: Callable[[str], str] = str
    ) -> None:
        self._written = written
        self._known: dict[str, str] = {}
        self._made: dict[str, str] = {}
        for folder in folders:
            self._take(folder)
        for source in sources:
            self._take_source(source)

    def left_out_of(self, text: str) -> str:
        """Return *text* (plain, JSON or HTML) with the path of each known folder replaced by its last part."""
        for path in sorted(self._known, key=len, reverse=True):  # the inner ones first
            if path not in text:
                continue
            name = self._known[path].replace("\\", r"\\")
            text = re.sub(rf"(?<![\w./-]){re.escape(path)}(?![\w-])", name, text)
        for made, name in self._made.items():
            text = text.replace(made, name)
        return text

    def _take_source(self, source: str) -> None:
        kind, _, argument = source.partition(":")
        for path in (Path(source), Path(argument) if len(kind) > 1 else Path()):
            if path.is_absolute():
                self._take(path)
                if path.suffix:  # a file: the images lie beside it
                    self._take(path.parent)
        if (name := shared_name(source)) != source:
            made, own = (_UNSAFE.sub("-", one)[:_LONGEST] for one in (source, name))
            self._made |= {made: own, self._written(made): self._written(own)}

    def _take(self, folder: Path) -> None:
        for path in {folder.absolute(), folder.resolve()}:
            if path.name:  # not the root of the file system
                text = str(path)
                forms = (text, json.dumps(text, ensure_ascii=False)[1:-1], escape(text))
                self._known |= {**dict.fromkeys(forms, path.name), self._written(text): self._written(path.name)}
