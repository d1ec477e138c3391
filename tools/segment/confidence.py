"""The confidence of the outline method: how often answers of the same kind were good, on real masks.

Good: the mean relative error of both axes was at most 0.2. The shares are those of ``benchmarks/tools.py`` (see
docs/tools.md), over its mix of prompts, by kind of prompt and rank of the candidate, in bins of doubt: 1 minus the
overlap of the outline with its own ellipse. An outline that has run into another structure is seldom an ellipse. A bin
has at least 160 answers from at least 40 subjects; what has no such bin has no confidence.
"""

from math import inf

from medvision_agent.tools.segment.candidates import Prompt
from medvision_agent.tools.segment.contour import Measured

__all__ = ["SHARES", "confidence"]

SHARES: dict[str, tuple[tuple[tuple[float, float], ...], ...]] = {
    "region": (
        ((0.035, 0.99), (0.042, 0.91), (0.049, 0.89), (inf, 0.85)),
        ((0.047, 0.12), (0.052, 0.08), (0.056, 0.06), (inf, 0.04)),
        ((inf, 0.00),),
    ),
    "seed": (
        ((0.040, 0.80), (inf, 0.52)),
        ((0.051, 0.28), (inf, 0.15)),
        ((0.052, 0.17), (inf, 0.10)),
    ),
}
"""For a region and for a point alone: of each rank, the upper limits of doubt with the share of good answers."""


def confidence(prompt: Prompt, rank: int, measured: Measured) -> float | None:
    """Return the share of good answers, 0 to 1, among the answers of ``benchmarks/tools.py`` that are like this one.

    None where that benchmark had no such answers: for a prompt with both a region and a point inside, for one with a
    point outside, and for a rank (0 is the first candidate) beyond those in SHARES.
    """
    if prompt.outside is not None or (prompt.region is not None and prompt.inside is not None):
        return None
    ranks = SHARES["seed" if prompt.region is None else "region"]
    if rank >= len(ranks):
        return None
    return next(share for limit, share in ranks[rank] if 1 - measured.dice <= limit)
