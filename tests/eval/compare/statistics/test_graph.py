"""The graph of tests: Holm as its simplest case, the published procedure worked out, and its error over a family."""

from math import isclose

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medvision_agent.eval.compare.statistics.graph import Graph, reject
from medvision_agent.eval.compare.statistics.pairs import Key
from medvision_agent.eval.compare.statistics.weights import family_graph

TASKS = ("detection", "size", "distance", "angle")
OTHERS = ("blind -> on", "again -> on", "off -> code", "without-crop -> on", "on -> must-use")


def keys(tasks: int, secondaries: int) -> list[Key]:
    return [Key(name, task, "m") for name in ("off -> on", *OTHERS[:secondaries]) for task in TASKS[:tasks]]


def of_holm(p: list[float | None]) -> list[float | None]:
    every = [Key("off -> on", "size", str(number)) for number in range(len(p))]
    return [one.adjusted for one in reject(family_graph(every, ()), p, 0.05)]


def test_holm_by_hand():
    assert of_holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert of_holm([0.5, 0.9]) == [1.0, 1.0]
    assert of_holm([]) == []
    assert of_holm([0.01, None, 0.02]) == [pytest.approx(0.03), None, pytest.approx(0.04)]


def test_two_primaries_with_a_secondary_each_by_hand():
    """Half of a primary's share goes to the other, half to its secondary, whose share goes back to the primaries."""
    graph = family_graph(keys(2, 1), ["off -> on"])
    assert graph.weights.tolist() == [0.5, 0.5, 0, 0]
    assert graph.edges.tolist() == [[0, 0.5, 0.5, 0], [0.5, 0, 0, 0.5], [0.5, 0.5, 0, 0], [0.5, 0.5, 0, 0]]
    first, second, one, other = reject(graph, [0.02, 0.03, 0.012, 0.5], 0.05)
    assert (first.rejected, first.level) == (True, 0.025)
    assert (second.rejected, second.level) == (True, pytest.approx(0.025 + 0.0125))  # half of the first's share
    # Of the second's share, a third: its edge to the first is gone, and half of that led here.
    assert (one.rejected, one.level) == (True, pytest.approx(0.0125 + 0.0375 / 3))
    assert (other.rejected, other.level) == (False, pytest.approx(0.05))


def test_a_lone_primary_passes_all_to_its_secondaries():
    graph = family_graph(keys(1, 3), ["off -> on"])
    assert graph.edges[0].tolist() == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3])
    assert graph.edges[1].tolist() == pytest.approx([0, 0, 0.5, 0.5])
    blocked = reject(graph, [0.06, 0.001, 0.001, 0.001], 0.05)
    assert [one.rejected for one in blocked] == [False] * 4
    assert [one.level for one in blocked] == [0.05, 0, 0, 0]


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 4), st.integers(0, 5), st.data())
def test_adjusted_p_values_are_the_decisions_at_every_level(tasks, secondaries, data):
    declared = keys(tasks, secondaries)
    p = data.draw(st.lists(st.none() | st.floats(0, 0.2), min_size=len(declared), max_size=len(declared)))
    graph = family_graph(declared, ["off -> on"])
    adjusted = [one.adjusted for one in reject(graph, p, 0.05)]
    for alpha in (0.01, 0.05, 0.1, 0.3):
        found = reject(graph, p, alpha)
        for one, value, own in zip(found, adjusted, p, strict=True):
            assert one.rejected == (value is not None and value <= alpha)
            if own and not isclose(own, one.level, rel_tol=1e-9):  # at the level itself, rounding decides
                assert one.rejected == (own <= one.level)
        left = sum(one.level for one in found if not one.rejected)
        assert left <= alpha * (1 + 1e-9)


def test_the_error_of_a_family_is_at_most_its_level():
    """No test has anything to show: one or more are rejected in 5 % of families at most."""
    declared, random = keys(4, 5), np.random.default_rng(4)
    graph, families = family_graph(declared, ["off -> on"]), 2000
    wrong = sum(
        any(one.rejected for one in reject(graph, random.random(len(declared)).tolist(), 0.05)) for _ in range(families)
    )
    assert wrong / families <= 0.05 + 3 * (0.05 * 0.95 / families) ** 0.5
    assert wrong / families >= 0.03


def test_a_graph_that_gives_away_more_than_it_has_is_refused():
    with pytest.raises(ValueError, match="add up to 1"):
        Graph(np.array([0.6, 0.6]), np.zeros((2, 2)))
    with pytest.raises(ValueError, match="itself"):
        Graph(np.array([0.5, 0.5]), np.eye(2))
