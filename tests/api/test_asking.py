"""``run``, ``rerun``, ``estimate`` and ``ablate`` as scripts and notebooks call them."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

import medvision_agent as mva
from medvision_agent.api.studying import lay_out
from medvision_agent.errors import ConfigError, StorageError
from medvision_agent.eval.settings.settings import Settings
from medvision_agent.eval.store.read import open_run

SMALL = {"model": "baseline-cv", "selection": {"limit": 1}, "progress": False}


def asked_in_a_loop(tmp_path):
    async def notebook():
        return mva.run(**SMALL, out=tmp_path / "run")

    return asyncio.run(notebook())


def test_run_works_inside_a_running_event_loop_and_prints_nothing(tmp_path, capfd):
    ran = asked_in_a_loop(tmp_path)
    assert (ran.left, ran.used_up, ran.interrupted, ran.unanswered) == (0, "", False, [])
    assert list(ran.samples().outcome.unique()) == ["answered"]
    assert ran.folders == mva.load(tmp_path / "run").folders
    assert capfd.readouterr() == ("", "")


def test_progress_goes_to_the_error_stream(tmp_path, capfd):
    mva.run(**SMALL | {"progress": True}, out=tmp_path / "run")
    out, err = capfd.readouterr()
    first, *lines = err.splitlines()
    assert (out, first) == ("", f"writing to {tmp_path / 'run'}")
    assert [line.partition(",")[0] for line in lines] == ["baseline-cv: 1 of 4", "baseline-cv: 4 of 4"]


def test_a_box_of_another_convention_is_read_alike_by_summary_table_and_report(tmp_path):
    (tmp_path / "script.json").write_text('["<answer>[398,699,512,801]</answer>"]')
    settings = {"model": "scripted", "script": str(tmp_path / "script.json"), "tools": "off", "progress": False}
    select = {"limit": 1, "tasks": ("detection",)}
    ran = mva.run(**settings, frame="norm1000-yx", selection=select, out=tmp_path / "run")
    (row,) = ran.samples().to_dict("records")
    assert row["loss"] == pytest.approx(1 - 0.9894, abs=5e-5)
    assert [row[f"answer_{number}"] for number in (1, 2, 3, 4)] == pytest.approx([0.699, 0.488, 0.801, 0.602])
    assert mva.score(tmp_path / "run").summary.tasks["detection"].metrics["IoU"].mean == pytest.approx(0.9894, abs=5e-5)
    mva.report(tmp_path / "run", tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "0.699, 0.488, 0.801, 0.602" in page
    assert "coordinates norm1000-yx (boxes read by our own rule)" in page


def test_settings_are_fields_by_name_or_a_settings_object(tmp_path):
    one = mva.run(**SMALL, tools="off", limits={"tool_calls": 3}, out=tmp_path / "one")
    settings = Settings(model="baseline-cv", selection={"limit": 1}, tools="crop", limits={"tool_calls": 3})
    two = mva.run(settings, tools="off", out=tmp_path / "two", progress=False)
    assert one.run.identity == two.run.identity
    assert one.run.identity.limits.tool_calls == 3


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"modle": "x"}, "unknown setting 'modle'.*Did you mean 'model'"),
        ({"selection": {"limt": 1}}, "selection.limt: unknown key"),
        ({"limits": {"tool_calls": 0}}, "limits.tool_calls: "),
        ({"resume": True}, "resume=True needs out="),
        ({"model": "baseline-cw"}, "Did you mean 'baseline-cv'"),
    ],
)
def test_wrong_settings_are_named(tmp_path, monkeypatch, given, words):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=words):
        mva.run(**SMALL | given)
    assert list(tmp_path.iterdir()) == []


def test_without_a_folder_a_run_gets_one_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = mva.run(**SMALL, tools="off")
    assert ran.path.parent == Path("runs")
    assert ran.path.name.endswith("-baseline-cv-tools-off")


def test_a_run_is_continued_and_never_overwritten(tmp_path):
    first = mva.run(**SMALL, budget={"seconds": 1e-9}, out=tmp_path / "run")
    assert "the time allowed" in first.used_up
    assert first.left > 0
    with pytest.raises(StorageError, match="already holds a run"):
        mva.run(**SMALL, out=tmp_path / "run")
    again = mva.run(**SMALL, out=tmp_path / "run", resume=True)
    assert again.left == 0


def test_rerun_asks_the_same_but_for_what_is_given(runs, tmp_path):
    again = mva.rerun(runs / "on", tmp_path / "again", tools="off", progress=False)
    assert again.run.identity.condition == "off"
    assert mva.compare(runs / "off", tmp_path / "again").comparison.pairs == len(again.samples())


def test_estimate_asks_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = mva.estimate(model="gemini-2.5-flash", selection={"limit": 1})
    assert found.samples == 4
    assert list(tmp_path.iterdir()) == []


def test_a_study_is_previewed_asked_and_continued(tmp_path):
    file = tmp_path / "study.yaml"
    file.write_text(json.dumps({"name": "s", "models": ["baseline-cv"], "designs": ["on-off"], "limit": 1}))
    assert mva.preview(file).tests > 0
    first = mva.ablate(file, tmp_path / "out", budget={"seconds": 1e-9}, progress=False)
    assert first.left > 0
    assert "the time allowed" in first.used_up
    done = mva.ablate(file, tmp_path / "out", progress=False)
    assert (done.left, done.problems) == (0, [])
    assert set(done.samples().arm) == {"on", "off"}
    assert mva.load(tmp_path / "out").folders == done.folders
    with pytest.raises(ConfigError, match=r"budget\.euros"):
        mva.ablate(file, tmp_path / "out", budget={"euros": 1}, progress=False)


def test_ctrl_c_in_a_script_stores_what_was_finished_and_is_raised(tmp_path):
    code = (
        "import os, signal, medvision_agent as mva\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # pytest in the background ignores it
        "from medvision_agent.api.progress import RunProgress\n"
        "add = RunProgress.add\n"
        "def once(self, record):\n"
        "    RunProgress.add = add; add(self, record); os.kill(os.getpid(), signal.SIGINT)\n"
        "RunProgress.add = once\n"
        "try: mva.run(model='baseline-cv', selection={'limit': 1}, out='run', max_connections=1)\n"
        "except KeyboardInterrupt: print('raised')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "raised\n", done.stderr
    assert "finishing the samples in flight" in done.stderr
    run = open_run(tmp_path / "run")
    assert 1 <= len(run.records) < len(run.samples)
    assert mva.run(**SMALL, out=tmp_path / "run", resume=True).left == 0


def test_what_says_who_asks_a_study_goes_before_its_file(tmp_path):
    file = tmp_path / "study.yaml"
    study = {"name": "s", "models": ["baseline-cv"], "designs": ["on-off"], "processes": 3, "address": "there:1"}
    file.write_text(json.dumps(study))
    given = {"processes": None, "engine": "ray", "address": "here:1", "gpus": 0.5}
    for cell in lay_out(file, tmp_path / "out", workers=given).cells:
        settings = cell.prepared.settings
        found = settings.processes, settings.engine, settings.address, settings.gpus
        assert found == (3, "ray", "here:1", 0.5)
