"""``score FILE`` and ``score DIR`` as a person uses them: tables, notes, refusals."""

import json
import re
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
    assert re.search(r"Kidney Tumor/Lesion @ CT \(A\) +50 +68\.0%", out)
    assert re.search(r"AccIoU_mean +13\.1% +10\.0%", out)
    assert "5% <= Box/Image < 10%" in out
    assert re.search(r"IoU \(all samples, all groups\) +19\.4% +438", out)
    assert "convention ceiling (boxes at the true edges, against targets one pixel short; n 438): IoU 94.7%" in out
    assert "samples in no group above: without a label, modality or plane 4" in out
    assert "note: 4 answers without the label's name or the modality" in err
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
    assert "742 answers without the label's name or the modality" in err
    assert any("742 answers" in note for note in summary["TL"]["medvision_agent"]["notes"])
    _, out, _ = score(folder)
    assert re.search(r"all samples \(no groups\) +438 ", out)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([INPUTS, "--protocol", "paper-v1", "--removed-samples", INPUTS], "paper-v1 has no such filter"),
        ([INPUTS, "--removed-samples", "none.json"], "--removed-samples none.json: this file cannot be read"),
        ([INPUTS, "--plans", "none.json"], "--plans none.json: this file cannot be read"),
        (
            [INPUTS, "--samples", "no/such/folder/out.jsonl"],
            "--samples no/such/folder/out.jsonl: this file cannot be written",
        ),
        (["none.jsonl"], "none.jsonl holds no run"),
        (["none", "--numpy1"], "--numpy1 is for MedVision's result files only; none is not one"),
        (["none", "--boxsize"], "--boxsize is for MedVision's result files only; none is not one"),
    ],
)
def test_score_refuses_what_it_cannot_do(score: Command, arguments: list[object], message: str) -> None:
    code, out, err = score(*arguments)
    assert (code, out) == (2, "")
    assert message in err


@pytest.fixture
def scaled(tmp_path: Path) -> Path:
    """Return a file with a size of a scaledPS task whose factor is not stored."""
    row = {
        "doc_id": 0,
        "target": "[10.0, 10.0]",
        "resps": [["<answer>15, 15</answer>"]],
        "doc": {"slice_dim": 1, "image_size_2d": [30, 20], "image_file": "a.nii.gz", "slice_idx": 3, "label": 1},
        "image_header_zooms": [2.0, 9.0, 1.5],
        "label_name": "kidney tumor",
        "image_modality": "CT",
    }
    path = tmp_path / "20250101_000000_samples_KiTS23_TumorLesionSize_Task01_Axial_scaledPS.jsonl"
    path.write_text(json.dumps(row), encoding="utf-8")
    return path


def test_a_summary_names_the_range_of_factors_that_were_drawn(
    score: Command, scaled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found(*options: object) -> tuple[float, str]:
        code, out, err = score(scaled, "--json", *options)
        assert code == 0, err
        (note,) = (one for one in json.loads(out)["medvision_agent"]["notes"] if "scaledPS" in one)
        (group,) = json.loads(out)["groups"].values()
        return group["avgNMAE"], note

    default, note = found()
    assert note == "pixel size factors of 1 sample of scaledPS tasks are not stored: drawn between 0.5 and 3"
    assert found("--scaled-pixel-size", "0.5,3") == (default, note)
    other, note = found("--scaled-pixel-size", "2,2")
    assert other == pytest.approx(5 / (2 * (60**2 + 30**2) ** 0.5))
    assert note.endswith("drawn between 2 and 2")
    monkeypatch.setenv("MEDVISION_SCALED_PS_LOW", "2.0")
    monkeypatch.setenv("MEDVISION_SCALED_PS_HIGH", "2.0")
    assert found() == (other, note)
    assert found("--scaled-pixel-size", "0.5,3")[0] == default
    assert note in " ".join(score(scaled)[1].split())


def test_a_range_that_is_none(score: Command, scaled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for given in ("3,0.5", "1", "0,1", "a,b", "1,2,3", "1,inf"):
        code, _, err = score(scaled, "--scaled-pixel-size", given)
        assert code == 2
        assert f"--scaled-pixel-size {given}: expected two numbers above 0" in err
    monkeypatch.setenv("MEDVISION_SCALED_PS_LOW", "low")
    code, _, err = score(scaled)
    assert code == 2
    assert "MEDVISION_SCALED_PS_LOW and MEDVISION_SCALED_PS_HIGH: expected" in err
