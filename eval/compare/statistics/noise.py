"""The noise floor: how large a difference is compared with that of two identical runs (a ``repeat``).

Contract: of several repeats, the noisiest is used: the one whose interval extends farthest from 0. A difference is
within the noise if its size is at most that distance. Without an interval of the repeat, this is unknown.
"""

from collections.abc import Mapping

from medvision_agent.eval.compare.statistics.estimate import Estimate
from medvision_agent.frozen import Frozen

__all__ = ["Noise", "noise"]


class Noise(Frozen):
    """How large a difference is, compared with the difference of two identical runs (a repeat)."""

    repeat: str
    """Name of the contrast between the identical runs."""
    difference: float
    """The difference between the identical runs."""
    interval: tuple[float, float] | None
    """The interval of the difference between the identical runs."""
    withheld: str
    """Why the repeat has no interval; empty if it has one."""
    times: float | None
    """The absolute difference divided by that of the identical runs; None if theirs is 0."""
    within: bool | None
    """Whether the absolute difference is at most the farther end of ``interval`` from 0; None without an interval."""


def noise(difference: float, repeats: Mapping[str, Estimate]) -> Noise | None:
    """Return *difference* compared with the noisiest of *repeats* (by contrast name); None if no repeat has a pair."""
    known = [(name, one, one.difference) for name, one in repeats.items() if one.difference is not None]
    if not known:
        return None
    name, one, theirs = max(known, key=lambda each: (each[1].interval is not None, _reach(each[1])))
    return Noise(
        repeat=name,
        difference=theirs,
        interval=one.interval,
        withheld="" if one.interval is not None else one.withheld,
        times=abs(difference / theirs) if theirs else None,
        within=None if one.interval is None else abs(difference) <= _reach(one),
    )


def _reach(one: Estimate) -> float:
    return max(map(abs, one.interval or (one.difference or 0.0,)))
