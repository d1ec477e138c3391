"""Run the matrices: ``python -m matrix --seed 1 [--sample] [--only NAME] [--share SHARE] [--rows FILE] [--page FILE]``.

Progress is printed as it goes. A matrix that cannot be run is a fault in the table, and the others go on. Exit code 1
where a count is not zero. All of it takes long: with ``--rows``, it can be run in parts (``--only``), and their rows
are kept in a file. The page is written of all rows in the file; a part that is run again replaces its rows.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from matrix.all import FULL, SAMPLE, Matrix, full
from matrix.children import cpu_seconds
from matrix.page import page, table
from matrix.row import Row


def rows_of(matrices: Mapping[str, Matrix], folder: Path, seed: int) -> dict[str, list[Row]]:
    """Run each matrix, and return its rows by its name; one that fails as a whole is a row of its own."""
    found = {}
    for name, matrix in matrices.items():
        rows = list[Row]()
        whole = Row(name, "the matrix as a whole", "matrices")
        with whole.trial("it could not be run"):
            rows += matrix(folder / name, seed)
        if whole.faults:
            rows.append(whole.done())
        found[name] = rows
    return found


class Parts:
    """The rows of all parts that were run so far, and the seconds of processor time that each took."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        kept = json.loads(file.read_text(encoding="utf-8")) if file and file.exists() else {}
        self.rows = {name: [Row(**row) for row in rows] for name, rows in kept.get("rows", {}).items()}
        self.seconds: dict[str, float] = kept.get("seconds", {})
        self.shares: dict[str, float] = kept.get("shares", {})
        self.earlier: list[str] = kept.get("earlier", [])
        """Parts whose rows were taken over from an earlier page."""

    def add(self, rows: Mapping[str, list[Row]], seconds: float, share: float) -> None:
        """Add what was run just now with a *share* of the trials, and write the file, if there is one."""
        self.rows |= rows
        self.seconds |= {name: seconds / len(rows) for name in rows}
        self.shares |= dict.fromkeys(rows, share)
        self.earlier = [name for name in self.earlier if name not in rows]
        if self._file:
            kept: dict[str, object] = {
                "rows": {name: [asdict(row) for row in part] for name, part in self.rows.items()}
            }
            kept |= {"seconds": self.seconds, "shares": self.shares, "earlier": self.earlier}
            self._file.write_text(json.dumps(kept), encoding="utf-8")

    def all(self) -> list[Row]:
        """Return all rows, in the order of the matrices."""
        order = [*FULL, *(name for name in self.rows if name not in FULL)]
        return [row for name in order for row in self.rows.get(name, ())]


def main(words: Sequence[str] | None = None) -> int:
    """Run, print the table and every fault, write the page where one is asked for, and return the exit code."""
    parser = argparse.ArgumentParser(prog="matrix", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sample", action="store_true")
    parser.add_argument("--only", choices=sorted(FULL), action="append")
    parser.add_argument("--share", type=float, default=1.0, help="of the trials, where these are not a list")
    parser.add_argument("--rows", type=Path, help="a file that keeps the rows of the parts that were run")
    parser.add_argument("--page", type=Path)
    options = parser.parse_args(words)
    os.environ["KEY_OF_THE_MATRIX"] = "plain-fake-key"
    parts, all_ = Parts(options.rows), FULL if options.share == 1 else full(options.share)
    chosen = SAMPLE if options.sample else all_
    chosen = {name: matrix for name, matrix in chosen.items() if name in (options.only or chosen)}
    with tempfile.TemporaryDirectory() as folder:
        parts.add(rows_of(chosen, Path(folder), options.seed), cpu_seconds(), options.share)
    rows = parts.all()
    sys.stdout.write(table(rows))
    for row in rows:
        sys.stdout.writelines(f"{row.matrix}, {row.what}: {problem}\n" for problem in row.problems)
    took = sum(parts.seconds.values())
    sys.stdout.write(f"CPU seconds: {took:.0f}\n")
    if options.page:
        options.page.write_text(page(rows, options.seed, took, parts.shares, parts.earlier), encoding="utf-8")
    return int(any(row.faults for row in rows))


if __name__ == "__main__":
    sys.exit(main())
