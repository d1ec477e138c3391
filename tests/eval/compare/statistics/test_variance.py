"""Parts of a variance: planted ones are found, and what cannot be told apart is named together."""

import numpy as np
import pytest

from medvision_agent.eval.compare.statistics.variance import PARTS, _moments, components

PLANTED = {"subject": 0.8, "sample": 0.5, "prompt": 0.6, "prompt x sample": 0.4, "sampling": 0.3}
SIZES = (1, 2, 3, 5, 1, 4, 2, 2, 6, 1) * 2
"""Samples of each subject."""
INDEX = np.repeat(np.arange(len(SIZES)), SIZES)
SUBJECTS = [f"s{one:02}" for one in INDEX]


def drawn(random, wordings, repetitions):
    """Return values with the planted parts."""
    n = len(INDEX)
    shapes = ((len(SIZES), 1, 1), (n, 1, 1), (1, wordings, 1), (n, wordings, 1), (n, wordings, repetitions))
    parts = [random.normal(0, PLANTED[name] ** 0.5, shape) for name, shape in zip(PARTS, shapes, strict=True)]
    return parts[0][INDEX] + sum(parts[1:])


@pytest.mark.parametrize(
    ("wordings", "repetitions", "told"),
    [
        (4, 3, [(name,) for name in PARTS]),
        (4, 1, [("subject",), ("sample",), ("prompt",), ("prompt x sample", "sampling")]),
        (1, 3, [("subject",), ("sample", "prompt x sample"), ("sampling",)]),
        (1, 1, [("subject",), ("sample", "prompt x sample", "sampling")]),
    ],
)
def test_planted_parts_are_found(wordings, repetitions, told):
    """Over many studies the estimates are right in the mean, to within 5 of its standard errors."""
    random = np.random.default_rng(7)
    found = [_moments(drawn(random, wordings, repetitions), INDEX) for _ in range(1500)]
    assert sorted(found[0], key=lambda of: PARTS.index(of[0])) == told
    for of in told:
        estimates = np.array([one[of] for one in found])
        error = estimates.std() / len(estimates) ** 0.5
        assert abs(estimates.mean() - sum(PLANTED[name] for name in of)) < 5 * error
        assert error < 0.04


def test_a_balanced_study_by_hand():
    """Two subjects, two samples each, two wordings, twice: the mean squares of the textbook, worked out apart."""
    values = np.array([[[1, 3], [2, 2]], [[4, 6], [7, 9]], [[0, 0], [1, 3]], [[5, 5], [2, 4]]], float)
    error = (2 + 0 + 2 + 2 + 0 + 2 + 0 + 2) / 8
    cells = values.mean(axis=2)
    by_sample, by_wording, mean = cells.mean(axis=1), cells.mean(axis=0), cells.mean()
    crossed = 2 * sum((cells[s, w] - by_sample[s] - by_wording[w] + mean) ** 2 for s in range(4) for w in range(2)) / 3
    prompt = 8 * sum((by_wording[w] - mean) ** 2 for w in range(2))
    first, second = by_sample[:2].mean(), by_sample[2:].mean()
    within = 4 * (sum((by_sample[:2] - first) ** 2) + sum((by_sample[2:] - second) ** 2)) / 2
    between = 8 * ((first - mean) ** 2 + (second - mean) ** 2)
    assert _moments(values, np.array([0, 0, 1, 1])) == pytest.approx(
        {
            ("sampling",): error,
            ("prompt x sample",): (crossed - error) / 2,
            ("prompt",): (prompt - crossed) / 8,
            ("sample",): (within - crossed) / 4,
            ("subject",): (between - within) / 8,
        }
    )


def test_one_sample_of_each_subject_cannot_be_told_from_the_subject():
    values = np.random.default_rng(1).normal(size=(9, 3, 2))
    found = components(values, list("abcdefghi"))
    assert [part.of for part in found.parts] == [
        ("subject", "sample"),
        ("prompt",),
        ("prompt x sample",),
        ("sampling",),
    ]
    bare = components(values[:, :1, :1], list("abcdefghi"))
    assert [part.of for part in bare.parts] == [("subject", "sample", "prompt x sample", "sampling")]
    assert bare.parts[0].variance == pytest.approx(values[:, 0, 0].var(ddof=1))


def test_a_sample_with_a_missing_result_is_left_out_and_counted():
    values = drawn(np.random.default_rng(2), 3, 2)
    whole = components(values[1:], SUBJECTS[1:])
    values[0, 2, 1] = np.nan
    found = components(values, SUBJECTS)
    assert found == whole.but(left_out=1)
    assert (found.n, found.subjects, found.wordings, found.repetitions) == (len(INDEX) - 1, len(SIZES) - 1, 3, 2)


def test_no_part_is_below_0_and_the_shares_are_of_all():
    found = components(np.random.default_rng(3).normal(size=(40, 2, 2)), [str(one // 2) for one in range(40)])
    assert min(part.variance for part in found.parts) == 0
    assert sum(part.share for part in found.parts) == pytest.approx(1)
    assert found.sd**2 == pytest.approx(sum(part.variance for part in found.parts))


def test_without_spread_or_subjects_there_is_nothing_to_split():
    assert components(np.full((4, 2, 2), 0.5), list("aabb")).sd == 0
    assert components(np.ones((4, 2, 2)), list("aaaa")) is None
    assert components(np.full((4, 2, 2), np.nan), list("abcd")) is None
