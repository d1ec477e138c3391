"""Random walker: would a walk that avoids edges come to the middle of its oval first, or to its outside?

The probability at every place solves a Dirichlet problem on the grid of places, whose edges weigh
``exp(-beta (difference of values)^2)``, values from 0 to 1 (Grady, Random Walks for Image Segmentation, IEEE TPAMI 28,
2006, with the beta of that paper).
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, diags_array
from scipy.sparse.linalg import spsolve

from medvision_agent.errors import ToolError
from medvision_agent.tools.segment.candidates import Candidate, Prompt
from medvision_agent.tools.segment.contour import component
from medvision_agent.tools.segment.square import INSIDE, OUTSIDE, Square
from medvision_agent.tools.view.slice import Slice

__all__ = ["random_walker"]

_SIDE = 80
_BETA = 90.0
_EDGE = float(np.log(OUTSIDE) / np.log(OUTSIDE / INSIDE))
"""Probability at the outline: what a flat image has on the oval itself (the potential between two circles)."""
_LEAST = 1e-6
"""Smallest weight of an edge: no place is cut off from all others."""


def random_walker(image: Slice, prompt: Prompt) -> list[Candidate]:
    """Return the structure in a region or at a point, as one candidate of cost 0, found by a random walker.

    Raises ToolError where nothing is found, for a prompt without region and point inside, and for a point outside.
    """
    if prompt.outside is not None:  # a lone place takes away hardly more than itself
        raise ToolError("the method random-walker cannot use a point outside the structure; leave that point out")
    square = Square.around(image, prompt, _SIDE)
    inside, outside = square.markers(prompt)
    values = cv2.GaussianBlur(square.levels(image), (0, 0), 1.0).astype(np.float64) / 255
    chances = _chances(values, inside, inside | outside)
    # The ring runs through the middles of the outermost places inside: the edge lies half a place beyond.
    return [square.candidate(component(chances > _EDGE, square.middle(prompt)), image, out=0.5)]


def _chances(values: NDArray[np.float64], inside: NDArray[np.bool_], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return for every place the probability (0 to 1) that a walk meets a place *inside* before any other *known* one.

    *values* are grey levels from 0 to 1; all arrays are (side, side).
    """
    numbers = np.arange(values.size).reshape(values.shape)
    pairs = [(numbers[:, :-1], numbers[:, 1:]), (numbers[:-1], numbers[1:])]
    a, b = (np.concatenate([pair[side].ravel() for pair in pairs]) for side in (0, 1))
    squares = (values.ravel()[a] - values.ravel()[b]) ** 2
    weights = np.exp(-_BETA * squares / max(1e-12, float(squares.max()))) + _LEAST
    rows, columns = np.concatenate((a, b)), np.concatenate((b, a))
    twice = np.concatenate((weights, weights))
    laplacian = (diags_array(np.bincount(rows, twice)) - coo_array((twice, (rows, columns)))).tocsr()
    free, fixed = ~known.ravel(), known.ravel()
    chances = inside.ravel().astype(np.float64)
    chances[free] = spsolve(laplacian[free][:, free].tocsc(), -laplacian[free][:, fixed] @ chances[fixed])
    return chances.reshape(values.shape)
