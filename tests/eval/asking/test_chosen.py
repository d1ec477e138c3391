"""A run that is resumed asks the samples that it holds where all is as it was, and lists its data where it is not."""

import shutil

import pytest
from click.testing import CliRunner

import medvision_agent as mva
from medvision_agent.cli.main import cli
from medvision_agent.errors import StorageError
from medvision_agent.eval.asking import chosen
from medvision_agent.eval.asking.launch import prepare
from medvision_agent.eval.asking.pool import Asks
from medvision_agent.eval.data.sources import jsonl
from medvision_agent.eval.settings.settings import Settings
from medvision_agent.eval.store import asked
from medvision_agent.eval.store.read import open_run, read_config
from medvision_agent.eval.store.schema import set_fact
from medvision_agent.eval.store.write import RunStore
from medvision_agent.eval.tasks import TASKS


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """Return a folder with data and a run of which only a part was asked."""
    root = tmp_path_factory.mktemp("begun")
    assert CliRunner().invoke(cli, ["data", "export", "--limit", "3", "--out", str(root / "data")]).exit_code == 0
    run = mva.run(**settings(root), budget={"seconds": 1e-9})
    assert run.left > 0
    return root


@pytest.fixture
def root(begun, tmp_path, monkeypatch):
    """Return a copy of it, in which reading the data once more is on record."""
    shutil.copytree(begun, tmp_path / "copy")
    listed, read = [], jsonl._read
    monkeypatch.setattr(jsonl, "_read", lambda *given: listed.append(1) or read(*given))
    return tmp_path / "copy", listed


def settings(root, **given):
    data = str(root / "data/samples.jsonl")
    return {"model": "baseline-cv", "data": data, "out": root / "run", "progress": False} | given


def test_nothing_is_listed_where_nothing_changed(root):
    folder, listed = root
    before = open_run(folder / "run").identity
    assert mva.run(**settings(folder, resume=True)).left == 0
    assert listed == []
    after = open_run(folder / "run")
    assert list(before.differences(after.identity)) == []
    assert [record.sample for record in after.records] == list(after.samples)


def test_a_resume_is_prepared_without_making_a_sample(root, monkeypatch):
    folder, listed = root
    made, at = [], asked._at
    monkeypatch.setattr(asked, "_at", lambda *given: made.append(1) or at(*given))
    given = {name: value for name, value in settings(folder, resume=True).items() if name != "progress"}
    samples = prepare(Settings(**given)).samples
    assert made == listed == []
    assert {task for task in TASKS if samples.asks(task)} == set(samples.summed.tasks)
    assert made


def test_a_file_that_was_touched_is_listed_and_its_samples_are_known_again(root):
    folder, listed = root
    with (folder / "data/samples.jsonl").open("a") as file:
        file.write("\n\n")
    assert mva.run(**settings(folder, resume=True)).left == 0
    assert listed


def test_samples_that_changed_are_refused(root):
    folder, _ = root
    file = folder / "data/samples.jsonl"
    file.write_text(file.read_text().replace('"subject":"', '"subject":"other ', 1))
    with pytest.raises(StorageError, match="samples_sha256"):
        mva.run(**settings(folder, resume=True))


def test_another_selection_is_listed_and_refused(root):
    folder, listed = root
    with pytest.raises(StorageError, match="sample_ids_sha256"):
        mva.run(**settings(folder, resume=True, selection={"limit": 2}))
    assert listed


@pytest.mark.parametrize("code", ["code_sha256", "eval_sha256"])
def test_under_other_code_and_in_runs_of_earlier_versions_the_data_is_listed(root, monkeypatch, code):
    folder, listed = root
    config = read_config(folder / "run")
    with RunStore.resume(folder / "run", open_run(folder / "run").identity) as store:
        store._writer.do(lambda database: _set(database, {key: config[key] for key in config if key != "listing"}))
    assert mva.run(**settings(folder, resume=True, budget={"seconds": 1e-9})).left > 0
    assert len(listed) == 1
    with RunStore.resume(folder / "run", open_run(folder / "run").identity) as store:
        store._writer.do(lambda database: _set(database, config))
    monkeypatch.setattr(chosen, code, lambda: "other")
    assert mva.run(**settings(folder, resume=True)).left == 0
    assert len(listed) == 2


def test_a_file_that_changed_while_it_was_read_is_not_known_again(root, monkeypatch):
    folder, _ = root
    file, read = folder / "data/samples.jsonl", jsonl._read

    def reading(*given):
        yield from read(*given)
        file.write_bytes(file.read_bytes() + b"\n")

    monkeypatch.setattr(jsonl, "_read", reading)
    mva.run(**settings(folder, out=folder / "other", budget={"seconds": 1e-9}))
    assert "listing" not in read_config(folder / "other")
    assert "listing" in read_config(folder / "run")


def _set(database, config):
    set_fact(database, "config", config)


def test_phantoms_are_known_by_their_name(tmp_path, monkeypatch):
    given = {"model": "baseline-cv", "data": "phantom:3:1", "out": tmp_path / "run", "progress": False}
    assert mva.run(**given, budget={"seconds": 1e-9}).left > 0
    monkeypatch.setattr(chosen, "select", None)
    assert mva.run(**given, resume=True).left == 0


def test_what_is_planned_is_made_when_it_is_its_turn():
    made = []
    asks = Asks(made.append(number) or number for number in range(3))
    assert (bool(asks), asks.popleft(), made) == (True, 0, [0])
    asks.appendleft("again")
    asks.extendleft(["first"])
    assert (asks.popleft(), asks.popleft(), made) == ("first", "again", [0])
    assert [asks.popleft(), asks.popleft(), bool(asks)] == [1, 2, False]
    with pytest.raises(IndexError):
        asks.popleft()
