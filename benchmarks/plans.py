"""Opening a data folder whose plans hold a million samples, with ``--limit 100``, against reading them with json.load.

Each side runs in a process of its own; the memory is the largest it ever held (VmHWM, so Linux only) above what it
held after its imports. Usage: python benchmarks/plans.py
"""

import gzip
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from datafolder import FolderShape, image_path, write_plan, write_volume

from medvision_agent.eval.data.medvision.source import MedVisionSource, Reading
from medvision_agent.eval.data.selection import Selection, select

DATASETS = 4
SHAPE = FolderShape(cases=250, volume=(70, 70, 60))
LIMIT = 100


def main() -> None:
    """Write the folder, run both sides, print one line."""
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        for number in range(DATASETS):
            dataset = root / "Datasets" / f"Synthetic{number}"
            write_plan(dataset, SHAPE, seed=number)
            write_volume(dataset / image_path("case00000"), SHAPE.volume)
        ours, whole = _child("ours", root), _child("whole", root)
    print(
        f"plans: {DATASETS * SHAPE.samples:,} samples in {DATASETS} plans, {ours['taken']} taken with --limit {LIMIT}: "
        f"{whole['mb'] / ours['mb']:.1f}x less memory ({ours['mb']:.0f} MB against {whole['mb']:.0f} MB for json.load "
        f"of one plan after the other), CPU {ours['cpu']:.1f} s against {whole['cpu']:.1f} s "
        f"({whole['cpu'] / ours['cpu']:.1f}x)"
    )


def _child(side: str, root: Path) -> dict[str, float]:
    done = subprocess.run([sys.executable, __file__, side, str(root)], check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _measure(side: str, root: Path) -> None:
    before, start = _peak_mb(), time.process_time()
    taken = _ours(root) if side == "ours" else _whole(root)
    print(json.dumps({"taken": taken, "cpu": time.process_time() - start, "mb": _peak_mb() - before}))


def _ours(root: Path) -> int:
    return len(select(MedVisionSource(root, Reading()), Selection(limit=LIMIT)))


def _whole(root: Path) -> int:
    count = 0
    for path in sorted(root.rglob("benchmark_plan_*.json.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as plan:
            count += len(json.load(plan)["tasks"])
    return count


def _peak_mb() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s*(\d+) kB", status)
    assert found is not None  # noqa: S101 - every Linux says it
    return int(found.group(1)) / 1024


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _measure(sys.argv[1], Path(sys.argv[2]))
    else:
        main()
