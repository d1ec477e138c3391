"""The real package ``medvision-bm`` 1.2.1 as the other side of a benchmark, with stubs for unused imports.

Contract: the package's own code is what runs. Its data package, which holds the names of labels and which nobody needs
to download for a benchmark, is generated from the plans given here; libraries for training that are not installed are
replaced by empty modules, so that neither their start nor their work is on upstream's bill.
"""

import importlib.util
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["Plans", "enable_upstream"]

VARIABLE = "MEDVISION_BM"
Plans = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""Dataset, then kind (``segmentation``, ``biometry``), then plan."""

_EMPTY = """
def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return type(name, (), {})
"""
_LIBRARIES = ("torch", "torch.utils", "torch.utils.data", "transformers", "accelerate", "psutil")
_HARNESS = "medvision_bm.medvision_lmms_eval.lmms_eval.tasks"
"""Its own beginning starts the whole evaluation harness; only one module in it is needed."""
_DATA_PACKAGE = ("medvision_ds", "medvision_ds.utils", "medvision_ds.utils.doc_to_visual_utils")
_PLAN = "import json\nbenchmark_plan = json.loads({text!r})\n"


def enable_upstream(plans: Plans, stand_ins: Path) -> None:
    """Make ``medvision_bm`` importable; write the stubs for its other imports to the folder *stand_ins*."""
    package = os.environ.get(VARIABLE)
    if package is None or not (Path(package) / "medvision_bm").is_dir():
        sys.exit(f"{VARIABLE} must name a folder with medvision_bm in it; benchmarks/README.md says how to make one")
    absent = [name for name in _LIBRARIES if importlib.util.find_spec(name.partition(".")[0]) is None]
    for name in (*absent, *_DATA_PACKAGE):
        _write_module(stand_ins, name, _EMPTY)
    # Before everything else: a data package that is installed does not know the generated plans.
    sys.path[:0] = [str(stand_ins), package]
    _write_module(stand_ins, "medvision_ds.datasets", "")
    harness = ModuleType(_HARNESS)
    harness.__path__ = [str(Path(package) / _HARNESS.replace(".", "/"))]
    sys.modules[_HARNESS] = harness
    packages = importlib.import_module("medvision_bm.utils.configs").DATASETS_NAME2PACKAGE  # importable from here on
    for dataset, kinds in plans.items():
        folder = f"medvision_ds.datasets.{packages[dataset]}"
        _write_module(stand_ins, folder, "")
        for kind, plan in kinds.items():
            _write_module(stand_ins, f"{folder}.preprocess_{kind}", _PLAN.format(text=json.dumps(plan)))


def _write_module(root: Path, name: str, text: str) -> None:
    folder = root / name.replace(".", "/")
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(text, encoding="utf-8")
