"""The confidence of the outline method: how often answers of the same kind were good, on real masks.

Good: the mean relative error of both axes was at most 0.2. The shares are those of ``benchmarks/tools.py`` (see
docs/tools.md), over its mix of prompts, by kind of prompt and rank of the candidate, in bins of the mean cost of a
ray. A bin has at least 160 answers from at least 40 subjects; what has no such bin has no confidence.
"""

from math import inf

from medvision_agent.tools.segment.candidates import Prompt

__all__ = ["SHARES", "confidence"]

SHARES: dict[str, tuple[tuple[tuple[float, float], ...], ...]] = {
    "region": (
        ((-1.66, 0.92), (inf, 0.90)),
        ((-1.22, 0.14), (-1.02, 0.11), (inf, 0.03)),
        ((inf, 0.00),),
    ),
    "seed": (
        ((inf, 0.59),),
        ((-1.68, 0.26), (inf, 0.20)),
        ((-1.56, 0.28), (inf, 0.07)),
    ),
}
"""For a region and for a point alone: of each rank, the upper limits of the cost with the share of good answers."""


def confidence(prompt: Prompt, rank: int, cost: float) -> float | None:
    """Return the share of good answers among those like this one; None where it is not known.

    Points beside a region, and points outside, were not part of the mix.
    """
    if prompt.outside is not None or (prompt.region is not None and prompt.inside is not None):
        return None
    ranks = SHARES["seed" if prompt.region is None else "region"]
    if rank >= len(ranks):
        return None
    return next(share for limit, share in ranks[rank] if cost <= limit)
