"""Damage and careless edits of a stored run are found: where it is read, where it is resumed, and by ``verify``."""

import shutil
import sqlite3
from contextlib import closing

import pytest
from click.testing import CliRunner
from forged import retold

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.api.verifying import verify
from medvision_agent.cli.main import cli
from medvision_agent.errors import DamageError, StorageError
from medvision_agent.eval.store.files import picture_path, write_picture
from medvision_agent.eval.store.read import open_run, read_trace, read_traces
from medvision_agent.eval.store.seal import Tally
from medvision_agent.eval.store.verify import verify_run
from medvision_agent.eval.store.write import RunStore

from .conftest import CONFIG, IDENTITY, SAMPLES, add

SWAP = """
    UPDATE record SET json = (
        SELECT json FROM record AS other
        WHERE attempt = 1 AND other.sample_id = CASE record.sample_id WHEN 's1' THEN 's2' ELSE 's1' END
    ) WHERE sample_id IN ('s1', 's2')
"""
RECORDS = {
    "an answer": ("UPDATE record SET json = replace(json, '<answer>2<', '<answer>9<')", "record of sample 's2'"),
    "an ending": ("UPDATE record SET outcome = 'no_answer' WHERE sample_id = 's1'", "record of sample 's1'"),
    "tokens": ("UPDATE record SET json = json_set(json, '$.usage.output', 7) WHERE sample_id = 's1'", "sample 's1'"),
    "a trace and its hash": ("UPDATE record SET trace = '{}', trace_sha256 = 'x' WHERE sample_id = 's1'", "'s1'"),
    "two records swapped": (SWAP, "record of sample 's1'"),
    "a record under another sample": ("UPDATE record SET sample_id = 's3' WHERE sample_id = 's2'", "sample 's3'"),
    "a record taken away": ("DELETE FROM record WHERE sample_id = 's2'", "4 records were stored, but it holds 3"),
    "an earlier attempt taken away": ("DELETE FROM record WHERE attempt = 1 AND sample_id = 's0'", "it holds 3"),
    "a record without its hash": (
        "UPDATE record SET sha256 = NULL WHERE sample_id = 's2'",
        "records were changed after",
    ),
    "settings": ("UPDATE run SET value = replace(value, 'demo', 'real') WHERE key = 'config'", "settings were changed"),
    "the identity": ("UPDATE run SET value = replace(value, 'off', 'on') WHERE key = 'identity'", "settings were"),
    "the ground truth": ("UPDATE sample SET json = replace(json, '10.0', '11.0')", "ground truth"),
    "the id of a sample": ("UPDATE sample SET id = 'x' WHERE id = 's3'", "ground truth"),
    "all hashes": ("ALTER TABLE record RENAME COLUMN sha256 TO sha257", "the hashes of its records are missing"),
    "all hashes and the tally": (
        "ALTER TABLE record RENAME COLUMN sha256 TO sha257; DELETE FROM run WHERE key = 'tally'",
        "the hashes of its records are missing",
    ),
    "the tally": ("DELETE FROM run WHERE key = 'tally'", "the stored count and hash sum of its records are missing"),
}


@pytest.mark.parametrize("what", RECORDS)
def test_what_was_changed_in_the_database_is_found_by_every_reader(folder, edit, what):
    statement, expected = RECORDS[what]
    edit(*statement.split(";"))
    with pytest.raises(DamageError, match=expected) as error:
        open_run(folder)
    assert str(folder) in str(error.value)
    with pytest.raises(DamageError, match=expected):
        RunStore.resume(folder, IDENTITY)
    assert any(expected in damage.what for damage in verify_run(folder).damage)


def test_no_command_reads_a_damaged_run(folder, edit):
    edit(RECORDS["an answer"][0])
    tables, page = str(folder.parent / "tables"), str(folder.parent / "page.html")
    commands = (["score"], ["why"], ["compare", str(folder)], ["export", "--out", tables], ["report", "--out", page])
    for words in commands:
        done = CliRunner().invoke(cli, [*words, str(folder)])
        assert isinstance(done.exception, DamageError), words


