"""A mean difference between two arms; it has an interval and a p-value only if the data support them.

Contract: an estimate is finite or None, never NaN, and ``withheld`` explains everything that is missing. The rules:

* under 20 subjects, or under 10 effective ones (Kish), or demonstration data: figures only;
* the caller gives a reason why the arms support no claim: figures only;
* no spread between subjects (one subject, all ties, all differences equal): figures only;
* synthetic data: an interval, but no p-value and hence no verdict;
* exploratory (not declared beforehand): an interval, but no p-value.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from medvision_agent.eval.compare.statistics.clusters import clustered
from medvision_agent.eval.compare.statistics.enough import MIN_EFFECTIVE, MIN_SUBJECTS
from medvision_agent.eval.compare.statistics.guard import against, guarded_p
from medvision_agent.eval.compare.statistics.hall import skewed
from medvision_agent.eval.compare.statistics.jackknife import ROUNDING, Floats, kish
from medvision_agent.eval.compare.statistics.pairs import DEMONSTRATION, Evidence, Pairs
from medvision_agent.frozen import Frozen

__all__ = ["NO_SPREAD", "Differing", "Estimate", "Role"]
__all__ += ["against_winner", "estimate", "losses_of", "primary", "too_few"]

NO_SPREAD = "no spread"
"""How the reason begins if all subjects have equal differences, so that there is no interval."""

Role = Literal["declared", "exploratory"]


class Differing(Frozen):
    """Numbers of samples by the direction in which the arms differ, and the number of subjects with any difference."""

    b_lower: int
    """Number of samples with a lower value in B than in A."""
    equal: int
    """Number of samples with the same value in both."""
    b_higher: int
    """Number of samples with a higher value in B than in A."""
    subjects: int
    """Number of subjects with at least one sample that differs."""


class Estimate(Frozen):
    """The sample-weighted mean of paired differences, B minus A, with interval and p-value as far as the data allow."""

    difference: float | None
    """None if there is no pair."""
    n: int
    """Number of pairs (samples) used."""
    subjects: int
    """Number of distinct subjects in these pairs."""
    largest_subject: int
    """Number of pairs of the subject with the most pairs."""
    effective_subjects: float
    """Kish's effective number of subjects, ``(sum n_i)^2 / sum n_i^2`` with n_i the pairs of subject i."""
    evidence: Evidence
    error: float | None = None
    """Jackknife standard error; given if and only if the interval is given."""
    interval: tuple[float, float] | None = None
    """Confidence interval of the difference at ``level``; None if ``withheld`` gives a reason."""
    level: float = 0.95
    p: float | None = None
    """Two-sided p-value: the larger of that of the jackknife's T and that of Hall's transformation (``hall``), for
    subjects of these sizes (``reference``). None unless the test was declared, on real data with enough subjects."""
    guarded_p: float | None = None
    """The same p-value after adding one subject in whom the better arm fails (``guard``); given for losses that have a
    ``p``."""
    differing: Differing | None = None
    """None if there is no pair."""
    withheld: str = ""
    """Why there is no interval, or no p-value; empty where both are given."""


def primary(pairs: Pairs, *, role: Role, level: float = 0.95) -> Estimate:
    """Return the mean difference of the loss, B minus A, over the pairs scored in both arms.

    *role* says whether the test was declared beforehand: only then is there a p-value. *level* is that of the interval.
    """
    losses, subjects = losses_of(pairs)
    return estimate(
        losses[:, 1] - losses[:, 0],
        subjects,
        evidence=pairs.evidence,
        role=role,
        level=level,
        no_claim=pairs.no_claim,
        losses=losses,
        largest=pairs.price.largest,
    )


def losses_of(pairs: Pairs) -> tuple[Floats, list[str]]:
    """Return the losses of each pair scored in both arms, an array (pairs, 2), and the subject of each pair."""
    scored = pairs.scored
    return scored.losses, [unit.subject for unit in scored.units]


