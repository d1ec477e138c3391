"""``view --bundle`` and ``show`` as a person uses them, over a study that was really run."""

import json
import os
import pty
import re
import subprocess
from pathlib import Path

import pytest
from browsed import HOSTILE, a_run, add, create, samples
from commands import COMMAND

import medvision_agent as mva
from medvision_agent.errors import ConfigError, StorageError

STUDY = "name: two\nmodels: [baseline-cv, oracle]\ndata: demo\nlimit: 1\ndesigns: [on-off]\n"
DEMO = "name: demo\nmodels: [baseline-cv, oracle]\ndata: demo\nlimit: 3\ndesigns: [on-off]\n"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Return the folder of a study of two models over the demo set, with and without tools."""
    home = tmp_path_factory.mktemp("study")
    (home / "study.yaml").write_text(STUDY)
    words = [COMMAND, "ablate", home / "study.yaml", "--out", home / "two"]
    subprocess.run(words, check=True, capture_output=True, timeout=300)
    return home / "two"


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Return the folder of the two arms of examples/studies/demo-controls.yaml that its primary contrast compares."""
    home = tmp_path_factory.mktemp("demo")
    (home / "study.yaml").write_text(DEMO)
    words = [COMMAND, "ablate", home / "study.yaml", "--out", home / "demo"]
    subprocess.run(words, check=True, capture_output=True, timeout=300)
    return home / "demo"


def run(*words, **environ):
    done = subprocess.run(
        [COMMAND, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environ},
        timeout=300,
    )
    return done.returncode, done.stdout, done.stderr


def part(out, name):
    text = (out / f"data/{name}.js").read_text()
    return json.loads(text[text.index(", ") + 2 : text.rindex(")")])


def test_a_study_as_a_folder(study, tmp_path):
    code, out, err = run("view", study, "--bundle", tmp_path / "out")
    assert (code, err) == (0, "")
    assert f"written: {tmp_path / 'out'}, 4 samples, 16 conversations" in out
    index = part(tmp_path / "out", "index")
    (page,) = index["studies"]
    arms = {arm["name"]: arm["runs"] for arm in page["arms"]}
    assert set(arms) == {"baseline-cv off", "baseline-cv on", "oracle off", "oracle on"}
    runs = {one["key"]: one for one in index["runs"]}
    assert all(runs[key]["arm"] == name and runs[key]["study"] == page["key"] for name, (key,) in arms.items())
    assert (page["state"], set(page["tasks"])) == ("finished", {"detection", "size", "distance", "angle"})
    oracle = [one for one in page["effects"] if one["after"] == "oracle on"]
    assert len(oracle) == 4
    assert all(not one["claim"] and one["why_not"] for one in oracle)
    for one in oracle:
        before, after = (
            next(means["loss"] for means in runs[arms[one[side]][0]]["means"] if means["task"] == one["task"])
            for side in ("before", "after")
        )
        assert one["effect"] == pytest.approx(after - before)
    code, out, _ = run("view", study, "--bundle", tmp_path / "out", "--samples", 1)
    assert (code, "This copy holds 1 of the 4 samples." in out) == (0, True)
    code, _, err = run("view", study, "--bundle", study)
    assert (code, len(err.splitlines())) == (2, 1)


@pytest.mark.parametrize("most", [1, 6])
def test_a_small_bundle_has_the_sample_that_tools_harmed_most(demo, tmp_path, most):
    done = mva.bundle(demo, tmp_path / "out", samples=most)
    assert done.words.startswith(f"This copy holds {most} of the 12 samples. ")
    assert done.size < 5_000_000
    table = mva.load(demo).samples()
    losses = {arm: table[table.condition == arm].set_index(["model", "id"]).loss for arm in ("off", "on")}
    harm = losses["on"] - losses["off"]
    assert harm.max() > 0.001
    index = part(tmp_path / "out", "index")
    for run in index["runs"]:
        assert harm.idxmax()[1] in part(tmp_path / "out", f"rows/{run['key']}")["id"]
    (page,) = index["studies"]
    for model in {one["model"] for one in page["effects"]}:  # the page still has the counts over all samples
        effects = [one for one in page["effects"] if one["model"] == model and one["primary"]]
        assert sum(one["losses"] for one in effects) == (harm[model] > 1e-9).sum()
        assert sum(one["pairs"] for one in effects) == 12


def test_the_same_in_python(study, tmp_path):
    done = mva.bundle(study, tmp_path / "out", samples=2)
    assert (done.folder, done.samples, done.talks) == (tmp_path / "out", 2, 8)
    with pytest.raises(StorageError, match="no such folder"):
        mva.bundle(tmp_path / "none", tmp_path / "new")


