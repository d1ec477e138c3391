"""A sequentially rejective graph of tests: how the level of a rejected test passes on to the others.

Every test has a weight (its share of alpha) and edges (the shares of its level that go to each other test once it is
rejected). A test whose p-value is within its share of alpha is rejected, its share passes along its edges, and the
graph is updated. The order of rejections does not change the result. Equal weights and equal edges are Holm's method.

Source: Bretz, Maurer, Brannath and Posch (2009), "A graphical approach to sequentially rejective multiple test
procedures", Statistics in Medicine 28, Algorithms 1 and 2.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medvision_agent.eval.compare.statistics.jackknife import Floats

__all__ = ["Graph", "Rejection", "reject"]


@dataclass(frozen=True, eq=False)
class Graph:
    """A graph of m tests: the share of alpha of each test, and the shares that pass on when a test is rejected.

    ``weights`` (m,) add up to 1 at most. Row i of ``edges`` (m, m) says which fractions of the share of test i go to
    each other test; a row adds up to 1 at most, and the diagonal is 0.
    """

    weights: Floats
    edges: Floats

    def __post_init__(self) -> None:
        rows = self.edges.sum(axis=1)
        if self.weights.sum() > 1 + 1e-9 or (rows > 1 + 1e-9).any() or self.edges.diagonal().any():
            raise ValueError(
                "weights must add up to 1 at most, each row of edges too, and no test may have an edge to itself"
            )


@dataclass(frozen=True, slots=True)
class Rejection:
    """The result for one test of a graph: whether it is rejected, at which level, and its adjusted p-value."""

    adjusted: float | None
    """The p-value adjusted over the graph: the smallest alpha at which the test is rejected; None without a p-value."""
    rejected: bool
    level: float
    """The share of alpha at which the test was rejected, or its share at the end."""


def reject(graph: Graph, p: Sequence[float | None], alpha: float) -> tuple[Rejection, ...]:
    """Return the result for each test of *graph*, which together have the level *alpha*.

    *p* are the p-values in the order of the tests; a test without one is never rejected and keeps its share.
    """
    weights, edges = graph.weights.copy(), graph.edges.copy()
    left = [index for index, value in enumerate(p) if value is not None]
    adjusted: list[float | None] = [None] * len(p)
    levels, largest = alpha * weights, 0.0
    while left:
        needed = {index: _alpha(p[index] or 0.0, float(weights[index])) for index in left}
        first = min(left, key=lambda index: needed[index])
        largest = max(largest, needed[first])
        adjusted[first] = largest
        if largest <= alpha:
            levels[first] = alpha * weights[first]
        left.remove(first)
        weights, edges = _without(first, weights, edges)
        if largest <= alpha:
            levels[left] = alpha * weights[left]
            for index, value in enumerate(p):
                if value is None:
                    levels[index] = alpha * weights[index]
    return tuple(
        Rejection(one, one is not None and one <= alpha, float(level))
        for one, level in zip(adjusted, levels, strict=True)
    )


def _alpha(p: float, weight: float) -> float:
    """Return the smallest overall alpha, at most 1, that rejects a test with the p-value *p* and the share *weight*."""
    return min(1.0, p / weight) if weight > 0 else 1.0


def _without(index: int, weights: Floats, edges: Floats) -> tuple[Floats, Floats]:
    """Return weights and edges after the test *index* was rejected.

    The test's weight moves along its edges, and paths through it are joined.
    """
    weights = weights + weights[index] * edges[index]
    through = edges[:, [index]] * edges[[index], :]
    there_and_back = edges[:, index] * edges[index, :]
    room = (1 - there_and_back)[:, np.newaxis]
    joined = np.divide(edges + through, room, out=np.zeros_like(edges), where=room > 1e-12)
    np.fill_diagonal(joined, 0.0)
    joined[index, :] = joined[:, index] = 0.0
    weights[index] = 0.0
    return weights, joined
