"""Runs and studies stored by earlier versions still load, score, compare, explain and report as they did.

``stored/make.py`` says what each folder holds; ``stored/VERSION.tar.xz`` is what that version made, with the figures
it printed then. Words may change, figures may not.
"""

import csv
import json
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from archive import unpack
from commands import COMMAND

from medvision_agent.eval.store.files import picture_path
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.store.verify import verify_run
from medvision_agent.eval.store.write import RunStore
from medvision_agent.eval.study.plan import read_plan

STORED = sorted((Path(__file__).parent / "stored").glob("*.tar.xz"))
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")
LATER = {"facts", "identity", "no_claim", "parity", "parts", "place", "probe", "tool_path"}
LATER |= {"compute", "cost_usd", "forced_endings", "pictures", "turns"}
LATER |= {"by_answers", "by_failures", "findings", "headline", "largest_price", "metric", "names"}
"""Words, and what version 0.1.0 did not say of a run."""
LATER_ROWS = {"best constant of the other subjects"}
RENAMED = {
    "p, Holm": "p, adjusted",
    "loss A": "loss against",
    "loss B": "loss",
    "success A": "success rate against",
    "success B": "success rate",
    "failed only in A": "failed in the first alone",
    "failed only in B": "failed in the second alone",
    "lost only in A": "lost in the first alone",
    "lost only in B": "lost in the second alone",
}
EXPLAINED = {"copying", "arithmetic"}
"""Columns of 0.1.0 that are one now."""
RUNS = ("on", "off", "options", "scripted", "cot", "native", "text", "code")


