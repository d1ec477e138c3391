"""The mini tree trimmed and whole, and a small folder made here, to be broken."""

import copy
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from medvision_agent.eval.data.medvision.source import MedVisionSource, Reading
from medvision_agent.eval.data.sample import Sample

ROOT = Path(__file__).parents[4]
TRIMMED = ROOT / "tests/data/medvision-mini"
WHOLE = ROOT.parent / "shared/medvision-mini"

Expected = dict[tuple[str, str], list[dict[str, Any]]]
"""(plan, configuration) to its records, as upstream gave them."""


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a packed JSON Lines file."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


@pytest.fixture(params=["trimmed", "whole"])
def tree(request) -> tuple[Path, Expected]:
    """Return a mini tree's data folder and what upstream made of it."""
    found: Expected = {}
    if request.param == "trimmed":
        for line in lines(TRIMMED / "expected.jsonl.gz"):
            found.setdefault((line["plan"], line["config"]), []).append(line)
        return TRIMMED / "Data", found
    if not WHOLE.is_dir():
        pytest.skip("the whole mini tree is not beside this clone; its trimmed copy was tested")
    for config, plans in json.loads((WHOLE / "expected/index.json").read_text())["configs"].items():
        for plan, facts in plans.items():
            file = WHOLE / "expected" / f"{facts['file']}.gz"
            # Upstream's files are not given for all configurations.
            if file.exists():
                found[plan, config] = list(lines(file))
    return WHOLE / "Data", found


BOX = {
    "min_coords": [3, 4],
    "max_coords": [14, 17],
    "center_coords": [8, 10],
    "dimensions": [12, 14],
    "sizes": [12.0, 21.0],
    "mask_image_ratio": 0.35,
}
SHAPE, ZOOMS = (20, 24, 6), (1.0, 1.5, 3.0)


class Toy:
    """A data folder with one detection plan; edit ``plan`` and call ``write``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.dataset = root / "Datasets/Toy"
        self.plan: dict[str, Any] = {"dataset_info": {"dataset": "Toy"}, "tasks": [self.task()], "tasks_number": 1}
        for case in "ab":
            self.volume(case)
        self.write()

    def task(self) -> dict[str, Any]:
        """Return a task with the cases a and b, each with a box on slices 1 and 2."""
        return {
            "image_modality": "CT",
            "image_description": "toy scan",
            "labels_map": {"1": "liver"},
            "task_ID": "01",
            "task_type": "detection",
            "test_cases_number": 2,
            "test_cases": [self.case("a"), self.case("b")],
        }

    def case(self, name: str) -> dict[str, Any]:
        info = {"voxel_size": list(ZOOMS), "array_size": list(SHAPE), "orientation": ["R", "A", "S"]}
        profile = [{"label": 1.0, "bboxes": [copy.deepcopy(BOX)]}]
        return {
            "case_ID": name,
            "image_file": f"Images/{name}.nii.gz",
            "image_file_info": info,
            "slice_profiles_x": [],
            "slice_profiles_y": [],
            "slice_profiles_z": [{"slice_idx": n, "slice_profile": copy.deepcopy(profile)} for n in (1, 2)],
        }

    def volume(self, name: str, values: Any = None, zooms: tuple[float, ...] = ZOOMS) -> Path:
        """Write a volume; each slice along z holds its own number by default."""
        if values is None:
            values = np.broadcast_to(np.arange(SHAPE[2], dtype=np.int16), SHAPE)
        image = nibabel.Nifti1Image(np.asarray(values), np.diag([*zooms[:3], 1.0]))
        path = self.dataset / "Images" / f"{name}.nii.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        nibabel.save(image, path)
        return path

    @property
    def first(self) -> dict[str, Any]:
        """The case a in the plan."""
        return self.plan["tasks"][0]["test_cases"][0]

    def write(self, text: str | None = None, version: str = "1.0.0") -> Path:
        """Write the plan, or *text* in its place."""
        path = self.dataset / f"benchmark_plan_detection_v{version}.json.gz"
        path.write_bytes(gzip.compress((json.dumps(self.plan, indent=4) if text is None else text).encode()))
        return path

    def read(self, **reading: Any) -> tuple[MedVisionSource, list[Sample]]:
        """Return the folder as a source, and its samples."""
        source = MedVisionSource(self.root, Reading(**reading))
        return source, list(source.samples)


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    return Toy(tmp_path / "Data")
