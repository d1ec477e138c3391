"""``score FILE`` and ``score DIR`` as a person uses them: tables, notes, refusals."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from golden import GOLDEN, rows

from medvision_agent.cli.main import main

Command = Callable[..., tuple[int, str, str]]
INPUTS = GOLDEN / "v1.2" / "detection" / "inputs.jsonl.gz"


@pytest.fixture
def score(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run ``score`` with arguments; return its exit code and what it printed."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["medvision-agent", "score", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            main()
        printed = capsys.readouterr()
        return int(exit_.value.code or 0), printed.out, printed.err

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a result folder made of golden vectors of all families, as upstream lays it out."""
    for family in ("detection", "tl", "ad"):
        for row in rows(GOLDEN / "v1.2" / family / "inputs.jsonl.gz"):
            kept = {key: row[key] for key in ("doc_id", "doc", "target", "resps")}
            kept |= {key.removeprefix("raw_"): row[key] for key in row if key.startswith("raw_")}
            with (tmp_path / row["file"]).open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(kept) + "\n")
            results = row["file"].partition("_samples_")[0] + "_results.json"
            (tmp_path / results).write_text("{}", encoding="utf-8")
    return tmp_path


def test_tables_have_upstreams_figures_and_ours(score: Command) -> None:
    code, out, err = score(INPUTS, "--boxsize")
    assert code == 0
    assert "detection: 438 samples, by medvision-1.2" in out
    assert "Kidney Tumor/Lesion @ CT (A)          50  0.6800" in out
    assert "AccIoU_mean     0.1306  0.1000" in out
    assert "5% <= Box/Image < 10%" in out
    assert "IoU (all samples, all groups)         0.1943  438" in out
    assert "convention ceiling (boxes at the true edges, against targets one pixel short; n 438): IoU 0.9474" in out
    assert "samples in no group above: without a label, modality or plane 4" in out
    assert "note: 4 answers without a label's name or modality" in err
    assert max(map(len, out.splitlines())) <= 100


@pytest.mark.parametrize("family", ["tl", "ad"])
def test_tables_of_lengths_are_never_cut(score: Command, family: str) -> None:
    _, out, _ = score(GOLDEN / "v1.2" / family / "inputs.jsonl.gz")
    assert "MedVision's line over all groups (n " in out
    assert "MAE" in out
    assert "…" not in out
    assert max(map(len, out.splitlines())) <= 100


def test_a_folder_gives_the_figures_of_its_records(score: Command, folder: Path) -> None:
    code, out, err = score(folder, "--json")
    assert code == 0
    summary: dict[str, Any] = json.loads(out)
    assert [section["n_inputs"] for section in summary.values()] == [438, 304, 316]
    wanted = json.loads((GOLDEN / "v1.2" / "ad" / "expected_summary.json").read_text(encoding="utf-8"))
    ours = summary["AD"]["groups"]
    counts = {name: (group["num_samples"], group["avgMRE"]) for name, group in wanted["groups"].items()}
    assert {name: (group["num_samples"], pytest.approx(group["avgMRE"])) for name, group in ours.items()} == counts
    # The records name no labels, so boxes and sizes are in no group, and it is said.
    assert summary["Detection"]["groups"] == summary["TL"]["groups"] == {}
    assert "742 answers without a label's name or modality" in err
    assert any("742 answers" in note for note in summary["TL"]["medvision_agent"]["notes"])
    _, out, _ = score(folder)
    assert "all samples (no groups)  438" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([INPUTS, "--protocol", "paper-v1", "--removed-samples", INPUTS], "paper-v1 has no such filter"),
        ([INPUTS, "--removed-samples", "none.json"], "--removed-samples none.json: cannot read it"),
        ([INPUTS, "--plans", "none.json"], "--plans none.json: cannot read it"),
        ([INPUTS, "--samples", "no/such/folder/out.jsonl"], "--samples no/such/folder/out.jsonl cannot be written"),
        (["none.jsonl"], "none.jsonl holds no run"),
        (["none", "--numpy1"], "--numpy1 is for MedVision's result files; none is no such file or folder"),
        (["none", "--boxsize"], "--boxsize is for MedVision's result files; none is no such file or folder"),
    ],
)
def test_score_refuses_what_it_cannot_do(score: Command, arguments: list[object], message: str) -> None:
    code, out, err = score(*arguments)
    assert (code, out) == (2, "")
    assert message in err
