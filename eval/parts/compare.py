"""The difference of two arms in parts: how much is due to seeing, arithmetic, unit, or having an answer.

Contract: pairs are samples scored in both runs. The parts of the difference, B minus A, add up to the difference of the
mean losses. If one arm states no points, seeing and arithmetic are one part in both. The decomposed share of the
difference is computed from absolute paired differences: the sum over pairs with both losses decomposed, divided by the
sum over all pairs. Below ``ENOUGH`` there is no sentence.
"""

import math
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence

from medvision_agent.eval.parts.losses import Losses, SampleLoss
from medvision_agent.eval.parts.replay import Cause
from medvision_agent.eval.parts.summary import PartMean, means_of, withheld
from medvision_agent.eval.tasks import TASKS, TaskName
from medvision_agent.frozen import Frozen
from medvision_agent.side_by_side import paired
from medvision_agent.text import fixed

__all__ = ["ENOUGH", "PartsComparison", "compare_parts", "parts_sentence"]

ENOUGH = 0.8
"""The least decomposed share of a difference for which a sentence is written."""
_SHOWN = 0.0005
"""Parts that would be shown as 0.000 are not mentioned."""


class PartsComparison(Frozen):
    """The difference in loss of two arms on one task, split by cause (seeing, arithmetic, ...)."""

    pairs: int
    subjects: int
    loss_a: float
    loss_b: float
    difference: float
    """Difference of the mean losses, B minus A."""
    together: bool
    """Whether seeing and arithmetic are one part, because an arm states no points."""
    a: dict[Cause, PartMean]
    b: dict[Cause, PartMean]
    """Like ``a``: the parts of the mean loss of one arm, by cause, over the pairs."""
    parts: dict[Cause, PartMean]
    """The parts of the difference by cause, B minus A; they add up to ``difference``."""
    decomposed: float | None
    """Share of the summed absolute paired differences that is decomposed in both arms; None if no pair differs."""
    withheld: str
    """Why there are no intervals; empty if there are."""

    @property
    def telling(self) -> bool:
        """Whether the difference may be described in words.

        At least 80% of it must be decomposed, and it must be at least 0.0005 in units of the loss.
        """
        return self.decomposed is not None and self.decomposed >= ENOUGH and abs(self.difference) >= _SHOWN


def compare_parts(
    a: Iterable[SampleLoss], b: Iterable[SampleLoss], reasons: Sequence[str] = ()
) -> dict[TaskName, PartsComparison]:
    """Return, by task, the difference in loss of arms A and B, B minus A, split by cause.

    *a* and *b* are the scored samples of each run (``parts_of_run``). *reasons* are the caller's reasons for giving no
    intervals. A task without a common sample is left out.
    """
    by_task = {task: (Losses(), Losses()) for task in TASKS}
    for pair in paired(a, b, lambda one: one.sample.id):
        for own, one in zip(by_task[pair[0].sample.task], pair, strict=True):
            own.add(one)
    return {task: _compared(*own, reasons) for task, own in by_task.items() if own[0].losses}


def _compared(a: Losses, b: Losses, reasons: Sequence[str]) -> PartsComparison:
    """Return the comparison of two arms over pairs: *a* and *b* hold the two samples of each pair, in one order."""
    together = not (a.states_points and b.states_points)

    # The parts are made anew for each mean, because those of many pairs take much memory.
    def parts(side: Losses) -> Iterator[Mapping[Cause, float]]:
        return side.parts(own=side.states_points, together=together)

    subjects, pairs = a.subjects, len(a.losses)
    apart = array("d", (abs(two - one) for one, two in zip(a.losses, b.losses, strict=True)))
    both = (Cause.NOT_DECOMPOSED not in {*one, *two} for one, two in zip(parts(a), parts(b), strict=True))
    total, why = math.fsum(apart), withheld(subjects, reasons)
    known = math.fsum(size for size, decomposed in zip(apart, both, strict=True) if decomposed)
    return PartsComparison(
        pairs=pairs,
        subjects=len(set(subjects)),
        loss_a=math.fsum(a.losses) / pairs,
        loss_b=math.fsum(b.losses) / pairs,
        difference=math.fsum(two - one for one, two in zip(a.losses, b.losses, strict=True)) / pairs,
        together=together,
        a=means_of(parts(a), subjects, bare=bool(why)),
        b=means_of(parts(b), subjects, bare=bool(why)),
        parts=means_of(map(_apart, parts(a), parts(b)), subjects, bare=bool(why)),
        decomposed=known / total if total > 0 else None,
        withheld=why,
    )


def _apart(a: Mapping[Cause, float], b: Mapping[Cause, float]) -> dict[Cause, float]:
    """Return the parts of one pair's difference in loss, B minus A, by cause."""
    return {cause: b.get(cause, 0.0) - a.get(cause, 0.0) for cause in {*a, *b}}


def parts_sentence(found: PartsComparison, a: str, b: str) -> str:
    """Return in words which causes make up a difference, with *a* and *b* as the names of the arms.

    Parts are given as shares of the gain or of the harm: a part of the opposite sign is negative. Empty if too little
    is decomposed (its causes are unknown), or if the difference is below 0.0005.
    """
    if not found.telling:
        return ""
    sign = 1 if found.difference > 0 else -1
    ordered = sorted(found.parts.items(), key=lambda one: -sign * one[1].mean)
    said = [f"{_figure(sign, part)} is {cause}" for cause, part in ordered if abs(part.mean) >= _SHOWN]
    listed = ", ".join(said[:-1]) + " and " + said[-1] if len(said) > 1 else said[0]
    what = "harm" if sign > 0 else "gain"
    losses = f"mean loss {found.loss_a:.3f} with {a}, {found.loss_b:.3f} with {b}"
    return f"of the {what} of {abs(found.difference):.3f} ({losses}), {listed}"


def _figure(sign: int, part: PartMean) -> str:
    if part.interval is None:
        return fixed(sign * part.mean, 3)
    low, high = (fixed(end, 3) for end in sorted(sign * end for end in part.interval))
    return f"{fixed(sign * part.mean, 3)} ({low} to {high})"
