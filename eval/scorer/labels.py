"""MedVision's names: the group and the short name of a label, and the codes of modalities and planes.

Contract: labels match exactly and case-sensitively. An unknown label has no name; the caller must report the
consequence.

Source: the label tables of the MedVision benchmark (``data/NOTICE``): version 1.2 in full, and where 1.0.0 differs.
"""

import csv
from functools import cache
from importlib.resources import files
from typing import NamedTuple

__all__ = ["PLANES", "LabelNames", "label_names", "modality_code"]

PLANES = {0: "S", 1: "C", 2: "A"}
"""Sagittal, coronal, axial: by the volume axis perpendicular to a slice."""
_MODALITIES = {"MRI": "MR", "ultrasound": "US", "X-ray": "XR"}


class LabelNames(NamedTuple):
    """The two names by which MedVision's summaries group the samples of a label."""

    group: str
    """The group of structures that a label belongs to; detection is summarised by it."""
    short: str | None
    """The short name of a label; sizes are summarised by it. One label of version 1.2 has none."""


def modality_code(modality: str) -> str:
    """Return MedVision's abbreviation of a modality, such as MR for MRI; another modality is returned unchanged."""
    return _MODALITIES.get(modality, modality)


@cache
def label_names(version: str) -> dict[str, LabelNames]:
    """Return MedVision's two names of every label, by the label; *version* of the table is ``v1`` or ``v1.2``."""
    names = {row["label"]: LabelNames(row["group"], row["short_name"] or None) for row in _rows("labels.csv")}
    if version == "v1":
        for row in _rows("labels_v1_differences.csv"):
            if row["v1_group"]:
                names[row["label"]] = LabelNames(row["v1_group"], row["v1_short_name"] or None)
            else:
                del names[row["label"]]
    return names


def _rows(file: str) -> list[dict[str, str]]:
    text = (files("medvision_agent.eval.scorer") / "data" / file).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
