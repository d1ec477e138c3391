"""The looks of arms: an arm has one colour in all figures of a report, on its pictures, and in the viewer.

Contract: the colour follows from the names of all arms of a study or of the runs that are looked at, and not from which
of them one figure shows. The viewer's page takes the same places (``viewer/src``).
"""

from collections.abc import Sequence

from medvision_agent.eval.figures.style import DASHES, SERIES, SHAPES, Look

__all__ = ["arm_places", "colour_on_image", "looks"]

_FIRST = ("off", "on")


def arm_places(names: Sequence[str]) -> dict[str, int]:
    """Return the place of each arm's colour in the palette: ``off``, then ``on``, then the others as they are given.

    *names* are all arms: in the order of a study's plan, or sorted where runs are looked at without a study.
    """
    own = dict.fromkeys(names)
    first = [name for name in _FIRST if name in own]
    return {name: place for place, name in enumerate(dict.fromkeys((*first, *own)))}


def looks(names: Sequence[str]) -> dict[str, Look]:
    """Return the look of each arm, in the order of their places; the first 64 differ from one another.

    There are eight colours. Later arms take them again, with another shape and another dash.
    """
    found = {}
    for name, place in arm_places(names).items():
        shape = (place + place // len(SERIES)) % len(SHAPES)
        found[name] = Look(SERIES[place % len(SERIES)].light, SHAPES[shape], DASHES[place % len(DASHES)])
    return found


def colour_on_image(place: int) -> str:
    """Return the colour of the arm at a place for marks on an image, as CSS has it: the figures' one on a dark page."""
    return SERIES[place % len(SERIES)].dark