def test_a_changed_trace_is_found_where_it_is_read(folder):
    retold(folder, "word 2", "word 9")
    open_run(folder)  # reads no trace
    with pytest.raises(DamageError, match=r"trace of sample 's2' \(attempt 1\)"):
        read_trace(folder, "s2")
    with pytest.raises(DamageError, match="'s2'"):
        list(read_traces(folder))
    assert [damage.sample for damage in verify_run(folder).damage] == ["s2"]
    assert isinstance(CliRunner().invoke(cli, ["why", str(folder)]).exception, DamageError)


@pytest.mark.parametrize("how", ["deleted", "changed"])
def test_a_picture_that_is_not_what_was_stored_is_found(folder, how):
    key = open_run(folder).records[1].v0_sha256
    picture = picture_path(folder, key)
    picture.unlink() if how == "deleted" else picture.write_bytes(b"picture x")
    (damage,) = verify_run(folder).damage
    assert (damage.sample, key in damage.what) == ("s1", True)
    assert isinstance(CliRunner().invoke(cli, ["why", str(folder)]).exception, DamageError)


def test_a_page_of_the_database_that_was_overwritten_is_found(folder):
    file = folder / "run.sqlite"
    content = bytearray(file.read_bytes())
    content[8192:] = b"\x00" * (len(content) - 8192)
    file.write_bytes(content)
    assert verify_run(folder).damage
    with pytest.raises(DamageError):
        open_run(folder)


def test_a_whole_run_is_whole_also_while_it_is_written(folder):
    before = verify_run(folder)
    assert (before.records, before.unsealed, before.pictures, before.damage) == (4, 0, 3, ())
    with RunStore.resume(folder, IDENTITY) as store:
        add(store, 3)
        during = verify_run(folder)
        assert (during.records, during.damage) == (5, ())
    assert verify_run(folder) == during
    assert during.seal != before.seal


def test_the_seal_does_not_depend_on_the_order_in_which_samples_finish(tmp_path):
    for name, order in (("a", (0, 1, 2)), ("b", (2, 0, 1))):
        with RunStore.create(tmp_path / name, SAMPLES, IDENTITY, CONFIG) as store:
            for number in order:
                add(store, number)
    assert verify_run(tmp_path / "a").seal == verify_run(tmp_path / "b").seal is not None


def test_tallies_of_parts_add_up_to_that_of_the_whole():
    hashes = [f"{number:064x}" for number in (1, 2**255, 2**256 - 1)]
    whole, parts = Tally(facts="f", samples="s"), [Tally(facts="f", samples="s") for _ in hashes]
    for one in hashes:
        whole = whole.plus(one)
    total = sum(int(part.plus(one).total, 16) for part, one in zip(parts, hashes, strict=True)) % 2**256
    assert (whole.records, int(whole.total, 16)) == (3, total)


def lost(folder, *, keep):
    """Copy a run that is being written as a kill leaves it, with or without SQLite's log."""
    copy = folder.with_name("copy")
    shutil.copytree(folder, copy)
    for name in ("run.sqlite-wal", "run.sqlite-shm"):
        if not keep:
            (copy / name).unlink()
    return copy


def test_a_lost_log_is_damage_and_never_a_reason_to_begin_again(tmp_path):
    with RunStore.create(tmp_path / "run", SAMPLES, IDENTITY, CONFIG) as store:
        add(store, 0)
        add(store, 1, outcome=Outcome.TIMEOUT)
        copy = lost(tmp_path / "run", keep=False)
    for read in (open_run, lambda folder: RunStore.resume(folder, IDENTITY)):
        with pytest.raises(DamageError, match=r"2 records were stored and 0 are left, .*run\.sqlite-wal.* is lost"):
            read(copy)
    assert verify_run(copy).damage
    with pytest.raises(StorageError, match="already holds a run"):
        RunStore.create(copy, SAMPLES, IDENTITY, CONFIG)
    with pytest.raises(DamageError, match="lost"):
        open_run(copy)


