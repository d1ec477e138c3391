"""How findings write numbers and lists: signed differences, rates in per cent, short lists of names."""

from collections.abc import Sequence

from medvision_agent.eval.findings.model import Row, WrongPlace
from medvision_agent.text import fixed, percent, plural

__all__ = ["NONE", "cost", "joined", "per_cent", "points", "sized", "span", "where", "wrong", "wrong_of_both"]

NONE = "\N{EN DASH}"
"""Shown if there is no number."""
_NAMED = 3
"""Most names in a sentence."""


def points(share: float) -> str:
    """Return a difference of rates (*share*, -1 to 1) in percentage points, with its sign: "+2.5 points"."""
    shown = fixed(100 * share, 1, sign=True)
    return f"{'+' if shown[:1].isdigit() else ''}{shown} points"


def per_cent(share: float | None) -> str:
    """Return a rate (0 to 1) in per cent; a dash for None."""
    return NONE if share is None else percent(share)


def wrong(place: WrongPlace | None) -> str:
    """Return in per cent which share of the located answers was measured in the wrong place; a dash for None."""
    return NONE if place is None else percent(place.elsewhere / place.located)


def wrong_of_both(row: Row) -> str:
    """Return both arms' shares of answers measured in the wrong place, the first arm's first; a dash if unknown.

    If one share is known, "not known" stands for the other.
    """
    both = row.wrong_place_against, row.wrong_place
    return NONE if both == (None, None) else " -> ".join("not known" if one is None else wrong(one) for one in both)


def cost(row: Row, *, unit: bool) -> str:
    """Return the cost of a sample in the second arm divided by that in the first, as "1.5 x"; a dash if unknown.

    With *unit*, "US dollars" or "tokens" follows.
    """
    if row.cost_ratio is None:
        return NONE
    return f"{row.cost_ratio:.3g} x{f' {row.cost_unit}' if unit else ''}"


def span(interval: tuple[float, float]) -> str:
    """Return the ends of an interval of a difference in loss, with signs and three decimals: "-0.120 to +0.030"."""
    return " to ".join(fixed(end, 3, sign=True) for end in interval)


def sized(row: Row) -> str:
    """Return a row's difference in loss, then in brackets its interval, p-value and numbers of samples and subjects.

    A dash without a pair.
    """
    if row.difference is None:
        return NONE
    parts = [f"{plural(row.n, 'sample')} of {plural(row.subjects, 'subject')}"]
    if row.p is not None:
        parts.insert(0, f"adjusted p {row.p:.2g}")
    if row.interval is not None:
        parts.insert(0, f"{100 * row.level:.4g}% interval {span(row.interval)}")
    return f"{fixed(row.difference, 3, sign=True)} ({'; '.join(parts)})"


def joined(parts: Sequence[str]) -> str:
    """Return parts as a list within a sentence: "a, b and c"; empty without parts."""
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)


def where(names: Sequence[str], of: int, things: str) -> str:
    """Return in words which comparisons a sentence is about: "all 4 contrasts", "2 of 4 contrasts (x; y)", or "x".

    *names* are the names of those meant, *of* is the number of all, and *things* the plural noun. At most three names
    are given.
    """
    if len(names) == of > 1:
        return f"both {things}" if of == 2 else f"all {of} {things}"
    several = f"{len(names)} of {of} {things} (" if len(names) > 1 else ""
    return f"{several}{'; '.join(names[:_NAMED])}{'; ...' if len(names) > _NAMED else ''}{')' if several else ''}"
