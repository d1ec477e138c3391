"""Which tasks MedVision keeps apart to test on what a fine-tuned model has not seen: other planes, and other tasks.

Contract: a task goes by its dataset, family, number and plane; what its name has after them selects no other samples.
"""

import json
from functools import cache
from importlib.resources import files

from medvision_agent.eval.data.configs import task_name
from medvision_agent.eval.tasks import Family

__all__ = ["HELD_OUT", "held_out"]

HELD_OUT = {"main": "on the main list", "plane": "plane held out", "task": "task held out"}
"""The lists, and how tables call them."""


def held_out(family: Family, task: str) -> str:
    """Return on which of the lists a task of a result file stands, in the words of HELD_OUT."""
    name = (task_name(task) or task).replace("_BoxSize_", "_BoxCoordinate_")
    return next((HELD_OUT[kind] for kind, tasks in _lists()[family].items() if name in tasks), "on none of the lists")


@cache
def _lists() -> dict[str, dict[str, list[str]]]:
    text = (files("medvision_agent.eval.published") / "held-out.json").read_text(encoding="utf-8")
    found: dict[str, dict[str, list[str]]] = json.loads(text)["lists"]
    return found
