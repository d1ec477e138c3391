"""The looks of arms: an arm has one colour in all figures of a report, on its pictures, and in the viewer.

Contract: the colour follows from the names of all arms of a study or of the runs that are looked at, and not from which
of them one figure shows. The viewer's page takes the same places (``viewer/src``).
"""

from collections.abc import Sequence

from medvision_agent.eval.figures.style import SERIES

__all__ = ["arm_places", "colour_on_image"]

_FIRST = ("off", "on")


def arm_places(names: Sequence[str]) -> dict[str, int]:
    """Return the place of each arm's colour in the palette: ``off``, then ``on``, then the others as they are given.

    *names* are all arms: in the order of a study's plan, or sorted where runs are looked at without a study.
    """
    own = dict.fromkeys(names)
    first = [name for name in _FIRST if name in own]
    return {name: place for place, name in enumerate(dict.fromkeys((*first, *own)))}


def colour_on_image(place: int) -> str:
    """Return the colour of the arm at a place for marks on an image, as CSS has it: the figures' one on a dark page."""
    return SERIES[place % len(SERIES)].dark
