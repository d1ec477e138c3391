r"""Components of the variance of a loss or of a paired difference: subjects, samples, wordings, and repetition.

The model, for subject i, its sample j, wording p and repetition (epoch) r:

    y = mean + subject_i + sample_ij + prompt_p + (prompt x sample)_ijp + sampling_ijpr

Samples are nested in subjects and crossed with wordings; every sample has all P wordings R times. Variances follow by
the method of moments: each mean square of the analysis of variance is set equal to its expectation. With N samples, a
subjects of n_i samples each, and n0 = (N - sum n_i^2 / N) / (a - 1):

    E MS(sampling)        = sampling
    E MS(prompt x sample) = sampling + R (prompt x sample)
    E MS(prompt)          = sampling + R (prompt x sample) + N R prompt
    E MS(sample)          = sampling + R (prompt x sample) + P R sample
    E MS(subject)         = sampling + R (prompt x sample) + P R (sample + n0 subject)

Searle, Casella and McCulloch (1992), "Variance Components", chapters 4 (balanced data) and 5 (n0 for subjects of
unequal size); Cornfield and Tukey (1956), Ann. Math. Statist. 27, for the crossed part.

Contract: a sample that lacks a result in any wording or repetition is left out, and counted. An estimate below 0 is
given as 0. Parts that the data cannot separate are named together. With one repetition, "sampling" joins the part
before it; with one wording, "prompt x sample" does; if every subject has one sample, "sample" does. With one wording,
"prompt" is unknown: its choice shifts the mean of all samples equally.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from medvision_agent.eval.compare.statistics.jackknife import Floats
from medvision_agent.frozen import Frozen

__all__ = ["PARTS", "Components", "Part", "components"]

PARTS = ("subject", "sample", "prompt", "prompt x sample", "sampling")
"""All parts, in the order in which they are shown."""


class Part(Frozen):
    """One part of the variance (such as that between subjects), or several that the data cannot separate."""

    of: tuple[str, ...]
    """Names of ``PARTS``; several if they cannot be separated."""
    variance: float
    share: float
    """Fraction of the sum of all parts; 0 if nothing varies."""


class Components(Frozen):
    """The variance of one value (one sample, asked once in one wording), split into parts."""

    n: int
    """Number of samples with all their results."""
    left_out: int
    """Number of samples with a missing result."""
    subjects: int
    wordings: int
    repetitions: int
    sd: float
    """The square root of the sum of all parts."""
    parts: tuple[Part, ...]


def components(values: Floats, subjects: Sequence[str]) -> Components | None:
    """Return the parts of the variance of *values*, an array (samples, wordings, repetitions) with NaN where missing.

    *subjects* gives the subject of each sample. Samples with a missing value are left out. Returns None if fewer than
    two subjects have a complete sample.
    """
    complete = ~np.isnan(values).any(axis=(1, 2))
    kept = values[complete]
    names, index = np.unique(np.array(subjects, dtype=np.str_)[complete], return_inverse=True)
    if len(names) < 2:
        return None
    found = {of: max(0.0, variance) for of, variance in _moments(kept, index).items()}
    total = sum(found.values())
    return Components(
        n=len(kept),
        left_out=len(values) - len(kept),
        subjects=len(names),
        wordings=values.shape[1],
        repetitions=values.shape[2],
        sd=total**0.5,
        parts=tuple(
            Part(of=of, variance=variance, share=variance / total if total else 0.0)
            for of, variance in sorted(found.items(), key=lambda one: PARTS.index(one[0][0]))
        ),
    )


def _moments(values: Floats, index: NDArray[np.intp]) -> dict[tuple[str, ...], float]:
    """Return the estimated variance of each part, by the names of the parts that it covers; an estimate may be below 0.

    *values* is complete (samples, wordings, repetitions), and *index* is the number of each sample's subject.
    """
    n, wordings, repetitions = values.shape
    by_wording = values.mean(axis=2)
    by_sample, wording = by_wording.mean(axis=1), by_wording.mean(axis=0)
    mean, sizes = by_sample.mean(), np.bincount(index)
    by_subject = np.bincount(index, by_sample) / sizes
    found: dict[tuple[str, ...], float] = {}
    below = 0.0  # the mean square of everything that comes after a part
    together: tuple[str, ...] = ("sampling",)  # the parts that join the next one, because the data cannot separate them
    if repetitions > 1:
        below = ((values - by_wording[..., None]) ** 2).sum() / (n * wordings * (repetitions - 1))
        found[together], together = below, ()
    together = ("prompt x sample", *together)
    if wordings > 1:
        apart = ((by_wording - by_sample[:, None] - wording + mean) ** 2).sum()
        square = repetitions * apart / ((n - 1) * (wordings - 1))
        found[together], together = (square - below) / repetitions, ()
        of_wordings = n * repetitions * ((wording - mean) ** 2).sum() / (wordings - 1)
        below, found["prompt",] = square, (of_wordings - square) / (n * repetitions)
    each, together = wordings * repetitions, ("sample", *together)
    if n > len(sizes):
        square = each * ((by_sample - by_subject[index]) ** 2).sum() / (n - len(sizes))
        found[together], together = (square - below) / each, ()
        below = square
    square = each * (sizes * (by_subject - mean) ** 2).sum() / (len(sizes) - 1)
    size = (n - (sizes**2).sum() / n) / (len(sizes) - 1)
    found["subject", *together] = (square - below) / (each * size)
    return {of: float(variance) for of, variance in found.items()}
