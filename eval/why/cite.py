"""Which measurement an answer cites.

* A number of the answer cites the measurement it can be a rounding of. Of several the nearest counts; of equally near
  ones the last. A size's numbers cite different measurements where they can, and of a tool that measures both axes
  rather the axis that they stand for; a swapped axis is still found.
* A number that is no rounding of anything cites the last measurement. Of a size these are the last two not yet cited:
  both axes of the last such tool, or two lines, the longer as the major axis. A single line is cited by the number
  nearer to it, and the other number cites nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from medvision_agent.eval.why.measured import Measurement
from medvision_agent.eval.why.numbers import Number

__all__ = ["Cited", "cite"]


@dataclass(frozen=True, eq=False)
class Cited:
    """A cited measurement; ``matched`` where the number is a rounding of it."""

    measurement: Measurement
    matched: bool


def cite(answer: Sequence[Number], measured: Sequence[Measurement]) -> list[Cited | None]:
    """Return what each number of an answer cites; None where nothing is left to cite."""
    found: dict[int, Cited] = {}
    for place, number in enumerate(answer):
        taken = [cited.measurement for cited in found.values()]
        if (match := _match(place, number, measured, taken)) is not None:
            found[place] = Cited(match, matched=True)
    taken = [cited.measurement for cited in found.values()]
    left = [one for one in measured if one not in taken]
    open_places = [place for place in range(len(answer)) if place not in found]
    for place, last in _last(open_places, answer, left).items():
        found[place] = Cited(last, matched=False)
    return [found.get(place) for place in range(len(answer))]


def _match(
    place: int, number: Number, measured: Sequence[Measurement], taken: Sequence[Measurement]
) -> Measurement | None:
    ranked = [
        (one in taken, one.axis not in (None, place), round(abs(one.value - number.value), 9), -order)
        for order, one in enumerate(measured)
        if number.rounds(one.value)
    ]
    return measured[-min(ranked)[3]] if ranked else None


def _last(places: Sequence[int], answer: Sequence[Number], left: Sequence[Measurement]) -> dict[int, Measurement]:
    if len(places) < 2:
        return {place: fits[-1] for place in places if (fits := _fitting(left, place))}
    lines = [one for one in left if one.axis is None]
    if left and left[-1].axis is None and len(lines) == 1:
        near = min(places, key=lambda place: abs(answer[place].value - lines[0].value))
        return {near: lines[0]}
    if left and left[-1].axis is None:
        longer, shorter = sorted(lines[-2:], key=lambda one: -one.value)
        return {places[0]: longer, places[1]: shorter}
    return {place: fits[-1] for place in places if (fits := [one for one in left if one.axis == place])}


def _fitting(left: Sequence[Measurement], place: int) -> list[Measurement]:
    return [one for one in left if one.axis in (None, place)]
