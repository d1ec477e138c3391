"""Damaged shards: each is named, also where only its log is damaged, with what is known to be lost with it."""

import shutil
from contextlib import closing
from sqlite3 import connect

import pytest

from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.store.refused import what_resuming_loses
from medvision_agent.eval.store.shard import left_in
from medvision_agent.eval.store.verify import verify_run
from medvision_agent.eval.store.write import RunStore

from .conftest import CONFIG, IDENTITY, SAMPLES
from .test_merge import KEYS, shard_of

LOG = "run.sqlite-wal"


def left_by_a_dead_worker(folder, keys):
    """Return the database of a shard whose worker was killed: what it stored is in the log beside."""
    shard = shard_of(folder, "w", 1, keys, close=False)
    shutil.copytree(folder / "shards" / "w", folder / "shards" / "dead")
    shard.close()
    shutil.rmtree(folder / "shards" / "w")
    return folder / "shards" / "dead" / "1" / "run.sqlite"


def flip(file, at):
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(content)


def refused_of(folder):
    """Merge what is left, and return the one shard that was refused, and the message of a resume about it."""
    with RunStore.resume(folder, IDENTITY) as store:
        (refused,) = store.refusals()
        return refused, what_resuming_loses(folder, refused)


@pytest.fixture
def folder(tmp_path):
    with RunStore.create(tmp_path / "run", SAMPLES, IDENTITY, CONFIG):
        return tmp_path / "run"


@pytest.mark.parametrize(
    ("damage", "lacking", "intact"),
    [
        (lambda log: flip(log, -1), 1, 2),
        (lambda log: log.write_bytes(log.read_bytes()[:-1]), 1, 2),
        (lambda log: flip(log, 100), 3, 0),
        (lambda log: flip(log, 16), 3, 0),
        (lambda log: log.write_bytes(b""), 3, 0),
        (lambda log: log.unlink(), 3, 0),
    ],
    ids=["its last bit", "its end", "its first page", "its head", "emptied", "removed"],
)
def test_a_shard_whose_log_is_damaged_is_named_and_kept_with_its_log(damage, lacking, intact, folder):
    file = left_by_a_dead_worker(folder, KEYS[:3])
    damage(file.with_name(LOG))
    left = file.with_name(LOG).read_bytes() if file.with_name(LOG).exists() else None
    refused, message = refused_of(folder)
    assert refused.shard == "dead/1"
    assert message.startswith(f"{file}: the shard lacks {lacking} of the 3 answers that its worker stored: its log was")
    assert f"kept as {file}.damaged" in message
    assert len(refused.intact) == intact
    if intact:
        assert "lost with it: at least 2 finished answers (0 tokens, for 0.0000 US dollars)" in message
    else:
        assert "nothing in it can be read, so that the number of finished answers lost with it is unknown" in message
    if left:
        assert file.with_name(f"{file.name}.damaged-wal").read_bytes() == left, "nothing is taken from what is kept"
    assert not open_run(folder).records
    assert not verify_run(folder).damage


def test_a_shard_whose_log_is_whole_is_merged_and_leaves_nothing(folder):
    file = left_by_a_dead_worker(folder, KEYS[:3])
    with RunStore.resume(folder, IDENTITY) as store:
        assert not list(store.refusals())
    assert len(open_run(folder).records) + len(open_run(folder).superseded) == 3
    assert not file.parent.exists()


def test_the_last_answer_of_a_worker_that_was_killed_before_it_counted_it_is_merged(folder):
    file = left_by_a_dead_worker(folder, KEYS[:3])
    file.with_name("run.sqlite-count").write_text("000000000002\n", encoding="ascii")
    with RunStore.resume(folder, IDENTITY) as store:
        assert not list(store.refusals())
    assert not list(left_in(folder))


def test_what_is_lost_with_a_shard_is_what_can_be_read_in_it_and_is_not_in_the_run(folder):
    shard_of(folder, "good", 1, KEYS[:2])
    file = shard_of(folder, "hurt", 1, KEYS[1:5])
    with closing(connect(file)) as database, database:
        database.execute("UPDATE record SET json = replace(json, 'hurt', 'changed') WHERE rowid = 4")
    refused, message = refused_of(folder)
    assert len(refused.intact) == 3
    assert "lost with it: at least 2 finished answers" in message
    assert message.endswith("; its samples that are not in the run are asked again")


def test_a_shard_that_holds_nothing_but_what_is_in_the_run_loses_nothing(folder):
    shard_of(folder, "good", 1, KEYS)
    flip(shard_of(folder, "hurt", 1, KEYS[:1]), -1)
    _, message = refused_of(folder)
    assert "; every answer that can be read in it is in the run; " in message


def test_nothing_is_counted_of_what_is_no_database_and_of_a_shard_of_another_run(folder, tmp_path):
    shard_of(folder, "w", 1, KEYS).write_bytes(bytes(8192))
    assert not refused_of(folder)[0].intact
    shutil.rmtree(folder / "shards")
    other = tmp_path / "other"
    with RunStore.create(other, SAMPLES, IDENTITY.but(form="cot"), CONFIG):
        shard_of(other, "w", 1, KEYS)
    shutil.copytree(other / "shards", folder / "shards")
    assert not refused_of(folder)[0].intact
