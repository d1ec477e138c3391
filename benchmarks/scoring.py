"""Parsing and summarising 100,000 responses: ``medvision-agent score DIR`` against upstream's own stages.

The responses are MedVision-1.2's golden inputs, repeated under new numbers, as result folders of one model, one for
each family of tasks. Both sides read the same files; upstream parses them and summarises what it parsed, with label
names from a generated stand-in for its data package. Then every figure is compared: of each parsed file, of each
group, of anatomy against lesions, and of each sample. Elapsed time, and CPU time of all processes; imports and the
start of the command left out. Ours is measured with the summary alone, and with one line per sample written as well,
which upstream's parser always writes.

Usage: python benchmarks/scoring.py [RESPONSES]
"""

import gzip
import json
import math
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import nibabel
import numpy as np
from upstream import enable_upstream

from medvision_agent.cli.score import command

GOLDEN = Path(__file__).parent.parent / "tests" / "data" / "golden" / "v1.2"
FAMILIES = {"detection": "Detection", "tl": "TL", "ad": "AD"}
SUMMARIES = {"detection": "detect", "tl": "TL", "ad": "AD"}
SUMMARISERS = {"detection": "detection", "tl": "TL", "ad": "AD"}
PLAN_KINDS = {"detection": "segmentation", "tl": "biometry", "ad": "biometry"}
MODEL = "some-model"
NUMBERS = {"MAE": "avgMAE", "MRE": "avgMRE", "IoU": "avgIoU", "F1": "F1", "Precision": "Precision", "Recall": "Recall"}
"""Keys of a sample, ours and upstream's; upstream wraps each figure in an object."""
Row = dict[str, Any]


class Spent(NamedTuple):
    """Seconds."""

    elapsed: float
    cpu: float
    """Of this process."""

    def over(self, ours: "Spent") -> str:
        """Return the ratio of this to *ours*, in words."""
        return (
            f"{self.elapsed / ours.elapsed:.1f}x faster ({ours.elapsed:.2f} s against {self.elapsed:.1f} s), "
            f"{self.cpu / ours.cpu:.1f}x less CPU ({ours.cpu:.2f} s against {self.cpu:.1f} s)"
        )


def main() -> None:
    """Write the result folders, run both sides, compare, print one line."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    golden = {family: _golden(family) for family in FAMILIES}
    times = math.ceil(wanted / sum(map(len, golden.values())))
    with tempfile.TemporaryDirectory() as temporary, chdir(temporary):
        for family, rows in golden.items():
            _write_results(Path(family), rows, times)
            _write_images(rows)
        Path("plans.json").write_text(json.dumps(_our_plans(golden)), encoding="utf-8")
        enable_upstream(_their_plans(golden), Path("stand-ins").resolve())
        for family in FAMILIES:  # what is imported late is imported here
            _score(GOLDEN / family / "inputs.jsonl.gz")
        summary, spent = _spent(lambda: [_score(Path(family, MODEL)) for family in FAMILIES])
        ours, spent_samples = _spent(
            lambda: [_score(Path(family, MODEL), "--samples", f"{family}.jsonl") for family in FAMILIES]
        )
        if summary != ours:
            raise SystemExit("scoring: our own summaries differ")
        theirs = _upstream()
        compared = sum(_compare(family, own) for family, own in zip(FAMILIES, ours, strict=True))
    count = times * sum(map(len, golden.values()))
    print(
        f"scoring: {count:,} responses: summary {theirs.over(spent)}; with a line per sample "
        f"{theirs.over(spent_samples)}; all {compared:,} compared figures equal"
    )


def _spent(work: Callable[[], list[Row]]) -> tuple[list[Row], Spent]:
    """Return the result of *work*, and its costs."""
    start, own = os.times(), time.perf_counter()
    found = work()
    elapsed, end = time.perf_counter() - own, os.times()
    return found, Spent(elapsed, sum(end[:4]) - sum(start[:4]))


def _golden(family: str) -> list[Row]:
    with gzip.open(GOLDEN / family / "inputs.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _write_results(folder: Path, rows: list[Row], times: int) -> None:
    """Write upstream's layout: a sample file and a results file for each task."""
    model = folder / MODEL
    model.mkdir(parents=True)
    files: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        files[row["file"]].append(row)
    for name, own in files.items():
        step = max(row["doc_id"] for row in own) + 1
        with (model / name).open("w", encoding="utf-8") as lines:
            for repeat in range(times):
                lines.writelines(json.dumps(_record(row, repeat * step)) + "\n" for row in own)
        results = {"results": {own[0]["task"]: {"alias": own[0]["task"]}}}
        (model / f"{name.rpartition('_samples_')[0]}_results.json").write_text(json.dumps(results), encoding="utf-8")


def _record(row: Row, shift: int) -> Row:
    """Return a golden input as the record it was made from; our reader takes voxel sizes from it, upstream's not."""
    record: Row = {key: row[key] for key in ("doc", "target", "resps", "image_header_zooms") if key in row}
    record["doc_id"] = row["doc_id"] + shift
    if "raw_nMAE" in row:
        value = row["raw_nMAE"]["NMAE"]
        record["nMAE"] = row["raw_nMAE"] | {"NMAE": math.nan if value is None else value}
    if "raw_pixel_size_scale" in row:
        record["pixel_size_scale"] = row["raw_pixel_size_scale"]
    return record


