"""The colours of arms on the canvas: lighter than in the report's figures, because medical images are dark."""

from collections.abc import Sequence

from medvision_agent.eval.browse.forms import RunLine
from medvision_agent.eval.figures.arms import arm_places, colour_on_image

__all__ = ["colours_of", "with_colours"]


def colours_of(names: Sequence[str]) -> dict[str, str]:
    """Return the colour of each arm as CSS has it, by the arm's name; *names* are the names of all arms.

    An arm's position among all arms decides its colour (``arm_places``); there are eight colours.
    """
    return {name: colour_on_image(place) for name, place in arm_places(names).items()}


def with_colours(lines: Sequence[RunLine]) -> tuple[RunLine, ...]:
    """Return the lines of runs, with a colour for each run outside a study; runs of studies keep theirs.

    The names by which these colours are given are those of a report, so that both agree.
    """
    loose = [line for line in lines if line.study is None]
    several = len({line.model for line in loose}) > 1
    bare = {line.key: f"{line.model} {line.condition}" if several else line.condition for line in loose}
    count = list(bare.values())
    names = {
        line.key: f"{bare[line.key]} ({line.name.rpartition('/')[2]})"
        if count.count(bare[line.key]) > 1
        else bare[line.key]
        for line in loose
    }
    colours = colours_of(sorted(names.values()))
    return tuple(line.but(colour=colours[names[line.key]]) if line.key in names else line for line in lines)
