"""Angle: the acute angle of two lines through landmarks."""

from medvision_agent.eval.tasks.task import RELATIVE_ERRORS, MedVisionNames, Task
from medvision_agent.quantity import ANGLE_DEG

__all__ = ["ANGLE"]

ANGLE = Task(
    name="angle",
    quantity=ANGLE_DEG,
    numbers=("angle",),
    landmarks=4,
    lines=("line 1", "line 2"),
    step_points=((1, 2), (3, 4)),
    loss="angle",
    measures=RELATIVE_ERRORS,
    is_plausible=lambda numbers: 0 <= numbers[0] <= 90,
    plausible="the acute angle of two lines, 0 to 90 degrees",
    target_size="angle, degrees",
    usual_answer=(45.0,),
    decimals=1,
    medvision=MedVisionNames(family="AD", configs=("BiometricsFromLandmarks", "BiometricsFromLandmarks_Angle")),
)
"""``(degrees,)``, 0..90. The landmarks are the two on line 1, then the two on line 2."""
