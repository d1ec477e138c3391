"""Synthetic paired arms: losses within 0..1 with failures, subjects of unequal sizes, correlation within a subject.

The loss of sample j of subject i in arm X is ``clip(mean_X + 0.25 (sqrt(c) h_ij + sqrt(1 - c) z_ijX), 0, 1)`` with the
difficulty ``h`` common to both arms and ``z_ijX = sqrt(r) u_iX + sqrt(1 - r) e_ijX``, all standard normal; it fails, at
a loss of 1, where a second such ``z`` lies in the tail of its arm's failure rate. With ``hard`` the tail is shifted by
the difficulty. ``r`` is searched so that the *differences* have the wanted intra-subject correlation. Arms with equal
settings are exchangeable, so that the true difference is exactly 0.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

__all__ = ["Cell", "Draw", "WeakNull", "draw", "draw_weak", "draw_weak_subjects", "latent", "sizes_of", "truth"]

Floats = NDArray[np.float64]
Losses = NDArray[np.float32]
_SPREAD = np.float32(0.25)
_VALUES = 2_000_000
"""Samples drawn at once."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One setting of the simulation."""

    subjects: int
    sizes: str = "equal"
    icc: float = 0.0
    """Intra-subject correlation of the differences."""
    mean_a: float = 0.5
    mean_b: float = 0.5
    fail_a: float = 0.1
    fail_b: float = 0.1
    hard: float = 0.0
    """How much likelier arm B fails on difficult samples, in standard deviations of the latent variable."""
    lost_b: float = 0.0
    """Fraction of samples whose result in arm B is lost to infrastructure, hard ones first where ``hard`` says so."""
    common: float = 0.5
    """c: the share of a loss's variance that both arms have in common."""


@dataclass(frozen=True)
class Draw:
    """Replicates (first axis) of all samples (second axis), subject after subject."""

    sizes: NDArray[np.int64]
    a: Losses
    b: Losses
    failed_a: NDArray[np.bool_]
    failed_b: NDArray[np.bool_]
    lost_b: NDArray[np.bool_]

    def by_subject(self, values: NDArray[np.generic]) -> Floats:
        """Return the sums over each subject's samples."""
        starts = np.concatenate(([0], np.cumsum(self.sizes)[:-1]))
        return np.add.reduceat(np.asarray(values, dtype=np.float64), starts, axis=1)


@dataclass(frozen=True, kw_only=True)
class WeakNull:
    """Arm B is a little better nearly always and fails in some subjects, so that the true mean difference is *effect*.

    A's losses are normal about 0.35; B's are A's, less what makes up for the failures, with noise of its own.
    """

    subjects: int
    harmed: float
    """The fraction of subjects in whom B fails in every sample."""
    noise: float
    """Standard deviation of B minus A in one sample, where B does not fail."""
    size: int = 1
    """Samples of each subject."""
    effect: float = 0.0


