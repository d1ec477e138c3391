"""Size: the two axes of the ellipse fitted to a labelled structure."""

from medvision_agent.eval.tasks.task import RELATIVE_ERRORS, MedVisionNames, Task
from medvision_agent.quantity import LENGTH_MM

__all__ = ["SIZE"]

SIZE = Task(
    name="size",
    quantity=LENGTH_MM,
    numbers=("major axis", "minor axis"),
    lines=("major axis", "minor axis"),
    step_points=((1, 2), (3, 4)),
    loss="relative error",
    measures=RELATIVE_ERRORS,
    # Major >= minor need not hold: MedVision names its axes in pixels, so with long pixels the minor one can be longer.
    is_plausible=lambda numbers: min(numbers) > 0,
    plausible="two lengths in mm above 0",
    target_size="longer axis, mm",
    drawing="ellipse",
    usual_answer=(30.0, 20.0),
    decimals=2,
    medvision=MedVisionNames(family="TL", configs=("TumorLesionSize",)),
)
"""``(major, minor)`` axis in mm. Its points: ``major 1``, ``major 2``, ``minor 1``, ``minor 2``."""
