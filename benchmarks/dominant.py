"""Is the verdict still calibrated where few subjects hold a large part of the samples?

The arms and the code are those of ``calibration.py``; only the sizes differ: one to five subjects hold a large share
each (``3 x 0.18``), or sizes are lognormal, fall off by Zipf's law or geometrically, a tenth of the subjects holds
nearly all, or every subject has many slices (``simulated_arms.sizes_of``). False positives are at 5%, of arms that are
exchangeable, before the guard unless the column says so. Beside the test stands the same one on Student's t with Kish's
number of subjects less one as degrees of freedom, on the same replicates.

Usage: python benchmarks/dominant.py [--replicates 4000]
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "tests"))

from rates import measure
from simulated_arms import Cell

CORRELATIONS = (0.0, 0.05, 0.3, 0.7)
EFFECT = 0.42
"""The mean latent loss of arm B in cells with a true difference; arm A's is 0.5."""
CELLS = (
    *(("1 x 0.17", 40), ("1 x 0.22", 40), ("1 x 0.28", 40), ("1 x 0.17", 200), ("1 x 0.22", 200), ("1 x 0.31", 200)),
    *(("2 x 0.21", 40), ("2 x 0.21", 200), ("3 x 0.16", 20), ("3 x 0.17", 40), ("3 x 0.12", 200), ("3 x 0.18", 200)),
    *(("4 x 0.15", 40), ("4 x 0.13", 200), ("5 x 0.13", 40), ("5 x 0.11", 200), ("5 x 0.08", 200)),
    *(("lognormal 1", 30), ("lognormal 1.3", 60), ("lognormal 1.6", 200)),
    *(("zipf 0.9", 40), ("tenth 0.9", 100), ("geometric 0.85", 60), ("zipf 1", 100), ("slices", 24), ("tenth 0.5", 60)),
)
HEADS = ("sizes", "subjects", "effective", "false positives", "guarded", "coverage", "on Kish's number less one")


def main() -> None:
    """Simulate all cells and print a table."""
    parser = argparse.ArgumentParser(description="Calibration where few subjects hold much")
    parser.add_argument("--replicates", type=int, default=4_000)
    replicates = parser.parse_args().replicates
    start = time.process_time()
    print(f"| {' | '.join(HEADS)} |\n|{'---|' * len(HEADS)}")
    for kind, subjects in CELLS:
        null, effect = (
            [measure(Cell(subjects=subjects, sizes=kind, icc=icc, mean_b=mean), replicates) for icc in CORRELATIONS]
            for mean in (0.5, EFFECT)
        )
        columns = (
            [one.rejected for one in null],
            [one.guarded for one in null],
            [one.covered for one in effect],
            [one.on_kish for one in null],
        )
        shown = " | ".join(" / ".join(f"{100 * rate:.1f}" for rate in rates) for rates in columns)
        print(f"| {kind} | {subjects} | {null[0].effective:.1f} | {shown} |", flush=True)
    print(f"\n{replicates:,} replicates a cell; CPU {time.process_time() - start:.0f} s")


if __name__ == "__main__":
    main()
