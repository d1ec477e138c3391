"""``score FILE`` on the golden vectors: every sample and every figure that MedVision's own code gave."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from golden import GOLDEN, VERSIONS, differences, rows

from medvision_agent.cli.main import main

COUNTS = {"detection": 438, "tl": 304, "ad": 316, "ad/numpy1": 316}
NOT_OURS = {"half"}
"""What the golden files say about their own making."""
both = pytest.mark.parametrize("protocol", VERSIONS)
Score = Callable[..., tuple[dict[str, Any], list[dict[str, Any]]]]


@pytest.fixture
def score(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Score:
    """Score a file; return the printed summary and the lines of the samples."""

    def run(file: Path, protocol: str, *options: object) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        out = tmp_path / "samples.jsonl"
        arguments = ["score", file, "--protocol", protocol, "--samples", out, "--json", *options]
        monkeypatch.setattr(sys, "argv", ["medvision-agent", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            main()
        assert not exit_.value.code
        return json.loads(capsys.readouterr().out), [json.loads(line) for line in out.read_text().splitlines()]

    return run


def expected(folder: Path, name: str = "expected_summary.json") -> dict[str, Any]:
    summary: dict[str, Any] = json.loads((folder / name).read_text(encoding="utf-8"))
    for side in summary.get("anatomy_vs_TL", {}).values():
        side["regions"].sort()  # in the order of upstream's directory listing
    return {key: value for key, value in summary.items() if key not in NOT_OURS}


def upstream_part(summary: dict[str, Any]) -> dict[str, Any]:
    for side in summary.get("anatomy_vs_TL", {}).values():
        side["regions"].sort()
    return {key: value for key, value in summary.items() if key not in {"medvision_agent", "boxsize"}}


@both
@pytest.mark.parametrize("family", COUNTS)
def test_every_golden_sample_and_figure(score: Score, protocol: str, family: str) -> None:
    folder = GOLDEN / VERSIONS[protocol] / family
    inputs = GOLDEN / VERSIONS[protocol] / family.split("/", maxsplit=1)[0] / "inputs.jsonl.gz"
    summary, samples = score(inputs, protocol, *(["--numpy1"] if "numpy1" in family else []))
    wanted = {row["id"]: row for row in rows(folder / "expected_samples.jsonl.gz")}
    assert len(samples) == len(wanted) == COUNTS[family]
    assert [one for row in samples for one in differences(row, wanted[row["id"]], 1e-12, row["id"])] == []
    assert differences(upstream_part(summary), expected(folder), 1e-9) == []


@both
def test_the_numpy_variant_matters(score: Score, protocol: str) -> None:
    plain, _ = score(GOLDEN / VERSIONS[protocol] / "ad" / "inputs.jsonl.gz", protocol)
    assert differences(upstream_part(plain), expected(GOLDEN / VERSIONS[protocol] / "ad" / "numpy1"), 1e-9)


@both
def test_golden_box_sizes(score: Score, protocol: str) -> None:
    folder = GOLDEN / VERSIONS[protocol] / "detection"
    summary, _ = score(folder / "inputs.jsonl.gz", protocol, "--boxsize")
    wanted = expected(folder, "expected_boxsize.json")
    del wanted["note"], summary["boxsize"]["note"]
    assert differences(summary["boxsize"], wanted, 1e-9) == []


def test_golden_removed_samples(score: Score) -> None:
    folder = GOLDEN / "v1.2" / "tl"
    options = ["--removed-samples", folder / "removed_samples.json"]
    summary, samples = score(folder / "inputs.jsonl.gz", "medvision-1.2", *options)
    wanted = expected(folder, "expected_summary_filtered.json")
    assert differences({key: summary[key] for key in wanted}, wanted, 1e-9) == []
    removed = sum(not row["counted"] for row in samples)
    assert summary["medvision_agent"]["left_out"] == {"on the list of removed samples": removed}
    assert len(samples) - removed == sum(group["num_samples"] for group in wanted["groups"].values())


@both
def test_the_two_files_of_one_family_are_told_from_a_mix(score: Score, protocol: str, tmp_path: Path) -> None:
    mix = tmp_path / "mix.jsonl"
    lines = [json.dumps(rows(GOLDEN / VERSIONS[protocol] / family / "inputs.jsonl.gz")[0]) for family in ("tl", "ad")]
    mix.write_text("\n".join(lines), encoding="utf-8")
    summary, samples = score(mix, protocol)
    assert list(summary) == ["TL", "AD"]
    assert [section["n_inputs"] for section in summary.values()] == [1, 1]
    assert len(samples) == 2
