"""The score and compare commands on runs stored as the runner stores them."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from identities import an_identity

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.trace import Trace
from medvision_agent.cli.main import main
from medvision_agent.eval.data.sample import PixelSize, Sample
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.write import RunStore

CONFIG = {"source": {"name": "demo", "note": "A demonstration, not a benchmark score."}}
Command = Callable[..., tuple[int, str, str]]


def sample(number: int) -> Sample:
    return Sample(
        id=f"s{number}",
        task="distance",
        image="a.png",
        pixel_size=PixelSize(height_mm=1, width_mm=1),
        modality="MR",
        plane="axial",
        landmarks=("p", "q"),
        target=(20.0,),
        convention="edge",
        dataset="d",
        subject=f"d/{number}",
    )


def store(folder: Path, answers: Sequence[str | None], tools: Sequence[str] = (), **changed: Any) -> Path:
    arm = {"condition": "on" if tools else "off", "tools": list(tools)}
    samples = [sample(number) for number in range(len(answers))]
    with RunStore.create(folder, samples, an_identity(**arm | changed), CONFIG) as run:
        for one, answer in zip(samples, answers, strict=True):
            record = Record(
                sample=one,
                outcome=Outcome.TIMEOUT if answer is None else Outcome.ANSWERED,
                response=answer or "",
                v0_sha256="picture",
                prompt_sha256="prompt",
                model_versions=() if answer is None else ("m-1",),
            )
            run.add(record, Trace())
    return folder


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run the program with arguments; return its exit code and what it printed."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["medvision-agent", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            main()
        printed = capsys.readouterr()
        return int(exit_.value.code or 0), printed.out, printed.err

    return run


def test_score_prints_tables(tmp_path: Path, command: Command) -> None:
    run = store(tmp_path / "run", ["<answer>18</answer>", "no", None])
    code, out, _ = command("score", run)
    assert code == 0
    assert "scored by medvision-1.2: 2 samples, 2 subjects (largest 1), 1 infrastructure failure left out" in out
    assert "A demonstration, not a benchmark score." in out
    assert "model m" in out
    assert "0.5500" in out  # loss: (0.1 + 1) / 2


def test_score_can_use_either_protocol_again(tmp_path: Path, command: Command) -> None:
    run = store(tmp_path / "run", ["18"])
    success = {}
    for protocol in ("paper-v1", "medvision-1.2"):
        code, out, _ = command("score", run, "--json", "--protocol", protocol)
        assert code == 0
        printed = json.loads(out)
        assert printed["source_note"] == CONFIG["source"]["note"]
        assert printed["identity"]["recipe"] == "medvision-1.2"
        assert printed["summary"]["protocol"] == protocol
        success[protocol] = printed["summary"]["tasks"]["distance"]["metrics"]["success_rate"]["mean"]
    assert success == {"paper-v1": 1.0, "medvision-1.2": 0.0}


def test_score_writes_one_line_per_sample(tmp_path: Path, command: Command) -> None:
    run = store(tmp_path / "run", ["<answer>18</answer>", "no", None])
    out = tmp_path / "rows.jsonl"
    code, printed, _ = command("score", run, "--samples", out, "--json")
    assert code == 0
    assert json.loads(printed)["summary"]["n"] == 2
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [(row["id"], row["outcome"], row["success"], row["MAE"], row["loss"]) for row in rows] == [
        ("s0", "answered", True, 2.0, 0.1),
        ("s1", "answered", False, None, 1.0),
        ("s2", "timeout", None, None, None),
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--protocol", "paper-v2"], "Did you mean 'paper-v1'?"),
        (["--samples", "no/such/folder/rows.jsonl"], "--samples no/such/folder/rows.jsonl cannot be written"),
    ],
)
def test_score_refuses_what_it_cannot_do(tmp_path: Path, command: Command, arguments: list[str], message: str) -> None:
    code, out, err = command("score", store(tmp_path / "run", ["18"]), *arguments)
    assert (code, out) == (2, "")
    assert message in err


def test_compare_pairs_two_runs(tmp_path: Path, command: Command) -> None:
    a = store(tmp_path / "a", ["<answer>18</answer>", "no", None])
    b = store(tmp_path / "b", ["<answer>20</answer>", "<answer>20</answer>", "<answer>20</answer>"], tools=["zoom"])
    code, out, _ = command("compare", a, b)
    assert code == 0
    assert "distance: 2 pairs, 2 subjects" in out
    assert "decomposed in both: 0% of the summed sizes of the differences in loss" in out
    assert "of the gain of" not in out
    assert "WARNING: 2 of 3 chosen samples are paired" in out
    assert "B: model m (m-1), tools: on@2026-11 (zoom)" in out
    code, out, _ = command("compare", a, b, "--json")
    printed = json.loads(out)
    loss = printed["comparison"]["tasks"]["distance"]["metrics"]["loss"]
    assert (printed["comparison"]["pairs"], printed["comparison"]["chosen"]) == (2, 3)
    assert (code, loss["difference"], loss["n"]) == (0, pytest.approx(-0.55), 2)
    assert printed["comparison"]["tasks"]["distance"]["missing"]["infrastructure_a"] == ["s2"]
    parts = printed["parts"]["distance"]
    assert sum(part["mean"] for part in parts["parts"].values()) == pytest.approx(-0.55)
    assert (parts["together"], parts["decomposed"]) == (False, 0.0)  # their images are not stored
    assert (printed["a"]["identity"]["tools"], printed["b"]["identity"]["tools"]) == ([], ["zoom"])


def test_compare_refuses_unequal_runs(tmp_path: Path, command: Command) -> None:
    a = store(tmp_path / "a", ["<answer>18</answer>"])
    b = store(tmp_path / "b", ["<answer>18</answer>"], recipe="paper-v1", tools=["zoom"])
    code, out, err = command("compare", a, b)
    assert (code, out) == (2, "")
    assert "differ in more than their tools" in err
    assert '\n  recipe: "medvision-1.2" in A, "paper-v1" in B' in err
    assert "zoom" not in err
