"""How often the interval and the test of ``eval.statistics`` are right, over replicates of simulated arms."""

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from simulated_arms import Cell, Draw, WeakNull, draw, draw_weak, draw_weak_subjects, truth

from medvision_agent.eval.compare.statistics.clusters import Clusters, correlation
from medvision_agent.eval.compare.statistics.equivalence import MARGIN, equivalent
from medvision_agent.eval.compare.statistics.graph import reject
from medvision_agent.eval.compare.statistics.guard import against, guarded_p
from medvision_agent.eval.compare.statistics.hall import Skewed, skewed
from medvision_agent.eval.compare.statistics.jackknife import Floats, jackknife, kish
from medvision_agent.eval.compare.statistics.looks import boundaries
from medvision_agent.eval.compare.statistics.pairs import Key
from medvision_agent.eval.compare.statistics.weights import family_graph

__all__ = [
    "FamilyRates",
    "LookRates",
    "Rates",
    "WeakRates",
    "measure",
    "measure_equivalence",
    "measure_family",
    "measure_looks",
    "measure_weak",
]

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
    on_kish: float
    """Rejected by T and H on Student's t with Kish's number of subjects less one as degrees of freedom."""
    scored: float
    """Fraction of samples with a loss in both arms."""
    undefined: int
    """Replicates without an interval, because no spread was left; counted as neither rejected nor covered."""
    complete_covered: float
    """The interval over pairs answered in both arms, against the true difference of the primary."""
    bounds_held: float
    """The worst-case bounds for lost pairs hold the true difference, as figures."""
    bounds_covered: float
    """Their interval does."""


