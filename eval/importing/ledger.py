"""The ledger of an import: where each value came from, what only the user can know, and what was left out.

Contract: nothing in it but ``left`` holds the name of a file: an image is named by its number.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Ledger"]


@dataclass(eq=False)
class Ledger:
    """Where each value came from, what only the user can know, and what was left out."""

    derived: dict[str, Counter[str]] = field(default_factory=dict)
    """Field of samples -> where its value came from -> how often."""
    unknown: dict[str, set[str]] = field(default_factory=dict)
    """A question to the user -> the images it is about."""
    structures: set[int] = field(default_factory=set)
    """The numbers of structures that any mask shows."""
    left: list[tuple[str, Path, str]] = field(default_factory=list)
    """Each thing left out: the image's tag, the path of the file at fault (for the terminal only), and the reason.

    The file at fault is the image, its mask or its markups; the reason contains no path.
    """

    def note(self, what: str, origin: str, count: int = 1) -> None:
        """Count one use of an origin of the field *what*."""
        self.derived.setdefault(what, Counter())[origin] += count

    def ask(self, question: str, tag: str = "") -> None:
        """Add a question to the user about something that no file states."""
        self.unknown.setdefault(question, set()).update({tag} - {""})

    def leave(self, tag: str, path: Path, reason: str) -> None:
        """Note that something is left out, and why."""
        self.left.append((tag, path, reason))

    def part(self) -> "Ledger":
        """Return a ledger of one image: what it leaves out is named here too, all else only once it is taken over."""
        return Ledger(left=self.left, structures=self.structures)

    def take_over(self, part: "Ledger") -> None:
        """Count what followed for one image, of which a sample was made, and ask what is not known of it."""
        for what, origins in part.derived.items():
            self.derived.setdefault(what, Counter()).update(origins)
        for question, tags in part.unknown.items():
            self.unknown.setdefault(question, set()).update(tags)

    def facts(self) -> Mapping[str, Mapping[str, int]]:
        """Return the origins of the values as plain data."""
        return {what: dict(origins) for what, origins in self.derived.items()}
