"""A tool of one's own in runs and studies: from a file, and from an installed package; the example works both ways."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from fake.replies import calls, text

from medvision_agent.cli.main import main
from medvision_agent.errors import StorageError
from medvision_agent.eval.asking.rerun import changes
from medvision_agent.eval.compare.parity import run_parity
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.store.write import RunStore
from medvision_agent.tools.own.process import CheckBounds, check
from medvision_agent.tools.registry import NEWEST, SETS

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "tool"
FILE = EXAMPLE / "medvision_agent_grey_level.py"
GREY = {"x": 0.5, "y": 0.5, "radius_mm": 3}


async def test_the_example_as_a_file(server, data, models, call, tmp_path):
    server.script([calls(("grey_level", GREY)), text("<answer>10.0</answer>")], by_turn=True)
    words = ("--model", "fake-openai", "--models", models, "--data", data, "--limit", 2)
    code, out, err = await call("run", *words, "--tools-from", FILE, "--out", "on")
    assert code == 0, err
    assert f"tools: on@{NEWEST} ({', '.join(SETS[NEWEST])}, grey_level)" in " ".join(out.split())
    declared = [tool["function"]["name"] for tool in server.requests[0].body["tools"]]
    assert declared[-1] == "grey_level"
    run = open_run(tmp_path / "on")
    assert [(use.tool, use.ok) for record in run.records for use in record.tool_uses] == [("grey_level", True)] * 2
    assert list(run.identity.tool_code_sha256) == ["grey_level"]
    assert run.config["tools_from"] == str(FILE)


async def test_rerun_compare_and_resume_go_by_the_code_of_a_tool(call, tmp_path):
    mine = tmp_path / "mine.py"
    mine.write_text(FILE.read_text())
    words = ("--model", "baseline-prior", "--task", "size", "--limit", 1, "--tools", "grey_level")
    assert (await call("run", *words, "--tools-from", "mine.py", "--out", "first"))[0] == 0
    mine.write_text(FILE.read_text() + "# another text\n")
    code, _, err = await call("rerun", "first", "--out", "second")
    assert code == 0, err
    assert "settings that differ from first: tool_code_sha256.grey_level" in err
    first, second = open_run(tmp_path / "first"), open_run(tmp_path / "second")
    assert changes(first.identity, first.identity) == []
    assert [line.split(":")[0] for line in run_parity(first, second)] == ["tool_code_sha256.grey_level"]
    assert run_parity(first, first) == []
    with pytest.raises(StorageError, match="tool_code_sha256"):
        RunStore.resume(tmp_path / "first", second.identity)
    later = first.identity.but(tool_set="2026-11"), second.identity.but(tool_set="2027-05")
    assert "tool_set (2026-11 then, 2027-05 now)" in changes(*later)
    mine.unlink()
    code, _, err = await call("rerun", "first", "--out", "third")
    assert code == 2
    assert err.startswith("Error: mine.py: the file of tools cannot be read (No such file or directory); expected")


async def test_a_study_sees_own_tools(call, tmp_path):
    (tmp_path / "mine.py").write_text(FILE.read_text())
    study = {
        "name": "own",
        "models": ["baseline-prior"],
        "tasks": ["size"],
        "limit": 1,
        "tools_from": "mine.py",
        "base": {"tools": "ruler,grey_level"},
        "designs": ["each-tool-alone", "leave-one-out", "controls:blind"],
    }
    (tmp_path / "study.yaml").write_text(json.dumps(study))
    code, _, err = await call("ablate", "study.yaml", "--out", "study")
    assert code == 0, err
    arms = {path.name.split("--")[1]: open_run(path).identity for path in (tmp_path / "study" / "cells").iterdir()}
    assert {"only-grey_level", "without-grey_level", "without-ruler", "blind", "on", "off"} <= arms.keys()
    with_it = {name for name, identity in arms.items() if "grey_level" in identity.tool_code_sha256}
    assert with_it == {"only-grey_level", "without-ruler", "blind", "on"}


def test_the_example_passes_the_check():
    assert {finding.verdict for finding in check("grey_level", FILE, CheckBounds(calls=300))} == {"yes"}


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """Install the example into a folder of its own, as pip does it, without a network."""
    target, copy = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("source")
    for path in EXAMPLE.iterdir():
        if path.is_file():
            (copy / path.name).write_bytes(path.read_bytes())
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*pip, "--target", target, copy], check=True, capture_output=True, timeout=300)
    return target


async def test_the_example_as_a_package(site, server, data, models, call, tmp_path):
    server.script([calls(("grey_level", GREY)), text("<answer>10.0</answer>")], by_turn=True)
    path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    code, out, err = await call("tools", "list", PYTHONPATH=path)
    assert code == 0, err
    line = r"^grey_level +the package medvision-agent-grey-level +about \d+ tokens +Look up"
    assert re.search(line, out, re.MULTILINE)
    words = ("--model", "fake-openai", "--models", models, "--data", data, "--limit", 1)
    code, _, err = await call("run", *words, "--tools", "on", "--out", "on", PYTHONPATH=path)
    assert code == 0, err
    assert "grey_level" not in open_run(tmp_path / "on").identity.tools  # never silently
    code, _, err = await call("run", *words, "--tools", "on,grey_level", "--out", "more", PYTHONPATH=path)
    assert code == 0, err
    run = open_run(tmp_path / "more")
    assert [(use.tool, use.ok) for record in run.records for use in record.tool_uses] == [("grey_level", True)]
    assert len(run.identity.tool_code_sha256["grey_level"]) == 64
    code, _, err = await call("run", *words, "--tools-from", FILE, "--out", "twice", PYTHONPATH=path)
    assert code == 2
    assert "a tool of that name is already in the package medvision-agent-grey-level; rename the one in" in err


def test_the_commands_of_the_page_on_tools(tmp_path, monkeypatch, capsys):
    page = (ROOT / "docs" / "tools.md").read_text(encoding="utf-8")
    section = page.split("## A tool of your own")[1].split("\n## ")[0]
    lines = [line for block in re.findall(r"```sh\n(.*?)```", section, re.DOTALL) for line in block.splitlines()]
    commands = [shlex.split(line) for line in lines if line.startswith("medvision-agent ")]
    assert [words[2] for words in commands] == ["new", "check", "try", "--tools-from"]
    monkeypatch.chdir(tmp_path)
    for words in commands:
        fewer = ["--calls", "200"] if words[2] == "check" else []
        monkeypatch.setattr(sys, "argv", words + fewer)
        with pytest.raises(SystemExit) as stopped:
            main()
        assert not stopped.value.code, capsys.readouterr().err
