"""Shards taken into their run: in whatever order and however often, the run holds each record once, and is sealed."""

import asyncio
import shutil
import sqlite3
from contextlib import closing, contextmanager, suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.trace import ToolCallTrace, Trace
from medvision_agent.errors import StorageError
from medvision_agent.eval.store.read import open_run, read_traces
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.shard import Shard, hash_in_name, left_in, mark_of, new_token, sees
from medvision_agent.eval.store.verify import verify_run
from medvision_agent.eval.store.write import RunStore

from .conftest import CONFIG, IDENTITY, SAMPLES

KEYS = [(number, attempt) for number in (0, 2, 1, 3) for attempt in (1, 2)]


def trace_of(number, attempt, worker):
    call = ToolCallTrace("ruler", "c", {"x": number}, True, "{}", None, 0.1)
    return Trace([{"type": "ai", "content": f"{f'all about {number % 2}, ' * 20}{number} {attempt} {worker}"}], [call])


def shard_of(folder, worker, number, keys, *, packs=True, close=True):
    """Write a shard as a worker does."""
    with closing(sqlite3.connect(folder / "run.sqlite")) as database:
        run = mark_of(database)
    shard = Shard(folder / "shards" / worker / str(number), run=run, packs=packs)
    for sample, attempt in keys:
        record = Record(sample=SAMPLES[sample], attempt=attempt, outcome=Outcome.ANSWERED, response=worker)
        shard.submit(record, trace_of(sample, attempt, worker).to_json()).result()
    return shard.close() if close else shard


