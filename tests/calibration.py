"""How often the interval and the test of ``eval.statistics`` are right, over replicates of simulated arms."""

from dataclasses import dataclass
from zlib import crc32

import numpy as np
from scipy import stats
from simulated_arms import Cell, Draw, draw, truth

from medvision_agent.eval.compare.statistics.jackknife import Floats, jackknife, kish

__all__ = ["Rates", "measure"]

ALPHA = 0.05
FLIPS = 999


@dataclass(frozen=True)
class Rates:
    """Fractions of replicates; *rejected* are false positives where the true difference is 0."""

    truth: float
    effective: float
    """Kish's effective number of subjects, of all samples."""
    rejected: float
    covered: float
    naive_rejected: float
    """By the paired t-test that takes samples for independent."""
    naive_covered: float
    flip_rejected: float
    """By sign flips of subject sums; 0 where the true difference is not 0."""
    complete_covered: float
    """The interval over pairs answered in both arms, against the true difference of the primary."""
    bounds_held: float
    """The worst-case bounds for lost pairs hold the true difference, as figures."""
    bounds_covered: float
    """Their interval does."""
    scored: float
    """Fraction of samples with a loss in both arms."""
    undefined: int
    """Replicates without an interval, because no spread was left; counted as neither rejected nor covered."""


def measure(cell: Cell, replicates: int) -> Rates:
    """Return the rates of a cell, whose seed is its own: the cells are independent, and each is repeatable."""
    random, true = np.random.default_rng(crc32(repr(cell).encode())), truth(cell)
    flips = random.integers(0, 2, (cell.subjects, FLIPS)) * 2.0 - 1.0
    rows = [np.array(_block(block, true, flips)) for block in draw(cell, replicates, random)]
    sizes = next(draw(cell, 1, random)).sizes
    means = np.concatenate(rows, axis=1).mean(axis=1)
    return Rates(
        true, float(kish(sizes.astype(np.float64))), *means[:-1].tolist(), undefined=round(means[-1] * replicates)
    )


def _block(block: Draw, true: float, flips: Floats) -> list[Floats]:
    kept, differences = ~block.lost_b, np.asarray(block.b - block.a, dtype=np.float64)
    sizes, sums = block.by_subject(kept), block.by_subject(differences * kept)
    rejected, covered, undefined = _right(sums, sizes, true)
    n = sizes.sum(axis=-1)
    mean = sums.sum(axis=-1) / n
    variance = ((differences - mean[:, np.newaxis]) ** 2 * kept).sum(axis=-1) / (n - 1) / n
    with np.errstate(divide="ignore", invalid="ignore"):
        t = stats.t.ppf(1 - ALPHA / 2, n - 1)
        naive = np.abs(mean) / np.sqrt(variance) > t
    hits = np.full(len(sums), FLIPS)
    if true == 0:
        hits = (np.abs(sums @ flips) >= np.abs(sums.sum(axis=-1))[:, np.newaxis] - 1e-9).sum(axis=-1)
    both = kept & ~block.failed_a & ~block.failed_b
    _, complete_covered, _ = _right(block.by_subject(differences * both), block.by_subject(both), true)
    everyone = np.broadcast_to(block.sizes.astype(np.float64), sizes.shape)
    low = jackknife(block.by_subject(np.where(kept, differences, 0 - block.a)), everyone)
    high = jackknife(block.by_subject(np.where(kept, differences, 1 - block.a)), everyone)
    return [
        rejected,
        covered,
        naive,
        np.abs(mean - true) <= t * np.sqrt(variance),
        (1 + hits) / (1 + FLIPS) <= ALPHA,
        complete_covered,
        (low.estimate <= true) & (true <= high.estimate),
        (low.estimate - low.margin(1 - ALPHA) <= true) & (true <= high.estimate + high.margin(1 - ALPHA)),
        kept.mean(axis=-1),
        undefined,
    ]


def _right(sums: Floats, sizes: Floats, true: float) -> tuple[Floats, Floats, Floats]:
    found = jackknife(sums, sizes)
    defined = found.error > 1e-12
    with np.errstate(divide="ignore", invalid="ignore"):
        return (
            (found.p() < ALPHA) & defined,
            (np.abs(found.estimate - true) <= found.margin(1 - ALPHA)) & defined,
            ~defined,
        )
