"""docs/agents.md against the command line: commands, options, exit codes and JSON keys."""

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from commands import COMMAND

from medvision_agent.cli.main import COMMANDS
from medvision_agent.cli.stopping import INTERRUPTED

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/agents.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"\| `medvision-agent ([^`]+)` \|(?: (.*) \|)?", PAGE)


def call(*words, folder=None):
    done = subprocess.run(
        [COMMAND, *map(str, words)], cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    return done.returncode, done.stdout, done.stderr


def table(title):
    """Return the rows of the table under a title, cells without their code marks."""
    lines = PAGE.split(f"## {title}\n")[1].split("\n## ")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")][2:]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("agents")
    for tools in ("off", "on"):
        words = ("run", "--model", "baseline-cv", "--limit", 1, "--tools", tools, "--out", home / tools)
        assert call(*words)[0] == 0
    return home


@pytest.mark.parametrize(("line", "more"), SHOWN, ids=[line for line, _ in SHOWN])
def test_every_command_and_option_that_is_named_exists(line, more):
    words = shlex.split(line)
    assert words[0] in COMMANDS
    path = words[:2] if words[0] in {"models", "tools", "data"} else words[:1]
    code, usage, _ = call(*path, "--help")
    assert code == 0
    named = re.findall(r"(?<![\w-])--[a-z-]+", f"{line} {more}")
    assert {option for option in named if option not in usage} == set()


def test_the_commands_that_serve_are_those_that_are_named():
    for name in re.findall(r"except `([\w-]+)` and `([\w-]+)`", PAGE)[0]:
        assert name in COMMANDS
    assert "no_claim" in PAGE


def test_exit_codes_are_as_said(home, tmp_path):
    codes = {int(row[0]): row for row in table("Exit codes")}
    assert set(codes) == {0, 1, 2, INTERRUPTED}
    assert call(*shlex.split(codes[0][2].strip("`"))[1:])[0] == 0
    code, out, err = call(*shlex.split(codes[2][2].strip("`"))[1:], folder=tmp_path)
    assert (code, out, list(tmp_path.iterdir())) == (2, "", [])
    assert err.startswith("Error: ")
    damaged = tmp_path / "damaged"
    subprocess.run(["cp", "-r", home / "on", damaged], check=True)
    next((damaged / "pictures").rglob("*.png")).write_bytes(b"")
    assert call("verify", damaged)[0] == 1
    assert call("verify", home / "on")[0] == 0


def test_json_is_as_said(home, tmp_path):
    rows = {row[0].strip("`"): (row[1], re.findall(r"`(\w+)`", row[2])) for row in table("JSON")}
    words = {
        "runs FOLDER --json": ("runs", home, "--json"),
        "score RUN --json": ("score", home / "on", "--json"),
        "compare RUN RUN --json": ("compare", home / "off", home / "on", "--json"),
        "why RUN --json": ("why", home / "on", "--json"),
    }
    assert set(rows) == {*words, "score RUN --samples FILE"}
    assert call("score", home / "on", "--samples", tmp_path / "samples.jsonl")[0] == 0
    for name, (form, keys) in rows.items():
        text = call(*words[name])[1] if name in words else (tmp_path / "samples.jsonl").read_text()
        found = [json.loads(line) for line in text.splitlines()] if "a line" in form else [json.loads(text)]
        assert found
        assert keys
        assert all(set(keys) <= one.keys() for one in found), name
    findings = json.loads(call(*words["compare RUN RUN --json"])[1])["findings"]
    assert {"headline", "rows", "caveats"} <= findings.keys()
    said = re.search(r"`rows` has a row for each task \((.*?)\)", PAGE, re.DOTALL)[1]
    assert all(set(re.findall(r"`(\w+)`", said)) <= row.keys() for row in findings["rows"])