@contextmanager
def left_open(folder, keys):
    """Leave a shard as a worker does that died: its log is not in its file."""
    shard = shard_of(folder, "w", 1, keys, close=False)
    try:
        yield shard
    finally:
        with suppress(StorageError):  # it is merged, and gone
            shard.close()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shards=st.lists(st.lists(st.sampled_from(KEYS), unique=True, max_size=3), min_size=1, max_size=4),
    order=st.lists(st.integers(0, 3), min_size=1, max_size=8),
)
def test_merging_is_idempotent_and_the_first_record_stays(shards, order, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "run"
    with RunStore.create(folder, SAMPLES, IDENTITY, CONFIG) as store:
        files = [shard_of(folder, f"w{at}", 1, keys) for at, keys in enumerate(shards)]
        expected, copies = {}, [(folder / f"copy{at}", file) for at, file in enumerate(files)]
        for copy, file in copies:
            shutil.copy(file, copy)
        for at in order:
            one = at % len(files)
            shutil.copy(copies[one][0], files[one])
            merged = asyncio.run(store.merge_async(files[one]))
            assert not list(store.refusals())
            assert sorted(merged.keys) == sorted((SAMPLES[sample].id, attempt) for sample, attempt in shards[one])
            for key in shards[one]:
                expected.setdefault(key, f"w{one}")
    run = open_run(folder)
    found = {(one.sample.id, one.attempt): one.response for one in (*run.records, *run.superseded)}
    assert found == {(SAMPLES[sample].id, attempt): worker for (sample, attempt), worker in expected.items()}
    latest = {one.sample.id: (one.attempt, one.response) for one in run.records}
    for sample_id, trace in read_traces(folder):
        attempt, worker = latest[sample_id]
        assert trace["messages"][0]["content"].endswith(f"{attempt} {worker}")
    assert not verify_run(folder).damage


def test_a_shard_holds_what_the_run_holds_byte_for_byte(tmp_path):
    with RunStore.create(tmp_path / "one", SAMPLES, IDENTITY, CONFIG) as store:
        for sample, attempt in KEYS:
            record = Record(sample=SAMPLES[sample], attempt=attempt, outcome=Outcome.ANSWERED, response="w")
            store.add(record, trace_of(sample, attempt, "w"))
    with RunStore.create(tmp_path / "many", SAMPLES, IDENTITY, CONFIG) as store:
        shard_of(tmp_path / "many", "w", 1, KEYS[:4])
        shard_of(tmp_path / "many", "w", 2, KEYS[4:])
        assert [len(merged.keys) for merged in store.merge_left()] == [4, 4]
    query = "SELECT sample_id, attempt, outcome, json, trace_sha256, sha256 FROM record ORDER BY rowid"
    rows = []
    for name in ("one", "many"):
        with closing(sqlite3.connect(tmp_path / name / "run.sqlite")) as database:
            rows.append(database.execute(query).fetchall())
    assert rows[0] == rows[1]
    assert verify_run(tmp_path / "one").seal == verify_run(tmp_path / "many").seal
    assert not verify_run(tmp_path / "many").damage, "each trace stays packed against one of its own shard"


def test_a_shard_whose_worker_died_is_taken_in_as_far_as_it_goes(tmp_path):
    folder = tmp_path / "run"
    with RunStore.create(folder, SAMPLES, IDENTITY, CONFIG) as store, left_open(folder, KEYS[:3]):
        (merged,) = store.merge_left("w")
        assert len(merged.keys) == 3
        assert not list(left_in(folder))
    assert not verify_run(folder).damage


@pytest.mark.parametrize("closed", [True, False])
def test_a_shard_that_is_not_what_was_written_is_refused_by_name(closed, tmp_path):
    folder = tmp_path / "run"
    with RunStore.create(folder, SAMPLES, IDENTITY, CONFIG) as store:
        file = shard_of(folder, "w", 1, KEYS[:3])
        good = shard_of(folder, "w", 2, KEYS[3:])
        if not closed:  # with hashes that hold, as a worker leaves it
            (folder / "shards" / "w" / "3").mkdir()
            file = file.rename(folder / "shards" / "w" / "3" / "run.sqlite")
        with closing(sqlite3.connect(file)) as database, database:
            database.execute("UPDATE record SET json = replace(json, 'w', 'x')")
        merged = store.merge_left()
        (refused,) = store.refusals()
        assert refused.shard == ("w/1" if closed else "w/3")
        assert str(file) in refused.why
        assert f"kept as {file}.damaged" in refused.why
        assert sorted(len(one.keys) for one in merged) == [0, len(KEYS) - 3]
        assert not good.exists()
    assert not verify_run(folder).damage


def test_a_shard_of_another_run_is_refused(tmp_path):
    with RunStore.create(tmp_path / "run", SAMPLES[1:], IDENTITY, CONFIG) as store:
        shard_of(tmp_path / "run", "w", 1, KEYS)
        store.merge_left()
        (refused,) = store.refusals()
        assert "this run has no sample 's0'" in refused.why
    assert not open_run(tmp_path / "run").records


def test_a_shard_of_a_run_that_asked_the_same_samples_otherwise_is_refused(tmp_path):
    with RunStore.create(tmp_path / "one", SAMPLES, IDENTITY, CONFIG) as store:
        file = shard_of(tmp_path / "one", "w", 1, KEYS)
    with RunStore.create(tmp_path / "two", SAMPLES, IDENTITY.but(form="cot"), CONFIG) as store:
        (tmp_path / "two" / "shards" / "w").mkdir(parents=True)
        shutil.copy(file, tmp_path / "two" / "shards" / "w")
        store.merge_left()
        (refused,) = store.refusals()
        assert "begun with other settings" in refused.why
    assert not open_run(tmp_path / "two").records


def test_a_shard_stays_where_the_run_cannot_be_written(tmp_path):
    folder = tmp_path / "run"
    with RunStore.create(folder, SAMPLES, IDENTITY, CONFIG) as store:
        file = shard_of(folder, "w", 1, KEYS)
        store._writer.do(lambda database: database.execute("PRAGMA query_only = 1"))
        with pytest.raises(StorageError, match=r"was not merged into the run: .*readonly"):
            asyncio.run(store.merge_async(file))
        assert file.exists()
        assert hash_in_name(file)


@contextmanager
def no_file_may_grow_beyond(size):
    """Limit the size of files in bytes, as a full disk does."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_shard_that_was_left_open_stays_where_there_is_no_room_for_its_copy(tmp_path):
    folder = tmp_path / "run"
    with RunStore.create(folder, SAMPLES, IDENTITY, CONFIG) as store, left_open(folder, KEYS):
        with no_file_may_grow_beyond(8192), pytest.raises(StorageError, match=r"was not merged into the run.*is kept"):
            store.merge_left()
        assert [one.parent.name for one in left_in(folder)] == ["1"]
        assert not list(store.refusals()), "nothing says that it is damaged"
        assert [len(merged.keys) for merged in store.merge_left()] == [len(KEYS)]
    assert not verify_run(folder).damage


def test_a_shard_that_was_removed_after_it_was_closed_is_named_and_said_to_be_missing(tmp_path):
    folder = tmp_path / "run"
    with RunStore.create(folder, SAMPLES, IDENTITY, CONFIG) as store:
        file = shard_of(folder, "w", 1, KEYS)
        file.unlink()
        asyncio.run(store.merge_async(file))
        (refused,) = store.refusals()
        missing = "the shard is missing: its worker closed it, and it was removed after that"
        assert refused.why == f"{file}: {missing}; it is not merged into the run"


def test_a_worker_knows_by_a_token_whether_it_sees_the_run(tmp_path):
    token = new_token(tmp_path)
    assert sees(tmp_path, token)
    assert not sees(tmp_path, "0" * 32)
    assert not sees(tmp_path / "elsewhere", token)


def test_a_shard_that_cannot_be_closed_keeps_what_is_in_its_log(tmp_path):
    folder = tmp_path / "run"
    with RunStore.create(folder, SAMPLES, IDENTITY, CONFIG) as store:
        shard = shard_of(folder, "w", 1, KEYS[:3], close=False)
        with closing(sqlite3.connect(folder / "shards" / "w" / "1" / "run.sqlite")) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM record").fetchall()  # as on a full disk, the log stays
            with pytest.raises(StorageError, match="cannot be closed"):
                shard.close()
        (merged,) = store.merge_left()
        assert len(merged.keys) == 3
    assert not verify_run(folder).damage
