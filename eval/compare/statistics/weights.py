"""The graph of a study's family of tests: how the level is shared initially, and where a rejected test's share goes.

The m primaries (a primary contrast on each task, model and source) start with alpha / m each. Of a primary's share half
goes to the other primaries and half to the secondaries of its own task, model and source; of a secondary's share all
goes to its siblings, or to the primaries where it has none. So the main question keeps most of the level, and every
rejected test passes its level on.

Source: the default procedure of Bretz et al. 2009 (see ``graph``), with weights that are fixed before the first call.
"""

from collections.abc import Sequence

import numpy as np

from medvision_agent.eval.compare.statistics.graph import Graph, reject
from medvision_agent.eval.compare.statistics.jackknife import Floats
from medvision_agent.eval.compare.statistics.pairs import Key

__all__ = ["family_graph", "holm"]


def family_graph(declared: Sequence[Key], primaries: Sequence[str]) -> Graph:
    """Return the graph of the declared tests: their initial shares of alpha, and where a rejected test's share goes.

    *primaries* are the names of the primary contrasts. Without a primary contrast, all tests have equal weight (Holm's
    method).
    """
    count = len(declared)
    first = [index for index, key in enumerate(declared) if key.contrast in primaries]
    if not first:
        return _alike(count)
    weights = np.zeros(count)
    weights[first] = 1 / len(first)
    edges = np.zeros((count, count))
    for index in range(count):
        own = _place(declared[index])
        siblings = [one for one, key in enumerate(declared) if _place(key) == own and one not in first and one != index]
        others = [one for one in first if one != index]
        if index in first:
            _share(edges[index], others, 0.5 if siblings else 1.0)
            _share(edges[index], siblings, 0.5 if others else 1.0)
        else:
            _share(edges[index], siblings or others, 1.0)
    return Graph(weights, edges)


def holm(p: Sequence[float]) -> list[float]:
    """Return the p-values adjusted by Holm's method, in the order given."""
    return [one.adjusted for one in reject(_alike(len(p)), p, 1.0) if one.adjusted is not None]


def _alike(count: int) -> Graph:
    edges = np.full((count, count), 1 / max(1, count - 1))
    np.fill_diagonal(edges, 0.0)
    return Graph(np.full(count, 1 / max(1, count)), edges)


def _place(key: Key) -> tuple[str, str, str]:
    return key.task, key.model, key.source


def _share(row: Floats, to: Sequence[int], share: float) -> None:
    """Add to *row* a total of *share*, divided evenly among the tests *to*; without tests, *row* stays as it is."""
    if to:
        row[list(to)] += share / len(to)
