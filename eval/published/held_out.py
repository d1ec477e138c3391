"""The tasks that MedVision holds out, to test fine-tuned models on unseen planes and unseen tasks.

Contract: a task is identified by dataset, family, number and plane; the rest of its name does not change the samples.
"""

import json
from functools import cache
from importlib.resources import files

from medvision_agent.eval.data.configs import task_name
from medvision_agent.eval.tasks import Family

__all__ = ["HELD_OUT", "held_out"]

HELD_OUT = {"main": "on the main list", "plane": "plane held out", "task": "task held out"}
"""The lists, and their names in tables."""


def held_out(family: Family, task: str) -> str:
    """Return which of MedVision's lists a task of a result file is on: a text of HELD_OUT or "on none of the lists"."""
    name = (task_name(task) or task).replace("_BoxSize_", "_BoxCoordinate_")
    return next((HELD_OUT[kind] for kind, tasks in _lists()[family].items() if name in tasks), "on none of the lists")


@cache
def _lists() -> dict[str, dict[str, list[str]]]:
    text = (files("medvision_agent.eval.published") / "held-out.json").read_text(encoding="utf-8")
    found: dict[str, dict[str, list[str]]] = json.loads(text)["lists"]
    return found
