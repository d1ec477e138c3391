"""What a reader must be told about the files that were read: counted by kind, with the first case of each.

Contract: nothing that was repaired, left out or passed over is silent.
"""

__all__ = ["FileNotes", "Notes"]

_MOST = 20


class Notes:
    """Kinds of remarks, in order of appearance."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._first: dict[str, str] = {}

    def add(self, kind: str, example: str = "", count: int = 1) -> None:
        """Count a remark; *example* says where."""
        self._counts[kind] = self._counts.get(kind, 0) + count
        self._first.setdefault(kind, example)

    def merge(self, other: "Notes") -> None:
        """Add all remarks of *other*."""
        for kind, count in other._counts.items():
            self.add(kind, other._first[kind], count)

    def lines(self) -> list[str]:
        """Return one line for each kind, and one for all kinds after the first twenty."""
        lines = [
            f"{count} {kind}" + (f" (first: {self._first[kind]})" if self._first[kind] else "")
            for kind, count in self._counts.items()
        ]
        rest = list(self._counts.values())[_MOST:]
        return [*lines[:_MOST], f"{sum(rest)} of {len(rest)} further kinds"] if rest else lines


class FileNotes:
    """Remarks about one file, made in any order: they appear in that of its lines, and of the steps of reading one."""

    DECODED, LOOKED_UP, BUILT = range(3)

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._first: dict[str, tuple[int, int, str]] = {}

    def add(self, line: int, step: int, kind: str, example: str, count: int = 1) -> None:
        """Count a remark about a line."""
        self._counts[kind] = self._counts.get(kind, 0) + count
        first = self._first.get(kind)
        if first is None or (line, step) < first[:2]:
            self._first[kind] = line, step, example

    def hand_to(self, notes: Notes) -> None:
        """Add all remarks to *notes*."""
        for kind, (_, _, example) in sorted(self._first.items(), key=lambda one: one[1][:2]):
            notes.add(kind, example, self._counts[kind])
