"""A run read while it is written: the same figures as read at once, only what changed, and no writer hindered."""

import shutil
import signal
import sqlite3
import subprocess
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
from browsed import KILLED, a_run, add, create, samples
from commands import PYTHON

import medvision_agent as mva
from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.eval.browse.feed import Feed
from medvision_agent.eval.browse.means import Place, means_of, run_line
from medvision_agent.eval.browse.rows import rows_of
from medvision_agent.eval.scorer.protocol import protocol
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.store.write import RunStore
from medvision_agent.eval.summary.summary import summarise

RULES = protocol("medvision-1.2")
TESTS = Path(__file__).parents[2]


def read(folder, feed=None):
    feed = feed or Feed(folder, RULES)
    while feed.read_on():
        pass
    while feed.place_on():
        pass
    return feed


def line(feed, *, running=False):
    return run_line(feed, Place("r1", "run"), running=running, means=means_of(feed.lines))


def rows(feed, since=-1):
    at = feed.since(since)
    return rows_of("r1", feed.stamp, at, [feed.lines[row] for row in at])


def word(words, at):
    return words.values[words.at[at]] if words.at[at] >= 0 else None


def test_rows_hold_what_the_tables_hold(tmp_path):
    folder = a_run(tmp_path / "run", ["10.0", "13.0", None, "no number"], more=1)
    found, table = rows(read(folder)), mva.load(folder).samples()
    assert list(found.id) == list(table.id)
    assert found.rows == (0, 1, 2, 3, 4)
    assert found.has_talk == (1, 1, 1, 1, 0)
    places = {"right": "in the right place", "wrong_ends": "elsewhere", "unknown": "not locatable", None: None}
    for at, row in enumerate(table.astype(object).where(table.notna(), None).to_dict(orient="records")):
        assert word(found.outcome, at) == row["outcome"]
        assert found.loss[at] == row["loss"]
        assert places[word(found.place, at)] == row["place"]
        assert (found.calls[at], found.tool_errors[at]) == (row["tool_calls"] or 0, row["tool_calls_failed"] or 0)
        assert (found.tokens_in[at], found.tokens_out[at]) == (row["input_tokens"], row["output_tokens"])
    assert (word(found.asked, 0), found.target[0], found.answer[1]) == ("a | b", "10 mm", "13 mm")
    assert (word(found.place, 0), found.answer[2], found.answer[3]) == ("right", "", "")
    assert word(found.tools, 0) == "ruler"


def test_means_are_those_of_the_summary(tmp_path):
    folder = a_run(tmp_path / "run", ["10.0", "13.0", None, "10.5"], more=1)
    summary = summarise(open_run(folder).records, RULES).tasks["distance"]
    (means,) = line(read(folder)).means
    assert means.loss == summary.metrics["loss"].mean
    assert means.success_rate == summary.metrics["success_rate"].mean
    assert (means.scored, means.subjects) == (summary.n, summary.subjects)
    assert (line(read(folder)).done, line(read(folder)).planned, line(read(folder)).state) == (4, 5, "unfinished")


def test_what_is_stored_while_it_is_read_comes_as_changed_rows_alone(tmp_path):
    asked = samples(3)
    with create(tmp_path / "run", asked) as store:
        feed = read(tmp_path / "run")
        assert line(feed, running=True).state == "running"
        assert (line(feed).planned, line(feed).done, line(feed).means) == (3, 0, ())
        stamp = feed.stamp
        add(store, asked[1], outcome=Outcome.TIMEOUT, response="", cost_usd=0.25)
        assert rows(read(tmp_path / "run", feed), stamp).rows == (1,)
        assert (line(feed).infrastructure, line(feed).done) == (1, 0)
        stamp = feed.stamp
        add(store, asked[1], "12.0", attempt=2, cost_usd=0.5)
        add(store, asked[0], "10.0")
        again = rows(read(tmp_path / "run", feed), stamp)
        assert (again.rows, again.answer) == ((0, 1), ("10 mm", "12 mm"))
        assert (line(feed).infrastructure, line(feed).done, line(feed).cost_usd) == (0, 2, 0.75)
        assert rows(feed, feed.stamp).rows == ()
        assert feed.read_on() is False


