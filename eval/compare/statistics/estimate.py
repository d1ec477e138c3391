"""A mean difference between two arms, with an interval and a p-value only where the data bear them.

Contract: an estimate is finite or None, never NaN, and whatever is missing is explained in ``withheld``. The rules:

* under 20 subjects, or under 10 effective ones (Kish), or demonstration data: figures only;
* a reason of the caller's why the arms bear no claim: figures only;
* no spread between subjects (one subject, all ties, all differences equal): figures only;
* synthetic data: an interval, but no p-value and hence no verdict;
* exploratory (not declared beforehand): an interval, but no p-value.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from medvision_agent.eval.compare.statistics.jackknife import Floats, by_subject, jackknife, kish
from medvision_agent.eval.compare.statistics.pairs import Evidence, Pairs
from medvision_agent.eval.compare.statistics.signflip import SignFlip, sign_flip
from medvision_agent.frozen import Frozen

__all__ = ["MIN_EFFECTIVE", "MIN_SUBJECTS", "Estimate", "Role", "estimate", "primary", "too_few"]

MIN_SUBJECTS = 20
MIN_EFFECTIVE = 10.0
_NO_SPREAD = 1e-12
"""Standard errors below this are rounding: losses are within 0..1."""

Role = Literal["declared", "exploratory"]


class Estimate(Frozen):
    """The sample-weighted mean of paired differences, B minus A."""

    difference: float | None
    """None without any pair."""
    n: int
    """Pairs (samples) that entered."""
    subjects: int
    largest_subject: int
    """Pairs of the subject with most of them."""
    effective_subjects: float
    """Kish: ``(sum n_i)^2 / sum n_i^2``."""
    evidence: Evidence
    error: float | None = None
    """Jackknife standard error; given exactly where the interval is."""
    interval: tuple[float, float] | None = None
    level: float = 0.95
    p: float | None = None
    """Two-sided, of the jackknife's t statistic."""
    sign_flip: SignFlip | None = None
    """Sensitivity analysis of ``p``; given exactly where ``p`` is."""
    withheld: str = ""
    """Why there is no interval, or no p-value; empty where both are given."""


def primary(pairs: Pairs, *, role: Role, level: float = 0.95, seed: int = 0) -> Estimate:
    """Return the difference of the primary metric (loss, a failure costs 1) over the pairs scored in both arms."""
    rows = [
        (one.b.loss - one.a.loss, one.unit.subject) for one in pairs.all if one.a.loss is not None is not one.b.loss
    ]
    values, subjects = [value for value, _ in rows], [subject for _, subject in rows]
    return estimate(
        values, subjects, evidence=pairs.evidence, role=role, level=level, seed=seed, no_claim=pairs.no_claim
    )


def estimate(
    differences: Sequence[float],
    subjects: Sequence[str],
    *,
    evidence: Evidence,
    role: Role,
    level: float = 0.95,
    seed: int = 0,
    no_claim: Sequence[str] = (),
) -> Estimate:
    """Return the mean of paired differences, each with its subject, by the rules above.

    *no_claim* are the caller's reasons why there is neither interval nor p-value; *seed* is that of the sign flips,
    where they are drawn.
    """
    if not np.isfinite(differences).all():
        raise ValueError("a difference is not finite")
    sizes, sums = by_subject(subjects, differences)
    found = jackknife(sums, sizes) if len(sizes) else None
    bare = Estimate(
        difference=None if found is None else float(found.estimate),
        n=len(subjects),
        subjects=len(sizes),
        largest_subject=int(sizes.max(initial=0)),
        effective_subjects=float(kish(sizes)),
        evidence=evidence,
        level=level,
    )
    reasons = [*no_claim, *too_few(sizes)]
    if evidence == "demonstration":
        reasons.append("demonstration data support no claim")
    if found is None or reasons:
        return bare.but(withheld="; ".join(reasons))
    if found.error < _NO_SPREAD:
        return bare.but(withheld="no spread: the mean difference is the same in every subject")
    low, high = float(found.estimate - found.margin(level)), float(found.estimate + found.margin(level))
    inner = bare.but(error=float(found.error), interval=(low, high))
    if evidence == "synthetic":
        return inner.but(withheld="synthetic data: no p-value and no claim about patients")
    if role == "exploratory":
        return inner.but(withheld="exploratory: not a declared contrast, so no p-value")
    return inner.but(p=float(found.p()), sign_flip=sign_flip(sums, seed=seed))


def too_few(sizes: Floats) -> list[str]:
    """Return in words why subjects of these sizes are too few for a claim; empty if they are enough."""
    count, effective = len(sizes), float(kish(sizes))
    if count == 0:
        return ["no pairs"]
    reasons = []
    if count < MIN_SUBJECTS:
        reasons.append(f"{count} subject{'s' if count > 1 else ''}, fewer than {MIN_SUBJECTS}")
    if effective < MIN_EFFECTIVE:
        reasons.append(f"{effective:.1f} effective subjects, fewer than {MIN_EFFECTIVE:.0f}")
    return reasons
