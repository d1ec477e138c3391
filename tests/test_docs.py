"""Documents that must stay true: the generated command line page, and every command the README shows."""

import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from commands import COMMAND

from medvision_agent.eval.study.designs import expand
from medvision_agent.eval.study.load import read_study

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("medvision-agent ")
]
NEEDS_KEY = [line for line in COMMANDS if " run " in line and ("gemini" in line or "gpt" in line)]


@pytest.mark.parametrize("script", ["cli_docs", "model_docs", "table_docs"])
def test_generated_pages_are_up_to_date(script):
    spec = importlib.util.spec_from_file_location(script, ROOT / "scripts" / f"{script}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.TARGET.read_text(encoding="utf-8") == module.pages(), f"run: python scripts/{script}.py"


@pytest.fixture(scope="module")
def readme_folder(tmp_path_factory):
    """One folder in which the README's commands run in their order, as a reader would type them."""
    return tmp_path_factory.mktemp("readme")


def run(line, folder):
    words = shlex.split(line, comments=True)
    hidden = {"GEMINI_API_KEY", "GOOGLE_API_KEY", "OPENAI_API_KEY"}
    environ = {key: value for key, value in os.environ.items() if key not in hidden}
    script = COMMAND if words[0] == "medvision-agent" else Path(sys.executable).with_name(words[0])
    return subprocess.run(
        [script, *words[1:]], cwd=folder, env=environ, capture_output=True, text=True, timeout=300, check=False
    )


def test_readme_shows_commands():
    assert len(COMMANDS) >= 8
    assert NEEDS_KEY


def test_readme_commands_work_in_their_order_and_print_what_it_shows(readme_folder):
    printed = ""
    for line in COMMANDS:
        done = run(line, readme_folder)
        if line in NEEDS_KEY:
            assert done.returncode == 2, line
            assert "API_KEY" in done.stderr, line
            assert len(done.stderr.strip().splitlines()) == 1
        else:
            assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
            assert done.stdout, line
        printed += done.stdout + done.stderr
    printed_lines = {line.rstrip() for line in printed.splitlines()}
    shown = {line for block in re.findall(r"```text\n(.*?)```", README, re.DOTALL) for line in block.splitlines()}
    # Seconds differ from run to run; everything else a reader sees is what the commands print.
    assert {line for line in shown - printed_lines if line not in ("", "...") and " s (n " not in line} == set()


def test_the_readme_study_is_one(tmp_path):
    section = README.split("## Studies")[1].split("\n## ")[0]
    path = tmp_path / "study.yaml"
    path.write_text(re.search(r"```yaml\n(.*?)```", section, re.DOTALL)[1], encoding="utf-8")
    arms, contrasts = expand(read_study(path))
    assert {"on", "off", "blind", "same-region", "again:2", "on-repeat", "without-fit_contour"} <= arms.keys()
    assert len(contrasts) >= 10


def test_the_architecture_page_names_files_that_are_there():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:core|agent|tools|prompts|eval|cli|tests)/[\w/.]*)`", page)
    assert len(named) > 50
    assert [path for path in named if not (ROOT / path).exists()] == []
    rooms = {path.rstrip("/") for path in re.findall(r"^\| `([\w/]+/)` \|", page, re.MULTILINE)}
    folders = {
        path.parent.relative_to(ROOT).as_posix()
        for top in ("agent", "tools", "eval")
        for path in (ROOT / top).glob("*/__init__.py")
    }
    assert folders - rooms == set()


RECORD = "20260101_000000_samples_KiTS23_TumorLesionSize_Task01_Axial-CoT.jsonl"


@pytest.mark.parametrize(
    ("page", "title", "least"),
    [("why", "## Result files of MedVision", 15), ("counterfactual", "## The steps", 7)],
)
def test_the_result_file_of_the_why_page_is_explained_as_both_pages_show(tmp_path, page, title, least):
    why = (ROOT / "docs/why.md").read_text(encoding="utf-8")
    record = json.loads(re.search(r"```json\n(.*?)```", why, re.DOTALL)[1])
    section = (ROOT / f"docs/{page}.md").read_text(encoding="utf-8").split(title)[1]
    line = re.search(r"```sh\n(.*?)```", section, re.DOTALL)[1].strip()
    folder = tmp_path / line.split()[-1]
    folder.mkdir(parents=True)
    (folder / RECORD).write_text(json.dumps(record) + "\n")
    done = run(line, tmp_path)
    assert done.returncode == 0, done.stderr
    printed = [one.rstrip() for one in done.stdout.splitlines()]
    shown = re.search(r"```text\n(.*?)```", section, re.DOTALL)[1].splitlines()
    assert len(shown) > least
    assert [one for one in shown if one not in printed and one != "..."] == []