def test_nothing_is_written_and_no_writer_is_hindered(tmp_path):
    asked = samples(2)
    with create(tmp_path / "run", asked) as store:
        add(store, asked[0])
        before = contents(tmp_path)
        feed = read(tmp_path / "run")
        assert contents(tmp_path) == before
        add(store, asked[1])
        read(tmp_path / "run", feed)
    assert not (tmp_path / "run/run.sqlite-wal").exists()  # nobody had it open: one plain file is left
    assert line(feed).done == 2
    before = contents(tmp_path)
    read(tmp_path / "run")
    assert contents(tmp_path) == before


def contents(folder):
    """Return the bytes of all files but SQLite's shared memory, where readers note how far they have read."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.endswith("-shm")]
    return {path: sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_run_whose_writer_was_killed_is_read_and_goes_on(tmp_path):
    done = subprocess.run([PYTHON, "-c", KILLED, TESTS, tmp_path / "run"], check=False, capture_output=True, text=True)
    assert done.returncode in {-signal.SIGKILL, 128 + signal.SIGKILL}, done.stderr
    feed = read(tmp_path / "run")
    assert (line(feed).done, line(feed).planned, line(feed).state, line(feed).note) == (3, 4, "unfinished", "")
    run = open_run(tmp_path / "run")
    with RunStore.resume(tmp_path / "run", run.identity) as store:
        add(store, run.samples[3])
    assert (line(read(tmp_path / "run", feed)).done, line(feed).state) == (4, "finished")


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE record SET json = replace(json, '11.0', '12.0') WHERE sample_id = 's1'", "record of sample 's1'"),
        ("DELETE FROM record WHERE sample_id = 's1'", "records"),
        ("UPDATE sample SET json = replace(json, '10.0', '11.0')", "samples (questions and ground truth)"),
        ("DELETE FROM run WHERE key = 'config'", "settings"),
        ("DELETE FROM run WHERE key = 'identity'", "not a readable run"),
    ],
)
def test_damage_is_a_line_and_takes_the_means(tmp_path, statement, words):
    folder = a_run(tmp_path / "run", ["10.0", "11.0", "12.0"])
    with closing(sqlite3.connect(folder / "run.sqlite")) as database, database:
        database.execute(statement)
    found = line(read(folder))
    assert (found.state, found.means) == ("damaged", ())
    assert words in found.note, found.note


def test_damage_is_found_while_the_run_is_open(tmp_path):
    folder = a_run(tmp_path / "run", ["10.0", "11.0", "12.0"])
    feed = read(folder)
    with closing(sqlite3.connect(folder / "run.sqlite")) as database, database:
        database.execute("DELETE FROM record WHERE sample_id = 's0'")
    assert line(read(folder, feed)).state == "damaged"
    (folder / "run.sqlite").write_bytes(b"no database " * 1000)
    assert line(read(folder, feed)).state == "damaged"
    shutil.rmtree(folder)
    assert "holds no run" in line(read(folder, feed)).note


def test_another_run_in_the_same_place_is_read_anew(tmp_path):
    feed = read(a_run(tmp_path / "run", ["10.0", "11.0", "12.0"]))
    stamp = feed.stamp
    shutil.rmtree(tmp_path / "run")
    a_run(tmp_path / "run", ["30.0"], model_name="other")
    found = rows(read(tmp_path / "run", feed), stamp)
    assert (found.rows, found.answer, line(feed).model) == ((0,), ("30 mm",), "other")


def test_refusals_by_the_servers_rule_are_what_they_are_when_read_at_once(tmp_path):
    asked = samples(7)
    with create(tmp_path / "run", asked) as store:
        for number, sample in enumerate(asked):
            words = {"outcome": Outcome.REJECTED, "response": "", "detail": f"too many images: {number}"}
            add(store, sample, **(words if 0 < number < 6 else {}))
    feed, run = read(tmp_path / "run"), open_run(tmp_path / "run")
    assert [one.outcome for one in feed.lines] == [record.outcome.value for record in run.records]
    assert [one.outcome for one in feed.lines].count("unsupported") == 5
    assert (line(feed).infrastructure, line(feed).means[0].scored) == (5, 2)
    assert feed.record_of(1).outcome is Outcome.UNSUPPORTED
