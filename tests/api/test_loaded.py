"""``load``: runs, studies and folders as tables and pictures."""

import hashlib
import json
import math
import shutil

import pytest

import medvision_agent as mva
from medvision_agent.errors import ConfigError, StorageError
from medvision_agent.eval.store.shard import Shard
from medvision_agent.eval.summary.measures import MEASURES
from medvision_agent.eval.tables.samples import column_of
from medvision_agent.tools.view.png import encode_png


def test_a_run_a_study_and_a_folder_are_known_apart(stored):
    run, study, folder = mva.load(stored / "on"), mva.load(stored / "study"), mva.load(str(stored))
    assert (run.kind, study.kind, folder.kind) == ("run", "study", "folder")
    assert list(run.folders) == ["on"]
    assert len(study.folders) == len(list((stored / "study/cells").iterdir()))
    assert {"on", "off", *(f"study/{name}" for name in study.folders)} <= set(folder.folders)
    table = study.samples()
    assert table.arm.nunique() == len({cell for cell in study.runs.values() for cell in [cell.config["arm"]]})
    assert set(table.run) == set(study.folders)


def test_a_shard_that_is_being_written_is_no_run(stored, tmp_path):
    shutil.copytree(stored / "study", tmp_path / "study")
    before = mva.load(tmp_path / "study")
    for run in before.folders.values():
        Shard(run / "shards" / "w" / "1", run="", packs=True)._writer.close()
    assert mva.load(tmp_path / "study").folders == before.folders
    assert mva.load(tmp_path).folders.keys() == {f"study/{name}" for name in before.folders}
    (tmp_path / "study" / "study.json").write_text("{}", encoding="utf-8")
    assert mva.verify(tmp_path / "study").runs.keys() == before.folders.keys()


def test_a_folder_without_runs_is_refused(tmp_path, stored):
    for folder in (tmp_path, tmp_path / "none", stored / "samples.jsonl"):
        with pytest.raises(StorageError, match="holds no run"):
            mva.load(folder)


def test_a_broken_run_is_refused(tmp_path):
    (tmp_path / "run.sqlite").write_text("no database, but longer than a header of one hundred bytes " * 3)
    with pytest.raises(StorageError, match=r"run\.sqlite"):
        mva.load(tmp_path)


@pytest.mark.parametrize("protocol", ["as then", "medvision-1.2", "paper-v1"])
@pytest.mark.parametrize("name", ["on", "off", "options", "scripted", "cot", "native", "text", "code"])
def test_scores_are_those_of_score_json(stored, name, protocol):
    if protocol == "as then":  # what `score --json` of version 0.1.0 printed
        scores, summary = mva.load(stored / name).scores(), json.loads((stored / f"{name}.score.json").read_text())
    else:
        scores, summary = mva.load(stored / name).scores(protocol), mva.score(stored / name, protocol).to_json()
    assert set(scores.protocol) == {summary["summary"]["protocol"]}
    for task, one in summary["summary"]["tasks"].items():
        own = scores[(scores.task == task) & scores.loss.notna()]
        assert len(own) == one["n"]
        for measure in MEASURES[task]:
            values = own[column_of(measure)].astype(float)
            finite = values[values.map(math.isfinite)]
            assert len(finite) == one["metrics"][measure.name]["n"]
            if len(finite):
                assert finite.mean() == pytest.approx(one["metrics"][measure.name]["mean"])


def test_a_study_is_scored_by_the_protocol_it_declared(stored):
    assert set(mva.load(stored / "study").scores().protocol) == {"medvision-1.2"}
    assert set(mva.load(stored / "study").scores("paper-v1").protocol) == {"paper-v1"}
    with pytest.raises(ConfigError, match="protocol: 'paper' is unknown"):
        mva.load(stored / "on").scores("paper")


def test_pictures_are_the_ones_sent(runs):
    loaded = mva.load(runs / "on")
    record = loaded.runs["on"].records[0]
    pixels = loaded.picture(record.sample.id)
    assert hashlib.sha256(encode_png(pixels)).hexdigest() == record.v0_sha256
    drawn = loaded.tool_calls().picture.dropna()
    colours = [loaded.picture(sha256=key) for key in drawn]
    assert {picture.ndim for picture in colours} == {2, 3}
    assert [hashlib.sha256(encode_png(picture)).hexdigest() for picture in colours] == list(drawn)
    assert loaded.png(record.sample.id).startswith(b"\x89PNG")


def test_wrong_names_of_pictures_are_refused(runs, stored):
    loaded = mva.load(runs)
    known = loaded.samples().id[0]
    for given, words in (
        ({}, "either the id"),
        ({"sample": known, "sha256": "0" * 64}, "either the id"),
        ({"sample": known[:-1]}, f"Did you mean '{known}'"),
        ({"sha256": "../../on/run.sqlite"}, "not a SHA-256"),
        ({"sample": known, "run": "onn"}, "Did you mean 'on'"),
    ):
        with pytest.raises(ConfigError, match=words):
            loaded.png(**given)
    with pytest.raises(StorageError, match="no image with the SHA-256 hash 0000"):
        loaded.png(sha256="0" * 64)


def test_a_picture_that_was_changed_is_refused(stored):
    loaded = mva.load(stored / "off")
    file = next((stored / "off/pictures").rglob("*.png"))
    before = file.read_bytes()
    file.unlink()
    file.write_bytes(before + b"x")
    with pytest.raises(StorageError, match="changed after it was stored"):
        loaded.png(sha256=file.stem)


def test_a_run_in_progress_can_be_looked_at(stored):
    loaded = mva.load(stored / "unfinished")
    assert 0 < loaded.samples().outcome.notna().sum() < len(loaded.samples())


def test_rows_of_the_tables_belong_together(runs):
    loaded = mva.load(runs)
    counted = loaded.tool_calls().groupby(["run", "id"]).size()
    table = loaded.samples().set_index(["run", "id"]).tool_calls
    assert counted.to_dict() == table[table > 0].to_dict()
    assert json.loads(loaded.tool_calls().arguments[0])
