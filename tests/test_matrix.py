"""A seeded sample of the standing matrices (``matrix/``): every count is zero, and no row of a table is left out."""

import json
import os

import pytest
from matrix import __main__ as program
from matrix import workers
from matrix.all import FULL, SAMPLE
from matrix.endings import ENDINGS, STATUSES, TABLES, endings
from matrix.row import Row

from medvision_agent.agent.endings.finish import Finish
from medvision_agent.agent.wire import words

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked")


@pytest.mark.parametrize("name", SAMPLE)
def test_nothing_is_lost_asked_again_changed_or_mistyped(name, tmp_path, monkeypatch):
    monkeypatch.setenv("KEY_OF_THE_MATRIX", "plain-fake-key")
    rows = SAMPLE[name](tmp_path / "matrix", 1)
    assert not [problem for row in rows for problem in row.problems]
    assert rows
    assert all(row.tried or row.skipped for row in rows)


def test_the_sample_is_of_every_matrix():
    assert SAMPLE.keys() == FULL.keys()


@pytest.mark.parametrize("wire", TABLES)
def test_every_row_of_the_tables_of_endings_is_tried(wire):
    tried = {(one.kind, one.name) for one in endings(wire)}
    assert {("finish reasons", name) for name in TABLES[wire]} <= tried
    assert {("error objects under status 200", word) for word in words._STATUS} <= tried
    statuses = {int(name) for kind, name in tried if kind == "statuses"}
    assert statuses >= words.NEVER
    assert {status for status in words.TEMPORARY if status >= 300} <= statuses
    assert statuses <= set(STATUSES)


def test_every_meaning_of_a_reason_has_an_ending():
    assert set(Finish) == ENDINGS.keys()


def test_a_fault_is_counted_and_named():
    row = Row("kills", "x")
    row.fault("lost", "s0", 2)
    row.fault("again", "nothing", 0)
    assert (row.faults, row.problems) == (2, ["lost: s0"])


def test_a_matrix_that_fails_is_a_fault_in_the_table_and_the_others_go_on(tmp_path, monkeypatch, capsys):
    def good(folder, seed):
        row = Row("good", "x", "trials")
        with row.trial("first"):
            raise ValueError("of one trial")
        with row.trial("second"):
            pass
        return [row.done()]

    def bad(folder, seed):
        raise ValueError("of the whole")

    monkeypatch.setattr(program, "FULL", {"bad": bad, "good": good})
    monkeypatch.setattr(program, "SAMPLE", {})
    page = tmp_path / "page.md"
    assert program.main(["--page", str(page)]) == 1
    text = page.read_text(encoding="utf-8")
    assert "| bad: the matrix as a whole | 1 matrices | 0 | 0 | 0 | 0 | 0 | 1 |" in text
    assert "| good: x | 2 trials | 0 | 0 | 0 | 0 | 0 | 1 |" in text
    said = capsys.readouterr()
    assert "good: x: 2 trials, 1 faults" in said.err
    assert "broken: first: ValueError: of one trial" in said.out
    monkeypatch.setattr(program, "FULL", {"fine": lambda folder, seed: [Row("fine", "x")]})
    assert program.main([]) == 0


def test_parts_are_kept_and_make_one_page_that_says_where_fewer_trials_were_made(tmp_path, monkeypatch):
    def part(name, tried):
        return lambda folder, seed: [Row(name, "x", "trials", tried=tried, may=4, twice=2, twice_in_all=3)]

    monkeypatch.setattr(program, "FULL", {"one": part("one", 7), "two": part("two", 1000)})
    monkeypatch.setattr(program, "full", lambda share: {"one": part("one", 7), "two": part("two", round(1000 * share))})
    rows, page = tmp_path / "rows.json", tmp_path / "page.md"
    old = {"rows": {"one": [{"matrix": "one", "what": "x", "unit": "trials", "tried": 1}]}, "earlier": ["one"]}
    rows.write_text(json.dumps(old), encoding="utf-8")
    assert program.main(["--only", "two", "--share", "0.1", "--rows", str(rows), "--page", str(page)]) == 0
    said = "Made by an earlier version of the program, and not part of this time: one."
    assert said in page.read_text(encoding="utf-8")
    assert program.main(["--only", "one", "--rows", str(rows), "--page", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert text.index("| one: x | 7 trials |") < text.index("| two: x | 100 trials |")
    assert "Fewer trials than by `make matrix` were made of: two (10%)." in text
    assert "| x | 7 | 4 | 2 | 3 |" in text
    assert program.main(["--only", "two", "--rows", str(rows), "--page", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert "| two: x | 1000 trials |" in text
    assert "Fewer" not in text
    assert "earlier" not in text


def test_a_kill_after_which_more_is_asked_twice_than_was_in_flight_is_a_fault():
    row = Row("workers", "x", may=4)
    workers._count(row, "killed", 4, 4)
    assert (row.over, row.twice, row.twice_in_all) == (0, 4, 4)
    workers._count(row, "killed", 5, 4)
    workers._count(row, "ended before", 1, 0)
    assert (row.over, row.twice, row.twice_in_all) == (2, 5, 10)
