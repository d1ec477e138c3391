"""Marks: named points of the slice that a model places in one view and can use in all.

A mark is kept in the slice frame, so that it stays where it is whatever the zoom of the view it was placed in.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from medvision_agent.errors import ToolError
from medvision_agent.tools.view.geometry import Point

__all__ = ["LONGEST", "MOST", "Marks", "Placed", "is_name"]

MOST = 20
"""Marks that are kept at once."""
LONGEST = 12
"""Letters and digits of a name at most."""
_NAME = re.compile(rf"[A-Za-z][A-Za-z0-9]{{0,{LONGEST - 1}}}")


def is_name(text: str) -> bool:
    """Return whether *text* can name a mark: a letter, then letters and digits, 12 characters at most.

    The word "and" is not allowed: it stands between names, in a final box too (``agent/marked_box.py``).
    """
    return _NAME.fullmatch(text) is not None and text.lower() != "and"


@dataclass(frozen=True, slots=True)
class Placed:
    """A point of the slice, with the id of the view it was placed in and, if it is a mark, its name."""

    point: Point
    view: str
    mark: str = ""


class Marks:
    """The marks of one conversation by name."""

    def __init__(self) -> None:
        self._placed: dict[str, Placed] = {}

    def __iter__(self) -> Iterator[Placed]:
        return iter(self._placed.values())

    def place(self, name: str, point: Point, view: str) -> Placed:
        """Place a mark at a slice point, or move the mark of that name; return it.

        *view* is the id of the view in which it is placed. Raises ToolError for text that cannot be a name
        (``is_name``), and for a new name beside MOST others.
        """
        name = name.strip()
        if not is_name(name):
            raise ToolError(
                f"{name[:40]!r} is no name of a mark; a name has at most {LONGEST} characters, a letter first, then "
                "letters and digits, and it is not the word 'and'"
            )
        if name not in self._placed and len(self._placed) == MOST:
            raise ToolError(f"there are {MOST} marks already; move one by placing its name again")
        self._placed[name] = Placed(point, view, name)
        return self._placed[name]

    def get(self, name: str) -> Placed:
        """Return a mark by name; raises ToolError, which lists the existing marks, where there is none of this name."""
        try:
            return self._placed[name.strip()]
        except KeyError:
            known = f"the marks are {', '.join(self._placed)}" if self._placed else "no mark is placed"
            raise ToolError(f"no mark {name[:40]!r}; {known}") from None
