"""Make tests/data/medvision-mini from the whole mini tree: ``python scripts/trim_medvision_mini.py MINI``.

Plans keep the first cases of a split, so that every record that stays keeps its number; files of other cases go.
"""

import gzip
import json
import shutil
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent.parent / "tests" / "data" / "medvision-mini"
KEEP = {
    "MiniAbdomen": {"01": (1, 0), "02": (0, 1)},
    "MiniTumor": {"01": (0, 1), "02": (0, 1), "03": (1, 1), "04": (1, 0)},
    "MiniBrainLandmarks": {"01": (0, 1)},
}
"""How many cases of train and test each task keeps."""


def main(mini: Path) -> None:
    """Write the trimmed tree anew."""
    shutil.rmtree(TARGET, ignore_errors=True)
    files: set[str] = set()
    for plan in sorted((mini / "Data/Datasets").glob("*/*.json.gz")):
        data = json.loads(gzip.decompress(plan.read_bytes()))
        for task in data["tasks"]:
            trim(task, KEEP[plan.parent.name][task["task_ID"]])
            for case in task.get("train_cases", []) + task.get("test_cases", []):
                files |= {f"Datasets/{plan.parent.name}/{case[key]}" for key in case if key.endswith("_file")}
        pack(TARGET / "Data/Datasets" / plan.parent.name / plan.name, json.dumps(data, indent=4))
    for name in sorted(files):
        (TARGET / "Data" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(mini / "Data" / name, TARGET / "Data" / name)
    shutil.copyfile(mini / "Data/NOTICE.md", TARGET / "NOTICE.md")
    shutil.copyfile(mini / "provenance.json", TARGET / "provenance.json")
    pack(TARGET / "expected.jsonl.gz", "".join(json.dumps(line) + "\n" for line in expected(mini, files)))


def trim(task: dict[str, Any], counts: tuple[int, int]) -> None:
    """Keep the first cases of each split; a split without cases has no key, as upstream's planner has it."""
    for split, count in zip(("train", "test"), counts, strict=True):
        cases = task.pop(f"{split}_cases", [])[:count]
        task[f"{split}_cases_number"] = len(cases)
        if cases:
            task[f"{split}_cases"] = cases


def expected(mini: Path, files: set[str]) -> list[dict[str, Any]]:
    """Return the expected records of the cases that stay."""
    lines = []
    for config, plans in json.loads((mini / "expected/index.json").read_text())["configs"].items():
        for plan, facts in plans.items():
            file = mini / "expected" / f"{facts['file']}.gz"
            for text in gzip.decompress(file.read_bytes()).splitlines() if file.exists() else ():
                line = json.loads(text)
                if line["record"]["image_file"] in files:
                    kept = {key: line[key] for key in ("key", "record", "target", "visual") if key in line}
                    lines.append({"config": config, "plan": plan, **kept})
    return lines


def pack(path: Path, text: str) -> None:
    """Write a gzip file that depends on its content alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