def measure(cell: Cell, replicates: int, *, missing: bool = False) -> Rates:
    """Return the rates of a cell, whose seed is its own: the cells are independent, and each is repeatable.

    The rates of complete pairs and of bounds are NaN unless *missing*: they take long.
    """
    random, true = np.random.default_rng(crc32(repr(cell).encode())), truth(cell)
    rows = [
        np.array([*_block(block, true), *(_missing(block, true) if missing else [np.full(len(block.a), np.nan)] * 3)])
        for block in draw(cell, replicates, random)
    ]
    sizes = next(draw(cell, 1, random)).sizes
    *means, complete, held, bounds = np.concatenate(rows, axis=1).mean(axis=1).tolist()
    return Rates(
        true,
        float(kish(sizes.astype(np.float64))),
        *means[:-1],
        undefined=round(means[-1] * replicates),
        complete_covered=complete,
        bounds_held=held,
        bounds_covered=bounds,
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
        data = _equal(sums, cell.size)
        found = skewed(*data)
        guard = guarded_p(data, against(found.mean.estimate, mean_a, mean_b)) <= ALPHA
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
            own = _equal(sums[:, :count], cell.size)
            p = skewed(*own).p()
            peeked |= p <= ALPHA
            if count in levels:
                mean_a, mean_b = (losses[:, :count].mean(axis=1) for losses in (a, b))
                guard = guarded_p(own, against(own.sums.sum(axis=-1), mean_a, mean_b))
                looked |= p <= levels[count]
                verdict |= np.maximum(p, guard) <= levels[count]
        rows.append(np.array([peeked, looked, verdict]))
    return LookRates(*np.concatenate(rows, axis=1).mean(axis=1).tolist())


def measure_equivalence(cell: WeakNull, replicates: int) -> float:
    """Return the fraction of replicates in which the arms are called equivalent within 0.05; the seed is the cell's."""
    random, found = np.random.default_rng(crc32(repr(cell).encode())), []
    for start in range(0, replicates, _BLOCK):
        sums, a, b = draw_weak(cell, min(_BLOCK, replicates - start), random)
        found.append(equivalent(_equal(sums, cell.size), a, b, level=ALPHA, margin=MARGIN))
    return float(np.concatenate(found).mean())


def _equal(sums: Floats, size: int) -> Clusters:
    """Return subjects of equal size, with which nothing depends on the correlation."""
    return Clusters(sums, np.full(sums.shape, float(size)), np.zeros(len(sums)))


@dataclass(frozen=True)
class FamilyRates:
    """Fractions of replicates of a whole family of tests: 4 tasks, each with 1 primary and 5 secondary tests."""

    wrong: float
    """Any true null is rejected: the family-wise error."""
    wrong_by_holm: float
    found: float
    """A primary test with a difference is rejected; NaN where none has one."""
    found_by_holm: float


def measure_family(effects: Sequence[float], subjects: int, replicates: int) -> FamilyRates:
    """Return the rates of a family whose primary tests have these differences, task by task; all other tests have none.

    The arms of a task share ``on``, so that its tests hang together. One sample a subject, losses around 0.35 with a
    standard deviation of 0.18 in every arm.
    """
    random = np.random.default_rng(crc32(repr((tuple(effects), subjects)).encode()))
    keys = [Key(f"{arm} -> on", str(task), "m") for task in range(len(effects)) for arm in ("off", *"abcde")]
    graphs = family_graph(keys, ["off -> on"]), family_graph(keys, [])
    p = np.stack([_family_p(effect, subjects, replicates, random) for effect in effects], axis=1).reshape(
        replicates, -1
    )
    true = np.array([key.contrast == "off -> on" and effects[int(key.task)] != 0 for key in keys])
    rejected = [
        np.array([[one.rejected for one in reject(graph, row.tolist(), ALPHA)] for row in p]) for graph in graphs
    ]
    wrong = [float(one[:, ~true].any(axis=1).mean()) for one in rejected]
    found = [float(one[:, true].mean()) if true.any() else float("nan") for one in rejected]
    return FamilyRates(wrong[0], wrong[1], found[0], found[1])


def _family_p(effect: float, subjects: int, replicates: int, random: np.random.Generator) -> Floats:
    """Return the p-values (replicates, 6) of one task: ``off -> on``, and five other arms against ``on``."""
    on = 0.18 * random.standard_normal((replicates, subjects))
    others = 0.18 * random.standard_normal((replicates, 6, subjects))
    others[:, 0] -= effect
    differences = on[:, np.newaxis] - others
    return skewed(differences, np.ones_like(differences), np.zeros(differences.shape[:-1])).p()


def _block(block: Draw, true: float) -> list[Floats]:
    kept, differences = ~block.lost_b, np.asarray(block.b - block.a, dtype=np.float64)
    data = _summed(block, differences, kept)
    rejected, covered, undefined = _right(data, true)
    mean_a, mean_b = ((losses * kept).sum(axis=-1) / kept.sum(axis=-1) for losses in (block.a, block.b))
    guarded = guarded_p(data, against(data.sums.sum(axis=-1), mean_a, mean_b)) <= ALPHA
    n = data.sizes.sum(axis=-1)
    mean = data.sums.sum(axis=-1) / n
    variance = ((differences - mean[:, np.newaxis]) ** 2 * kept).sum(axis=-1) / (n - 1) / n
    with np.errstate(divide="ignore", invalid="ignore"):
        t = stats.t.ppf(1 - ALPHA / 2, n - 1)
        naive = np.abs(mean) / np.sqrt(variance) > t
    return [
        rejected,
        covered,
        naive,
        np.abs(mean - true) <= t * np.sqrt(variance),
        rejected & guarded,
        _on_kish(skewed(*data), data.sizes),
        kept.mean(axis=-1),
        undefined,
    ]


def _on_kish(found: Skewed, sizes: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        t, a = found.mean.estimate / found.mean.error, found.skewness
        h = t + a * t**2 / 3 + a**2 * t**3 / 27 + a / 6
        nearer = np.where(h * t > 0, np.minimum(np.abs(t), np.abs(h)), 0.0)
    return np.asarray(nearer > stats.t.isf(ALPHA / 2, kish(sizes) - 1))


def _missing(block: Draw, true: float) -> list[Floats]:
    kept, differences = ~block.lost_b, np.asarray(block.b - block.a, dtype=np.float64)
    _, complete_covered, _ = _right(_summed(block, differences, kept & ~block.failed_a & ~block.failed_b), true)
    everyone = np.ones_like(kept)
    low = jackknife(*_summed(block, np.where(kept, differences, 0 - block.a), everyone))
    high = jackknife(*_summed(block, np.where(kept, differences, 1 - block.a), everyone))
    return [
        complete_covered,
        (low.estimate <= true) & (true <= high.estimate),
        (low.estimate - low.margin(1 - ALPHA) <= true) & (true <= high.estimate + high.margin(1 - ALPHA)),
    ]


def _summed(block: Draw, values: Floats, kept: NDArray[np.bool_]) -> Clusters:
    sums, sizes = block.by_subject(values * kept), block.by_subject(kept)
    of_means = np.divide(sums**2, sizes, out=np.zeros_like(sums), where=sizes > 0).sum(axis=-1)
    within = np.maximum(0, (values**2 * kept).sum(axis=-1) - of_means)
    return Clusters(sums, sizes, correlation(sums, sizes, within))


def _right(data: Clusters, true: float) -> tuple[Floats, Floats, Floats]:
    found = skewed(*data)
    defined = found.mean.error > 1e-12
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = found.interval(1 - ALPHA)
        return (found.p() < ALPHA) & defined, (low <= true) & (true <= high) & defined, ~defined
