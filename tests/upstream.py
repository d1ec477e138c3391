"""MedVision's own parser and summaries, run unchanged on result files; also the program that runs them.

The package is not a dependency: the environment variable ``MEDVISION_BM`` names a folder it was installed to
(CONTRIBUTING has the commands). What it imports at its top and scoring never uses (torch, transformers, drawing) is
stood in for by empty modules, and its data package by modules made from the plans of a data folder.
"""

import gzip
import json
import os
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from unittest.mock import MagicMock

VARIABLE = "MEDVISION_BM"
NAMES = {"MiniAbdomen": "AMOS22", "MiniTumor": "KiTS23", "MiniBrainLandmarks": "FeTA24"}
"""Data sets of the mini tree, and names that MedVision's summaries read."""
PLANS = {"preprocess_segmentation": "detection", "preprocess_biometry": "biometry"}
"""Modules of the data package and the kind of plan they hold; detection's tasks are segmentation's."""
UNUSED = ("torch", "torch.utils", "torch.utils.data", "transformers", "accelerate", "psutil", "PIL", "PIL.Image")
UNUSED += ("datasets", "datasets.features", "datasets.features.features", "huggingface_hub", "loguru")
UNUSED += ("lmms_eval", "lmms_eval.api", "lmms_eval.api.group", "lmms_eval.api.task", "lmms_eval.evaluator_utils")
DATA_PACKAGE = ("medvision_ds", "medvision_ds.utils", "medvision_ds.utils.doc_to_visual_utils", "medvision_ds.datasets")


def renamed(mini: Path, to: Path) -> Path:
    """Copy the mini tree's data with the data sets called as in ``NAMES``; return the copy."""
    shutil.copytree(mini, to)
    # Deepest first, so that a folder's new name does not move what is still to come.
    for path in sorted(to.rglob("*"), key=lambda path: len(path.parts), reverse=True):
        if path.name.startswith("benchmark_plan"):
            path.write_bytes(gzip.compress(_rename(gzip.decompress(path.read_bytes()).decode()).encode()))
        if _rename(path.name) != path.name:
            path.rename(path.with_name(_rename(path.name)))
    return to


def _rename(text: str) -> str:
    for old, new in NAMES.items():
        text = text.replace(old, new)
    return text


def run_upstream(results: Path, data: Path) -> None:
    """Parse and summarise ``results/<family>/<model>`` in place; the newest plans of *data* tell the labels."""
    words = [sys.executable, __file__, results.resolve()]
    environ = os.environ | {"PYTHONPATH": os.environ[VARIABLE], "PYTHONDONTWRITEBYTECODE": "1"}
    # It finds the images from where it is started.
    done = subprocess.run(words, cwd=data, env=environ, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]


def _stand_in() -> None:
    for name in (*UNUSED, *DATA_PACKAGE):
        sys.modules[name] = MagicMock(spec=None, __path__=[], __name__=name, __spec__=None)
    sys.modules["torch"].Tensor = type("Tensor", (), {})  # others ask whether a value is one
    packages = import_module("medvision_bm.utils.configs").DATASETS_NAME2PACKAGE
    for dataset in NAMES.values():
        package = f"medvision_ds.datasets.{packages[dataset]}"
        sys.modules[package] = ModuleType(package)
        for module, kind in PLANS.items():
            sys.modules[f"{package}.{module}"] = ModuleType(module)
            for plan in sorted(Path(f"Datasets/{dataset}").glob(f"benchmark_plan_{kind}_v*.json.gz"))[-1:]:
                sys.modules[f"{package}.{module}"].benchmark_plan = json.loads(gzip.decompress(plan.read_bytes()))


def _main(results: Path) -> None:
    _stand_in()
    parser = import_module("medvision_bm.benchmark.parse_outputs")
    for family, summary in {"Detection": "detection", "TL": "TL", "AD": "AD"}.items():
        parser.main(task_type=family, task_dir=str(results / family))
        import_module(f"medvision_bm.benchmark.summarize_{summary}_task").main(task_dir=str(results / family))


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
