"""What every task must hold: a new task is held against the same rules."""

from pathlib import Path
from typing import get_args

import pytest

from medvision_agent.eval.scorer.metrics import LOSSES
from medvision_agent.eval.scorer.protocol import PROTOCOLS
from medvision_agent.eval.scorer.score import score
from medvision_agent.eval.summary.measures import MEASURES
from medvision_agent.eval.tasks import TASKS, TaskName
from medvision_agent.tools.registry import TOOLS

ROOT = Path(__file__).parents[3]
tasks = pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)


def test_names_are_the_stored_ones_in_their_order():
    assert tuple(TASKS) == get_args(TaskName)
    assert tuple(TASKS)[:4] == ("detection", "size", "angle", "distance")


@tasks
def test_a_task_is_asked_by_a_template_of_its_own(task):
    folder = ROOT / "prompts" / ("areas" if task.own_rule else "")
    assert (folder / f"{task.template}.j2").is_file()


@tasks
def test_an_answer_holds_whole_values_of_its_quantity(task):
    assert task.numbers
    assert len(task.numbers) % task.quantity.numbers == 0
    assert len(set(task.numbers)) == len(task.numbers)


@tasks
def test_the_usual_answer_is_a_plausible_one_and_is_scored(task):
    assert len(task.usual_answer) == len(task.numbers)
    assert task.is_plausible(task.usual_answer)
    written = f"<answer>{', '.join(f'{number:.{task.decimals}f}' for number in task.usual_answer)}</answer>"
    for rules in PROTOCOLS.values():
        assert score(task.name, written, task.usual_answer, rules).loss == pytest.approx(0, abs=1e-6)
    assert score(task.name, None, task.usual_answer, rules).loss == 1


@tasks
def test_losses_and_measures_are_those_that_there_are(task):
    assert task.loss in LOSSES or task.is_box
    assert [measure.name for measure in MEASURES[task.name]] == ["loss", "success_rate", *task.measures]
    units = {measure.name: measure.unit for measure in MEASURES[task.name]}
    assert units.pop("MAE") == task.quantity.unit
    assert set(units.values()) == {""}


@tasks
def test_lines_and_steps_fit_the_points_of_the_quantity(task):
    points = len(task.numbers) * task.quantity.points
    assert len(task.lines) * 2 == points
    assert all(1 <= number <= points for numbers in task.step_points for number in numbers)
    assert task.landmarks in (0, points)


@tasks
def test_some_tool_measures_what_is_asked_for(task):
    assert any(tool.measurand(task.quantity) for tool in TOOLS.values())
