"""Run the matrices: ``python -m matrix --seed 1 [--sample] [--only NAME] [--page FILE]``.

Progress is printed as it goes. A matrix that cannot be run is a fault in the table, and the others go on. Exit code 1
where a count is not zero.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from matrix.all import FULL, SAMPLE, Matrix
from matrix.children import cpu_seconds
from matrix.page import page, table
from matrix.row import Row


def rows_of(matrices: dict[str, Matrix], folder: Path, seed: int) -> list[Row]:
    """Run each matrix; one that fails as a whole is a row of its own."""
    rows = []
    for name, matrix in matrices.items():
        whole = Row(name, "the matrix as a whole", "matrices")
        with whole.trial("it could not be run"):
            rows += matrix(folder / name, seed)
        if whole.faults:
            rows.append(whole.done())
    return rows


def main(words: Sequence[str] | None = None) -> int:
    """Run, print the table and every fault, write the page where one is asked for, and return the exit code."""
    parser = argparse.ArgumentParser(prog="matrix", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sample", action="store_true")
    parser.add_argument("--only", choices=sorted(FULL), action="append")
    parser.add_argument("--page", type=Path)
    options = parser.parse_args(words)
    os.environ["KEY_OF_THE_MATRIX"] = "plain-fake-key"
    chosen = SAMPLE if options.sample else FULL
    chosen = {name: matrix for name, matrix in chosen.items() if name in (options.only or chosen)}
    with tempfile.TemporaryDirectory() as folder:
        rows = rows_of(chosen, Path(folder), options.seed)
    sys.stdout.write(table(rows))
    for row in rows:
        sys.stdout.writelines(f"{row.matrix}, {row.what}: {problem}\n" for problem in row.problems)
    took = cpu_seconds()
    sys.stdout.write(f"CPU seconds: {took:.0f}\n")
    if options.page:
        options.page.write_text(page(rows, options.seed, took), encoding="utf-8")
    return int(any(row.faults for row in rows))


if __name__ == "__main__":
    sys.exit(main())