def test_a_kill_before_and_after_the_first_record_loses_nothing(tmp_path):
    with RunStore.create(tmp_path / "run", SAMPLES, IDENTITY, CONFIG) as store:
        begun = open_run(lost(tmp_path / "run", keep=False))  # what was created is in the file itself
        assert (len(begun.samples), begun.records) == (4, [])
        shutil.rmtree(begun.folder)
        add(store, 0)
        copy = lost(tmp_path / "run", keep=True)
    assert verify_run(copy).damage == ()
    RunStore.resume(copy, IDENTITY).close()
    assert sorted(path.name for path in copy.iterdir()) == ["pictures", "run.lock", "run.sqlite"]


@pytest.mark.parametrize("trace", ["count", "pictures"])
def test_a_file_that_lost_its_run_is_called_damaged(tmp_path, trace):
    """As an older version left it, which had the whole run in the log at first."""
    sqlite3.connect(tmp_path / "run.sqlite").close()
    if trace == "count":
        (tmp_path / "run.sqlite-count").write_text("3\n")
    else:
        write_picture(tmp_path, "a" * 64, b"png")
    with pytest.raises(DamageError, match="lost") as error:
        open_run(tmp_path)
    assert "without --resume" not in str(error.value)
    assert verify_run(tmp_path).damage


def test_the_log_is_taken_into_the_file_from_time_to_time(tmp_path):
    with RunStore.create(tmp_path, SAMPLES, IDENTITY, CONFIG) as store:
        store._writer.do(
            lambda database: database.executemany(
                "INSERT INTO sample VALUES (?, ?, ?)", [(9 + n, f"x{n}", "y" * 4000) for n in range(600)]
            )
        )
        with closing(sqlite3.connect(f"file:{tmp_path}/run.sqlite?immutable=1", uri=True)) as database:
            assert database.execute("SELECT count(*) FROM sample").fetchone()[0] > 4


def test_verify_prints_what_it_checked_and_what_is_damaged(folder, edit):
    done = CliRunner().invoke(cli, ["verify", str(folder)])
    assert done.exit_code == 0
    assert done.output.startswith("run: whole; checked 4 records with their traces and 3 images; seal ")
    assert "a forger" in done.output
    edit("UPDATE record SET json = replace(json, '<answer>2<', '<answer>9<')")
    done = CliRunner().invoke(cli, ["verify", str(folder)])
    assert done.exit_code == 1
    assert "run: DAMAGED; " in done.output
    assert "  the record of sample 's2' (attempt 1) was changed after it was stored\n" in done.output
    done = CliRunner().invoke(cli, ["verify", str(folder.parent)])
    assert isinstance(done.exception, StorageError)
    assert not isinstance(done.exception, DamageError)


def test_every_run_of_a_study_is_verified_and_its_plan(tmp_path):
    path, out = tmp_path / "study.yaml", tmp_path / "study"
    path.write_text("name: t\nmodels: [baseline-prior]\ndata: 'phantom:2'\ntasks: [size]\ndesigns: [repeat]\n")
    done = CliRunner().invoke(cli, ["ablate", str(path), "--out", str(out)])
    assert done.exit_code == 0, done.output
    found = verify(out)
    assert found.whole
    assert len(found.runs) == 2
    cell = next(iter(found.runs.values())).folder
    shutil.rmtree(cell)
    assert (verify(out).whole, verify(out).not_begun) == (True, (cell.relative_to(out).as_posix(),))
    text = (out / "study.json").read_text()
    (out / "study.json").write_text(text.replace('"alpha": 0.05', '"alpha": 0.1'))
    found = verify(out)
    assert (found.whole, len(found.runs)) == (False, 1)
    assert CliRunner().invoke(cli, ["verify", str(out)]).exit_code == 1
