"""A run that is opened is checked as a whole, read when it is asked for, and does not change meanwhile."""

import shutil
import sqlite3
from contextlib import closing

import pytest

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.errors import DamageError, StorageError
from medvision_agent.eval.store.later import Later, streamed
from medvision_agent.eval.store.provenance import libraries
from medvision_agent.eval.store.read import Traces, open_run, read_some
from medvision_agent.eval.store.schema import continue_run
from medvision_agent.eval.store.write import RunStore

from .conftest import IDENTITY, SAMPLES, add


def test_what_is_stored_later_is_left_out(folder):
    before = open_run(folder)
    with RunStore.resume(folder, IDENTITY) as store:
        add(store, 1, attempt=2, outcome=Outcome.NO_ANSWER)
        add(store, 3)
    assert [(one.sample.id, one.attempt) for one in before.records] == [("s0", 2), ("s1", 1), ("s2", 1)]
    assert [(one.sample.id, one.attempt) for one in before.superseded] == [("s0", 1)]
    assert before.pending() == [(SAMPLES[3], 1)]
    now = open_run(folder)
    assert [(one.sample.id, one.attempt) for one in now.records] == [("s0", 2), ("s1", 2), ("s2", 1), ("s3", 1)]
    assert [(one.sample.id, one.attempt) for one in now.superseded] == [("s0", 1), ("s1", 1)]
    assert now.pending() == []


def test_records_are_the_same_where_samples_are_packed_and_read_once(folder, monkeypatch):
    with RunStore.resume(folder, IDENTITY) as store:
        add(store, 3)
        add(store, 2, attempt=2)  # so that superseded records skip a sample
    plain, run = open_run(folder), open_run(folder)
    run.samples.pack()
    monkeypatch.setattr("medvision_agent.eval.store.read._samples", None)
    for name in ("records", "superseded", "draws"):
        own = getattr(plain, name)
        assert list(streamed(getattr(run, name))) == list(streamed(own)) == list(own)
    assert [run.samples[0], run.samples[-1], *run.samples[1:3]] == [SAMPLES[0], SAMPLES[-1], *SAMPLES[1:3]]
    assert (list(run.samples), len(run.samples)) == (SAMPLES, len(SAMPLES))


def test_what_is_left_to_ask_is_told_without_reading_a_record(folder, monkeypatch):
    run = open_run(folder)
    monkeypatch.setattr("medvision_agent.eval.store.read._record", None)
    assert run.pending() == [(SAMPLES[3], 1)]
    assert (len(run.records), len(run.samples), len(run.superseded)) == (3, 4, 1)
    with pytest.raises(TypeError):
        list(run.records)


def test_a_run_is_put_into_words_without_reading_a_record(folder, monkeypatch):
    run = open_run(folder)
    monkeypatch.setattr("medvision_agent.eval.store.read._record", None)
    assert f"<{folder}, records: 3>" in repr(run)


def test_what_is_damaged_after_it_was_opened_is_found_where_it_is_read(folder, edit):
    run = open_run(folder)
    edit("UPDATE record SET json = replace(json, '<answer>2<', '<answer>9<')")
    with pytest.raises(DamageError, match="record of sample 's2'"):
        list(run.records)


def test_a_run_that_is_gone_when_it_is_read_is_said(folder):
    run = open_run(folder)
    shutil.rmtree(folder)
    with pytest.raises(StorageError, match="holds no run"):
        list(run.records)


def test_a_run_that_was_written_since_it_was_read_is_not_gone_on_with(folder):
    before = open_run(folder)
    with RunStore.resume(folder, IDENTITY) as store:
        add(store, 3)
    with (
        RunStore.resume(folder, IDENTITY) as store,
        pytest.raises(StorageError, match="another process wrote to the run"),
    ):
        store._writer.do(lambda database: continue_run(database, before, IDENTITY.code, libraries()))


def test_records_are_drawn_from_all_parts_of_a_run(folder, edit):
    assert [one.sample.id for one in read_some(folder, 20)] == ["s0", "s1", "s2"]
    assert [one.sample.id for one in read_some(folder, 2)] == ["s0", "s2"]
    assert [one.sample.id for one in read_some(folder, 1)] == ["s0"]
    with RunStore.resume(folder, IDENTITY) as store:
        add(store, 3, outcome=Outcome.UNREADABLE)
    edit("UPDATE record SET json = replace(json, 'v0_sha256', 'detail'), sha256 = NULL WHERE sample_id = 's0'")
    assert [one.sample.id for one in read_some(folder, 1)] == ["s1"]


def test_a_sequence_is_read_once_and_streamed_as_often_as_is_asked_for():
    reads = []

    def read():
        reads.append(1)
        yield from (1, 2, 3)

    later = Later(3, read, "numbers")
    assert (len(later), len(reads)) == (3, 0)
    assert (list(streamed(later)), list(streamed(later)), len(reads)) == ([1, 2, 3], [1, 2, 3], 2)
    assert (later[0], later[1:], list(later), later == [1, 2, 3], len(reads)) == (1, [2, 3], [1, 2, 3], True, 3)
    assert (list(streamed(later)), len(reads)) == ([1, 2, 3], 3)
    assert list(Later(0, read, "numbers")) == []
    assert len(reads) == 3
    with pytest.raises(StorageError, match="numbers: there were 4 when the run was opened, now there are 3"):
        list(Later(4, read, "numbers"))


def test_a_damaged_file_is_named_by_whoever_reads_its_traces(folder):
    with Traces(folder) as traces:
        assert traces.of("s1")["messages"][0]["content"] == "word 1"
        with closing(sqlite3.connect(folder / "run.sqlite")) as database, database:
            database.execute("ALTER TABLE record RENAME TO recorded")
        with pytest.raises(StorageError, match=r"run\.sqlite is not a readable run"):
            traces.of("s1")


def test_who_reads_traces_keeps_no_writer_waiting(folder):
    with Traces(folder) as traces:
        assert traces.of("s1")["messages"][0]["content"] == "word 1"
        with RunStore.resume(folder, IDENTITY) as store:
            add(store, 3)
        assert traces.of("s3")["messages"][0]["content"] == "word 3"
        with pytest.raises(StorageError, match="no trace of sample 's9'"):
            traces.of("s9")
