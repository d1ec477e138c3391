"""The store's promises: what is reported done is on disk, nothing is overwritten, settings are never mixed."""

import sqlite3
from contextlib import closing

import pytest
from identities import a_sample, an_identity

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.trace import ToolCallTrace, Trace
from medvision_agent.errors import StorageError
from medvision_agent.eval.settings.identity import Identity
from medvision_agent.eval.store.files import picture_path
from medvision_agent.eval.store.read import open_run, read_trace
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.write import RunStore

IDENTITY = an_identity(model={"provider": "offline", "name": "cv"}, recipe="r")
CONFIG = {"source": {"name": "demo", "note": "a note", "demonstration": True}}


def sample(number):
    return a_sample(f"s{number}")


SAMPLES = [sample(number) for number in range(3)]


def record(number, outcome=Outcome.ANSWERED, attempt=1):
    return Record(sample=SAMPLES[number], outcome=outcome, attempt=attempt, response="<answer>1</answer>")


def test_round_trip(tmp_path):
    trace = Trace([{"type": "ai", "content": "hi"}], [ToolCallTrace("ruler", "c", {"x": 1}, True, "{}", None, 0.1)])
    key = trace.picture(b"png bytes")
    with RunStore.create(tmp_path / "run", SAMPLES, IDENTITY, CONFIG) as store:
        store.add(record(1), trace)
        # Readers see a sample the moment ``add`` has returned.
        assert [one.sample.id for one in open_run(tmp_path / "run").records] == ["s1"]
    run = open_run(tmp_path / "run")
    assert run.identity == IDENTITY
    assert run.config == CONFIG
    assert run.samples == SAMPLES
    assert run.records == [record(1)]
    assert [(one.id, attempt) for one, attempt in run.pending()] == [("s0", 1), ("s2", 1)]
    assert picture_path(tmp_path / "run", key).read_bytes() == b"png bytes"
    assert read_trace(tmp_path / "run", "s1")["messages"] == trace.messages
    assert read_trace(tmp_path / "run", "s1")["tool_calls"][0]["arguments"] == {"x": 1}


def test_database_settings_are_the_durable_ones(tmp_path):
    with RunStore.create(tmp_path, SAMPLES, IDENTITY, CONFIG) as store:
        for pragma, value in (("journal_mode", "wal"), ("synchronous", 2)):
            asked = f"PRAGMA {pragma}"
            assert store._writer.do(lambda database, asked=asked: database.execute(asked).fetchone()) == (value,)


def test_later_attempts_count_and_earlier_ones_stay(tmp_path):
    with RunStore.create(tmp_path, SAMPLES, IDENTITY, CONFIG) as store:
        store.add(record(0, Outcome.TIMEOUT), Trace())
        assert (SAMPLES[0], 2) in open_run(tmp_path).pending()
        store.add(record(0, Outcome.ANSWERED, attempt=2), Trace())
    run = open_run(tmp_path)
    assert [one.outcome for one in run.records] == [Outcome.ANSWERED]
    assert SAMPLES[0] not in [one for one, _ in run.pending()]
    with closing(sqlite3.connect(tmp_path / "run.sqlite")) as database, database:
        assert database.execute("SELECT count(*) FROM record").fetchone() == (2,)
    database.close()


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if not outcome.infrastructure])
def test_results_are_final(tmp_path, outcome):
    """A refused request is a result because the other sample's was taken."""
    with RunStore.create(tmp_path, SAMPLES, IDENTITY, CONFIG) as store:
        store.add(record(0, outcome), Trace())
        store.add(record(1).model_copy(update={"finish_reasons": ("stop",)}), Trace())
    assert "s0" not in [one.id for one, _ in open_run(tmp_path).pending()]


def test_a_sample_is_stored_once(tmp_path):
    with RunStore.create(tmp_path, SAMPLES, IDENTITY, CONFIG) as store:
        store.add(record(0), Trace())
        with pytest.raises(StorageError, match="s0"):
            store.add(record(0), Trace())
        store.add(record(1), Trace())
    assert len(open_run(tmp_path).records) == 2


def test_create_refuses_a_folder_with_a_run(tmp_path):
    RunStore.create(tmp_path, SAMPLES, IDENTITY, CONFIG).close()
    with pytest.raises(StorageError, match="--resume"):
        RunStore.create(tmp_path, SAMPLES, IDENTITY, CONFIG)


def test_resume_names_every_field_that_differs(tmp_path):
    RunStore.create(tmp_path, SAMPLES, IDENTITY, CONFIG).close()
    with pytest.raises(StorageError) as error:
        RunStore.resume(tmp_path, IDENTITY.but(recipe="other", limits={"tool_calls": 2}))
    text = str(error.value)
    assert "recipe: the run has 'r', this command has 'other'" in text
    assert "limits" in text
    assert "model_name" not in text
    RunStore.resume(tmp_path, Identity.model_validate_json(IDENTITY.model_dump_json())).close()


def test_one_writer_at_a_time(tmp_path):
    with RunStore.create(tmp_path, SAMPLES, IDENTITY, CONFIG), pytest.raises(StorageError, match="another process"):
        RunStore.resume(tmp_path, IDENTITY)
    RunStore.resume(tmp_path, IDENTITY).close()


def test_what_is_no_run_is_said(tmp_path):
    with pytest.raises(StorageError, match="holds no run"):
        open_run(tmp_path)
    (tmp_path / "run.sqlite").write_text("not a database, but long enough to be looked at as one" * 20)
    with pytest.raises(StorageError, match="not a readable run"):
        open_run(tmp_path)


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be written"):
        RunStore.create(tmp_path / "file" / "run", SAMPLES, IDENTITY, CONFIG)


def test_a_resume_under_other_code_is_noted(tmp_path):
    RunStore.create(tmp_path, SAMPLES, IDENTITY, CONFIG).close()
    assert open_run(tmp_path).identity.resumed == ()
    assert not any("OTHER CODE" in line for line in open_run(tmp_path).facts)
    later = IDENTITY.but(version="9", code_sha256="new")
    for _ in range(2):
        RunStore.resume(tmp_path, later).close()
        assert open_run(tmp_path).identity.resumed == ("9 new",)
    assert "RESUMED UNDER OTHER CODE (version and hash): 0 code, then 9 new" in open_run(tmp_path).facts
    RunStore.resume(tmp_path, IDENTITY).close()
    assert open_run(tmp_path).identity.resumed == ("9 new", "0 code")


def test_a_run_says_on_which_days_it_was_asked_and_how_the_server_marked_itself(tmp_path):
    with RunStore.create(tmp_path, SAMPLES, IDENTITY, CONFIG) as store:
        store.add(record(0).model_copy(update=dated("2026-11-28T23:59:59.900+00:00", "fp_a")), Trace())
        assert "asked on 2026-11-28 (UTC), server fingerprints: fp_a" in open_run(tmp_path).facts
        store.add(record(1).model_copy(update=dated("2026-11-30T00:00:01.000+00:00", "fp_b")), Trace())
    assert "asked from 2026-11-28 to 2026-11-30 (UTC), server fingerprints: fp_a, fp_b" in open_run(tmp_path).facts


def dated(at, mark):
    return {"asked_at": at, "last_asked_at": at, "fingerprints": (mark,)}
