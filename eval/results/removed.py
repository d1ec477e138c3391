"""The list of samples that a summary of lesion sizes leaves out.

Contract: entries are ``{image_file, slice_dim, slice_idx, task_ID}``, the image relative to its data set's folder and
``slice_dim`` one of x, y, z. A file holds an object of lists by data set, or the list of the data set whose folder it
lies in, as upstream has it; a folder holds such files. What does not read as such is a DataError.
"""

import json
from pathlib import Path
from typing import Any

from medvision_agent.errors import DataError
from medvision_agent.eval.scorer.medvision.keys import Removed

__all__ = ["read_removed"]

_AXES = {"x": 0, "y": 1, "z": 2}
_FILE = "multi_cluster_samples_v1.0.0_to_v1.1.0.json"


def read_removed(path: Path) -> set[Removed]:
    """Return the samples that a file lists, or that the files of all data sets in a folder list.

    Raises DataError if a file cannot be read or has another form, and if the folder has no such file.
    """
    if not path.is_dir():
        return _read(path)
    files = sorted(path.glob(f"*/{_FILE}"))
    if not files:
        raise DataError(
            f"--removed-samples {path}: this folder has no file <dataset>/{_FILE}; give MedVision's folder Datasets, "
            "or one such file"
        )
    return {entry for file in files for entry in _read(file)}


def _read(path: Path) -> set[Removed]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        lists = content if isinstance(content, dict) else {path.resolve().parent.name: content}
        return {_entry(dataset, entry) for dataset, entries in lists.items() for entry in entries}
    except OSError as error:
        told = f"this file cannot be read ({error.strerror}); check the path"
        raise DataError(f"--removed-samples {path}: {told}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"--removed-samples {path}: is not a list of samples; expected JSON objects with image_file, slice_dim (x, "
            f"y or z), slice_idx and task_ID, in a list or in one list for each dataset ({type(error).__name__}: "
            f"{error})"
        ) from None


def _entry(dataset: str, entry: dict[str, Any]) -> Removed:
    axis = _AXES[entry["slice_dim"]]
    return dataset, str(entry["image_file"]), axis, int(entry["slice_idx"]), str(entry["task_ID"])
