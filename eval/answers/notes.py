"""What a reader must be told about the files that were read: counted by kind, with the first case of each.

Contract: nothing that was repaired, left out or passed over is silent.
"""

__all__ = ["Notes"]

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

    def lines(self) -> list[str]:
        """Return one line for each kind, and one for all kinds after the first twenty."""
        lines = [
            f"{count} {kind}" + (f" (first: {self._first[kind]})" if self._first[kind] else "")
            for kind, count in self._counts.items()
        ]
        rest = list(self._counts.values())[_MOST:]
        return [*lines[:_MOST], f"{sum(rest)} of {len(rest)} further kinds"] if rest else lines
