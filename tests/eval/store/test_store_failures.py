"""The store when things go wrong: killed halfway, full or read-only disks, things that are no JSON, power cuts."""

import os
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from identities import a_sample, an_identity

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.trace import Trace
from medvision_agent.errors import StorageError
from medvision_agent.eval.store.files import picture_path
from medvision_agent.eval.store.read import open_run, read_trace
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.write import RunStore

IDENTITY = an_identity(model={"provider": "offline", "name": "cv"}, recipe="r")
CONFIG = {"source": {"name": "demo", "note": "a note"}}


def sample(name):
    return a_sample(name)


SAMPLES = [sample("s0"), sample("s1")]


def record(number, **fields):
    return Record(sample=SAMPLES[number], **({"outcome": Outcome.ANSWERED, "response": "<answer>1</answer>"} | fields))


def test_a_create_that_was_killed_is_taken_over(tmp_path):
    code = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom medvision_agent.eval.store.writer import Writer\n"
        "Writer(Path(sys.argv[1]))\nos.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "run"], check=False)
    assert done.returncode == -9
    assert (tmp_path / "run" / "run.sqlite").exists()
    for read in (open_run, lambda folder: RunStore.resume(folder, IDENTITY)):
        with pytest.raises(StorageError, match="interrupted before it could create one"):
            read(tmp_path / "run")
    with RunStore.create(tmp_path / "run", SAMPLES, IDENTITY, CONFIG) as store:
        store.add(record(0), Trace())
    assert open_run(tmp_path / "run").records == [record(0)]


