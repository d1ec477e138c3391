"""Every command in terminals of 80 and 60 columns: no line is wider, and no figure or name is cut."""

import subprocess
from pathlib import Path

import pytest
from commands import COMMAND
from terminals import in_terminal

pytestmark = pytest.mark.skipif(not Path("/dev/ptmx").exists(), reason="there are no pseudo-terminals here")


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two runs of the demo set, as a terminal of 60 columns shows their making, and a study."""
    folder = tmp_path_factory.mktemp("stored")
    (folder / "s.yaml").write_text("name: s\nmodels: [baseline-prior, baseline-cv]\nlimit: 1\ndesigns: [on-off]\n")
    for name in ("off", "on"):
        words = ("run", "--model", "baseline-cv", "--limit", 2, "--tools", name, "--out", name)
        code, lines = in_terminal(*words, columns=60, cwd=folder)
        fits(lines, 60)
        assert code == 0
        assert any(line.startswith("baseline-cv with tools ") for line in lines)
        assert any("loss 0." in line and "success rate" in line for line in lines)  # of the progress
    code, lines = in_terminal("ablate", "s.yaml", "--out", "study", columns=60, cwd=folder)
    assert code == 0, lines
    return folder


def fits(lines: list[str], columns: int) -> None:
    """Check that lines are no wider than the terminal, but for what has no place to break it."""
    wide = [line for line in lines if len(line) > columns and " " in line.strip()]
    assert wide == []
    assert [line for line in lines if "…" in line] == []


COMMANDS = [
    "models list",
    "tools list",
    "data list --limit 3",
    "data list --published",
    "runs . --cells",
    "score on",
    "why on",
    "counterfactual on",
    "verify on",
    "verify study",
    "compare off on",
    "run --model gemini-2.5-flash --dry-run",
    "run --model baseline-cv --dry-run --limit 1",
    "ablate s.yaml --dry-run",
    "ablate s.yaml --dry-run --verbose",
    "export on --out results --format csv",
    "tools check pixel_spacing --calls 100",
    "data show pyrad_brain1_z11__det_tumour --out results/x.png",
]


@pytest.mark.parametrize("columns", [80, 60])
@pytest.mark.parametrize("command", COMMANDS)
def test_the_width_of_the_terminal_is_obeyed(stored, command, columns):
    words = command.replace("results", f"results-{columns}").split()
    code, lines = in_terminal(*words, columns=columns, cwd=stored)
    assert code == 0, lines
    assert sum(bool(line.strip()) for line in lines) >= 1
    fits(lines, columns)


def test_rows_that_do_not_fit_stand_below_their_names(stored):
    _, lines = in_terminal("models", "list", columns=60, cwd=stored)
    place = lines.index("gemini-2.5-flash")
    assert lines[place + 1].startswith("    gemini  gemini-2.5-flash  key ")
    assert any("GOOGLE_API_KEY" in line for line in lines)


def test_a_file_gets_plain_columns_whatever_the_width(tmp_path):
    words = [COMMAND, "models", "list"]
    out = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert any(line.startswith("gemini-2.5-flash  ") and "GOOGLE_API_KEY" in line for line in out.splitlines())
