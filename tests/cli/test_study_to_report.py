"""The shipped example studies with fewer samples: begun, killed, resumed, reported, and worked out again.

The figures of the report are computed here by another route: plain SQLite rows, a regular expression, and the formulas
as the README states them.
"""

import asyncio
import csv
import json
import math
import re
import signal
import sqlite3
from collections import defaultdict
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hulls import correlation, hull, reach

STUDIES = Path(__file__).parents[2] / "examples" / "studies"
NUMBER = r"[-+]?\d+(?:\.\d+)?"


def rows_of(cell: Path) -> list[tuple[str, str]]:
    """Return the JSON of sample and record of every record of a cell, in the order of its samples."""
    with closing(sqlite3.connect(f"file:{cell / 'run.sqlite'}?mode=ro", uri=True)) as database, database:
        query = "SELECT sample.json, record.json FROM record JOIN sample ON sample.id = sample_id ORDER BY position"
        return database.execute(query).fetchall()


def counted(study: Path) -> int:
    """Return how many records a study holds; 0 as long as a cell has no table yet."""
    total = 0
    for cell in (study / "cells").glob("*"):
        try:
            with closing(sqlite3.connect(f"file:{cell / 'run.sqlite'}?mode=ro", uri=True)) as database:
                total += database.execute("SELECT count(*) FROM record").fetchone()[0]
        except sqlite3.OperationalError:
            return 0
    return total


def loss_of(sample: dict, record: dict) -> float:
    """Work out the loss of a record from its response: the README's definition."""
    task, truth = sample["task"], sample["target"]
    found = re.search(r"<answer>(.*?)</answer>", record["response"], re.DOTALL)
    values = [float(number) for number in re.findall(NUMBER, found[1])][-len(truth) :] if found else []
    if len(values) != len(truth) or record["outcome"] != "answered":
        return 1.0
    if task == "angle":
        return min(abs(values[0] - truth[0]), 90) / 90
    if task != "detection":
        return sum(min(abs(value - true) / true, 1) for value, true in zip(values, truth, strict=True)) / len(truth)
    (x0, x1), (y0, y1) = (sorted((values[axis], values[axis + 2])) for axis in (0, 1))
    width = max(0.0, min(x1, truth[2]) - max(x0, truth[0]))
    height = max(0.0, min(y1, truth[3]) - max(y0, truth[1]))
    area, true_area = (x1 - x0) * (y1 - y0), (truth[2] - truth[0]) * (truth[3] - truth[1])
    return 1 - width * height / (area + true_area - width * height)


def losses(study: Path) -> dict[tuple[str, str, str], dict[str, tuple[str, float]]]:
    """Return, for each model, arm and task, the subject and the loss of every sample."""
    plan = json.loads((study / "study.json").read_text(encoding="utf-8"))
    found: dict[tuple[str, str, str], dict[str, tuple[str, float]]] = defaultdict(dict)
    for cell in plan["plan"]["cells"]:
        for row in rows_of(study / cell["folder"]):
            sample, record = map(json.loads, row)
            key = (cell["model"], cell["arm"], sample["task"])
            found[key][sample["id"]] = (sample["subject"], loss_of(sample, record))
    return found


def table(folder: Path, ending: str) -> list[dict[str, str]]:
    """Return the rows of the one table whose name ends so."""
    (path,) = [path for path in folder.glob("*.csv") if path.stem.endswith(ending)]
    with path.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


async def killed_after(start, study: Path, more: int, *words: object) -> None:
    """Start a study and kill it when it has *more* records than before."""
    goal = counted(study) + more
    process = await start(*words)
    async with asyncio.timeout(240):
        while counted(study) < goal:
            assert process.returncode is None, (await process.communicate())[1].decode()
            await asyncio.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    await process.communicate()
    assert process.returncode == -signal.SIGKILL


