"""Loss against cost: which arms nothing beats."""

from medvision_agent.eval.report.cost_plot import Spot, front


def spot(arm: str, cost: float, loss: float) -> Spot:
    return Spot(arm, cost, loss, None, 10)


def test_the_front_holds_the_arms_that_no_other_beats_in_both():
    off, blind, on, dear = spot("off", 100, 0.5), spot("blind", 400, 0.5), spot("on", 500, 0.3), spot("dear", 900, 0.4)
    assert front([dear, on, blind, off]) == [off, on]


def test_of_arms_that_cost_the_same_the_better_one_stays():
    assert front([spot("a", 100, 0.5), spot("b", 100, 0.4)]) == [spot("b", 100, 0.4)]


def test_a_lone_arm_is_its_own_front():
    assert front([spot("a", 1, 1.0)]) == [spot("a", 1, 1.0)]