def test_show_prints_every_turn(study):
    loaded = mva.load(study)
    name = next(name for name in loaded.folders if "oracle--on" in name)
    table = loaded.samples()
    sample = table[(table.run == name) & (table.task == "distance")].id.iloc[0]
    code, out, err = run("show", loaded.folders[name], sample)
    assert (code, err) == (0, "")
    turns = loaded.turns()
    spoken = turns[(turns.run == name) & (turns.id == sample) & (turns.role != "tool")]
    assert re.findall(r"^(\d+) (\w+)", out, re.MULTILINE) == [
        (str(at), role) for at, role in enumerate(spoken.role, start=1)
    ]
    assert "call 1: crop" in out
    assert "ground truth" in out.splitlines()[1]
    paths = re.findall(r"image, \d+ x \d+ pixels: (\S+)", out)
    assert len(paths) > 1  # of the question and of a call, none of them cut
    assert [path for path in paths if not Path(path).is_file()] == []


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ((), ["baseline-cv--off", "baseline-cv--on"]),
        (("--all",), ["baseline-cv--off", "baseline-cv--on", "oracle--off", "oracle--on"]),
        (("--arm", "on"), ["baseline-cv--on", "oracle--on"]),
        (("--arm", "oracle on", "--arm", "off"), ["baseline-cv--off", "oracle--off", "oracle--on"]),
    ],
)
def test_show_of_a_study_shows_two_arms_or_those_asked_for(study, words, shown):
    sample = mva.load(study).samples().id.iloc[0]
    code, out, err = run("show", study, sample, *words)
    assert (code, err) == (0, "")
    assert re.findall(rf"^\S*cells/(\S+?)--1: {sample}", out, re.MULTILINE) == shown
    assert ("2 more arms (oracle off, oracle on): --arm NAME, or --all" in out) == (not words)


def test_show_refuses_what_is_no_arm(study):
    sample = mva.load(study).samples().id.iloc[0]
    code, out, err = run("show", study, sample, "--arm", "on", "--all")
    assert (code, out, "cannot be combined" in err) == (2, "", True)
    code, out, err = run("show", study, sample, "--arm", "oracle onn")
    assert (code, out) == (2, "")
    assert "Did you mean 'oracle on'?" in err


def test_show_of_what_is_not_there_is_one_line(tmp_path):
    folder = a_run(tmp_path / "run", ["10.0"], more=1)
    for words, why in (
        ((folder, "s2"), "All ids are in the table of samples"),
        ((folder, "s1"), "no record of sample 's1'"),
        ((folder, "s0", "--arm", "on"), "has no arms"),
        ((tmp_path / "none", "s0"), "no such folder"),
    ):
        code, out, err = run("show", *words)
        assert (code, out, len(err.splitlines())) == (2, "", 1), err
        assert why in err


@pytest.mark.parametrize("columns", [60, 80])
def test_nothing_steers_the_terminal_and_its_width_is_kept(tmp_path, columns):
    (sample,) = samples(1)
    with create(tmp_path / "run", [sample], model_name=HOSTILE) as store:
        add(store, sample, f"[bold]{HOSTILE}[/bold] " + "long words " * 30, detail=HOSTILE)
    leader, follower = pty.openpty()
    environ = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm", "NO_COLOR": "1"}
    with subprocess.Popen([COMMAND, "show", tmp_path / "run", "s0"], stdout=follower, env=environ) as process:
        os.close(follower)
        out = b""
        while True:
            try:
                more = os.read(leader, 65536)
            except OSError:
                break
            out += more
            if not more:
                break
        assert process.wait(60) == 0
    os.close(leader)
    text = re.sub(r"\x1b\[\d*m|\x1b\[\d+;\d+m", "", out.decode()).replace("\r\n", "\n")
    assert "\x1b" not in text
    assert "\u2028" not in text
    assert "[bold]</script>" in text.replace("\n  ", " ")
    assert all(len(line) <= columns for line in text.splitlines() if "pixels: " not in line), text


async def test_notes_go_with_an_export(tmp_path):
    folder = a_run(tmp_path / "run", ["10.0", "11.0"])
    assert run("export", folder, "--format", "jsonl", "--out", tmp_path / "none")[0] == 0
    assert not (tmp_path / "none/reviews.jsonl").exists()
    from medvision_agent.eval.store.reviews import add_review

    add_review(folder, "s1", "bad", "=1+1")
    assert run("export", folder, "--format", "jsonl", "--out", tmp_path / "tables")[0] == 0
    (line,) = (tmp_path / "tables/reviews.jsonl").read_text().splitlines()
    assert {key: json.loads(line)[key] for key in ("run", "id", "verdict", "comment")} == {
        "run": "run",
        "id": "s1",
        "verdict": "bad",
        "comment": "=1+1",
    }
    assert run("export", folder, "--format", "csv", "--out", tmp_path / "csv")[0] == 0
    assert "'=1+1" in (tmp_path / "csv/reviews.csv").read_text()
    assert list(mva.load(folder).reviews().verdict) == ["bad"]
    with pytest.raises(ConfigError):
        mva.export(folder, tmp_path / "x", protocol="none")


async def test_notes_go_with_an_export_in_medvisions_form(tmp_path):
    from medvision_agent.eval.store.reviews import add_review

    data = Path(__file__).parents[1] / "data/medvision-mini/Data"
    words = ("--model", "baseline-prior", "--data", f"medvision:{data}", "--limit", "1", "--tools", "off")
    assert run("run", *words, "--out", tmp_path / "run")[0] == 0
    add_review(tmp_path / "run", "x", "good", "")
    assert run("export", tmp_path / "run", "--out", tmp_path / "out")[0] == 0
    assert (tmp_path / "out/baseline-prior.review.jsonl").read_bytes() == (tmp_path / "run/review.jsonl").read_bytes()
