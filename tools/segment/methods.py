"""The shipped methods to outline a structure, by name. They are registered as entry points, like those of packages."""

from typing import Final

from medvision_agent.errors import ToolError
from medvision_agent.tools.segment.candidates import Candidate, Prompt, candidates
from medvision_agent.tools.segment.contour import Cut, Measured
from medvision_agent.tools.segment.search import around_seed, in_region
from medvision_agent.tools.segment.threshold import Target
from medvision_agent.tools.segment.variant import Method
from medvision_agent.tools.segment.walker import random_walker
from medvision_agent.tools.segment.watershed import watershed
from medvision_agent.tools.view.slice import Slice

__all__ = ["METHODS", "threshold", "thresholded"]


def threshold(image: Slice, prompt: Prompt) -> list[Candidate]:
    """Return the bright and the dark structure that one grey level separates from its surroundings.

    Returns one or two candidates of cost 0, the better ellipse first. Raises ToolError where neither is found, and for
    a point outside.
    """
    if prompt.outside is not None:
        raise ToolError("the method threshold cannot use a point outside the structure; leave that point out")
    found: list[Measured] = []
    for target in ("bright", "dark"):
        try:
            found.append(thresholded(image, prompt, target))
        except ToolError:
            continue
    if not found:
        raise ToolError("nothing found that is brighter or darker than its surroundings", about_image=True)
    return [Candidate(one, 0.0) for one in sorted(found, key=lambda one: -one.dice)]


def thresholded(image: Slice, prompt: Prompt, target: Target) -> Measured:
    """Return the measures of the bright or dark structure in a region, or around a point.

    Raises ToolError where no such structure is found.
    """
    region = Cut(*(prompt.region or image.region).pixels(image.size))
    seed = None
    if prompt.inside is not None:
        seed = min(int(prompt.inside.y), region.y1 - 1), min(int(prompt.inside.x), region.x1 - 1)
    if prompt.region is None and seed is not None:
        return around_seed(image.grey, target, region, image.spacing, seed)
    return in_region(image.grey, target, region, image.spacing, seed)


METHODS: Final[dict[str, Method]] = {
    "outline": candidates,
    "watershed": watershed,
    "random-walker": random_walker,
    "threshold": threshold,
}
"""The first is the default."""
