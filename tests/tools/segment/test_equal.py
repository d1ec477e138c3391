"""What was made faster finds the same, to the last digit: each against the plain way to work it out."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from medvision_agent.tools.segment.candidates import Prompt, candidates
from medvision_agent.tools.segment.contour import measure_outline
from medvision_agent.tools.segment.ellipse import _LONGEST, _diameter, _is_too_long
from medvision_agent.tools.segment.rays import closed_paths
from medvision_agent.tools.view.geometry import Point, Spacing
from medvision_agent.tools.view.slice import grey_slice


def plainly(costs, bend):
    """Return the closed paths, place by place: the first of equal ones, twice around, and the middle of it."""
    found = []
    for one in costs:
        rays, places = one.shape
        total, came = [0.0] * places, []
        for ray in range(2 * rays):
            steps = [
                [(total[at + move] + bend * abs(move), at + move) for move in range(-2, 3) if 0 <= at + move < places]
                for at in range(places)
            ]
            best = [min(ways, key=lambda way: way[0]) for ways in steps]
            came.append([at for _, at in best])
            total = [before + float(cost) for (before, _), cost in zip(best, one[ray % rays], strict=True)]
        at, path = total.index(min(total)), []
        for step in reversed(came):
            path.append(at)
            at = step[at]
        path.reverse()
        half = rays // 2
        found.append([path[half + (ray - half) % rays] for ray in range(rays)])
    return found


@given(
    hnp.arrays(
        np.float64,
        st.tuples(st.integers(1, 3), st.sampled_from([2, 4, 8]), st.integers(3, 9)),
        elements=st.integers(-6, 6).map(lambda number: number / 4) | st.floats(-3, 3),
    ),
    st.sampled_from([0.0, 0.25, 0.5, 1.0]),
)
def test_paths_are_those_of_the_plain_search_ties_included(costs, bend):
    assert closed_paths(costs, bend).tolist() == plainly(costs, bend)


SIXTEENTHS = st.integers(-8000, 8000).map(lambda number: number / 16)


@given(hnp.arrays(np.float64, st.tuples(st.integers(5, 40), st.just(2)), elements=SIXTEENTHS), st.data())
def test_an_axis_is_too_long_by_the_largest_distance(points, data):
    contour = np.concatenate((points, [(0.0, 0.0), (1.0, 2.0), (2.0, 0.0)]))
    limit = _LONGEST * _diameter(contour)
    share = st.sampled_from([0.5, 0.99, 0.9999, 1.0, 1.0001, 1.01, 2.0])
    for length in (limit * data.draw(share), data.draw(st.floats(0, 3000))):
        assert _is_too_long(length, contour) == (length > limit)


def test_a_candidate_is_measured_when_it_is_looked_at_and_once():
    y, x = np.mgrid[:90, :120]
    image = grey_slice(100 + 80 * (((x - 60) / 25) ** 2 + ((y - 45) / 15) ** 2 < 1), Spacing(0.5, 0.7))
    found = candidates(image, Prompt(inside=Point(60, 45)))
    assert all("measured" not in vars(one) for one in found)
    for one in found:
        plain = measure_outline(one.measured.outline, image.size, image.spacing)
        assert (one.measured.box, one.measured.ellipse, one.measured.dice) == (plain.box, plain.ellipse, plain.dice)
        assert one.measured is one.measured
