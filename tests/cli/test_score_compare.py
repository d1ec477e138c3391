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


def store(
    folder: Path,
    answers: Sequence[str | None],
    tools: Sequence[str] = (),
    *,
    targets: Sequence[float] = (),
    left: int = 0,
    **changed: Any,
) -> Path:
    """Store a run with one answer per sample; *left* more samples were not asked."""
    arm = {"condition": "on" if tools else "off", "tools": list(tools)}
    samples = [sample(number) for number in range(len(answers) + left)]
    samples = [one.but(target=(target,)) for one, target in zip(samples, targets or [20.0] * len(samples), strict=True)]
    with RunStore.create(folder, samples, an_identity(**arm | changed), CONFIG) as run:
        for one, answer in zip(samples, answers, strict=False):
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
        (
            ["--samples", "no/such/folder/rows.jsonl"],
            "--samples no/such/folder/rows.jsonl: this file cannot be written",
        ),
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
    assert "decomposed in both: 0.0% of the summed sizes of the differences in loss" in out
    assert "of the gain of" not in out
    assert "WARNING: 2 of 3 chosen samples are paired" in out
    assert "on: model m (m-1), tools: on@2026-11 (zoom)" in out
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


def test_compare_gives_no_verdict_while_a_run_is_unfinished(tmp_path: Path, command: Command) -> None:
    answers = ["<answer>18</answer>", "<answer>19</answer>"]
    a, b = store(tmp_path / "a", answers, left=3), store(tmp_path / "b", [*answers, *answers], ["zoom"], left=1)
    why = "no verdict: 2 of 5 planned samples were asked in off; no verdict: 4 of 5 planned samples were asked in on"
    code, out, _ = command("compare", a, b)
    assert code == 0
    assert why in " ".join(out.split())
    _, out, _ = command("compare", a, b, "--json")
    assert why in json.loads(out)["no_claim"]
    whole = store(tmp_path / "c", [*answers, *answers, *answers[:1]], ["zoom"])
    assert "no verdict" not in command("compare", store(tmp_path / "d", [*answers, *answers, "no"]), whole)[1]


def test_compare_by_a_declared_metric_with_the_parts_of_the_difference(tmp_path: Path, command: Command) -> None:
    targets = [10.0, 20.0, 40.0, 20.0]
    a = store(tmp_path / "a", [f"<answer>{one}</answer>" for one in (10, 10, 10, 20)], targets=targets)
    b = store(tmp_path / "b", ["<answer>10</answer>", "<answer>20</answer>", "no", "no"], ["zoom"], targets=targets)
    words = ("--metric", "log-ratio", "--failures", "chance")
    _, out, _ = command("compare", a, b, *words, "--json")
    found = json.loads(out)["comparison"]["tasks"]["distance"]
    # The best constant is 20 for every subject: log ratios of 1/2, 0, 1/2 and 0, in units of ln 4.
    assert found["metric"] == {"task": "distance", "metric": "log-ratio", "failures": "chance", "chance": 0.25}
    assert found["metrics"]["loss"]["a"] == pytest.approx((0 + 2 + 2 + 0) / 4)
    assert found["metrics"]["loss"]["b"] == pytest.approx((0 + 0 + 1 + 1) / 4)
    assert (found["by_answers"], found["by_failures"]) == pytest.approx((-2 / 4, (-1 + 1) / 4))
    assert found["largest_price"] == pytest.approx((-2 + 0 + 2) / 4)
    _, out, _ = command("compare", a, b, *words)
    text = " ".join(out.split())
    assert "of the difference in loss, -0.5000 comes from answers and +0.0000 from failures" in text
    assert "loss: log-ratio in units of chance (0.25), up to 2; a failure costs 1" in text

    _, out, _ = command("compare", a, b, "--metric", "distance=mre<0.1", "--json")
    loss = json.loads(out)["comparison"]["tasks"]["distance"]["metrics"]["loss"]
    assert (loss["a"], loss["b"]) == (0.5, 0.5)
    for wrong, why in (
        ("mre", "expected one of loss, relative"),
        ("iou", "not defined for distance"),
        ("x=iou", "among"),
    ):
        code, _, err = command("compare", a, b, "--metric", wrong)
        assert code == 2
        assert why in " ".join(err.split())


def test_compare_says_where_abstaining_decides_the_sign(tmp_path: Path, command: Command) -> None:
    targets = [10.0, 20.0, 40.0]
    a = store(tmp_path / "a", ["<answer>15</answer>", "<answer>60</answer>", "<answer>400</answer>"], targets=targets)
    b = store(tmp_path / "b", ["<answer>15</answer>", "no", "no"], ["zoom"], targets=targets)
    text = " ".join(command("compare", a, b, "--failures", "chance")[1].split())
    assert "NO VERDICT: the sign of the difference depends on the price of a failure" in text


def test_compare_refuses_unequal_runs(tmp_path: Path, command: Command) -> None:
    a = store(tmp_path / "a", ["<answer>18</answer>"])
    b = store(tmp_path / "b", ["<answer>18</answer>"], recipe="paper-v1", tools=["zoom"])
    code, out, err = command("compare", a, b)
    assert (code, out) == (2, "")
    assert "differ in more than their tools" in err
    assert '\n  recipe: "medvision-1.2" in off, "paper-v1" in on' in err
    assert "zoom" not in err


def test_two_models_under_one_condition_are_compared_when_told_to(command: Command, tmp_path: Path) -> None:
    base = store(tmp_path / "base", ["<answer>20</answer>", "<answer>30</answer>"])
    tuned = {"model": {"name": "tuned", "provider": "openai"}, "model_name": "tuned"}
    other = store(tmp_path / "tuned", ["<answer>20</answer>", "<answer>22</answer>"], **tuned)
    code, _, err = command("compare", str(base), str(other))
    assert code == 2
    assert "Two models under one condition are compared with --models" in err
    code, out, _ = command("compare", str(base), str(other), "--models")
    assert code == 0
    assert "differences are between models, not made by tools" in " ".join(out.split())
    with_tools = store(tmp_path / "tools", ["<answer>20</answer>"] * 2, ["ruler"], **tuned)
    code, _, err = command("compare", str(base), str(with_tools), "--models")
    assert code == 2
    assert "differ in more than their models" in err
    assert "tools: " in err


def test_one_model_is_no_two_models(command: Command, tmp_path: Path) -> None:
    one, two = (store(tmp_path / name, ["<answer>20</answer>"]) for name in ("one", "two"))
    code, _, err = command("compare", str(one), str(two), "--models")
    assert code == 2
    assert "compare them without --models" in err
