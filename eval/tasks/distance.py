"""Distance: the length between two landmarks."""

from medvision_agent.eval.tasks.task import RELATIVE_ERRORS, MedVisionNames, Task
from medvision_agent.quantity import LENGTH_MM

__all__ = ["DISTANCE"]

DISTANCE = Task(
    name="distance",
    quantity=LENGTH_MM,
    numbers=("distance",),
    landmarks=2,
    lines=("distance",),
    step_points=((2,), (1,)),
    loss="relative error",
    measures=RELATIVE_ERRORS,
    is_plausible=lambda numbers: numbers[0] >= 0,
    plausible="a length in mm, 0 or more",
    target_size="distance, mm",
    usual_answer=(30.0,),
    decimals=1,
    medvision=MedVisionNames(family="AD", configs=("BiometricsFromLandmarks", "BiometricsFromLandmarks_Distance")),
)
"""``(mm,)``: the length between the two landmarks, 0 or more."""
