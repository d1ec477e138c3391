"""How often the interval and the test of ``eval.statistics`` are right, over replicates of simulated arms."""

from dataclasses import dataclass
from zlib import crc32

import numpy as np
from scipy import stats
from simulated_arms import Cell, Draw, WeakNull, draw, draw_weak, draw_weak_subjects, truth

from medvision_agent.eval.compare.statistics.equivalence import MARGIN, equivalent
from medvision_agent.eval.compare.statistics.guard import against, guarded_p
from medvision_agent.eval.compare.statistics.hall import skewed
from medvision_agent.eval.compare.statistics.jackknife import Floats, jackknife, kish
from medvision_agent.eval.compare.statistics.looks import boundaries

__all__ = ["LookRates", "Rates", "WeakRates", "measure", "measure_equivalence", "measure_looks", "measure_weak"]

ALPHA = 0.05
_BLOCK = 1000
"""Replicates of a weak null that are drawn at once."""


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
    guarded: float
    """Rejected and guarded: a verdict."""
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
    rows = [np.array(_block(block, true)) for block in draw(cell, replicates, random)]
    sizes = next(draw(cell, 1, random)).sizes
    means = np.concatenate(rows, axis=1).mean(axis=1)
    return Rates(
        true, float(kish(sizes.astype(np.float64))), *means[:-1].tolist(), undefined=round(means[-1] * replicates)
    )


@dataclass(frozen=True)
class WeakRates:
    """Fractions of replicates in which a weak null is rejected, or an effect found, by test."""

    t: float
    """By the jackknife's t alone."""
    hall: float
    """By the larger p of t and Hall's."""
    guarded: float
    """And guarded: a verdict."""


def measure_weak(cell: WeakNull, replicates: int) -> WeakRates:
    """Return the rates of a weak null, whose seed is its own."""
    random = np.random.default_rng(crc32(repr(cell).encode()))
    rows = []
    for start in range(0, replicates, _BLOCK):
        sums, mean_a, mean_b = draw_weak(cell, min(_BLOCK, replicates - start), random)
        sizes = np.full(sums.shape, float(cell.size))
        found = skewed(sums, sizes)
        guard = guarded_p(sums, sizes, against(found.mean.estimate, mean_a, mean_b)) <= ALPHA
        rejected = found.p() <= ALPHA
        rows.append(np.array([found.mean.p() <= ALPHA, rejected, rejected & guard]))
    return WeakRates(*np.concatenate(rows, axis=1).mean(axis=1).tolist())


@dataclass(frozen=True)
class LookRates:
    """Fractions of replicates rejected while subjects come in one after the other."""

    peeking: float
    """At 5 % whenever five more subjects are there, from the first 20 on."""
    looks: float
    """At a planned look, at its boundary."""
    verdicts: float
    """And guarded at that look."""


def measure_looks(cell: WeakNull, fractions: tuple[float, ...], replicates: int) -> LookRates:
    """Return the rates of a cell at planned looks, and of looking every five subjects; the seed is the cell's own."""
    random = np.random.default_rng(crc32(repr(cell).encode()))
    planned = [round(fraction * cell.subjects) for fraction in fractions]
    levels = dict(zip(planned, boundaries(fractions, ALPHA), strict=True))
    rows = []
    for start in range(0, replicates, _BLOCK):
        sums, a, b = draw_weak_subjects(cell, min(_BLOCK, replicates - start), random)
        peeked, looked, verdict = np.zeros((3, len(sums)), dtype=np.bool_)
        for count in range(20, cell.subjects + 1, 5):
            own, sizes = sums[:, :count], np.full((len(sums), count), float(cell.size))
            p = skewed(own, sizes).p()
            peeked |= p <= ALPHA
            if count in levels:
                mean_a, mean_b = (losses[:, :count].mean(axis=1) for losses in (a, b))
                guard = guarded_p(own, sizes, against(own.sum(axis=-1), mean_a, mean_b))
                looked |= p <= levels[count]
                verdict |= np.maximum(p, guard) <= levels[count]
        rows.append(np.array([peeked, looked, verdict]))
    return LookRates(*np.concatenate(rows, axis=1).mean(axis=1).tolist())


def measure_equivalence(cell: WeakNull, replicates: int) -> float:
    """Return the fraction of replicates in which the arms are called equivalent within 0.05; the seed is the cell's."""
    random, found = np.random.default_rng(crc32(repr(cell).encode())), []
    for start in range(0, replicates, _BLOCK):
        sums, a, b = draw_weak(cell, min(_BLOCK, replicates - start), random)
        sizes = np.full(sums.shape, float(cell.size))
        found.append(equivalent(sums, sizes, a, b, level=ALPHA, margin=MARGIN))
    return float(np.concatenate(found).mean())


def _block(block: Draw, true: float) -> list[Floats]:
    kept, differences = ~block.lost_b, np.asarray(block.b - block.a, dtype=np.float64)
    sizes, sums = block.by_subject(kept), block.by_subject(differences * kept)
    rejected, covered, undefined = _right(sums, sizes, true)
    mean_a, mean_b = ((losses * kept).sum(axis=-1) / kept.sum(axis=-1) for losses in (block.a, block.b))
    guarded = guarded_p(sums, sizes, against(sums.sum(axis=-1), mean_a, mean_b)) <= ALPHA
    n = sizes.sum(axis=-1)
    mean = sums.sum(axis=-1) / n
    variance = ((differences - mean[:, np.newaxis]) ** 2 * kept).sum(axis=-1) / (n - 1) / n
    with np.errstate(divide="ignore", invalid="ignore"):
        t = stats.t.ppf(1 - ALPHA / 2, n - 1)
        naive = np.abs(mean) / np.sqrt(variance) > t
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
        rejected & guarded,
        complete_covered,
        (low.estimate <= true) & (true <= high.estimate),
        (low.estimate - low.margin(1 - ALPHA) <= true) & (true <= high.estimate + high.margin(1 - ALPHA)),
        kept.mean(axis=-1),
        undefined,
    ]


def _right(sums: Floats, sizes: Floats, true: float) -> tuple[Floats, Floats, Floats]:
    found = skewed(sums, sizes)
    defined = found.mean.error > 1e-12
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = found.interval(1 - ALPHA)
        return (found.p() < ALPHA) & defined, (low <= true) & (true <= high) & defined, ~defined
