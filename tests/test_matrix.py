"""A seeded sample of the standing matrices (``matrix/``): every count is zero, and no row of a table is left out."""

import os

import pytest
from matrix import __main__ as program
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
