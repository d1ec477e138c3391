"""docs/systems.md: every published row with its command, whose dry run works, and what of the figures is checked."""

import importlib.util
import os
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from medvision_agent.cli.main import cli
from medvision_agent.eval.published.datasets import published_datasets
from medvision_agent.eval.published.entry import run_entry
from medvision_agent.eval.published.versions import versions
from medvision_agent.eval.store.read import open_run

ROOT = Path(__file__).parent.parent
MINI = ROOT / "tests/data/medvision-mini/Data"
LENDER = ROOT / "tests/agent/upstream/lender"
PAGE = (ROOT / "docs/systems.md").read_text(encoding="utf-8")
COMMANDS = [
    line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines() if " run " in line
]
OTHERWISE = {"AMOS22", "BCV15", "HNTSMRG24", "TopCoW24", "TotalSegmentator"}
"""Datasets whose boxes the preprint counts otherwise than release 1.0.0."""
NAMES = {
    "AbdomenAtlas": "AbdomenAtlas1.0Mini",
    "autoPEI-III": "autoPET-III",
    "Ceph-Bio-400": "Ceph-Biometrics-400",
    "CrossModDA": "CrossMoDA",
}


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("systems_docs", ROOT / "scripts/systems_docs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def invoked(monkeypatch):
    """Run a command of the page over the mini tree, in the repository."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PYTHONPATH", f"{LENDER}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")

    def call(line, *more):
        words = shlex.split(line.replace("medvision:Data", f"medvision:{MINI}").replace("--limit 1000", "--limit 1"))
        return CliRunner().invoke(cli, [*words[1:], *more])

    return call


def test_the_page_is_up_to_date_and_lists_every_published_row(script):
    assert script.pages() == PAGE, "run: python scripts/systems_docs.py"
    found = {(line.version.name, line.table, line.row.model) for line in script.lines()}
    rows = {(one.name, table.number, row.model) for one in versions() for table in one.tables for row in table.rows}
    assert found == rows
    assert len(rows) == 17 + 15 + 14 + 3 * 13 + 2
    assert {line.command for line in script.lines()} == set(COMMANDS)
    for version, section in zip(versions(), re.split(r"\n## ", PAGE)[1:], strict=False):
        for row in (row for table in version.tables for row in table.rows):
            assert f"\n| {row.model} | " in section


def test_nothing_claims_what_was_not_run(script):
    for line in script.lines():
        assert "never" in line.config.exercised, f"{line.model} was tried: say so in the page's first lines"
    assert "None of these systems was run for this page." in PAGE


@pytest.mark.parametrize("line", COMMANDS, ids=lambda line: re.search(r"--out runs/(\S+)", line)[1])
def test_the_dry_run_of_every_command_works(line, invoked):
    done = invoked(line, "--dry-run")
    assert done.exit_code == 0, done.output
    assert "nothing was asked" in done.output


def test_a_run_of_a_command_stands_beside_its_published_row_in_the_words_it_names(invoked, tmp_path):
    """The whole way but for the model: an offline one under the row's name."""
    line = next(one for one in COMMANDS if "--model medgemma-4b " in one and "--words upstream" in one)
    (tmp_path / "models.yaml").write_text("medgemma-4b: {provider: offline, name: prior, perceived: {rule: native}}\n")
    line = re.sub(r"--out \S+", f"--out {tmp_path / 'run'} --models {tmp_path / 'models.yaml'}", line)
    line = line.replace("--annotations 1.0.0 ", "")
    done = invoked(line)
    assert done.exit_code == 0, done.output
    entry = run_entry(open_run(tmp_path / "run"))
    assert entry.how == "off, medvision-1.2, cot, words of medvision-bm 0.1"
    assert [row.model for _, row in entry.published.values()] == ["MedGemma (4B)"]
    assert any("MedVision's (medvision-bm 0.1) here" in one for one in entry.differences)


def test_the_counts_of_table_1_are_those_of_release_1_0_0_up_to_rounding():
    found = published_datasets()
    counts = {one["dataset"]: one for one in found["releases"]["datasets"]}
    other = set()
    for row in found["datasets"]:
        own = counts[NAMES.get(row["dataset"], row["dataset"])]
        lesions = (own["lesion_sizes"].get("1.0.0") or [0])[0]
        for name, count in (
            ("boxes", (own["boxes"] or [0])[0]),
            ("lesion_sizes", lesions),
            ("angles_distances", own["angles_distances"] or 0),
        ):
            if not within(row[name], count):
                other.add(row["dataset"])
    assert other == OTHERWISE


def within(printed, count):
    """Say whether training and test samples, rounded as they are printed, can add up to *count*."""
    numbers, unit = re.fullmatch(r"([\d./ ]+)([KM]?)", printed).groups()
    scale = {"": 1, "K": 1_000, "M": 1_000_000}[unit]
    parts = [part.strip() for part in numbers.split("/")]
    slack = sum(0.5 * 10.0 ** -len(part.partition(".")[2]) for part in parts) if unit else 0
    return abs(sum(map(float, parts)) * scale - count) <= slack * scale


def test_figures_of_a_row_agree_with_each_other():
    """What holds of any answers, up to the rounding of what is printed."""
    least = (("IoU", "F1"), ("IoU>0.5", "SR"), ("MRE<0.1", "MRE<0.2"), ("MRE<0.2", "MRE<0.3"), ("MRE<0.1", "SR"))
    checked = 0
    for table in (table for version in versions() for table in version.tables):
        for row in table.rows:
            for cells in row.figures.values():
                values = dict(zip(table.columns, map(float, cells), strict=True))
                for low, high in least:
                    if low in values and high in values:
                        checked += 1
                        assert values[low] <= values[high] + 0.1, (row.model, low, high)
    assert checked > 200