def against_winner(losses: Floats, largest: float) -> float:
    """Return the difference (B minus A) of a sample in which the arm with the lower mean loss fails.

    The other arm keeps its mean loss (``guard.against``). *losses* are those of A and B, an array (pairs, 2), *largest*
    is the loss of a failure.
    """
    mean_a, mean_b = np.mean(losses, axis=0)
    return float(against(mean_b - mean_a, mean_a, mean_b, largest))


def estimate(
    differences: Sequence[float] | Floats,
    subjects: Sequence[str],
    *,
    evidence: Evidence,
    role: Role,
    level: float = 0.95,
    no_claim: Sequence[str] = (),
    losses: Floats | None = None,
    largest: float = 1.0,
) -> Estimate:
    """Return the mean of paired differences, with interval and p-value where the rules of this module allow them.

    Args:
        differences: B minus A, one for each pair.
        subjects: The subject of each pair.
        evidence: What the data can be evidence of.
        role: Whether the test was declared beforehand.
        level: Level of the interval.
        no_claim: The caller's reasons for giving neither interval nor p-value.
        losses: The losses of A and B, an array (pairs, 2), if the differences are those of losses: only then is the
            guard computed.
        largest: The largest possible loss.

    Raises ValueError if a difference is not finite.
    """
    if not np.isfinite(differences).all():
        count = int((~np.isfinite(differences)).sum())
        raise ValueError(f"differences: {count} of {len(differences)} are NaN or infinite; leave these pairs out")
    data = clustered(subjects, differences)
    sizes, found = data.sizes, skewed(*data) if len(data.sizes) else None
    bare = Estimate(
        difference=None if found is None else float(found.mean.estimate),
        n=len(subjects),
        subjects=len(sizes),
        largest_subject=int(sizes.max(initial=0)),
        effective_subjects=float(kish(sizes)),
        evidence=evidence,
        level=level,
        differing=_differing(differences, subjects) if len(sizes) else None,
    )
    reasons = [*no_claim, *too_few(sizes)]
    if evidence == "demonstration":
        reasons.append(DEMONSTRATION)
    if found is None or reasons:
        return bare.but(withheld="; ".join(reasons))
    if found.mean.error < ROUNDING:
        return bare.but(withheld=f"{NO_SPREAD}: the mean difference is the same in every subject")
    low, high = found.interval(level)
    inner = bare.but(error=float(found.mean.error), interval=(float(low), float(high)))
    if evidence == "synthetic":
        return inner.but(withheld="synthetic data: no p-value and no claim about patients")
    if role == "exploratory":
        return inner.but(withheld="exploratory: not a declared contrast, so no p-value")
    guarded = float(guarded_p(data, np.asarray(against_winner(losses, largest)))) if losses is not None else None
    return inner.but(p=float(found.p()), guarded_p=guarded)


def _differing(differences: Sequence[float] | Floats, subjects: Sequence[str]) -> Differing:
    values = np.asarray(differences)
    lower, higher = int((values < 0).sum()), int((values > 0).sum())
    return Differing(
        b_lower=lower,
        equal=len(values) - lower - higher,
        b_higher=higher,
        subjects=len({subject for subject, one in zip(subjects, values, strict=True) if one != 0}),
    )


def too_few(sizes: Floats) -> list[str]:
    """Return in words why subjects with these numbers of samples are too few for a claim; empty if they are enough."""
    count, effective = len(sizes), float(kish(sizes))
    if count == 0:
        return ["no pairs"]
    reasons = []
    if count < MIN_SUBJECTS:
        reasons.append(f"{count} subject{'s' if count > 1 else ''}, fewer than {MIN_SUBJECTS}")
    if effective < MIN_EFFECTIVE:
        reasons.append(f"{effective:.1f} effective subjects, fewer than {MIN_EFFECTIVE:.0f}")
    return reasons