@pytest.fixture(scope="module", params=STORED, ids=lambda path: path.name.removesuffix(".tar.xz"))
def stored(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a fresh copy of what one version stored."""
    return unpack(tmp_path_factory.mktemp("stored"), request.param)


def printed(stored: Path, *words: str, code: int = 0) -> str:
    """Run a command there and return what it prints."""
    done = subprocess.run([COMMAND, *words], cwd=stored, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return done.stdout


def figures(value: Any) -> Any:
    """Return what was measured: everything but the words that describe a run and the code that made it."""
    if isinstance(value, dict):
        return {key: figures(item) for key, item in value.items() if key not in LATER}
    return [figures(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", RUNS)
def test_scores_as_then(stored, name):
    before = json.loads((stored / f"{name}.score.json").read_text())
    assert figures(json.loads(printed(stored, "score", name, "--json"))) == figures(before)


@pytest.mark.parametrize("name", ["on", "native", "text"])
def test_explains_as_then(stored, name):
    before = explained(json.loads((stored / f"{name}.why.json").read_text()))
    now = explained(json.loads(printed(stored, "why", name, "--json")))
    assert [one["behaviour"] for one in now.values()] == [one["behaviour"] for one in before.values()]
    if name != "on":  # the answers are no result of a tool: they were taken for one that was copied wrongly
        return
    for task, one in now.items():
        assert {**one["errors"], "quantities": {}} == {**before[task]["errors"], "quantities": {}}
        for number, found in one["errors"]["quantities"].items():
            parts, then = found["with_solver"], before[task]["errors"]["quantities"][number]["with_solver"]
            assert [parts[part] for part in ("n", "error", "seeing")] == [
                then[part] for part in ("n", "error", "seeing")
            ]
            copied, worked = (then[part]["signed"]["mean"] for part in ("copying", "arithmetic"))
            assert parts["arithmetic"]["signed"]["mean"] == pytest.approx(copied + worked)


def explained(why: Any) -> dict[str, Any]:
    """Return what was explained, by task; copying a result wrongly is arithmetic now."""
    return dict(figures(why)["why"]["tasks"])


def test_compares_as_then(stored):
    before = json.loads((stored / "compare.json").read_text())
    assert figures(json.loads(printed(stored, "compare", "off", "on", "--json"))) == figures(before)


def test_reports_as_then(stored):
    printed(stored, "report", "study", "--tables", "tables", "--out", "study.html")
    tables = sorted((stored / "study.tables").glob("*.csv"))
    assert len(tables) == 22
    for table in tables:
        now, before = columns(stored / "tables" / table.name), columns(table)
        for name, cells in before.items():
            if name in EXPLAINED:
                continue
            assert now[RENAMED.get(name, name)] == cells, f"{table.name}: {name}"


def columns(table: Path) -> dict[str, list[list[str]]]:
    """Return the numbers in the cells of a table, by column; a later version may have more columns and references."""
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    rows = [row for row in rows if row.get("arm") not in LATER_ROWS]
    return {name: [NUMBER.findall(row[name]) for row in rows] for name in rows[0]} if rows else {}


def test_are_read_without_what_asks_a_model(stored):
    asking = {"google.genai", "langchain_core", "langgraph", "openai", "tenacity", "torch", "transformers"}
    commands = [
        ("report", "study", "on", "--pictures", "1", "--out", "page.html"),
        ("score", "on"),
        ("compare", "off", "on"),
        ("why", "native"),
    ]
    code = (
        "import sys; from medvision_agent.cli.main import cli\n"
        f"for words in {commands}: cli(words, standalone_mode=False)\n"
        f"sys.exit(','.join(sorted({asking} & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=stored, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (stored / "page.html").is_file()


def test_records_are_read_whole(stored):
    run = open_run(stored / "native")
    assert [record.sample.id for record in run.records] == ["s0", "s3"]
    assert all(record.tool_uses for record in run.records)
    assert open_run(stored / "unfinished").pending()


@pytest.mark.parametrize("name", ["unfinished", "scripted"])
def test_a_run_goes_on_under_this_code(stored, name):
    own = {
        "unfinished": ("--model", "baseline-cv", "--data", "samples.jsonl"),
        "scripted": (
            *("--model", "scripted", "--script", "script.json", "--data", "samples.jsonl"),
            *("--prompt-file", "prompts.yaml", "--task", "distance", "--tools", "again:1"),
        ),
    }
    before = verify_run(stored / name)
    assert (before.seal, before.unsealed, before.damage) == (None, before.records, ())
    out = printed(stored, "run", *own[name], "--out", name, "--resume")
    assert not open_run(stored / name).pending()
    after = verify_run(stored / name)
    assert (after.unsealed, after.damage) == (before.records, ())
    assert (after.seal is not None) == (after.records > before.records)
    assert open_run(stored / name).identity.tool_set == ("2026-11" if name == "unfinished" else "")
    assert "RESUMED UNDER OTHER CODE (version and hash): 0.1.0 b2bf2f19862f2d, then " in out


def test_a_run_without_hashes_is_not_sealed(stored):
    assert "native: not sealed; checked 2 records" in printed(stored, "verify", "native")
    shutil.copytree(stored / "native", stored / "damaged")
    RunStore.resume(stored / "damaged", open_run(stored / "native").identity).close()
    with closing(sqlite3.connect(stored / "damaged" / "run.sqlite")) as database, database:
        database.execute("DELETE FROM record WHERE sample_id = 's3'")
    picture_path(stored / "damaged", open_run(stored / "native").records[0].v0_sha256).unlink()
    out = printed(stored, "verify", "damaged", code=1)
    assert "2 records were stored, but it holds 1" in out
    assert "the image " in out


def test_a_run_is_asked_again_from_what_it_stored(stored):
    out = printed(stored, "rerun", "options", "--out", "second")
    first, second = open_run(stored / "options"), open_run(stored / "second")
    assert list(first.identity.differences(second.identity)) == []
    assert [one.response for one in first.records] == [one.response for one in second.records]
    assert "settings that differ from" not in out


def test_a_study_goes_on_under_this_code(stored):
    printed(stored, "ablate", "stopped.yaml", "--out", "stopped")
    runs = [open_run(folder) for folder in sorted((stored / "stopped" / "cells").iterdir())]
    assert not any(run.pending() for run in runs)
    assert {len(run.identity.resumed) for run in runs} == {1}
    assert {run.identity.tool_set for run in runs} == {"", "2026-11"}
    printed(stored, "report", "stopped", "--out", "stopped.html")


def test_a_study_with_a_control_of_an_older_name_goes_on(stored):
    printed(stored, "ablate", "study.yaml", "--out", "study")
    tests = {(key.contrast, key.task) for key in read_plan(stored / "study").family}
    assert {("sham -> on", "size"), ("blind -> on", "size")} <= tests
    [sham] = (stored / "study" / "cells").glob("*--sham--1")
    assert (open_run(sham).identity.control, len(open_run(sham).identity.resumed)) == ("misled", 1)
