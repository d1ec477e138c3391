"""What a reader must be told about the files that were read: counted by kind, with the first case of each.

Contract: nothing that was repaired, left out or passed over is silent.
"""

__all__ = ["Notes", "Place"]

_MOST = 20
Place = tuple[int, ...]
"""Where a remark belongs: the number of the file, the line, the step of reading one; empty before all files."""


class Notes:
    """Kinds of remarks, made in any order: they appear in that of their first places."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._first: dict[str, tuple[Place, str]] = {}

    def add(self, kind: str, example: str = "", count: int = 1, place: Place = ()) -> None:
        """Count a remark; *example* says where."""
        self._counts[kind] = self._counts.get(kind, 0) + count
        first = self._first.setdefault(kind, (place, example))
        if place < first[0]:
            self._first[kind] = place, example

    def has(self, kind: str, before: Place) -> bool:
        """Return whether there was such a remark before a place."""
        return kind in self._first and self._first[kind][0] < before

    def first(self) -> dict[str, str]:
        """Return the first example of each kind."""
        return {kind: example for kind, (_, example) in sorted(self._first.items(), key=lambda one: one[1][0])}

    def lines(self) -> list[str]:
        """Return one line for each kind, and one for all kinds after the first twenty."""
        lines = [
            f"{self._counts[kind]} {kind}" + (f" (first: {example})" if example else "")
            for kind, example in self.first().items()
        ]
        rest = [self._counts[kind] for kind in list(self.first())[_MOST:]]
        return [*lines[:_MOST], f"{sum(rest)} of {len(rest)} further kinds"] if rest else lines
