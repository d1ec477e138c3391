"""A seeded sample of the standing matrices (``matrix/``): every count must be zero."""

import os

import pytest
from matrix import escapes, hostile, kills, resources, stops, wire
from matrix.row import Row

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked")
FEW = {"commands": ("run",), "connections": (8,)}
MATRICES = {
    "kills": lambda folder: kills.matrix(folder, 1, 18, **FEW),
    "stops": lambda folder: stops.matrix(folder, 1, 6, **FEW),
    "resources": lambda folder: resources.matrix(folder, 1, 1),
    "wire": lambda folder: wire.matrix(folder, 1, 5),
    "hostile": lambda folder: hostile.matrix(folder, 1, 3),
    "escapes": lambda folder: escapes.matrix(1, 15, 10),
}


@pytest.mark.parametrize("name", MATRICES)
def test_nothing_is_lost_asked_again_changed_or_mistyped(name, tmp_path, monkeypatch):
    monkeypatch.setenv("KEY_OF_THE_MATRIX", "plain-fake-key")
    rows = MATRICES[name](tmp_path)
    assert not [problem for row in rows for problem in row.problems]
    assert all(row.tried or row.skipped for row in rows)


def test_a_fault_is_counted_and_named():
    row = Row("kills", "x")
    row.fault("lost", "s0", 2)
    row.fault("again", "nothing", 0)
    assert (row.faults, row.problems) == (2, ["lost: s0"])
