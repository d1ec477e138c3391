"""``--words upstream``: prompts from MedVision's own package, or from a stand-in of it, in a process of its own."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from shutil import copytree

import pytest
from commands import COMMAND

import medvision_agent as mva
from medvision_agent.agent.models.catalogue import load_catalogue
from medvision_agent.agent.upstream.words import Asked, lent
from medvision_agent.errors import ConfigError
from medvision_agent.eval.asking.launch import prepare
from medvision_agent.eval.compare.parity import run_parity
from medvision_agent.eval.data.medvision.source import MedVisionSource, Reading
from medvision_agent.eval.data.selection import Selection
from medvision_agent.eval.settings.settings import Settings
from medvision_agent.eval.store.read import open_run, read_trace

HERE = Path(__file__).parent
DATA = HERE.parents[1] / "data/medvision-mini/Data"
LENDER, DATA_PACKAGE = HERE / "lender", HERE / "data_package"
LIKE = {"model": "baseline-prior", "data": f"medvision:{DATA}", "words": "upstream", "tools": "off"}
needs_upstream = pytest.mark.skipif(
    not find_spec("medvision_bm"), reason="medvision-bm is not installed; `make beside` installs it and runs this"
)


def beside(*folders: Path) -> str:
    return os.pathsep.join([*map(str, folders), os.environ.get("PYTHONPATH", "")])


@pytest.fixture
def standin(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", beside(LENDER))


def python_without_packages(folder: Path) -> Path:
    path = folder / "python"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "$@"\n')
    path.chmod(0o755)
    return path


def settings(**given) -> Settings:
    chosen = Selection(tasks=tuple(given.pop("tasks", ("size",))), limit=given.pop("limit", 2))
    return Settings.model_validate({**LIKE, "selection": chosen, **given})


def run(*words):
    done = subprocess.run([COMMAND, *words], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, " ".join(done.stderr.split())


def asked_of(out: Path, **more) -> tuple:
    words = ("run", "--model", "baseline-prior", "--data", f"medvision:{DATA}", "--task", "size", "--limit", "1")
    options = [f"--{name}={value}" for name, value in more.items()]
    return run(*words, "--words", "upstream", "--out", str(out), *options)


@pytest.mark.usefixtures("standin")
def test_a_run_sends_the_texts_of_the_package_and_says_whose_they_are(tmp_path):
    code, out, err = asked_of(tmp_path / "off", tools="off")
    assert code == 0, err
    assert "in the words of medvision-bm 0.1" in " ".join(out.split())
    stored = open_run(tmp_path / "off")
    assert stored.identity.words_origin["version"] == "0.1"
    for record in stored.records:
        (message, *_) = read_trace(stored.folder, record.sample.id)["messages"]
        assert message["type"] == "human"  # upstream sends no system text
        text = message["content"][-1]["text"]
        height, width = record.sample.medvision.image_size_2d
        assert text.startswith(f"Stand-in: how large is the {record.sample.label}, {width} x {height} px")


@pytest.mark.usefixtures("standin")
def test_reports_and_tables_say_whose_words_they_are(tmp_path):
    assert asked_of(tmp_path / "run", tools="off")[0] == 0
    code, _, err = run("report", str(tmp_path / "run"), "--out", str(tmp_path / "page.html"))
    assert code == 0, err
    assert "medvision-bm 0.1 (SHA-256 of its files" in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert set(mva.load(tmp_path / "run").samples()["words"]) == {"medvision-bm 0.1"}


@pytest.mark.usefixtures("standin")
def test_tools_stand_beside_the_same_question(tmp_path):
    for tools in ("off", "on"):
        code, _, err = asked_of(tmp_path / tools, tools=tools)
        assert code == 0, err
    off, on = (open_run(tmp_path / tools) for tools in ("off", "on"))
    for without, with_tools in zip(off.records, on.records, strict=True):
        assert without.prompt_sha256 == with_tools.prompt_sha256
        system, question, *_ = read_trace(on.folder, with_tools.sample.id)["messages"]
        assert "Tools can be called" in system["content"]
        assert question == read_trace(off.folder, without.sample.id)["messages"][0]
    assert run_parity(off, on) == []


@pytest.mark.usefixtures("standin")
def test_arms_in_different_words_are_not_compared(tmp_path):
    assert asked_of(tmp_path / "theirs", tools="off")[0] == 0
    assert asked_of(tmp_path / "ours", tools="on", words="shipped")[0] == 0
    code, _, err = run("compare", str(tmp_path / "theirs"), str(tmp_path / "ours"))
    assert code == 2
    assert "words" in err


@pytest.mark.usefixtures("standin")
def test_a_run_goes_on_in_the_same_words_alone(tmp_path):
    assert asked_of(tmp_path / "run", tools="off")[0] == 0
    again = ("run", "--model", "baseline-prior", "--data", f"medvision:{DATA}", "--task", "size", "--limit", "1")
    code, _, err = run(*again, "--tools", "off", "--out", str(tmp_path / "run"), "--resume")
    assert code == 2
    assert "words" in err


@pytest.mark.usefixtures("standin")
def test_the_texts_of_a_run_have_one_hash_and_the_sizes_of_its_model():
    one, same, other = (
        prepare(settings(tasks=["size"], **given), asking=False)
        for given in ({}, {"tools": "on"}, {"model": "medgemma-4b"})
    )
    assert one.identity.words_sha256 == same.identity.words_sha256 != other.identity.words_sha256
    assert one.identity.words_origin == other.identity.words_origin
    assert all("896 x 896 px" in text for text in other.wording.lent.values())


@pytest.mark.usefixtures("standin")
@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"data": "demo"}, "is not MedVision's"),
        ({"wording": 2}, "leave out --wording 2"),
        ({"spacing": "tool"}, "leave out --spacing tool"),
        ({"display": "grid"}, "leave out --display grid"),
        ({"frame": "pixel"}, "and the frame is pixel; give --frame medvision"),
        ({"recipe": "paper-v1"}, "give --recipe medvision-1.2, or only --task detection"),
        ({"upstream_python": Path("nowhere/python")}, "nowhere/python: cannot be started"),
    ],
)
def test_what_cannot_be_asked_in_upstreams_words_is_refused_before_the_first_request(given, why):
    with pytest.raises(ConfigError, match=why):
        prepare(settings(**given), asking=False)


@pytest.mark.parametrize(
    ("task", "gone", "instead", "why"),
    [
        ("angle", "lines = task", "lines = task['none']", "no prompt for sample .*KeyError: 'none'"),
        ("detection", "text_BoxCoordinate(", "text_Boxes(", "no prompt for sample .*text_BoxCoordinate"),
        ("detection", '? {FORM}"', '"[:0]', "no prompt for sample .*expected a text"),
        ("size", "def _load_nifti_2d", "def _load", "has no _load_nifti_2d"),
    ],
)
def test_what_a_version_of_the_package_lacks_is_said(task, gone, instead, why, tmp_path, monkeypatch):
    other = copytree(LENDER, tmp_path / "other")
    file = other / "lmms_eval/tasks/medvision/medvision_utils.py"
    file.write_text(file.read_text().replace(gone, instead))
    monkeypatch.setenv("PYTHONPATH", beside(other))
    with pytest.raises(ConfigError, match=why):
        prepare(settings(tasks=[task]), asking=False)


def test_without_the_package_it_says_what_to_install(tmp_path):
    with pytest.raises(ConfigError, match=r"medvision-bm is not installed.*name the Python of that environment"):
        prepare(settings(upstream_python=python_without_packages(tmp_path)), asking=False)


def test_a_program_that_fails_or_tells_too_little_is_an_error(tmp_path):
    path = tmp_path / "python"
    question = Asked("a", "BoxCoordinate", {}, {}, (1, 1), (1.0, 1.0), (1, 1), (1, 1), (1, 1))
    for script, why in [
        ("echo gone >&2; exit 3", "status 3: gone"),
        (': > "$3"', "no version"),
        ("exit 0", "asks MedVision's package for prompts wrote nothing"),
    ]:
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        with pytest.raises(ConfigError, match=why):
            lent([question], path)


@pytest.mark.usefixtures("standin")
def test_workers_ask_in_the_same_words(tmp_path):
    assert asked_of(tmp_path / "one", tools="off")[0] == 0
    assert asked_of(tmp_path / "two", tools="off", processes=2)[0] == 0
    one, two = (open_run(tmp_path / name).records for name in ("one", "two"))
    assert {record.sample.id: record.prompt_sha256 for record in one} == {
        record.sample.id: record.prompt_sha256 for record in two
    }


@pytest.mark.usefixtures("standin")
def test_the_replay_of_the_published_experiment_asks_for_boxes_in_them():
    rows = HERE.parents[2] / "examples/published-gemini/models.yaml"
    given = {"model": "published-literal", "models_file": rows, "recipe": "paper-v1", "tasks": ["detection"]}
    prepared = prepare(settings(**given), asking=False)
    assert all(text.startswith("Stand-in: where is") for text in prepared.wording.lent.values())


FAMILIES = {
    "detection": "BoxCoordinate",
    "size": "TumorLesionSize",
    "angle": "BiometricsFromLandmarks",
    "distance": "BiometricsFromLandmarks",
}
KEYS = {
    "medgemma-4b": "medgemma",
    "meddr-40b": "meddr",
    "llava-med-7b": "llava_med",
}
"""Some rows, and upstream's keys of these models, whose sizes it works out without their checkpoints."""


