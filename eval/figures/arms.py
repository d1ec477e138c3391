"""Colours and shapes of arms: an arm has one colour in all figures of a report, on its images, and in the viewer.

Contract: the colour depends on the names of all arms of a study (or of the runs shown), not on which of them are in one
figure. The viewer's page uses the same order (``viewer/src``).
"""

from collections.abc import Sequence

from medvision_agent.eval.figures.style import DASHES, SERIES, SHAPES, Look

__all__ = ["arm_places", "colour_on_image", "looks"]

_FIRST = ("off", "on")


def arm_places(names: Sequence[str]) -> dict[str, int]:
    """Return the index of each arm's colour in the palette: ``off``, then ``on``, then the others in the given order.

    *names* are all arms: in the order of a study's plan, or sorted if runs are shown without a study.
    """
    own = dict.fromkeys(names)
    first = [name for name in _FIRST if name in own]
    return {name: place for place, name in enumerate(dict.fromkeys((*first, *own)))}


def looks(names: Sequence[str]) -> dict[str, Look]:
    """Return the colour, shape and dash of each arm, in palette order; the first 64 arms differ from one another.

    There are eight colours. Later arms reuse them with another shape and another dash.
    """
    found = {}
    for name, place in arm_places(names).items():
        shape = (place + place // len(SERIES)) % len(SHAPES)
        found[name] = Look(SERIES[place % len(SERIES)].light, SHAPES[shape], DASHES[place % len(DASHES)])
    return found


def colour_on_image(place: int) -> str:
    """Return the arm colour with index *place* for marks on an image, as CSS: the one used on dark pages."""
    return SERIES[place % len(SERIES)].dark
