"""Area: the area of a labelled structure on a slice. MedVision plans such samples, but does not score them."""

from medvision_agent.eval.tasks.task import RELATIVE_ERRORS, MedVisionNames, Task
from medvision_agent.quantity import AREA_MM2

__all__ = ["AREA"]

AREA = Task(
    name="area",
    quantity=AREA_MM2,
    numbers=("area",),
    loss="relative error",
    measures=RELATIVE_ERRORS,
    is_plausible=lambda numbers: numbers[0] > 0,
    plausible="an area in mm2 above 0",
    target_size="area, mm2",
    drawing="none",
    usual_answer=(500.0,),
    decimals=1,
    medvision=MedVisionNames(family=None, configs=("MaskSize",)),
    own_rule="medvision-agent-area-1",
)
"""``(mm2,)``: all pixels of the structure on the slice, summed over its parts, without its holes."""
