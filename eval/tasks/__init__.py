"""The definition of each task, in one object. To add a task, add a file here, a template in ``prompts``, and a name."""

from medvision_agent.eval.tasks.angle import ANGLE
from medvision_agent.eval.tasks.area import AREA
from medvision_agent.eval.tasks.detection import DETECTION
from medvision_agent.eval.tasks.distance import DISTANCE
from medvision_agent.eval.tasks.size import SIZE
from medvision_agent.eval.tasks.task import Family, Loss, Task, TaskName

__all__ = ["ANGLE", "AREA", "DETECTION", "DISTANCE", "SIZE", "TASKS", "Family", "Loss", "Task", "TaskName"]

TASKS: dict[TaskName, Task] = {task.name: task for task in (DETECTION, SIZE, ANGLE, DISTANCE, AREA)}
"""Every task by name, in the order in which tasks are shown."""
