"""The rows of runs and studies: states, counts, figures, and a search that ends."""

import sqlite3
from contextlib import closing

import pytest
from identities import a_sample, an_identity

import medvision_agent as mva
from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.trace import Trace
from medvision_agent.errors import StorageError
from medvision_agent.eval.listing.read import listed, scored
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.write import RunStore

CONFIG = {"source": {"name": "demo", "note": "a note", "demonstration": True}}
SAMPLES = [a_sample(f"s{number}", subject=f"d/{number % 2}") for number in range(4)]


def create(folder, **identity):
    return RunStore.create(folder, SAMPLES, an_identity(**identity), CONFIG)


def add(store, number, answer="10.0", *, attempt=1, outcome=Outcome.ANSWERED, **fields):
    response = f"<answer>{answer}</answer>"
    store.add(
        Record(sample=SAMPLES[number], attempt=attempt, outcome=outcome, response=response, **fields),
        Trace([{"type": "ai", "content": response}], []),
    )


def only(folder):
    (row,) = listed(folder)
    return scored(row)


def test_a_finished_run_says_what_was_asked_what_it_cost_and_its_loss(tmp_path):
    with create(tmp_path / "run", model_name="gpt", condition="on") as store:
        add(store, 0, attempt=1, outcome=Outcome.TIMEOUT, cost_usd=0.5)
        add(store, 0, "10.0", attempt=2, cost_usd=0.25)
        add(store, 1, "15.0", last_asked_at="2026-01-02T03:04:05+00:00")
        add(store, 2, "no number")
        add(store, 3, outcome=Outcome.REFUSED)
    row = only(tmp_path)
    assert (row.name, row.kind, row.state, row.problem) == ("run", "run", "finished", "")
    assert (row.models, row.conditions, row.data) == (("gpt",), ("on",), ("demo",))
    assert (row.done, row.planned, row.cost_usd) == (4, 4, 0.75)
    assert row.last_asked_at == "2026-01-02T03:04:05+00:00"
    assert row.overall is not None
    assert (row.overall.scored, row.overall.subjects) == (4, 2)
    assert row.overall.success_rate == 0.5
    assert row.overall.loss == pytest.approx((0 + 0.5 + 1 + 1) / 4)
    assert row.tasks == {"distance": row.overall}


def test_what_never_got_a_reply_is_left_and_not_scored(tmp_path):
    with create(tmp_path / "run") as store:
        add(store, 0)
        add(store, 1, outcome=Outcome.TIMEOUT)
    row = only(tmp_path)
    assert (row.state, row.done, row.planned, row.cost_usd) == ("unfinished", 1, 4, None)
    assert row.overall is not None
    assert (row.overall.scored, row.overall.loss) == (1, 0.0)


def test_refusals_by_a_servers_rule_are_left_as_a_resume_would_have_it(tmp_path):
    with create(tmp_path / "run") as store:
        for number in range(4):
            add(store, number, outcome=Outcome.REJECTED, detail="no pictures here")
    row = only(tmp_path)
    assert (row.state, row.done, row.overall) == ("unfinished", 0, None)


def test_a_run_is_running_while_a_process_writes_it_and_listing_does_not_disturb_it(tmp_path):
    with create(tmp_path / "run") as store:
        add(store, 0)
        assert [only(tmp_path).state for _ in range(3)] == ["running"] * 3
        add(store, 1)
    assert only(tmp_path).state == "unfinished"


def test_damage_is_a_state_and_never_an_error(tmp_path):
    for name in ("changed", "gone", "cut"):
        with create(tmp_path / name) as store:
            add(store, 0)
    with closing(sqlite3.connect(tmp_path / "changed" / "run.sqlite")) as database, database:
        database.execute("UPDATE record SET json = replace(json, '10.0', '11.0')")
    with closing(sqlite3.connect(tmp_path / "gone" / "run.sqlite")) as database, database:
        database.execute("DELETE FROM record")
    (tmp_path / "cut" / "run.sqlite").write_bytes(b"SQLite format 3\0" + b"x" * 200)
    rows = {row.name: scored(row) for row in listed(tmp_path)}
    assert {name: row.state for name, row in rows.items()} == dict.fromkeys(("changed", "cut", "gone"), "damaged")
    assert "was changed after it was stored" in rows["changed"].problem
    assert "1 records were stored, but it holds 0" in rows["gone"].problem
    assert all(row.overall is None for row in rows.values())


