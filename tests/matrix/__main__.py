"""Run the matrices: ``python -m matrix --seed 1 [--sample] [--page FILE]``. Exit code 1 where a count is not zero."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from matrix import escapes, hostile, kills, resources, stops, wire
from matrix.page import page, table
from matrix.row import Row


def everything(folder: Path, seed: int) -> list[Row]:
    """Run all matrices in full."""
    return [
        *kills.matrix(folder / "kills", seed, 1000),
        *stops.matrix(folder / "stops", seed, 200),
        *resources.matrix(folder / "resources", seed, 12),
        *wire.matrix(folder / "wire", seed),
        *hostile.matrix(folder / "hostile", seed),
        *escapes.matrix(seed, 400),
    ]


def sample(folder: Path, seed: int) -> list[Row]:
    """Run a small part of each matrix."""
    few = {"commands": ("run",), "connections": (8,)}
    return [
        *kills.matrix(folder / "kills", seed, 18, **few),
        *stops.matrix(folder / "stops", seed, 6, **few),
        *resources.matrix(folder / "resources", seed, 1),
        *wire.matrix(folder / "wire", seed, 5),
        *hostile.matrix(folder / "hostile", seed, 3),
        *escapes.matrix(seed, 15, 10),
    ]


def main() -> None:
    """Run, print the table and every fault, and write the page where one is asked for."""
    parser = argparse.ArgumentParser(prog="matrix", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sample", action="store_true")
    parser.add_argument("--page", type=Path)
    options = parser.parse_args()
    os.environ["KEY_OF_THE_MATRIX"] = "plain-fake-key"
    with tempfile.TemporaryDirectory() as folder:
        rows = (sample if options.sample else everything)(Path(folder), options.seed)
    sys.stdout.write(table(rows))
    for row in rows:
        sys.stdout.writelines(f"{row.matrix}, {row.what}: {problem}\n" for problem in row.problems)
    if options.page:
        options.page.write_text(page(rows, options.seed), encoding="utf-8")
    sys.exit(int(any(row.faults for row in rows)))


if __name__ == "__main__":
    main()
