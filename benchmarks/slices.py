"""Slices and grey levels of a sweep over one volume, against upstream's own functions.

Ours: a source and the recipe medvision-1.2, over all axial slices in order, the volume being unpacked once. Upstream:
``medvision-bm`` 1.2.1 unpacks the whole volume, as float64, once for the prompt and once for the picture of every
sample of a size, a distance or an angle; for a box once for the picture, and once more for the target where pictures
are reshaped or the row lacks its size. The cost is the same for every sample, so ten of the slices are enough. The
pictures must be equal. CPU time of the process, imports left out. Usage: python benchmarks/slices.py
"""

import tempfile
import time
from contextlib import redirect_stdout
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from datafolder import LABELS, FolderShape, image_path, write_plan, write_volume
from numpy.typing import NDArray
from upstream import enable_upstream

from medvision_agent.eval.asking.recipe import RECIPES
from medvision_agent.eval.data.medvision.source import MedVisionSource, Reading
from medvision_agent.eval.data.selection import Selection, select

VOLUME = (256, 256, 200)
EVERY = 20
_TASK = {"image_modality": "MRI", "image_description": "synthetic MRI scan", "labels_map": LABELS, "target_label": 1}


def main() -> None:
    """Write the volume, run both sides, print one line."""
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        dataset = root / "Data" / "Datasets" / "MSD"
        write_plan(dataset, FolderShape(cases=1, volume=VOLUME, planes="z", labels=1))
        write_volume(dataset / image_path("case00000"), VOLUME)
        enable_upstream({"MSD": {"biometry": {"tasks": [_TASK]}}}, root / "stand-ins")
        ours, pictures = _ours(root / "Data")
        prompt, picture, equal = _upstream(dataset / image_path("case00000"), pictures)
    shape = "x".join(map(str, VOLUME))
    print(
        f"slices: {len(pictures)} slices of {shape} int16 .nii.gz: {(prompt + picture) / ours:.0f}x "
        f"less CPU per sample ({ours * 1000:.2f} ms against {(prompt + picture) * 1000:.0f} ms for prompt and picture; "
        f"{picture / ours:.0f}x against the picture alone, {picture * 1000:.0f} ms); "
        f"{equal} of {equal} compared pictures equal"
    )


def _ours(root: Path) -> tuple[float, list[NDArray[np.uint8]]]:
    source, recipe = MedVisionSource(root, Reading()), RECIPES["medvision-1.2"]
    samples = sorted(select(source, Selection()), key=lambda sample: _index(sample.medvision))
    start = time.process_time()
    pictures = [recipe.slice_of(source.load(sample), sample).grey for sample in samples]
    return (time.process_time() - start) / len(samples), pictures


def _index(facts: Any) -> int:
    return int(facts.slice_idx)


def _upstream(image: Path, pictures: list[NDArray[np.uint8]]) -> tuple[float, float, int]:
    """Return the CPU seconds of a prompt and of a picture, and how many pictures were compared.

    Stop at the first difference.
    """
    plan = import_module("medvision_ds.datasets.MSD.preprocess_biometry")  # generated just now
    theirs = import_module("medvision_bm.medvision_lmms_eval.lmms_eval.tasks.medvision.medvision_utils")
    to_text = theirs.create_doc_to_text_TumorLesionSize(plan)
    spent, indices = [0.0, 0.0], range(0, len(pictures), EVERY)
    for index in indices:
        doc = _row(image, index)
        start = time.process_time()
        to_text(doc, {"model_name": "meddr"})
        middle = time.process_time()
        with redirect_stdout(StringIO()):
            picture = theirs.doc_to_visual(doc)[0]
        end = time.process_time()
        spent = [spent[0] + middle - start, spent[1] + end - middle]
        if not np.array_equal(np.asarray(picture)[:, :, 0], pictures[index]):
            raise SystemExit(f"slices: picture {index} differs from upstream's")
    return spent[0] / len(indices), spent[1] / len(indices), len(indices)


def _row(image: Path, index: int) -> dict[str, Any]:
    return {
        "dataset_name": "MSD",
        "taskID": "01",
        "taskType": "Tumor-Lesion-Size",
        "image_file": str(image),
        "slice_dim": 2,
        "slice_idx": index,
        "label": 1,
        "image_size_2d": VOLUME[:2],
        "biometric_profile": {"metric_unit": ["mm"]},
    }


if __name__ == "__main__":
    main()
