"""Documents that must stay true: the generated command line page, and every command the README shows."""

import asyncio
import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from commands import COMMAND
from fake.eyes import Measuring

from medvision_agent.eval.study.designs import expand
from medvision_agent.eval.study.load import read_study

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
TUTORIALS = sorted(path.stem for path in (ROOT / "docs" / "tutorials").glob("*.md"))
NEEDS_KEY = re.compile(r" run .*--model (gemini|gpt)")


def commands(page):
    """Return the commands that a page's reader types, one line each."""
    blocks = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.startswith(("medvision-agent ", "python "))]


def shown(page):
    """Return the lines that a page shows as printed; seconds differ from run to run."""
    lines = {line for block in re.findall(r"```text\n(.*?)```", page, re.DOTALL) for line in block.splitlines()}
    return {line for line in lines if line not in ("", "...") and " s (n " not in line}


def write_files(page, folder, url):
    """Write the files that a page has its reader write; the model's server is at *url*."""
    for name, text in re.findall(r"Write `([\w.-]+)`:\n\n```\w+\n(.*?)```", page, re.DOTALL):
        (folder / name).write_text(text.replace("http://localhost:8000/v1", url), encoding="utf-8")


@pytest.mark.parametrize("script", ["cli_docs", "model_docs", "table_docs"])
def test_generated_pages_are_up_to_date(script):
    spec = importlib.util.spec_from_file_location(script, ROOT / "scripts" / f"{script}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.TARGET.read_text(encoding="utf-8") == module.pages(), f"run: python scripts/{script}.py"


class Shown:
    """A server in a thread, behind which a model sees the image, lays a ruler and answers."""

    def __enter__(self):
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._server = Measuring()
        self._of(self._server.__aenter__())
        self.openai_url = self._server.openai_url
        return self

    def __exit__(self, *error):
        self._of(self._server.__aexit__(*error))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _of(self, task):
        return asyncio.run_coroutine_threadsafe(task, self._loop).result()


def run(line, folder):
    words = shlex.split(line, comments=True)
    hidden = {"GEMINI_API_KEY", "GOOGLE_API_KEY", "OPENAI_API_KEY"}
    environ = {key: value for key, value in os.environ.items() if key not in hidden}
    script = COMMAND if words[0] == "medvision-agent" else Path(sys.executable)
    return subprocess.run(
        [script, *words[1:]], cwd=folder, env=environ, capture_output=True, text=True, timeout=300, check=False
    )


def follow(page, folder):
    """Type a page's commands in their order, and see that they print what the page shows."""
    printed = ""
    for line in commands(page):
        done = run(line, folder)
        if NEEDS_KEY.search(line):
            assert done.returncode == 2, line
            assert "API_KEY" in done.stderr, line
            assert len(done.stderr.strip().splitlines()) == 1
        else:
            assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
            assert done.stdout, line
        printed += done.stdout + done.stderr
    assert shown(page) - {line.rstrip() for line in printed.splitlines()} == set()


def test_the_readme_is_short_and_shows_commands():
    assert len(README.split()) <= 700
    assert len(commands(README)) >= 4
    assert any(map(NEEDS_KEY.search, commands(README)))


def test_readme_commands_work_in_their_order_and_print_what_it_shows(tmp_path):
    follow(README, tmp_path)


@pytest.mark.parametrize("name", TUTORIALS)
def test_tutorials_work_from_top_to_bottom(name, tmp_path):
    page = (ROOT / "docs" / "tutorials" / f"{name}.md").read_text(encoding="utf-8")
    assert len(commands(page)) >= 4
    with Shown() as server:
        write_files(page, tmp_path, server.openai_url)
        follow(page, tmp_path)


@pytest.mark.parametrize("name", ["figures"])
def test_pages_whose_commands_run(name, tmp_path):
    follow((ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8"), tmp_path)


def test_every_page_can_be_found_and_no_link_is_dead():
    docs = list((ROOT / "docs").rglob("*.md"))
    linked = set()
    for page in [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "benchmarks/README.md")] + docs:
        for target, anchor in re.findall(r"\]\((?!\w+:)([^)#\s]*)(#[^)\s]*)?\)", page.read_text(encoding="utf-8")):
            path = (page.parent / target).resolve() if target else page
            assert path.exists(), f"{page.relative_to(ROOT)}: {target}"
            linked.add(path)
            if anchor and path.suffix == ".md":
                assert anchor[1:] in anchors(path), f"{page.relative_to(ROOT)}: {target}{anchor}"
    assert [page for page in docs if page not in linked] == []


def anchors(path):
    """Return the anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_readme_study_is_one(tmp_path):
    section = README.split("## A real model")[1].split("\n## ")[0]
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
