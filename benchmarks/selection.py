"""Preparing a run of many samples: CPU and memory by their number, from a generated file of JSON Lines.

Each count runs in a process of its own: the file is listed and checked, all of it is selected, and what is told of all
samples together (the hashes of a run's identity, tasks, subjects) is found. CPU is that after the imports; memory is
the largest the process ever held (VmHWM, so Linux only) above what it held after them. The packed samples of the larger
counts are in a temporary file, whose size is said.

Usage: python benchmarks/selection.py [--counts 10000,100000,1000000]
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from medvision_agent.eval.data.selection import Selection, select
from medvision_agent.eval.data.sources import open_source

COUNTS = (10_000, 100_000, 1_000_000)
LIMITED = Selection(limit=1000, limit_by="subject")


def main() -> None:
    """Write each file, measure, print a line for each count and kind of selection."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--counts", default=",".join(map(str, COUNTS)))
    for count in map(int, parser.parse_args().counts.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "samples.jsonl"
            _write(file, count)
            for what in ("all", "limited"):
                done = subprocess.run([sys.executable, __file__, what, str(file)], check=True, capture_output=True)
                found = json.loads(done.stdout)
                print(
                    f"{count:>12,} {what:8} {found['chosen']:>10,} chosen: CPU {found['cpu']:.1f} s "
                    f"({found['cpu'] / count * 1e6:.0f} us a sample), {found['mb']:.1f} MB more "
                    f"({found['mb'] * 1e6 / count:.0f} bytes a sample)",
                    flush=True,
                )


def _write(file: Path, count: int) -> None:
    with file.open("w", encoding="utf-8") as lines:
        for number in range(count):
            line = {
                "id": f"synthetic_case{number // 3:08d}_{number % 3}__TumorLesionSize",
                "task": "size",
                "image": f"{number % 40}.png",
                "pixel_size": {"height_mm": 0.8, "width_mm": 0.8},
                "description": "An axial CT image of the abdomen",
                "modality": "CT",
                "plane": "axial",
                "label": "liver tumour",
                "target": [40 + number % 997 / 100, 20 + number % 991 / 100],
                "convention": "edge",
                "truth_points": [
                    {"name": "major 1", "x": 35.0, "y": 48.0},
                    {"name": "major 2", "x": 35.0 + number % 997 / 80, "y": 48.0},
                    {"name": "minor 1", "x": 60.0, "y": 34.0},
                    {"name": "minor 2", "x": 60.0, "y": 34.0 + number % 991 / 80},
                ],
                "dataset": "Synthetic",
                "subject": f"Synthetic/case{number // 300:08d}",
            }
            lines.write(json.dumps(line) + "\n")


def _measure(what: str, file: Path) -> None:
    before, start = _peak_mb(), time.process_time()
    chosen = select(open_source(str(file)), Selection() if what == "all" else LIMITED)
    assert chosen.summed.hashes  # noqa: S101 - what a run's identity is made of
    print(json.dumps({"chosen": len(chosen), "cpu": time.process_time() - start, "mb": _peak_mb() - before}))


def _peak_mb() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s*(\d+) kB", status)
    assert found is not None  # noqa: S101 - every Linux says it
    return int(found.group(1)) / 1024


if __name__ == "__main__":
    if len(sys.argv) > 2 and sys.argv[1] in {"all", "limited"}:
        _measure(sys.argv[1], Path(sys.argv[2]))
    else:
        main()