def _write_images(rows: list[Row]) -> None:
    """Write a one-voxel image for each that upstream takes a spacing from."""
    for row in rows:
        path = Path(row["doc"]["image_file"])
        if row["image_header_zooms"] and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            image: Any = nibabel.Nifti1Image(np.zeros((1, 1, 1), np.uint8), np.eye(4))  # type: ignore[no-untyped-call]
            image.header.set_zooms(row["image_header_zooms"])
            nibabel.save(image, path)


def _tasks(golden: dict[str, list[Row]]) -> Iterator[tuple[str, str, int, Row]]:
    """Yield family, dataset, number and facts of every task; facts hold the label names the inputs have."""
    found: defaultdict[tuple[str, str, int], Row] = defaultdict(lambda: {"labels_map": {}})
    for family, rows in golden.items():
        for row in rows:
            task = found[family, row["doc"]["dataset_name"], int(row["doc"]["taskID"])]
            if row.get("image_modality"):
                task["image_modality"] = row["image_modality"]
            if row.get("label_name"):
                task["labels_map"][str(row["doc"]["label"])] = row["label_name"]
                task["target_label"] = row["doc"]["label"]
    for (family, dataset, number), task in found.items():
        yield family, dataset, number, task


def _their_plans(golden: dict[str, list[Row]]) -> dict[str, dict[str, Any]]:
    plans: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for family, dataset, number, task in _tasks(golden):
        tasks = plans[dataset].setdefault(PLAN_KINDS[family], {"tasks": [{} for _ in range(9)]})["tasks"]
        tasks[number - 1].update(task)
    return plans


def _our_plans(golden: dict[str, list[Row]]) -> dict[str, Row]:
    words = {"detection": "BoxCoordinate", "tl": "TumorLesionSize", "ad": "BiometricsFromLandmarks"}
    return {f"{name}_{words[family]}_Task{number:02d}": task for family, name, number, task in _tasks(golden)}


def _score(source: Path, *options: str) -> Row:
    """Return the output of ``medvision-agent score --json``."""
    arguments = [str(source), "--protocol", "medvision-1.2", "--json", "--plans", "plans.json", *options]
    with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()):
        command.main(arguments, standalone_mode=False)
    summary: Row = json.loads(out.getvalue())
    return summary


def _upstream() -> Spent:
    """Run upstream's parser and summarisers as its commands do; return their costs."""
    parser = import_module("medvision_bm.benchmark.parse_outputs")
    modules = {
        family: import_module(f"medvision_bm.benchmark.summarize_{name}_task") for family, name in SUMMARISERS.items()
    }

    def work() -> list[Row]:
        for family, kind in FAMILIES.items():
            parser.main(task_dir=family, task_type=kind)
            modules[family].main(task_dir=family)
        return []

    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        return _spent(work)[1]


def _compare(family: str, ours: Row) -> int:
    """Return how many figures of one family were compared; stop at the first difference."""
    parsed = Path(family, MODEL, "parsed")
    figures = 0
    for path in parsed.glob("*_results.json"):
        for task, results in _read(path)["results"].items():
            figures += _same(f"{path.name}: {task}", ours["parse_stage_results"][task], results)
    groups = _read(parsed / f"summary_metrics_{SUMMARIES[family]}_Task.json")
    figures += _same("groups", ours["groups"], groups)
    if family == "detection":
        sides = _read(next(parsed.glob("*anatomy*")))
        for side, found in sides.items():
            figures += _same(side, ours["anatomy_vs_TL"][side]["mean_metrics"], found["mean_metrics"])
    own = {row["id"]: row for row in map(json.loads, Path(f"{family}.jsonl").read_text(encoding="utf-8").splitlines())}
    for path in parsed.glob("*.jsonl"):
        task = path.stem.rpartition("_samples_")[2]
        with path.open(encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                sample = own.pop(f"{task}/{row['doc_id']}")
                figures += _same(f"{task}/{row['doc_id']}", *_sample(sample, row))
    if own:
        raise SystemExit(f"scoring: {family}: {len(own)} samples that upstream does not have")
    return figures


def _sample(ours: Row, theirs: Row) -> tuple[Row, Row]:
    keys = [name for name, key in NUMBERS.items() if key in theirs]
    found = {name: theirs[NUMBERS[name]][name] for name in keys}
    own = {name: ours[name] for name in keys}
    found |= {"extracted": theirs["filtered_resps"][0], "success": theirs["SuccessRate"]["success"]}
    return own | {key: ours[key] for key in ("extracted", "success")}, found


def _read(path: Path) -> Row:
    content: Row = json.loads(path.read_text(encoding="utf-8"))
    return content


def _same(place: str, ours: Any, theirs: Any) -> int:
    """Return how many figures there are in *theirs*; stop where *ours* differs (means: by more than 1e-9)."""
    if isinstance(theirs, dict):
        if ours.keys() != theirs.keys():
            raise SystemExit(f"scoring: {place}: {sorted(ours)} against {sorted(theirs)}")
        return sum(_same(f"{place}: {key}", ours[key], theirs[key]) for key in theirs)
    if ours != theirs and not _close(_number(ours), _number(theirs)):
        raise SystemExit(f"scoring: {place}: {ours!r} against {theirs!r}")
    return 1


def _number(value: Any) -> float | None:
    """Return a figure as a number: null is NaN, and texts of numbers are numbers."""
    try:
        return math.nan if value is None else float(value)
    except (TypeError, ValueError):
        return None


def _close(ours: float | None, theirs: float | None) -> bool:
    if ours is None or theirs is None:
        return False
    return (math.isnan(ours) and math.isnan(theirs)) or math.isclose(ours, theirs, rel_tol=1e-9)


if __name__ == "__main__":
    main()
