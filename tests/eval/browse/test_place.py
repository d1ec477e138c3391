"""What a row says of a place that the rule counts as the wrong one: only what is true of it."""

import pytest
from browsed import samples

from medvision_agent.eval.browse.line import place_of
from medvision_agent.eval.place.located import Found, Located
from medvision_agent.eval.place.rule import Target
from medvision_agent.eval.tasks import TASKS
from medvision_agent.tools.view.geometry import Point, Spacing

TRUTH = (Point(40.0, 60.0), Point(60.0, 40.0))
SPACING = Spacing(1.0, 1.0)


class Asked:
    """A sample of a task, as far as its place is concerned."""

    def __init__(self, task):
        self.asks = TASKS[task]


def located(task, points, truth=TRUTH):
    shares = tuple((x / 100, y / 100) for x, y in points)
    return Located(Asked(task), None, Found.of(shares, Target(TASKS[task], truth, SPACING), (100.0, 100.0)))


@pytest.mark.parametrize(
    ("corners", "place"),
    [
        (((38, 62), (62, 38)), "right"),
        (((0, 0), (100, 100)), "too_large"),
        (((100, 0), (0, 100)), "too_large"),
        (((48, 48), (52, 52)), "too_small"),
        (((55, 55), (95, 95)), "partly"),
        (((60, 40), (80, 60)), "elsewhere"),
        (((0, 0), (10, 10)), "elsewhere"),
    ],
)
def test_a_box_is_elsewhere_only_where_it_does_not_overlap_the_truth(corners, place):
    assert place_of(located("detection", corners)) == place


def test_other_tasks_say_what_lies_wrong():
    axes = (Point(40.0, 50.0), Point(60.0, 50.0), Point(50.0, 45.0), Point(50.0, 55.0))
    assert place_of(located("size", ((0, 0), (10, 0), (5, 0), (5, 9)), axes)) == "elsewhere"
    assert place_of(located("distance", ((10, 50), (90, 50)), (Point(40.0, 50.0), Point(60.0, 50.0)))) == "wrong_ends"
    lines = (Point(0.0, 0.0), Point(10.0, 0.0), Point(0.0, 20.0), Point(10.0, 30.0))
    assert place_of(located("angle", ((80, 80), (90, 80), (80, 90), (90, 95)), lines)) == "wrong_lines"


def test_an_answer_without_a_place_has_none():
    assert place_of(None) is None
    assert place_of(Located(samples(1)[0], None, None)) is None
    assert place_of(Located(samples(1)[0], None, "no tool measured it")) == "unknown"
