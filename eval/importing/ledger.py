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
    """A record of an import: where each value came from, what only the user can know, and what was left out."""

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
        """Count that the field *what* of samples came from *origin*."""
        self.derived.setdefault(what, Counter())[origin] += count

    def ask(self, question: str, tag: str = "") -> None:
        """Add a question to the user about something that no file states; *tag* names the image it is about."""
        self.unknown.setdefault(question, set()).update({tag} - {""})

    def leave(self, tag: str, path: Path, reason: str) -> None:
        """Note that something of the image *tag* is left out, the file at fault, and the reason."""
        self.left.append((tag, path, reason))

    def part(self) -> "Ledger":
        """Return a ledger of one image alone.

        What it leaves out also stands in this ledger at once; everything else only after ``take_over``.
        """
        return Ledger(left=self.left, structures=self.structures)

    def take_over(self, part: "Ledger") -> None:
        """Add the origins and questions of *part*, the ledger of an image of which a sample was made."""
        for what, origins in part.derived.items():
            self.derived.setdefault(what, Counter()).update(origins)
        for question, tags in part.unknown.items():
            self.unknown.setdefault(question, set()).update(tags)

    def facts(self) -> Mapping[str, Mapping[str, int]]:
        """Return, by field of samples, how often its value came from each origin."""
        return {what: dict(origins) for what, origins in self.derived.items()}
