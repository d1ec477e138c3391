"""The report command on real runs: a hostile model, studies, formats, refusals."""

import asyncio
import csv
import json
import shutil
import sqlite3
import sys
from contextlib import closing
from html.parser import HTMLParser

import numpy as np
import pytest
from fake.replies import calls, error, text
from fake.wires import turns
from scipy import stats

from medvision_agent.tools.view.png import encode_png

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
MARK = "PWNED"
ATTACK = (
    f"<script>document.title='{MARK}'</script><img src=x onerror=\"document.title='{MARK}'\">"
    f"<svg onload=\"document.title='{MARK}'\"></svg></pre></main><h1>{MARK}</h1>"
    "[link](javascript:alert(1)) ![p](http://evil.example/p.png) `code` **bold** | cell \\input{/etc/passwd} $x$ 100%"
    "\x1b[31m\u202e {{ 7*7 }} {% raw %} http://evil.example ]]> <!-- --> <answer>9.0</answer>"
)
TOOL = f"<img/src=x/onerror=document.title='{MARK}'>"


class Elements(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.tags, self.words, self.attributes = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture
async def hostile(server, data, models, call, tmp_path):
    """Return two runs, off and on, of a model that attacks whoever reads its answers."""
    common = ("run", "--model", "fake-openai", "--models", models, "--data", data, "--max-connections", 1)
    server.script([text(ATTACK)] * 11 + [error(500, ATTACK, retry_after="0.01")] * 2)
    code, _, err = await call(*common, "--tools", "off", "--out", tmp_path / "off")
    assert code == 1, err
    server.script([calls((TOOL, {"x": ATTACK}), texts=(ATTACK,)), text("<answer>10.0</answer>")] * 12)
    code, _, err = await call(*common, "--tools", "on", "--out", tmp_path / "on")
    assert code == 0, err
    return tmp_path / "off", tmp_path / "on"


async def test_a_hostile_response_stays_text(hostile, call, tmp_path):
    out, tables = tmp_path / "report.html", tmp_path / "tables"
    code, printed, err = await call("report", *hostile, "--out", out, "--tables", tables)
    assert code == 0, err
    assert f"written: {out}" in printed
    page = out.read_text(encoding="utf-8")
    found = Elements(page)
    assert MARK in page
    assert not {"script", "iframe", "object", "embed", "img"} & set(found.tags)
    assert found.tags.count("h1") == found.tags.count("main") == 1
    assert not [name for name, _ in found.attributes if name.startswith("on")]
    assert all(value.startswith(("#", "data:image/png;base64,")) for name, value in found.attributes if name == "href")
    # What was said is there, word for word, but for what steers a terminal or turns text around.
    assert ATTACK.replace("\x1b", "?").replace("\u202e", "?") in "".join(found.words)
    assert TOOL in "".join(found.words)
    assert {file.suffix for file in tables.iterdir()} == {".csv", ".tex", ".svg", ".pdf", ".md"}
    for file in (one for one in tables.iterdir() if one.suffix != ".pdf"):
        content = file.read_text(encoding="utf-8")
        assert "\x1b" not in content
        if file.suffix == ".tex":
            assert "\\input{" not in content
        if file.suffix == ".svg":
            assert not {"script", "img", "a"} & set(Elements(content).tags)
    rows = list(csv.DictReader((tables / "c1-effort.csv").read_text(encoding="utf-8").splitlines()))
    assert TOOL in rows[1]["calls by tool (failed)"]


async def test_markdown_stays_text(hostile, call, tmp_path):
    out = tmp_path / "report.md"
    code, _, err = await call("report", *hostile, "--out", out)
    assert code == 0, err
    lines = out.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "# medvision-agent report"
    for line in lines:
        if MARK in line and not line.startswith("    "):
            assert "<" not in line.replace("\\<", "")
            assert "](" not in line.replace("\\]\\(", "")
            assert "http://" not in line


async def test_a_browser_runs_nothing_of_it(hostile, call, tmp_path):
    if BROWSER is None:
        pytest.skip("no chromium, chromium-browser or google-chrome on PATH")
    out = tmp_path / "report.html"
    await call("report", *hostile, "--out", out)
    page = out.read_text(encoding="utf-8")
    policy = page[page.index("<meta http-equiv=") : page.index('<meta name="viewport"')]
    # Without the page's own policy: escaping alone must hold.
    out.write_text(page.replace(policy, ""), encoding="utf-8")
    (tmp_path / "bare.html").write_text(f"<title>quiet</title><body>{ATTACK}", encoding="utf-8")
    assert f"<title>{MARK}</title>" in await _loaded(tmp_path / "bare.html", tmp_path)  # the attack is one
    dom = await _loaded(out, tmp_path)
    assert "<title>medvision-agent report: " in dom
    assert f"<title>{MARK}" not in dom


async def _loaded(page, folder):
    """Return the document as a browser has it after its scripts have run."""
    process = await asyncio.create_subprocess_exec(
        BROWSER,
        *("--headless=new", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=3000", "--dump-dom"),
        f"--user-data-dir={folder / 'browser'}",
        page.as_uri(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    async with asyncio.timeout(90):
        out, _ = await process.communicate()
    return out.decode("utf-8")


async def test_a_study_says_what_it_declared(call, tmp_path):
    (tmp_path / "study.yaml").write_text(
        "name: small\nmodels: [baseline-prior]\ndata: phantom:24\ntasks: [distance, angle]\n"
        "designs: [on-off, repeat]\nepochs: 2\n",
        encoding="utf-8",
    )
    study, out, tables = tmp_path / "study", tmp_path / "report.html", tmp_path / "tables"
    code, _, err = await call("ablate", tmp_path / "study.yaml", "--out", study)
    assert code == 0, err
    code, _, err = await call("report", study, "--out", out, "--tables", tables)
    assert code == 0, err
    words = "".join(Elements(out.read_text(encoding="utf-8")).words)
    assert "SYNTHETIC: study small" in words
    assert "2 tests were declared; none of these comparisons has a p-value" in words
    assert "2 epochs, averaged within each sample" in words
    rows = list(csv.DictReader((tables / "c1-contrasts.csv").read_text(encoding="utf-8").splitlines()))
    assert [(row["contrast"], row["task"], row["verdict"], row["p"]) for row in rows] == [
        ("off -> on", "angle", "none", ""),
        ("off -> on", "distance", "none", ""),
        ("on -> on-repeat", "angle", "exploratory", ""),
        ("on -> on-repeat", "distance", "exploratory", ""),
    ]
    # Scored by rules it did not declare, a study tests nothing.
    code, _, err = await call("report", study, "--protocol", "paper-v1", "--out", tmp_path / "other.md")
    assert code == 0, err
    assert "tests were declared" not in (tmp_path / "other.md").read_text(encoding="utf-8")


async def test_what_it_cannot_do_is_said(call, tmp_path):
    code, out, err = await call("report", tmp_path / "none", "--out", tmp_path / "x.html")
    assert (code, out) == (2, "")
    assert "holds no run" in err
    code, _, err = await call("report", "--out", tmp_path / "x.html")
    assert code == 2
    assert not (tmp_path / "x.html").exists()


def test_matplotlib_waits_until_a_figure_is_drawn():
    import subprocess

    code = (
        "import sys; import medvision_agent.cli.report, medvision_agent.eval.report.page\n"
        "sys.exit('matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


async def test_a_declared_family_is_corrected(server, models, call, tmp_path):
    """Two declared tests over 24 subjects: their p-values, found again from the raw stores, and the graph."""
    picture = tmp_path / "p.png"
    picture.write_bytes(encode_png(np.full((40, 50), 90, np.uint8)))
    rows = [
        {
            "id": f"s{number}",
            "task": "distance",
            "image": picture.name,
            "pixel_size": {"height_mm": 1.0, "width_mm": 1.0},
            "modality": "MR",
            "plane": "axial",
            "landmarks": ["p", "q"],
            "target": [10.0],
            "convention": "edge",
            "dataset": "d",
            "subject": f"d/{number}",
        }
        for number in range(24)
    ]
    (tmp_path / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (tmp_path / "study.yaml").write_text(
        "name: real\nmodels: [fake-openai]\nmodels_file: models.yaml\ndata: samples.jsonl\nbase: {tools: ruler}\n"
        "designs: [on-off, must-use]\nmax_connections: 1\n",
        encoding="utf-8",
    )
    random = np.random.default_rng(3)
    answers = [text(f"<answer>{10 + random.normal(0, 3):.2f}</answer>") for _ in range(72)]

    def measured_first(request):
        """Call the ruler where it can be called, then answer: no claim is made of tools that nobody called."""
        if "tools" in request.body and not turns(request.wire, request.body):
            return calls(("ruler", {"x0": 0.1, "y0": 0.5, "x1": 0.9, "y1": 0.5}))
        return answers.pop(0)

    server._next = measured_first
    code, _, err = await call("ablate", tmp_path / "study.yaml", "--out", tmp_path / "study")
    assert code == 0, err
    out, tables = tmp_path / "report.html", tmp_path / "tables"
    code, _, err = await call("report", tmp_path / "study", "--out", out, "--tables", tables)
    assert code == 0, err
    found = list(csv.DictReader((tables / "c1-contrasts.csv").read_text(encoding="utf-8").splitlines()))
    losses = {
        arm: _losses(tmp_path / "study" / "cells" / f"fake-openai--{arm}--1") for arm in ("off", "on", "must-use")
    }
    changes = [losses["on"] - losses["off"], losses["must-use"] - losses["on"]]
    expected = [_larger_p(change) for change in changes]
    assert [row["contrast"] for row in found] == ["off -> on", "on -> must-use"]
    assert [float(row["p"]) for row in found] == pytest.approx(expected, rel=1e-4)
    # The primary passes its level on only once it is rejected, so that the secondary is never shown before it.
    corrected = [expected[0], max(expected)]
    assert [float(row["p, adjusted"]) for row in found] == pytest.approx(corrected, rel=1e-4)
    assert [float(row["local level"]) for row in found] == [0.05, 0]
    assert found[0]["local low"] == found[0]["low"]  # at the whole level
    assert found[1]["local low"] == ""  # at a level of 0 there is no interval
    assert {row["verdict"] for row in found} == {"no difference shown"}
    assert [row["undone by"] for row in found] == ["", ""]
    words = "".join(Elements(out.read_text(encoding="utf-8")).words)
    assert f"p {expected[0]:.2g}, adjusted over the family {corrected[0]:.2g}: no difference shown" in words
    lower, higher = int((changes[0] < 0).sum()), int((changes[0] > 0).sum())
    assert f"on lower in {lower}, equal in {24 - lower - higher}, higher in {higher}" in words


def _larger_p(change):
    """Return the larger p of a plain t test (one sample for each subject) and of Hall's transformation."""
    plain = stats.ttest_1samp(change, 0)
    u, t = change - change.mean(), float(plain.statistic)
    a = (u**3).sum() / (u**2).sum() ** 1.5
    h = t + a * t**2 / 3 + a**2 * t**3 / 27 + a / 6
    return max(float(plain.pvalue), 2 * float(stats.t.sf(abs(h), len(change) - 1)) if h * t > 0 else 1.0)


def _losses(run):
    with closing(sqlite3.connect(run / "run.sqlite")) as database, database:
        rows = database.execute("SELECT json FROM record ORDER BY sample_id").fetchall()
    answers = [json.loads(row[0])["response"].split(">")[1].split("<")[0] for row in rows]
    return np.minimum(np.abs(np.array(answers, np.float32).astype(float) - 10) / 10, 1)
