"""Synthetic MedVision data folders: detection plans of any size, written in a stream, and volumes of noise."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import nibabel
import numpy as np

__all__ = ["FolderShape", "image_path", "write_plan", "write_volume"]

LABELS = {"1": "spleen", "2": "right kidney", "3": "left kidney", "4": "gallbladder", "5": "liver"}


@dataclass(frozen=True, kw_only=True)
class FolderShape:
    """How large a plan is: every slice of the planes named holds one box of each label."""

    cases: int
    volume: tuple[int, int, int]
    planes: str = "xyz"
    labels: int = len(LABELS)

    @property
    def samples(self) -> int:
        """How many boxes the plan holds."""
        return self.cases * self.labels * sum(self.volume["xyz".index(plane)] for plane in self.planes)


def image_path(case: str) -> str:
    """Return a case's image, relative to its dataset."""
    return f"Images/{case}.nii.gz"


def write_volume(path: Path, shape: tuple[int, int, int], seed: int = 0) -> None:
    """Write an int16 volume: a bright ball with noise, so that it compresses about as scans do."""
    path.parent.mkdir(parents=True, exist_ok=True)
    axes = np.meshgrid(*(np.linspace(-1, 1, side, dtype=np.float32) for side in shape), indexing="ij", sparse=True)
    ball = np.maximum(0, 1 - sum(axis**2 for axis in axes)) * 1000
    noise = np.random.default_rng(seed).normal(0, 15, shape).astype(np.float32)
    image = nibabel.Nifti1Image((ball + noise).astype(np.int16), np.eye(4))  # type: ignore[no-untyped-call]
    nibabel.save(image, path)


def write_plan(dataset: Path, shape: FolderShape, seed: int = 0) -> Path:
    """Write a detection plan of one task, all of its cases for testing; return its path. Laid out as upstream's."""
    random = Random(seed)  # noqa: S311 - nothing secret
    task = {
        "image_modality": "MRI",
        "image_description": "synthetic MRI scan",
        "labels_map": LABELS,
        "task_ID": "01",
        "task_type": "detection",
        "train_cases_number": 0,
        "test_cases_number": shape.cases,
    }
    head = json.dumps({"dataset_info": {"dataset": dataset.name}, "tasks": [task]}, indent=4)
    dataset.mkdir(parents=True, exist_ok=True)
    path = dataset / "benchmark_plan_detection_v1.0.0.json.gz"
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=1) as plan:
        plan.write(head.rstrip("]} \n") + ',\n"test_cases": [\n')
        for number in range(shape.cases):
            plan.write(",\n" * bool(number) + json.dumps(_case(f"case{number:05d}", shape, random), indent=4))
        plan.write("]}]}\n")
    return path


def _case(name: str, shape: FolderShape, random: Random) -> dict[str, Any]:
    profiles = {
        f"slice_profiles_{plane}": list(_slices(axis, shape, random)) if plane in shape.planes else []
        for axis, plane in enumerate("xyz")
    }
    info = {"voxel_size": [1.0, 1.0, 1.0], "orientation": ["R", "A", "S"], "array_size": list(shape.volume)}
    files = {"image_file": image_path(name), "mask_file": f"Masks/{name}.nii.gz"}
    return {"case_ID": name, **files, "image_file_info": info, "mask_file_info": info, **profiles}


def _slices(axis: int, shape: FolderShape, random: Random) -> Iterator[dict[str, Any]]:
    sides = [side for other, side in enumerate(shape.volume) if other != axis]
    for index in range(shape.volume[axis]):
        boxes = [{"label": float(label + 1), "bboxes": [_box(sides, random)]} for label in range(shape.labels)]
        yield {"slice_idx": index, "slice_profile": boxes}


def _box(sides: list[int], random: Random) -> dict[str, Any]:
    low = [random.randrange(side - 20) for side in sides]
    size = [random.randrange(11, 20) for _ in sides]
    return {
        "min_coords": low,
        "max_coords": [start + extent - 1 for start, extent in zip(low, size, strict=True)],
        "center_coords": [start + extent // 2 for start, extent in zip(low, size, strict=True)],
        "dimensions": size,
        "sizes": [float(extent) for extent in size],
        "mask_image_ratio": size[0] * size[1] / (sides[0] * sides[1]),
    }