def draw_weak(cell: WeakNull, replicates: int, random: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """Return sums of B minus A by subject (replicates, subjects), and the mean losses of A and B."""
    sums, a, b = draw_weak_subjects(cell, replicates, random)
    return sums, a.mean(axis=1), b.mean(axis=1)


def draw_weak_subjects(cell: WeakNull, replicates: int, random: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """Return sums of B minus A, and the mean losses of A and B, all by subject (replicates, subjects)."""
    shape = (replicates, cell.subjects, cell.size)
    a = np.clip(0.35 + 0.15 * random.standard_normal(shape), 0, 1)
    failed = random.random(shape[:2]) < cell.harmed
    gain = 0.65 * cell.harmed / (1 - cell.harmed)
    change = cell.effect - gain + cell.noise * random.standard_normal(shape)
    b = np.where(failed[..., np.newaxis], 1.0, a + change)
    return (b - a).sum(axis=-1), a.mean(axis=-1), b.mean(axis=-1)


def sizes_of(kind: str, subjects: int) -> NDArray[np.int64]:
    """Return samples per subject, about 6 on average.

    ``linear`` runs from 1 to 12, ``exponential`` from 1 to beyond 20, and ``one giant`` is 4 samples each but for one
    subject with so many that 10.5 effective subjects are left: just above the limit of a claim. ``3 x 0.18`` is 4
    samples each but for three subjects who hold a share of 0.18 each; ``lognormal 1.6`` has that sigma. In ``zipf 1``
    the size falls with that power of the rank, in ``geometric 0.9`` by that factor from subject to subject, in
    ``tenth 0.9`` a tenth of the subjects holds that share of the samples, and ``slices`` runs from 5 to 75.
    """
    quantiles = (np.arange(subjects) + 0.5) / subjects
    if kind == "equal":
        sizes = np.full(subjects, 6.0)
    elif kind == "linear":
        sizes = 12 * quantiles
    elif kind == "exponential":
        sizes = -6 * np.log(1 - quantiles)
    elif kind == "one giant":
        share = optimize.brentq(lambda w: w**2 + (1 - w) ** 2 / (subjects - 1) - 1 / 10.5, 1 / subjects, 0.9)
        sizes = np.full(subjects, 4.0)
        sizes[-1] = share / (1 - share) * 4 * (subjects - 1)
    elif " x " in kind:
        few, share = (float(part) for part in kind.split(" x "))
        sizes = np.full(subjects, 4.0)
        sizes[-int(few) :] = share / (1 - few * share) * 4 * (subjects - few)
    elif kind.startswith("lognormal "):
        sizes = np.exp(float(kind.split()[1]) * stats.norm.ppf(quantiles))
        sizes *= 6 / sizes.mean()
    elif kind == "slices":
        sizes = 5 + 70 * quantiles
    else:
        sizes = _falling(*kind.split(), subjects)
    return np.maximum(1, np.rint(sizes)).astype(np.int64)


def _falling(kind: str, number: str, subjects: int) -> Floats:
    ranks, value = np.arange(subjects, dtype=np.float64), float(number)
    few = ranks < round(subjects / 10)
    shares = {
        "zipf": (ranks + 1) ** -value,
        "geometric": value**ranks,
        "tenth": np.where(few, value / few.sum(), (1 - value) / (~few).sum()),
    }[kind]
    return 6 * shares / shares.mean()


def draw(cell: Cell, replicates: int, random: np.random.Generator) -> Iterator[Draw]:
    """Return replicates of a cell, in blocks that fit into memory."""
    sizes, correlation = sizes_of(cell.sizes, cell.subjects), latent(cell)
    block = max(1, _VALUES // int(sizes.sum()))
    for start in range(0, replicates, block):
        yield _block(cell, sizes, correlation, min(block, replicates - start), random)


@cache
def truth(cell: Cell) -> float:
    """Return the true difference of the losses, B minus A, over all samples; from 4 million where not 0 by symmetry."""
    if (cell.mean_a, cell.fail_a, cell.hard) == (cell.mean_b, cell.fail_b, 0.0):
        return 0.0
    random, single = np.random.default_rng(1), np.ones(1, dtype=np.int64)
    blocks = [_block(cell, single, 0.0, _VALUES, random) for _ in range(2)]
    return float(np.mean([(block.b - block.a).mean() for block in blocks]))


def latent(cell: Cell) -> float:
    """Return the correlation of the latent variables that gives the differences theirs."""
    keys = (cell.mean_a, cell.mean_b, cell.fail_a, cell.fail_b, cell.hard, cell.common)
    return 0.0 if cell.icc == 0 else _search(cell.icc, *keys)


@cache
def _search(
    icc: float, mean_a: float, mean_b: float, fail_a: float, fail_b: float, hard: float, common: float
) -> float:
    cell = Cell(
        subjects=1, mean_a=mean_a, mean_b=mean_b, fail_a=fail_a, fail_b=fail_b, hard=hard, common=common, icc=icc
    )

    def excess(correlation: float) -> float:
        block = _block(cell, np.array([2]), correlation, 100_000, np.random.default_rng(2))
        return float(np.corrcoef((block.b - block.a).T)[0, 1]) - icc

    return 1.0 if excess(1.0) <= 0 else float(optimize.brentq(excess, 0.0, 1.0, xtol=1e-3))


def _block(
    cell: Cell, sizes: NDArray[np.int64], correlation: float, replicates: int, random: np.random.Generator
) -> Draw:
    count = int(sizes.sum())
    weights = np.sqrt(np.array([correlation, 1 - correlation, cell.common, 1 - cell.common], dtype=np.float32))

    def normal() -> NDArray[np.float32]:
        own = weights[1] * random.standard_normal((replicates, count), dtype=np.float32)
        shared = random.standard_normal((replicates, len(sizes)), dtype=np.float32)
        return np.asarray(own + weights[0] * np.repeat(shared, sizes, axis=1))

    difficulty = random.standard_normal((replicates, count), dtype=np.float32)
    losses, failures = [], []
    for mean, rate, hard in ((cell.mean_a, cell.fail_a, 0.0), (cell.mean_b, cell.fail_b, cell.hard)):
        loss = np.clip(mean + _SPREAD * (weights[2] * difficulty + weights[3] * normal()), 0, 1)
        tail = stats.norm.isf(rate) * np.sqrt(1 + hard**2)
        failed = normal() + np.float32(hard) * difficulty > tail
        losses.append(np.where(failed, 1.0, loss))
        failures.append(failed)
    lost = np.zeros((replicates, count), dtype=np.bool_)
    if cell.lost_b > 0:
        lost = normal() + cell.hard * difficulty > stats.norm.isf(cell.lost_b) * np.sqrt(1 + cell.hard**2)
    return Draw(sizes, losses[0], losses[1], failures[0], failures[1], lost)
