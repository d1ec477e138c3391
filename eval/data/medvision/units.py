"""The unit of the values in MedVision's volumes, as far as it is declared.

Contract: HU is said of a volume only where the plan calls it CT and its dataset is in the list below; everything else
is unknown. In the list are the datasets whose CT volumes hold Hounsfield units as published, and which MedVision's own
package (1.2.1) shows through windows in HU. Not in it, though their plans may say CT: KiPA22, whose volumes are stored
shifted and without a scale, so that MedVision shows its tumours by percentiles; and ToothFairy2, cone-beam CT, whose
values are not calibrated.
"""

from medvision_agent.tools.view.slice import Units

__all__ = ["units_of"]

_IN_HU = frozenset(
    {
        "AMOS22",
        "AbdomenAtlas1.0Mini",
        "AbdomenCT-1K",
        "BCV15",
        "FLARE22",
        "KiTS23",
        "MSD",
        "TopCoW24",
        "TotalSegmentator",
        "autoPET-III",
    }
)
"""Names of the datasets' folders."""


def units_of(dataset: str, modality: str) -> Units:
    """Return the unit of the values of a volume: HU or unknown.

    *dataset* is the name of the dataset's folder, *modality* the ``image_modality`` of its plan.
    """
    return Units.HU if modality == "CT" and dataset in _IN_HU else Units.UNKNOWN
