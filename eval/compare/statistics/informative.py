"""Do samples with missing results differ from the rest? The rule by which failures are called informative.

Three checks, for failures to answer and for results lost to infrastructure, as far as they occur:

1. *rate*: do the arms fail at different rates?
2. *loss*: is the other arm's mean loss different where this arm failed and where it did not? (harder samples)
3. *size*: is the mean rank of the target's size different there? (0 the smallest, 1 the largest)

**The rule**: failures are informative if any check's jackknife interval over subjects excludes 0. The intervals of all
checks of a comparison hold together at 95% (Bonferroni): without that, losses at random were called informative in 17
to 43% of comparisons. A check *cannot be told* under the limits of ``estimate`` (20 subjects, 10 effective, no
demonstration data), and checks 2 and 3 also under 5 effective subjects with failures or without. It is *certain* where
an arm failed in every sample, or where the rates differ by the same amount in every subject: nothing is left to tell.
"Not shown" is no proof of absence.

Only the worst finding is reported, by the order of ``_RANK``.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from medvision_agent.eval.compare.statistics.estimate import NO_SPREAD, Estimate, estimate, too_few
from medvision_agent.eval.compare.statistics.jackknife import by_subject, jackknife_contrast, kish
from medvision_agent.eval.compare.statistics.pairs import DEMONSTRATION, Evidence, Pairs, Side
from medvision_agent.frozen import Frozen
from medvision_agent.text import fixed

__all__ = ["MIN_EFFECTIVE_EITHER", "Kind", "Signal", "signals", "warning"]

MIN_EFFECTIVE_EITHER = 5.0
_TOGETHER = 0.05
"""Probability that any check of a comparison gives a false finding."""
_RANK = ("certain", "informative", "cannot be told")
_IN_WORDS = {
    "certain": "certain",
    "informative": "informative",
    "cannot be told": "of unknown kind (too few data to tell)",
}

Kind = Literal["failed", "lost"]
_KINDS: tuple[Kind, ...] = ("failed", "lost")
Observation = tuple[str, float, float]
"""A subject, the fraction of epochs missing, and the value that may correlate with it (loss or size)."""


class Signal(Frozen):
    """The result of one check whether samples with missing results differ from the rest."""

    kind: Kind
    """``failed``: the sample was scored without an answer. ``lost``: an infrastructure failure, which is not scored."""
    arm: Literal["A", "B", "both"]
    """The arm whose failures are checked; ``both`` for the rate, which compares the arms."""
    check: Literal["rate", "loss", "size"]
    """Which of the module's three checks it is."""
    difference: float | None
    """Rate: B minus A. Loss and size: where the arm failed minus where it did not."""
    finding: Literal["certain", "informative", "not shown", "cannot be told"]
    why: str = ""
    """Why the result is certain, or why it cannot be told."""


def signals(pairs: Pairs) -> tuple[Signal, ...]:
    """Return the checks on failed and on lost answers, as far as these occur; empty if nothing is missing."""
    found: list[Signal] = []
    level = 1 - _TOGETHER / max(1, _checks(pairs))
    for kind in _KINDS:
        rows = [
            (one.unit, _fraction(one.a, kind), one.a.loss, _fraction(one.b, kind), one.b.loss) for one in pairs.asked
        ]
        both = [(unit.subject, b - a) for unit, a, _, b, _ in rows if a is not None and b is not None]
        if any(a or b for _, a, _, b, _ in rows):
            rate = [difference for _, difference in both]
            subjects = [subject for subject, _ in both]
            one = estimate(rate, subjects, evidence=pairs.evidence, role="exploratory", level=level)
            found.append(_rate(kind, one))
        on_a = [(unit, a, other) for unit, a, _, _, other in rows if a is not None]
        on_b = [(unit, b, other) for unit, _, other, b, _ in rows if b is not None]
        for arm, own in (("A", on_a), ("B", on_b)):
            if own and all(fraction == 1 for _, fraction, _ in own):
                found.append(_always(kind, arm, [unit.subject for unit, _, _ in own], pairs.evidence))
            elif any(fraction for _, fraction, _ in own):
                losses = [(unit.subject, fraction, other) for unit, fraction, other in own if other is not None]
                sizes = [(u.subject, fraction, u.target_size) for u, fraction, _ in own if u.target_size is not None]
                found.append(_contrast(kind, arm, "loss", losses, pairs.evidence, level=level))
                if sizes:
                    found.append(_contrast(kind, arm, "size", _ranked(sizes), pairs.evidence, level=level))
    return tuple(found)


def _checks(pairs: Pairs) -> int:
    """Return the number of checks: one on rates for each kind of missing result that occurs (failed, lost).

    For each arm in which the kind occurs, there is also one on losses and one on sizes.
    """
    arms = [
        [
            any(_fraction(side, kind) for side in sides)
            for sides in zip(*((one.a, one.b) for one in pairs.asked), strict=True)
        ]
        for kind in _KINDS
    ]
    return sum(any(own) + 2 * sum(own) for own in arms)


