"""Which samples are asked."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medvision_agent.errors import ConfigError
from medvision_agent.eval.data.selection import Selection, parse_tasks, select
from medvision_agent.eval.data.sources import open_source
from medvision_agent.eval.tasks import TASKS

DEMO = open_source("demo")
SAMPLES = DEMO.samples


@given(st.none() | st.sets(st.sampled_from(list(TASKS))).map(tuple), st.none() | st.integers(1, 60))
def test_limit_is_per_task_and_order_is_kept(tasks, limit):
    chosen = select(DEMO, Selection(tasks=tasks, limit=limit))
    asked = [sample for sample in SAMPLES if tasks is None or sample.task in tasks]
    assert list(chosen) == [sample for sample in asked if sample in chosen]
    for task, count in Counter(sample.task for sample in asked).items():
        of_task = [sample for sample in chosen if sample.task == task]
        assert of_task == [sample for sample in asked if sample.task == task][: count if limit is None else limit]


def test_tasks_are_parsed_in_one_order():
    assert parse_tasks(None) is None
    assert parse_tasks("angle, detection,angle") == ("detection", "angle")


@pytest.mark.parametrize(
    ("text", "said"), [("sise", "Did you mean 'size'?"), ("", "no task is named"), (",", "no task")]
)
def test_unknown_tasks_are_refused(text, said):
    with pytest.raises(ConfigError, match="detection, size, angle, distance") as caught:
        parse_tasks(text)
    assert said in str(caught.value)
