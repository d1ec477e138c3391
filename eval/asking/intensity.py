"""From native pixel values to grey levels: the mappings of MedVision's two generations, bit for bit.

1.0 scales from the smallest to the largest value. 1.2 shows CT through a window where it knows what is asked about, and
clips everything else to its 0.5 and 99.5 percentiles. Both scale to 0..255 and truncate; a flat picture is black.
"""

import numpy as np

from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.scorer.labels import label_names
from medvision_agent.tools.view.slice import FloatImage, IntensityMap, Window

__all__ = ["GROUP_WINDOWS", "min_max", "percentiles", "windowed"]

_SOFT, _LUNG, _BRAIN, _BONE = (400, 40), (1500, -600), (80, 40), (1800, 400)
GROUP_WINDOWS: dict[str, tuple[int, int]] = {
    **dict.fromkeys(("Lung", "Lung Tumor/Lesion"), _LUNG),
    **dict.fromkeys(("Brain", "Brain Tumor/Lesion"), _BRAIN),
    **dict.fromkeys(("Hip", "Rib", "Spine", "Knee Bone", "Jawbone", "Tooth", "Calculus"), _BONE),
}
"""CT window (width, level) in Hounsfield units by label group; soft tissue for every other group but ``Others``."""
_WITHOUT_WINDOW = frozenset({("KiPA22", "01")})
"""Dataset and task shown by percentiles although they are CT with a known label."""


def min_max(values: FloatImage, sample: Sample) -> IntensityMap:  # noqa: ARG001 - one signature for all
    """Return the mapping to grey levels of MedVision 1.0: from the slice's smallest to its largest value."""
    return Window(float(values.min()), float(values.max()))


def percentiles(values: FloatImage) -> IntensityMap:
    """Return the mapping to grey levels of MedVision 1.2 without a CT window: from the 0.5 to the 99.5 percentile."""
    low, high = np.percentile(values, (0.5, 99.5))
    return Window(float(low), float(high))


def windowed(values: FloatImage, sample: Sample) -> IntensityMap:
    """Return the mapping to grey levels of MedVision 1.2: the CT window of the structure asked about, or percentiles.

    Only MedVision's own volumes have a window: the values of other CT images may not be Hounsfield units.
    """
    window = _window(sample)
    if window is None:
        return percentiles(values)
    width, level = window
    return Window(level - width / 2, level + width / 2)


def _window(sample: Sample) -> tuple[int, int] | None:
    facts = sample.medvision
    if facts is None or sample.modality != "CT" or sample.label is None:
        return None
    if (sample.dataset, facts.task_id) in _WITHOUT_WINDOW:
        return None
    names = label_names("v1.2").get(sample.label)
    if names is None or names.group == "Others":
        return None
    return GROUP_WINDOWS.get(names.group, _SOFT)
