"""Remarks for the reader about result files: counted by type, with the first case of each.

Contract: everything repaired, left out or skipped is reported.
"""

__all__ = ["Notes", "Place"]

_MOST = 20
Place = tuple[int, ...]
"""Position of a remark: number of the file, line, step of reading a line; empty means before all files."""


class Notes:
    """A collection of remarks, counted by type (*kind*) and listed by the position where each type first occurs."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._first: dict[str, tuple[Place, str]] = {}

    def add(self, kind: str, example: str = "", count: int = 1, place: Place = ()) -> None:
        """Add *count* remarks of a type; *example* says where the first one applies, *place* is its position."""
        self._counts[kind] = self._counts.get(kind, 0) + count
        first = self._first.setdefault(kind, (place, example))
        if place < first[0]:
            self._first[kind] = place, example

    def has(self, kind: str, before: Place) -> bool:
        """Return whether a remark of this type was added for an earlier position than *before*."""
        return kind in self._first and self._first[kind][0] < before

    def first(self) -> dict[str, str]:
        """Return the example of the first remark of each type, by type, in the order of their positions."""
        return {kind: example for kind, (_, example) in sorted(self._first.items(), key=lambda one: one[1][0])}

    def lines(self) -> list[str]:
        """Return one line of text for each type of remark; after the first twenty types, one line counts the rest."""
        lines = [
            f"{self._counts[kind]} {kind}" + (f" (first: {example})" if example else "")
            for kind, example in self.first().items()
        ]
        rest = [self._counts[kind] for kind in list(self.first())[_MOST:]]
        return [*lines[:_MOST], f"{sum(rest)} of {len(rest)} further kinds"] if rest else lines
