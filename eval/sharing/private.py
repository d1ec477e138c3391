"""Removes private data from everything shared: folders, the user's home, keys, and logins in addresses.

Contract: ``Private.left_out_of`` returns the same text for the same text, runs and environment. It is a second net:
keys are redacted where replies are stored. Names of people in the texts of data sets are not found by it.
"""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from medvision_agent.eval.data.folders import Folders

__all__ = ["Private", "without_addresses"]

_LOGIN = re.compile(r"\b([A-Za-z][A-Za-z0-9+.-]*://)[^\s/@\"'<>]+@")
_HOME = re.compile(
    r"(?<![\w.])(?:/home|/Users)/[^\s/\"'<>:,;)\]]+|\b[A-Za-z]:(?:\\{1,2}|/)Users(?:\\{1,2}|/)[^\s\\/\"'<>:,;]+"
)
_SECRET = re.compile(r"(^|_)(API_?KEY|KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS?)($|_)", re.IGNORECASE)
_BEARER = re.compile(
    r"\b(sk-[A-Za-z0-9_-]{16,}|hf_[A-Za-z0-9]{16,}|AIza[A-Za-z0-9_-]{30,}|(?<=Bearer )[A-Za-z0-9._~+/-]{16,}=*)"
)
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S")
_PLACE = re.compile(r"(^|_)(url|uri|host|hostname|endpoint|server|address|proxy|proxies)($|_)", re.IGNORECASE)
"""Names of settings that say where a server is."""
_SHORTEST = 8
"""Characters of a variable's value that is taken for a key: shorter ones are words that occur in any text."""


class Private:
    """A remover of this machine's private data from texts: folders, home, keys in variables, logins in addresses."""

    def __init__(
        self, folders: Iterable[Path], sources: Iterable[str], environment: Mapping[str, str] = os.environ
    ) -> None:
        self._folders = Folders(folders, sources)
        found = (value for name, value in environment.items() if _SECRET.search(name) and len(value) >= _SHORTEST)
        self._keys = sorted(set(found), key=lambda key: (-len(key), key))
        home = str(Path.home())
        self._home = re.compile(rf"(?<![\w./-]){re.escape(home)}(?![\w-])") if len(home) > 1 else None

    def left_out_of(self, text: str) -> str:
        """Return a text, plain or JSON, in which private data is replaced, by ``[redacted]`` or, for a home, ``~``."""
        for key in self._keys:
            text = text.replace(key, "[redacted]")
        text = _BEARER.sub("[redacted]", text)
        text = _LOGIN.sub(r"\1[redacted]@", text)
        text = self._folders.left_out_of(text)
        if self._home is not None:
            text = self._home.sub("~", text)
        return _HOME.sub("~", text)


def without_addresses(settings: Any) -> Any:
    """Return a model's settings (JSON data) without those that say where its server is, which may be private."""
    if isinstance(settings, Mapping):
        return {key: without_addresses(value) for key, value in settings.items() if not _is_address(key, value)}
    if isinstance(settings, list | tuple):
        return [without_addresses(one) for one in settings if not _is_address("", one)]
    return settings


def _is_address(name: object, value: object) -> bool:
    stated = bool(_PLACE.search(str(name))) and isinstance(value, str | Mapping | list | tuple)
    return stated or (isinstance(value, str) and _ADDRESS.search(value) is not None)
