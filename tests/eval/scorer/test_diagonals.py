"""Diagonals of slices: by the formula, row by row, whatever is in a row."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medvision_agent.eval.scorer.answer import Answer, Doc
from medvision_agent.eval.scorer.answers import Answers
from medvision_agent.eval.scorer.nmae import diagonals

voxel = st.floats(1e-3, 1e3)
side = st.integers(1, 4000)
PLAIN, SCALED = "samples_KiTS23.jsonl", "samples_KiTS23-scaledPS.jsonl"


def found(file: str, *rows: Any) -> list[float]:
    answers = [
        Answer("1", "TL", "t", file, "", None, (1.0, 1.0), False, Doc(slice_dim=dim, size=size), "a", "CT", zooms,
               pixel_scale=(1.5, 2.0))
        for zooms, dim, size in rows
    ]  # fmt: skip
    return diagonals(Answers.of(answers), (0.5, 3.0)).tolist()


@pytest.mark.parametrize(("file", "tall", "wide"), [(PLAIN, 1.0, 1.0), (SCALED, 1.5, 2.0)])
@given(rows=st.lists(st.tuples(st.tuples(voxel, voxel, voxel), st.integers(0, 2), st.tuples(side, side)), min_size=1))
def test_the_formula(file: str, tall: float, wide: float, rows: list[Any]) -> None:
    wanted = []
    for zooms, dim, (height, width) in rows:
        down, across = (zoom for axis, zoom in enumerate(zooms) if axis != dim)
        wanted.append(math.hypot(height * down * tall, width * across * wide))
    assert np.allclose(found(file, *rows), wanted, rtol=1e-12, atol=0)


@pytest.mark.parametrize(
    "row",
    [
        (None, 1, [5, 6]),
        ((), 1, [5, 6]),
        ((1.0, 1.0), 1, [5, 6]),
        ((1.0, 1.0, 1.0), 3, [5, 6]),
        ((1.0, 1.0, 1.0), None, None),
        ((1.0, 1.0, 1.0), 0, [5, 6, 7]),
        ((1.0, 1.0, 1.0), 0, [5, 10**400]),
        ((1.0, 1.0, 1.0), 0, "ab"),
        ((1.0, 1.0, 1e200), 0, [5, 6]),
        ((1.0, 1.0, math.nan), 0, [5, 6]),
    ],
)
def test_an_odd_row_has_none_and_leaves_the_others_alone(row: Any) -> None:
    usual = ((1.0, 3.0, 4.0), 0, [1, 1])
    before, odd, after = found(PLAIN, usual, row, usual)
    assert (before, after) == (5.0, 5.0)
    assert math.isnan(odd)