def test_a_run_of_another_version_is_unreadable_not_damaged(tmp_path):
    with create(tmp_path / "run"):
        pass
    with closing(sqlite3.connect(tmp_path / "run" / "run.sqlite")) as database, database:
        database.execute("UPDATE run SET value = '9' WHERE key = 'format'")
    row = only(tmp_path)
    assert row.state == "unreadable"
    assert "format 9" in row.problem


def test_the_search_is_bounded_sees_a_run_once_and_ends_in_circles(tmp_path):
    with create(tmp_path / "a" / "run"):
        pass
    with create(tmp_path / "1" / "2" / "3" / "4" / "5" / "6" / "7" / "deep"):
        pass
    with create(tmp_path / ".hidden" / "run"):
        pass
    (tmp_path / "a" / "circle").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "b").symlink_to(tmp_path / "a", target_is_directory=True)
    (tmp_path / "c").symlink_to("c")
    assert [row.name for row in listed(tmp_path)] == ["a/run"]
    assert [row.name for row in listed(tmp_path / "1" / "2")] == ["3/4/5/6/7/deep"]
    assert [row.name for row in listed(tmp_path / "a" / "run")] == ["."]


def test_a_study_is_one_row_with_its_cells(tmp_path):
    (tmp_path / "s.yaml").write_text("name: s\nmodels: [baseline-cv]\nlimit: 1\ndesigns: [on-off]\n")
    mva.ablate(tmp_path / "s.yaml", tmp_path / "studies" / "s", progress=False)
    (row,) = mva.runs(tmp_path)
    assert (row.kind, row.state, row.name) == ("study", "finished", "studies/s")
    assert (row.models, set(row.conditions), row.data) == (("baseline-cv",), {"off", "on"}, ("demo",))
    assert (row.done, row.planned, len(row.cells)) == (8, 8, 2)
    assert row.tasks == {}
    assert row.overall is None
    assert all(cell.overall is not None and cell.overall.scored == 4 for cell in row.cells)
    assert all(cell.overall is None for cell in mva.runs(tmp_path, loss=False)[0].cells)
    assert [(one.model, one.arm, one.source, one.runs) for one in row.arms] == [
        ("baseline-cv", "off", "demo", 1),
        ("baseline-cv", "on", "demo", 1),
    ]
    cells = {cell.conditions[0]: cell.overall for cell in row.cells}
    assert {one.arm: one.figures for one in row.arms} == cells
    assert mva.runs(tmp_path, loss=False)[0].arms == ()
    with closing(sqlite3.connect(row.cells[0].folder / "run.sqlite")) as database, database:
        database.execute("DELETE FROM record WHERE sample_id IN (SELECT sample_id FROM record LIMIT 1)")
    (row,) = mva.runs(tmp_path)
    assert row.state == "damaged"
    assert row.cells[0].name in row.problem
    (tmp_path / "studies" / "s" / "study.json").write_text("{}")
    (row,) = mva.runs(tmp_path)
    assert (row.state, row.cells) == ("unreadable", ())


def test_a_study_has_the_figures_of_its_primary_contrast_over_all_epochs(tmp_path):
    (tmp_path / "s.yaml").write_text(
        "name: s\nmodels: [baseline-cv]\nlimit: 1\nepochs: 2\ndesigns: [on-off, 'controls:blind']\n"
    )
    mva.ablate(tmp_path / "s.yaml", tmp_path / "s", progress=False)
    (row,) = mva.runs(tmp_path)
    assert [(one.arm, one.runs) for one in row.arms] == [("off", 2), ("on", 2)]
    for one in row.arms:
        own = [cell.overall for cell in row.cells if f"--{one.arm}--" in cell.name]
        assert one.figures is not None
        assert (one.figures.scored, one.figures.subjects) == (8, own[0].subjects)
        assert one.figures.loss == pytest.approx(sum(each.loss for each in own) / 2)


def test_a_folder_that_is_none_is_an_error(tmp_path):
    with pytest.raises(StorageError, match="cannot be listed"):
        list(listed(tmp_path / "nothing"))
