"""Diagonals of many slices at once: to the last bit those of one row after the other, odd rows among them or not."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medvision_agent.eval.scorer.answer import Answer, Doc
from medvision_agent.eval.scorer.answers import Answers
from medvision_agent.eval.scorer.nmae import _diagonal, diagonals

voxel = st.floats(1e-3, 1e3) | st.sampled_from([0.0, 1e200, 1e308, math.inf, math.nan])
usual = st.tuples(
    st.none() | st.tuples(voxel, voxel, voxel),
    st.integers(0, 2),
    st.lists(st.integers(1, 4000), min_size=2, max_size=2),
    st.none() | st.tuples(st.floats(0.5, 3.0), st.floats(0.5, 3.0)),
)
odd = st.sampled_from([
    ((1.0, 1.0), 1, [5, 6], None),
    ((), 1, [5, 6], None),
    ((1.0, 1.0, 1.0), True, [5, 6], None),
    ((1.0, 1.0, 1.0), 1.0, [5, 6], None),
    ((1.0, 1.0, 1.0), 3, [5, 6], None),
    ((1.0, 1.0, 1.0), None, None, None),
    ((1.0, 1.0, 1.0), 0, [5, 10**400], None),
    ((1.0, 1.0, 1.0), 0, [5.5, True], None),
    ((1.0, 1.0, 1.0), 0, "ab", None),
])  # fmt: skip


@pytest.mark.parametrize("file", ["samples_KiTS23.jsonl", "samples_KiTS23-scaledPS.jsonl"])
@given(rows=st.lists(usual, min_size=1, max_size=20), more=st.lists(odd, max_size=2))
def test_many_are_as_one_by_one(file: str, rows: list[Any], more: list[Any]) -> None:
    together = rows + more
    answers = [
        Answer("1", "TL", "t", file, "", None, (1.0, 1.0), False, Doc(slice_dim=dim, size=size), "a", "CT", zooms,
               pixel_scale=scale if scale is not None or "scaled" not in file else (1.0, 2.0))
        for zooms, dim, size, scale in together
    ]  # fmt: skip
    wanted = [
        _diagonal(one.zooms, one.doc.slice_dim, one.doc.size, one.pixel_scale if "scaled" in file else (1.0, 1.0))
        for one in answers
    ]
    assert np.array_equal(diagonals(Answers.of(answers), (0.5, 3.0)), np.array(wanted), equal_nan=True)
