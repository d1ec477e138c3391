"""By how much the loss of one sample rises at most: per task and source, over the means of an arm's runs."""

import pytest
from browsed import samples
from viewer.site import Site

from medvision_agent.eval.browse.harm import with_worst
from medvision_agent.eval.browse.line import open_line


def lines(losses, task="size"):
    asked = samples(len(losses))
    return [open_line(one)._replace(task=task, loss=loss) for one, loss in zip(asked, losses, strict=True)]


def worst(off, on, **fields):
    """Return the worst of the effects on size and on distance; *on* is the lines of each of its runs."""
    site = Site()
    index = site.index(live=True)
    (study,) = index.studies
    keys = [f"r{at}" for at in range(2, 2 + len(on))]
    arms = [study.arms[0], study.arms[1].model_copy(update={"runs": tuple(keys)})]
    runs = {"r1": index.runs[0]} | {key: index.runs[1].model_copy(update={"key": key}) for key in keys}
    effects = tuple(one.model_copy(update={"worst": None} | fields) for one in study.effects)
    stored = {"r1": off} | dict(zip(keys, on, strict=True))
    page = with_worst(study.model_copy(update={"arms": tuple(arms), "effects": effects}), runs, stored.__getitem__)
    return [one.worst for one in page.effects]


def test_the_largest_rise_is_that_of_one_sample_of_the_task():
    assert worst(lines([0.1, 0.2, 0.9]), [lines([0.2, 0.9, 0.0])]) == [pytest.approx(0.7), None]
    assert worst(lines([0.5, 0.5], "distance"), [lines([0.1, 0.2], "distance")]) == [None, pytest.approx(-0.3)]


def test_runs_of_an_arm_are_averaged_and_a_lost_sample_is_left_out():
    on = [lines([1.0, 0.5, None]), lines([0.0, 0.5, 1.0])]
    assert worst(lines([0.2, 0.3, None]), on)[0] == pytest.approx(0.3)


def test_other_sources_and_runs_that_are_not_in_memory_tell_nothing():
    assert worst(lines([0.1]), [lines([0.9])], source="other") == [None, None]
    assert worst([], [lines([0.9])]) == [None, None]
