"""Format where in the image answers were measured, in one or two lines."""

from medvision_agent.cli.printed.table import number
from medvision_agent.eval.place.compare import Gains, Part, PlaceComparison
from medvision_agent.eval.place.summary import TaskPlace
from medvision_agent.eval.summary.summary import Mean
from medvision_agent.text import counted, percent, plural

__all__ = ["gain_lines", "place_lines"]


def place_lines(place: TaskPlace) -> list[str]:
    """Return the share of answers measured in the right place, its chance rate, and the grounded loss beside the loss.

    The grounded loss of an answer is 1 where it was measured elsewhere, and else its loss.
    """
    lines = [f"measured in the right place: {_share(place)}"]
    if place.not_locatable:
        lines.append(f"not locatable: {counted(place.not_locatable)}")
    if place.without_place:
        lines.append(f"samples whose ground truth has no place, not counted here: {place.without_place}")
    return [*lines, f"loss {number(place.loss)}, {_grounded(place)}"]


def _share(place: TaskPlace) -> str:
    """Return in words how many located answers are in the right place, by chance and by the other rules too."""
    if not place.share.n:
        return "no answer is located"
    rules = f"stricter rule {_rate(place.stricter)}, wider rule {_rate(place.wider)}"
    chance = f"{_rate(place.chance)} (n {place.chance.n})" if place.chance.n else "none, no other subject"
    return (
        f"{place.right} of {plural(place.share.n, 'located answer')} of {plural(place.subjects, 'subject')} "
        f"({_rate(place.share)}); by chance {chance}; {rules}"
    )


def _rate(mean: Mean) -> str:
    """Return a mean in per cent; ``-`` without a value."""
    return "-" if mean.mean is None else percent(mean.mean)


def _grounded(place: TaskPlace) -> str:
    """Return the grounded loss in words; its bounds where under 80% of the answers are located."""
    if place.grounded_loss is not None:
        return f"grounded loss (1 where measured elsewhere) {number(place.grounded_loss)}{_bounds(place)}"
    low, high = number(place.lowest_loss), number(place.highest_loss)
    return f"grounded loss between {low} and {high}: under 80% of the answers are located"


def _bounds(place: TaskPlace) -> str:
    """Return the highest grounded loss possible, in words; empty if every answer is located."""
    if not place.not_locatable:
        return ""
    return f", at most {number(place.highest_loss)} if the others were measured elsewhere"


def gain_lines(found: PlaceComparison, names: tuple[str, str]) -> list[str]:
    """Return for two arms called *names* the shares in the right place, and the difference of their grounded losses.

    Further lines say in how many pairs each arm is better, by where its answer was measured.
    """
    lines = [
        f"measured in the right place, {arm}: {_share(one)}" for arm, one in zip(names, (found.a, found.b), strict=True)
    ]
    if found.grounded_difference is not None:
        lines.append(
            f"grounded loss (1 where measured elsewhere): {names[0]} {number(found.a.lowest_loss)}, {names[1]} "
            f"{number(found.b.lowest_loss)}, difference {number(found.grounded_difference, sign=True)}"
        )
    else:
        low, high = (number(value, sign=True) for value in (found.lowest, found.highest))
        lines.append(
            f"difference in grounded loss: between {low} and {high}; under 80% of the answers are located in an arm"
        )
    for arm, gains in ((names[1], found.gains_b), (names[0], found.gains_a)):
        lines += _gains(arm, gains)
    return lines


def _gains(arm: str, gains: Gains) -> list[str]:
    """Return a line on the pairs in which *arm* is better, by where its answer was measured; empty if none."""
    parts = [
        f"{words} {part.pairs} ({number(part.difference, sign=True)}{_apart(part) if part is gains.elsewhere else ''})"
        for words, part in (
            ("in the right place", gains.right),
            ("elsewhere", gains.elsewhere),
            ("not locatable", gains.not_locatable),
        )
        if part.pairs
    ]
    count = gains.right.pairs + gains.elsewhere.pairs + gains.not_locatable.pairs
    return [f"{arm} is better in {plural(count, 'pair')} (adds to the difference): {', '.join(parts)}"] if parts else []


def _apart(part: Part) -> str:
    """Return the range of distances in mm between the measured and the true centre, in words; empty if not known."""
    if part.apart_mm is None:
        return ""
    low, high = (f"{end:.0f}" for end in part.apart_mm)
    return f"; {low if low == high else f'{low} to {high}'} mm from the true centre"
