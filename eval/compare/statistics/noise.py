"""The noise floor: how large a difference is beside that of two identical runs (a ``repeat``).

Contract: of several repeats, the noisiest counts: the one whose interval reaches farthest from 0. A difference is
within the noise where its size is at most that reach; without an interval of the repeat nobody knows.
"""

from collections.abc import Mapping

from medvision_agent.eval.compare.statistics.estimate import Estimate
from medvision_agent.frozen import Frozen

__all__ = ["Noise", "noise"]


class Noise(Frozen):
    """A difference, set against that of two identical runs."""

    repeat: str
    """The contrast of the identical runs."""
    difference: float
    """Theirs."""
    interval: tuple[float, float] | None
    withheld: str
    """Why there is no interval; empty where there is one."""
    times: float | None
    """How many times as large the difference is as theirs; None where theirs is 0."""
    within: bool | None
    """Whether it is not larger than the noise of asking again; None without an interval."""


def noise(difference: float, repeats: Mapping[str, Estimate]) -> Noise | None:
    """Return *difference* set against the noisiest of *repeats*; None where none of them has a pair."""
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
