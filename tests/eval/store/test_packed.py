"""Traces are packed against one another; stores of the format before are read and continued; frames are not trusted."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import zstandard
from archive import unpack
from identities import a_sample

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.trace import Trace
from medvision_agent.errors import DamageError
from medvision_agent.eval.store import packed
from medvision_agent.eval.store.read import open_run, read_trace, read_traces
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.verify import verify_run
from medvision_agent.eval.store.write import RunStore

from .conftest import CONFIG, IDENTITY

TASKS = ("distance", "distance", "angle", "distance", "distance")
NAMES = ("a", "b", "c", "d")
SAMPLES = [
    a_sample(f"s{number}", task=task, landmarks=NAMES[: 4 if task == "angle" else 2])
    for number, task in enumerate(TASKS)
]
SEAL_OF_THEN = "bdf3a0dfe1a7cdf868fc637f5315afe0de42bb5c690c0edb022738773973ab06"
"""What ``verify`` of the version that wrote it printed."""
WORDS = " ".join(f"word{number}" for number in range(400))


def told(number, times=1):
    """Return a conversation that shares nearly all its words with those of other numbers."""
    return Trace([{"type": "ai", "content": f"{number} {WORDS * times}"}])


def stored(folder):
    """Return type, length and base of each trace, in the order in which they were stored."""
    with closing(sqlite3.connect(folder / "run.sqlite")) as database:
        return database.execute("SELECT typeof(trace), length(trace), base FROM record ORDER BY rowid").fetchall()


def add(store, number, trace):
    store.add(Record(sample=SAMPLES[number], outcome=Outcome.ANSWERED), trace)


@pytest.fixture
def folder(tmp_path):
    """Return a run of five traces: the fourth is the first one of a second session."""
    with RunStore.create(tmp_path, SAMPLES, IDENTITY, CONFIG) as store:
        for number in range(3):
            add(store, number, told(number))
    with RunStore.resume(tmp_path, IDENTITY) as store:
        for number in (3, 4):
            add(store, number, told(number))
    return tmp_path


def test_a_trace_is_packed_against_the_first_one_of_its_task_in_a_session(folder):
    kinds, lengths, bases = zip(*stored(folder), strict=True)
    assert set(kinds) == {"blob"}
    assert bases == (None, 1, None, None, 4)
    assert max(lengths[1], lengths[4]) < lengths[0] / 8 < len(WORDS) / 16
    assert [trace["messages"] for _, trace in read_traces(folder)] == [told(number).messages for number in range(5)]
    assert verify_run(folder).damage == ()


def test_a_much_longer_trace_takes_the_place_of_what_others_are_packed_against(tmp_path):
    with RunStore.create(tmp_path, SAMPLES, IDENTITY, CONFIG) as store:
        for number, times in ((0, 1), (1, 4), (3, 4)):
            add(store, number, told(number, times))
    assert [base for *_, base in stored(tmp_path)] == [None, None, 2]
    assert read_trace(tmp_path, "s3")["messages"] == told(3, 4).messages


def test_a_trace_too_long_to_be_packed_stays_text(tmp_path, monkeypatch):
    monkeypatch.setattr(packed, "MOST", 1000)
    with RunStore.create(tmp_path, SAMPLES, IDENTITY, CONFIG) as store:
        add(store, 0, told(0))
    assert stored(tmp_path)[0][0] == "text"
    assert read_trace(tmp_path, "s0")["messages"] == told(0).messages


def frame(content, **options):
    return zstandard.ZstdCompressor(**options).compress(content)


PETABYTE = b"\x28\xb5\x2f\xfd\xe0" + (1 << 50).to_bytes(8, "little") + b"\x01\x00\x00"
"""A frame whose header says that it holds so much: its magic number, the size in eight bytes, an empty block."""
FRAMES = {
    "no frame": (b"no frame at all", None),
    "nothing": (b"", None),
    "a cut frame": (frame(WORDS.encode())[:-5], None),
    "two frames": (frame(b"{}") * 2, None),
    "a frame without a size": (frame(b"{}", write_content_size=False), None),
    "a frame of a petabyte": (PETABYTE, None),
    "bytes that are no text": (frame(b'{"a": "\xff\xfe"}'), None),
    "another text": (frame(b"{}"), None),
    "a base that is not there": (frame(b"{}"), 99),
    "itself as base": (frame(b"{}"), 1),
    "a base that has a base": (frame(b"{}"), 2),
}


@pytest.mark.parametrize("what", FRAMES)
def test_what_cannot_be_unpacked_is_damage(folder, what):
    with closing(sqlite3.connect(folder / "run.sqlite")) as database, database:
        database.execute("UPDATE record SET trace = ?, base = ? WHERE rowid = 5", FRAMES[what])
    open_run(folder)
    with pytest.raises(DamageError, match="trace of sample 's4'"):
        read_trace(folder, "s4")
    assert [damage.sample for damage in verify_run(folder).damage] == ["s4"]


def test_a_damaged_trace_takes_along_what_was_packed_against_it(folder):
    with closing(sqlite3.connect(folder / "run.sqlite")) as database, database:
        database.execute("UPDATE record SET trace = substr(trace, 1, 50) WHERE rowid = 4")
    assert [damage.sample for damage in verify_run(folder).damage] == ["s3", "s4"]


def test_a_run_of_the_format_before_is_read_and_goes_on_in_it(tmp_path):
    run = unpack(tmp_path, Path(__file__).parent / "format-2.tar.xz") / "run"
    before = verify_run(run)
    assert (before.records, before.unsealed, before.damage) == (4, 0, ())
    assert before.seal == SEAL_OF_THEN
    stored_then = open_run(run)
    assert [one.response for one in stored_then.records] == ["<answer>11.5</answer>"] * 4
    trace = read_trace(run, "s2")
    assert [call["tool"] for call in trace["tool_calls"]] == ["ruler"]
    with RunStore.resume(run, stored_then.identity) as store:
        again = Record(sample=stored_then.samples[2], attempt=2, outcome=Outcome.ANSWERED)
        store.add(again, told(2))
    after = verify_run(run)
    assert (after.records, after.damage) == (5, ())
    assert read_trace(run, "s2")["messages"] == told(2).messages
    with closing(sqlite3.connect(run / "run.sqlite")) as database:
        assert database.execute("SELECT DISTINCT typeof(trace) FROM record").fetchall() == [("text",)]
        assert json.loads(database.execute("SELECT value FROM run WHERE key = 'format'").fetchone()[0]) == 2


def test_a_base_is_found_in_a_file_made_from_a_dump(folder):
    file = folder / "run.sqlite"
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("DELETE FROM record WHERE sample_id = 's2'")  # a gap in rowids, which a dump does not keep
        dump = "\n".join(database.iterdump())
    file.unlink()
    with closing(sqlite3.connect(file)) as database:
        database.executescript(dump)
    assert read_trace(folder, "s4")["messages"] == told(4).messages
