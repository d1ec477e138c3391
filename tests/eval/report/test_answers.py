"""What an arm stated, sample by sample, over its epochs."""

import pytest

from medvision_agent.eval.data.sample import Asked
from medvision_agent.eval.report.answers import Answers
from medvision_agent.eval.scorer.score import Score


def asked(name, task="distance"):
    return Asked(name, task, None, ("a", "b"), "", f"d/{name}", (10.0,), None, (), None)


def stated(number, loss):
    return Score(f"{number}", True, (number,), loss=loss)


FAILED = Score()
ROWS = {"x": 0, "y": 1, "z": 2}


def test_the_answers_of_one_epoch_by_sample():
    epoch = [(asked("x"), stated(12.0, 0.2)), (asked("y"), FAILED), (asked("z"), None), (asked("w"), stated(9.0, 0.1))]
    found = Answers([epoch], "distance", ROWS)
    assert (list(found), len(found), list(found["x"]), list(found.losses)) == (["x"], 1, [12.0], [0.2])
    assert found.repeated == []
    for name in ("y", "z", "w", "?"):
        assert name not in found
        with pytest.raises(KeyError):
            found[name]


def test_repeated_answers_are_averaged_and_their_spread_is_told():
    first = [(asked("x"), stated(12.0, 0.2)), (asked("y"), stated(5.0, 0.5)), (asked("z"), FAILED)]
    second = [(asked("x"), stated(8.0, 0.4)), (asked("y"), FAILED), (asked("z"), stated(10.0, 0.0))]
    found = Answers([first, second], "distance", ROWS)
    assert {name: list(numbers) for name, numbers in found.items()} == {"x": [10.0], "y": [5.0], "z": [10.0]}
    assert list(found.losses) == pytest.approx([0.3, 0.5, 0.0])
    assert found.repeated == [(pytest.approx(0.4), "x", pytest.approx(0.3))]


def test_answers_to_other_tasks_are_left_out():
    assert list(Answers([[(asked("x", "angle"), stated(12.0, 0.2))]], "distance", ROWS)) == []