async def test_the_demo_study_killed_twice_resumed_and_reported(start, call, tmp_path):
    shipped = (STUDIES / "demo-controls.yaml").read_text(encoding="utf-8")
    assert "limit: 3" in shipped
    (tmp_path / "demo.yaml").write_text(shipped.replace("limit: 3", "limit: 1"), encoding="utf-8")
    study, words = tmp_path / "demo", ("ablate", "demo.yaml", "--out", "demo")
    kept: dict[Path, list[tuple[str, str]]] = {}
    for more in (10, 20):
        await killed_after(start, study, more, *words)
        for cell, before in kept.items():
            assert rows_of(cell)[: len(before)] == before or set(before) <= set(rows_of(cell))
        kept = {cell: rows_of(cell) for cell in sorted((study / "cells").glob("*"))}
    code, _, err = await call(*words)
    assert code == 0, err
    for cell, before in kept.items():
        now = rows_of(cell)
        assert set(before) <= set(now), "a record that was on disk was asked again"
        assert len(now) == 4

    code, _, err = await call("report", study, "--out", "report.html", "--tables", "tables", seconds=400)
    assert code == 0, err
    found, page = losses(study), (tmp_path / "report.html").read_text(encoding="utf-8")
    assert {arm for _, arm, _ in found} >= {
        "off",
        "on",
        "blind",
        "same-region",
        "again:2",
        "without-fit_contour",
        "on-repeat",
    }
    rows = table(tmp_path / "tables", "contrasts")
    assert len(rows) >= 40
    for row in rows:
        model, _, contrast = row["contrast"].partition(": ")
        a, b = contrast.split(" -> ")
        first, second = found[model, a, row["task"]], found[model, b, row["task"]]
        assert float(row["n"]) == len(first) == len(second)
        mean_a, mean_b = (sum(loss for _, loss in arm.values()) / len(arm) for arm in (first, second))
        assert float(row["loss against"]) == pytest.approx(mean_a, abs=2e-6)
        assert float(row["difference"]) == pytest.approx(mean_b - mean_a, abs=2e-6)
        assert row["low"] == row["high"] == row["p"] == ""  # a demonstration: figures only
        assert "demonstration" in row["what is withheld, and why"] or "subjects" in row["what is withheld, and why"]
        assert f"{mean_b - mean_a:.3f}".lstrip("-") in page.replace("\u2212", "-")


def jackknife(first: dict, second: dict) -> tuple[float, float, float]:
    """Return the mean difference and its 95 % interval by leaving out one subject after the other."""
    pairs = [(first[key][0], second[key][1] - first[key][1]) for key in first]
    subjects = sorted({subject for subject, _ in pairs})
    mean = sum(value for _, value in pairs) / len(pairs)
    left = []
    for subject in subjects:
        others = [value for owner, value in pairs if owner != subject]
        left.append(sum(others) / len(others))
    sizes = [sum(owner == subject for owner, _ in pairs) for subject in subjects]
    icc = correlation([[value for owner, value in pairs if owner == subject] for subject in subjects])
    error = math.sqrt((len(left) - 1) / len(left) * sum((value - mean) ** 2 for value in left))
    residuals = [sum(value - mean for owner, value in pairs if owner == subject) for subject in subjects]
    return mean, *hull(mean, error, np.array(residuals), reach(0.95, sizes, icc))


async def test_on_phantoms_the_tools_gain_what_they_must(call, tmp_path):
    study = (STUDIES / "phantoms.yaml").read_text(encoding="utf-8")
    assert "phantom:200:1" in study
    (tmp_path / "phantoms.yaml").write_text(study.replace("phantom:200:1", "phantom:24:1"), encoding="utf-8")
    code, _, err = await call("ablate", "phantoms.yaml", "--out", "phantoms", seconds=800)
    assert code == 0, err
    code, _, err = await call("report", "phantoms", "--out", "report.html", "--tables", "tables", seconds=400)
    assert code == 0, err
    found = losses(tmp_path / "phantoms")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "by construction" in page
    assert "SYNTHETIC" in page
    rows = {(row["contrast"], row["task"]): row for row in table(tmp_path / "tables", "contrasts")}
    for task in ("size", "detection"):
        off = found["baseline-cv", "off", task]
        assert len(off) == 24
        mean, low, high = jackknife(off, found["baseline-cv", "on", task])
        row = rows["off -> on", task]
        assert [float(row[key]) for key in ("difference", "low", "high")] == pytest.approx([mean, low, high], abs=1e-5)
        assert mean < 0
        assert high < 0.01  # the interval nearly excludes zero; over all 200 it does
        for arm in ("blind", "without-fit_contour"):
            assert found["baseline-cv", arm, task] == off
            assert float(rows[f"off -> {arm}", task]["difference"]) == 0
            assert rows[f"off -> {arm}", task]["low"] == ""