def warning(found: Sequence[Signal], names: tuple[str, str] = ("A", "B")) -> str:
    """Return the worst finding of the checks in words, with the *names* of the arms.

    Empty without checks, and if no check found a difference, is certain, or could not be decided.
    """
    told = [signal for signal in found if signal.finding in _RANK]
    if not told:
        return ""
    order = ("rate", "loss", "size")
    worst = min(told, key=lambda one: (_RANK.index(one.finding), order.index(one.check), one.arm == "both"))
    what = f"What is missing is {_IN_WORDS[worst.finding]}: {_words(worst, names)}"
    return f"{what}. Read the bounds, not the complete pairs alone."


def _fraction(side: Side, kind: Kind) -> float | None:
    """Return which fraction (0 to 1) of an arm's epochs for one sample was lost, or failed, by *kind*.

    For failures it is None if no epoch was scored.
    """
    if kind == "lost":
        return side.lost / side.epochs
    return None if side.success is None else 1 - side.success


def _always(kind: Kind, arm: str, subjects: Sequence[str], evidence: Evidence) -> Signal:
    """Return the check of an arm in which all samples are missing: certain, if there are enough subjects."""
    few = too_few(by_subject(subjects)[0])
    certain = not few and evidence != "demonstration"
    why = f"in all {len(subjects)} samples" if certain else "; ".join(few) or DEMONSTRATION
    return _signal(kind, arm, "rate", None, None, why=why, certain=certain)


def _rate(kind: Kind, found: Estimate) -> Signal:
    if found.interval is None and found.difference != 0:
        same = found.withheld.startswith(NO_SPREAD)
        return _signal(kind, "both", "rate", found.difference, None, why=found.withheld, certain=same)
    low, high = found.interval or (0.0, 0.0)  # exactly equal rates: there is no difference to check
    return _signal(kind, "both", "rate", found.difference, not low <= 0 <= high)


def _contrast(
    kind: Kind, arm: str, check: str, rows: Sequence[Observation], evidence: Evidence, *, level: float
) -> Signal:
    missing, values = np.array([row[1] for row in rows]), np.array([row[2] for row in rows])
    present = 1 - missing
    columns = [column.tolist() for column in (missing, missing * values, present, present * values)]
    sizes, missing_n, missing_sum, present_n, present_sum = by_subject([row[0] for row in rows], *columns)
    if not (missing_n.sum() > 0 and present_n.sum() > 0):
        return _signal(kind, arm, check, None, None, why="nothing to compare with")
    found = jackknife_contrast((missing_sum, present_sum), (missing_n, present_n))
    difference = float(found.estimate)
    reasons = too_few(sizes)
    if evidence == "demonstration":
        reasons.append(DEMONSTRATION)
    effective = min(float(kish(missing_n)), float(kish(present_n)))
    if effective < MIN_EFFECTIVE_EITHER:
        reasons.append(f"{effective:.1f} effective subjects on one side, fewer than {MIN_EFFECTIVE_EITHER:.0f}")
    if reasons:
        return _signal(kind, arm, check, difference, None, why="; ".join(reasons))
    return _signal(kind, arm, check, difference, bool(abs(difference) > found.margin(level)))


def _ranked(rows: Sequence[Observation]) -> list[Observation]:
    from scipy import stats  # noqa: PLC0415 - slow to import

    ranks = (stats.rankdata([size for _, _, size in rows]) - 0.5) / len(rows)
    return [(subject, fraction, float(rank)) for (subject, fraction, _), rank in zip(rows, ranks, strict=True)]


def _signal(
    kind: Kind,
    arm: str,
    check: str,
    difference: float | None,
    informative: bool | None,
    *,
    why: str = "",
    certain: bool = False,
) -> Signal:
    told = "cannot be told" if informative is None else "informative" if informative else "not shown"
    finding = "certain" if certain else told
    return Signal.model_validate(
        {"kind": kind, "arm": arm, "check": check, "difference": difference, "finding": finding, "why": why}
    )


def _words(signal: Signal, names: tuple[str, str]) -> str:
    a, b = names
    arm, other = (b, a) if signal.arm == "B" else (a, b)
    amount = "" if signal.difference is None else f" ({fixed(signal.difference, 3, sign=True)})"
    noun = "failures" if signal.kind == "failed" else "losses to infrastructure"
    if signal.arm != "both" and signal.check == "rate":
        return f"{noun} of {arm} {signal.why}"
    if signal.check == "rate":
        return f"{b} and {a} differ in their rate of {noun}{amount}"
    if signal.check == "loss":
        return f"{noun} of {arm} and the loss of {other}{amount}"
    return f"{noun} of {arm} and the size of targets{amount}"
