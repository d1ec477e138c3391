"""The name of a source of samples in shared texts: in a report, and in the viewer's bundle.

Contract: no name has a folder of this machine in it. What is stored keeps the name that the source was opened by.
"""

import re
from collections import Counter
from collections.abc import Iterable

__all__ = ["shared_name", "shared_names", "shared_note"]

_MEDVISION = "medvision"
_SEPARATOR = re.compile(r"[/\\]")


def shared_name(source: str) -> str:
    """Return the name of a source without its folder, such as ``medvision``, ``cases.jsonl`` or ``phantom:4:1``.

    *source* is the name that ``--data`` takes.
    """
    kind, _, argument = source.partition(":")
    if kind == _MEDVISION:
        return kind
    if not _SEPARATOR.search(source):
        return source
    last = _last(source)
    offered = argument and len(kind) > 1 and not _SEPARATOR.search(kind)  # one letter is a drive
    return f"{kind}:{last}" if offered else last


def shared_names(sources: Iterable[str]) -> dict[str, str]:
    """Return the shared name of each source; where several would have one name, all but the first get a number."""
    found, count = dict[str, str](), Counter[str]()
    for source in dict.fromkeys(sources):
        name = shared_name(source)
        count[name] += 1
        found[source] = name if count[name] == 1 else f"{name} ({count[name]})"
    return found


def shared_note(note: str, source: str) -> str:
    """Return *note*, a source's text about itself, without the folder that *source* (its stored name) contains."""
    kind, _, argument = source.partition(":")
    folder = argument if kind == _MEDVISION else source
    if not _SEPARATOR.search(folder):
        return note
    return note.replace(f" of {folder}", "").replace(folder, _last(folder))


def _last(path: str) -> str:
    return _SEPARATOR.split(path.rstrip("/\\"))[-1]