@needs_upstream
@pytest.mark.parametrize("form", ["direct", "cot"])
def test_the_prompt_is_what_upstreams_own_functions_give(form, tmp_path, monkeypatch):
    """Upstream reads the volumes, the plans and the sizes itself; the texts are the same to the letter."""
    monkeypatch.setenv("PYTHONPATH", beside(DATA_PACKAGE))
    assert set(KEYS) <= set(load_catalogue())
    plans = {(one.dataset, one.kind, one.version): one.path for one in MedVisionSource(DATA, Reading()).plans}
    questions, texts = [], []
    for model, key in KEYS.items():
        prepared = prepare(settings(model=model, form=form, tasks=FAMILIES, limit=3), asking=False)
        assert {sample.task for sample in prepared.samples} == set(FAMILIES)
        for sample in prepared.samples:
            facts = sample.medvision
            kind = "detection" if sample.asks.is_box else "biometry"
            plan = plans[facts.dataset_name, kind, facts.annotation_version]
            function = FAMILIES[sample.task] + ("_CoT" if form == "cot" else "")
            questions.append([function, key, str(plan.resolve()), facts.record()])
            texts.append(prepared.wording.lent[sample.id])
    (tmp_path / "asked.json").write_text(json.dumps(questions))
    words = [sys.executable, str(HERE / "original.py"), str(tmp_path / "asked.json"), str(tmp_path / "told.json")]
    subprocess.run(words, cwd=DATA, check=True, capture_output=True)
    assert json.loads((tmp_path / "told.json").read_text()) == texts
    assert len(set(texts)) > len(KEYS) * len(FAMILIES)
