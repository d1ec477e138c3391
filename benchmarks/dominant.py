"""Where few subjects hold much of the samples: is the interval still a 95 % one, and would another be better?

The arms and the code are those of ``calibration.py``; only the sizes differ: one to five subjects hold a large share
each (``3 x 0.18``), or sizes are lognormal. False positives are at 5 %, of arms that are exchangeable, before the guard
unless the column says so. Beside today's test (the larger p of the jackknife's t, on Kish's number less one, and
Hall's) stand others on the same replicates:

* *subjects - 1*: today's with the degrees of freedom of equal sizes;
* *others*: today's with Kish's number of all subjects but the largest;
* *unbiased*: the standard error that is unbiased where samples are independent, with Satterthwaite's degrees of
  freedom (Bell and McCaffrey 2002, "Bias reduction in standard errors for linear regression with multi-stage samples",
  Survey Methodology 28), in Hall's hull as today;
* *reference*: today's with the quantile of absolute t simulated for these very sizes, the largest over intra-subject
  correlations 0, 0.3, 0.7 and 1 of normal values (Dufour 2006, "Monte Carlo tests with nuisance parameters",
  J. Econometrics 133);
* *sign flips*: 999 random flips of the subjects' sums, alone (Hartigan 1969, "Using subsample values as typical
  values", J. American Statistical Association 64).

Usage: python benchmarks/dominant.py [--replicates 10000]
"""

import argparse
import sys
import time
from functools import partial
from pathlib import Path
from zlib import crc32

import numpy as np
from scipy import stats

sys.path.append(str(Path(__file__).parent.parent / "tests"))

from rates import ALPHA, measure
from simulated_arms import Cell, draw, sizes_of

from medvision_agent.eval.compare.statistics.hall import Skewed, skewed
from medvision_agent.eval.compare.statistics.jackknife import Floats, Jackknife, kish

CORRELATIONS = (0.0, 0.3, 0.7)
EFFECT = 0.42
"""The mean latent loss of arm B in cells with a true difference; arm A's is 0.5."""
CELLS = (
    *(("1 x 0.17", 40), ("1 x 0.22", 40), ("1 x 0.28", 40), ("1 x 0.17", 200), ("1 x 0.22", 200), ("1 x 0.31", 200)),
    *(("2 x 0.21", 40), ("2 x 0.21", 200), ("3 x 0.16", 20), ("3 x 0.17", 40), ("3 x 0.12", 200), ("3 x 0.18", 200)),
    *(("4 x 0.15", 40), ("4 x 0.13", 200), ("5 x 0.13", 40), ("5 x 0.11", 200), ("5 x 0.08", 200)),
    *(("lognormal 1", 30), ("lognormal 1.3", 60), ("lognormal 1.6", 200)),
)
OTHERS = ("subjects - 1", "others", "unbiased", "reference", "sign flips")
_FLIPS = 999


def main() -> None:
    """Simulate all cells and print two tables."""
    parser = argparse.ArgumentParser(description="Calibration where few subjects hold much")
    parser.add_argument("--replicates", type=int, default=10_000)
    replicates = parser.parse_args().replicates
    start = time.process_time()
    print("| sizes | subjects | effective | false positives | guarded | coverage |\n|---|---|---|---|---|---|")
    for kind, subjects in CELLS:
        null, effect = (
            [measure(Cell(subjects=subjects, sizes=kind, icc=icc, mean_b=mean), replicates) for icc in CORRELATIONS]
            for mean in (0.5, EFFECT)
        )
        columns = ([one.rejected for one in null], [one.guarded for one in null], [one.covered for one in effect])
        print(f"| {kind} | {subjects} | {null[0].effective:.1f} | {' | '.join(map(_percent, columns))} |", flush=True)
    print(f"\n| sizes | subjects | {' | '.join(OTHERS)} |\n|---|---|{'---|' * len(OTHERS)}")
    for kind, subjects in CELLS:
        rates = np.array([_others(Cell(subjects=subjects, sizes=kind, icc=icc), replicates) for icc in CORRELATIONS])
        print(f"| {kind} | {subjects} | {' | '.join(map(_percent, rates.T))} |", flush=True)
    print(f"\n{replicates:,} replicates a cell; CPU {time.process_time() - start:.0f} s")


def _percent(rates: list[float]) -> str:
    return " / ".join(f"{100 * rate:.1f}" for rate in rates)


def _others(cell: Cell, replicates: int) -> list[float]:
    """Return the false positives of the other tests, in the order of their names."""
    random = np.random.default_rng(crc32(repr(cell).encode()))
    sizes = sizes_of(cell.sizes, cell.subjects).astype(np.float64)
    weights = sizes / sizes.sum()
    unbiased, freedom = weights**2 / (1 - weights), _satterthwaite(weights)
    fewer, reference = float(kish(np.sort(sizes)[:-1])) - 1, _reference(sizes)
    rows = []
    for block in draw(cell, replicates, random):
        sums = block.by_subject(block.b - block.a)
        found = skewed(sums, np.broadcast_to(sizes, sums.shape))
        residuals = sums / sizes - found.mean.estimate[:, np.newaxis]
        other = np.sqrt((residuals**2 * unbiased).sum(axis=-1))
        rejects = partial(_rejects, found)
        flips = 2 * random.integers(0, 2, (cell.subjects, _FLIPS)) - 1.0
        beyond = (np.abs(sums @ flips) >= np.abs(sums.sum(axis=-1))[:, np.newaxis] - 1e-12).sum(axis=-1)
        rows.append(
            [
                rejects(found.mean.error, len(sizes) - 1),
                rejects(found.mean.error, fewer),
                rejects(other, freedom),
                rejects(found.mean.error * reference / stats.norm.isf(ALPHA / 2), np.inf),
                (beyond + 1) / (_FLIPS + 1) <= ALPHA,
            ]
        )
    return [float(rate) for rate in np.concatenate(rows, axis=1).mean(axis=1)]


def _rejects(found: Skewed, error: Floats, freedom: float) -> Floats:
    mean = Jackknife(found.mean.estimate, error, np.full(error.shape, freedom))
    return np.asarray(Skewed(mean, found.skewness).p() < ALPHA)


def _satterthwaite(weights: Floats) -> float:
    """Return the degrees of freedom of the unbiased variance where samples are independent and normal."""
    residuals = np.diag(np.sqrt(1 / (1 - weights))) @ (np.eye(len(weights)) - np.outer(weights, np.ones(len(weights))))
    quadratic = residuals @ np.diag(weights) @ residuals.T
    return float(np.trace(quadratic) ** 2 / (quadratic**2).sum())


def _reference(sizes: Floats, draws: int = 40_000) -> float:
    """Return the largest 95 % quantile of absolute t over intra-subject correlations of normal values."""
    random = np.random.default_rng(1)
    quantiles = []
    for icc in (*CORRELATIONS, 1.0):
        sums = random.standard_normal((draws, len(sizes))) * np.sqrt(sizes * (1 - icc) + sizes**2 * icc)
        mean = skewed(sums, np.broadcast_to(sizes, sums.shape)).mean
        quantiles.append(float(np.quantile(np.abs(mean.estimate / mean.error), 1 - ALPHA)))
    return max(quantiles)


if __name__ == "__main__":
    main()