@contextmanager
def without_rights():
    """Root may write everywhere: be nobody for a while."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.mark.parametrize("journal", ["DELETE", "WAL"])
def test_a_finished_run_is_read_from_a_folder_that_cannot_be_written(journal):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with RunStore.create(folder, SAMPLES, IDENTITY, CONFIG) as store:
            store.add(record(0), Trace([{"type": "ai"}]))
        with closing(sqlite3.connect(folder / "run.sqlite")) as database:
            database.execute(f"PRAGMA journal_mode = {journal}")
            database.execute("SELECT * FROM run").fetchall()
        folder.chmod(0o555)
        with without_rights():
            with pytest.raises(OSError, match="denied"):
                (folder / "x").touch()
            assert open_run(folder).records == [record(0)]
            assert read_trace(folder, "s0")["messages"] == [{"type": "ai"}]


def test_a_log_that_cannot_be_read_is_not_passed_over(monkeypatch, tmp_path):
    RunStore.create(tmp_path, SAMPLES, IDENTITY, CONFIG).close()
    (tmp_path / "run.sqlite-wal").write_bytes(b"")
    asked = []

    class Refusing(sqlite3.Connection):
        def execute(self, *words):
            raise sqlite3.OperationalError("unable to open database file")

    def connect(name, **options):
        asked.append(name)
        return real(name, **options, factory=Refusing)

    real = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", connect)
    with pytest.raises(StorageError, match="unable to open"):
        open_run(tmp_path)
    assert len(asked) == 1
    (tmp_path / "run.sqlite-wal").unlink()
    with pytest.raises(StorageError, match="unable to open"):
        open_run(tmp_path)
    assert [uri.endswith("immutable=1") for uri in asked] == [False, False, True]


@pytest.mark.parametrize("what", ["surrogate", "no JSON", "circle", "picture"])
def test_what_cannot_be_written_is_said_and_the_rest_goes_on(tmp_path, what):
    bad, trace = record(0), Trace()
    with RunStore.create(tmp_path, SAMPLES, IDENTITY, CONFIG) as store:
        if what == "surrogate":
            bad = record(0, response="\ud800")
        elif what == "no JSON":
            trace = Trace([{"content": {1, 2}}])
        elif what == "circle":
            trace.messages.append({"content": trace.messages})
        else:
            key = trace.picture(b"png")
            (tmp_path / "pictures" / key[:2]).write_text("a file where a folder should be")
        with pytest.raises(StorageError, match=r"sample s0 was not stored: .*--resume"):
            store.add(bad, trace)
        store.add(record(1), Trace())
    assert open_run(tmp_path).records == [record(1)]
    RunStore.resume(tmp_path, IDENTITY).close()


def test_a_full_disk_is_said_and_the_lock_released(tmp_path):
    with RunStore.create(tmp_path, SAMPLES, IDENTITY, CONFIG) as store:
        pages = store._writer.do(lambda database: database.execute("PRAGMA page_count").fetchone()[0])
        store._writer.do(lambda database: database.execute(f"PRAGMA max_page_count = {pages}"))
        large = Trace([{"content": os.urandom(50_000).hex()}])  # nothing to pack
        with pytest.raises(StorageError, match="s0 was not stored: database or disk is full"):
            store.add(record(0), large)
        store._writer.do(lambda database: database.execute(f"PRAGMA max_page_count = {pages + 1000}"))
        store.add(record(0), large)
    assert len(open_run(tmp_path).records) == 1


def no_commit(action, name, *_):
    denied = (action, name) == (sqlite3.SQLITE_TRANSACTION, "COMMIT")
    return sqlite3.SQLITE_DENY if denied else sqlite3.SQLITE_OK


def test_a_commit_that_fails_leaves_no_transaction_open(tmp_path):
    with RunStore.create(tmp_path, SAMPLES, IDENTITY, CONFIG) as store:
        store._writer.do(lambda database: database.set_authorizer(no_commit))
        with pytest.raises(StorageError, match="s0"):
            store.add(record(0), Trace())
        store._writer.do(lambda database: database.set_authorizer(None))
        store.add(record(1), Trace())
    assert open_run(tmp_path).records == [record(1)]


@pytest.mark.parametrize("content", ["not a database" * 100, None])
def test_a_file_that_is_no_database_is_said_and_the_lock_released(tmp_path, content):
    if content is None:
        (tmp_path / "run.sqlite").mkdir()
    else:
        (tmp_path / "run.sqlite").write_text(content)
    for _ in range(2):
        with pytest.raises(StorageError, match=r"run\.sqlite cannot be written"):
            RunStore.create(tmp_path, SAMPLES, IDENTITY, CONFIG)


def test_settings_that_are_no_json_are_said_and_the_lock_released(tmp_path):
    for _ in range(2):
        with pytest.raises(StorageError, match="cannot be written"):
            RunStore.create(tmp_path, SAMPLES, IDENTITY, {"x": {1}})
    RunStore.create(tmp_path, SAMPLES, IDENTITY, CONFIG).close()


def test_names_are_flushed_before_what_mentions_them(tmp_path, monkeypatch):
    """Events are the names of what is flushed, found by inode, and the commits in between."""
    run, events, synced = tmp_path / "new" / "run", [], []
    real = os.fsync

    def fsync(handle):
        synced.append(os.fstat(handle).st_ino)
        events.append(synced[-1])
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    store = RunStore.create(run, SAMPLES, IDENTITY, CONFIG)
    made = {path.stat().st_ino for path in (tmp_path, tmp_path / "new", run)}
    assert made <= set(synced)
    events.clear()
    trace = Trace()
    picture = picture_path(run, trace.picture(b"png"))
    replace = Path.replace
    monkeypatch.setattr(Path, "replace", lambda path, to: (events.append("rename"), replace(path, to))[1])
    with store:
        store._writer.do(lambda database: database.set_trace_callback(lambda words: events.append(words.split()[0])))
        store.add(record(0), trace)
        store._writer.do(lambda database: database.set_trace_callback(None))
    folders = [(run / "pictures").stat().st_ino, picture.stat().st_ino, "rename", picture.parent.stat().st_ino]
    assert events == [*folders, "BEGIN", "INSERT", "SELECT", "INSERT", "COMMIT"]  # the record, and the tally


def test_earlier_attempts_are_read_beside_the_latest(tmp_path):
    with RunStore.create(tmp_path, SAMPLES, IDENTITY, CONFIG) as store:
        for attempt, outcome in enumerate((Outcome.TIMEOUT, Outcome.CONNECTION, Outcome.ANSWERED), 1):
            store.add(record(0, outcome=outcome, attempt=attempt), Trace())
    run = open_run(tmp_path)
    assert [one.attempt for one in run.records] == [3]
    assert [one.attempt for one in run.superseded] == [1, 2]
