"""Is the confidence of the outline method calibrated? Bins of doubt with the share of good answers in each.

Doubt: 1 minus the overlap (Dice) of an outline with its own ellipse. An outline that has run into another structure is
seldom an ellipse; of what was tried (cost of the path, its gap to the next candidate, agreement of windows, cost beside
that of shifted ovals) it alone said more than the base rate, in both halves, of outlines around a point.

Good: the mean relative error of both axes is at most 0.2. Mix of prompts for each case: regions: one exact, one with a
margin, four jittered by side, four by image; seeds: one at the centre, five off it. A bin has at least 160 answers
from at least 40 subjects (on one half: half of both), and shares fall from bin to bin (isotonic regression); else
nothing is shown. Answers of one subject are not independent; the bins ask for many subjects because of that.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from outline_settings import Finds, relative_error
from real_masks import Case

from medvision_agent.errors import ToolError
from medvision_agent.tools.segment.candidates import MOST

GOOD = 0.2
ANSWERS, SUBJECTS = 160, 40
MIX = {
    "region": (("exact", 1), ("margin", 1), ("side", 4), ("image", 4)),
    "seed": (("seed", 1), ("seed off", 5)),
}
"""Kinds of prompts with the number of draws of each."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One candidate of one call."""

    rank: int
    doubt: float
    good: bool
    subject: str
    half: int


@dataclass(frozen=True, slots=True)
class Bin:
    """Doubts up to a limit, and how many answers with them were good."""

    limit: float
    share: float
    answers: int
    subjects: int


def answers(find: Finds, cases: Sequence[Case], prompt: str) -> list[Answer]:
    """Return all candidates that a method finds over the mix of prompts of a kind (``region``, ``seed``)."""
    found = []
    for case in cases:
        for kind, draws in MIX[prompt]:
            for draw in range(1, draws + 1):
                try:
                    candidates = find(case, case.prompt(kind, draw))
                except ToolError:
                    continue
                for rank, one in enumerate(candidates[:MOST]):
                    good = relative_error(one.measured, case) <= GOOD
                    found.append(Answer(rank, 1 - one.measured.dice, good, case.subject, case.half))
    return found


def bins(given: Sequence[Answer], part: float = 1.0) -> list[Bin]:
    """Return bins of growing doubt with falling shares, with enough answers and subjects in each; none if few."""
    groups: list[list[Answer]] = []
    for answer in sorted(given, key=lambda one: one.doubt):
        if not groups or _enough(groups[-1], part):
            groups.append([])
        groups[-1].append(answer)
    if groups and not _enough(groups[-1], part):
        last = groups.pop()
        if not groups:
            return []
        groups[-1] += last
    at = 1
    while at < len(groups):
        if _share(groups[at]) >= _share(groups[at - 1]):
            groups[at - 1] += groups.pop(at)
            at = max(1, at - 1)
        else:
            at += 1
    return [Bin(group[-1].doubt, _share(group), len(group), len({one.subject for one in group})) for group in groups]


def share_at(doubt: float, known: Sequence[Bin]) -> float:
    """Return the share of the bin that a doubt falls into; the last has no limit."""
    return next((one.share for one in known if doubt <= one.limit), known[-1].share)


def brier(given: Sequence[Answer]) -> tuple[float, float]:
    """Return the cross-fitted Brier score of the bins, and that of the other half's base rate."""
    scores, base = [], []
    for half in (0, 1):
        one, other = ([answer for answer in given if answer.half == side] for side in (half, 1 - half))
        known, rate = bins(one, 0.5), _share(one)
        scores += [(share_at(answer.doubt, known) - answer.good) ** 2 for answer in other]
        base += [(rate - answer.good) ** 2 for answer in other]
    return float(np.mean(scores)), float(np.mean(base))


def _enough(group: Sequence[Answer], part: float) -> bool:
    return len(group) >= part * ANSWERS and len({one.subject for one in group}) >= part * SUBJECTS


def _share(group: Sequence[Answer]) -> float:
    """Return the share of good answers by Laplace's rule of succession, so that it is never 0 or 1."""
    return (sum(one.good for one in group) + 1) / (len(group) + 2)
