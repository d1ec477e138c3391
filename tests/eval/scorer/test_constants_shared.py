"""Searches for a best constant that subjects share, against one search for each subject, bit for bit."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from identities import a_sample

from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.scorer.constants import best_constants, our_loss
from medvision_agent.eval.scorer.metrics import Floats, relative_loss

SAMPLES, VALUES = 256, 32


def alone(every: Sequence[Sample], subject: str) -> list[float]:
    """Find the constant of one subject of one label by a search of its own, from a list of all the others."""
    others = np.array([one.target for one in every if one.subject != subject])
    others = evenly(others, SAMPLES)

    def best_of(answers: Floats) -> tuple[Floats, float]:
        means = losses(answers[:, np.newaxis, :], others[np.newaxis]).mean(axis=1)
        return answers[int(means.argmin())], float(means.min())

    middle = np.quantile(others, [0.5], axis=0, method="nearest")
    answer, least = best_of(np.concatenate((middle, evenly(others, VALUES))))
    better = True
    while better:
        better = False
        for number, column in enumerate(others.T):
            tries = np.array([answer] * len(evenly(np.unique(column), VALUES)))
            tries[:, number] = evenly(np.unique(column), VALUES)
            tried, mean = best_of(tries)
            if mean < least - 1e-12:
                answer, least, better = tried, mean, True
    return answer.tolist()


def losses(answers: Floats, targets: Floats) -> Floats:
    """The relative loss with the numbers of an answer along the last axis."""
    errors = np.abs(answers.astype(np.float32).astype(np.float64) - targets)
    return np.asarray(np.clip(errors / targets, 0.0, 1.0).mean(axis=-1))


def evenly(rows: Floats, count: int) -> Floats:
    return rows if len(rows) <= count else rows[np.linspace(0, len(rows) - 1, count).round().astype(int)]


def sizes(subjects: Sequence[int], seed: int) -> list[Sample]:
    """Return samples of these subjects, in this order."""
    rng = np.random.default_rng(seed)
    targets = np.round(np.exp(rng.normal(3, 0.6, (len(subjects), 2))), 1).tolist()
    return [
        a_sample(f"s{at}", task="size", landmarks=(), label="liver", subject=f"p{subject}", target=tuple(targets[at]))
        for at, subject in enumerate(subjects)
    ]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 12), min_size=7, max_size=90), st.booleans(), st.integers(0, 1_000))
def test_a_shared_search_finds_what_a_search_of_each_subject_finds(counts: list[int], mixed: bool, seed: int) -> None:
    subjects = [subject for subject, count in enumerate(counts) for _ in range(count)]
    if mixed:
        np.random.default_rng(seed).shuffle(subjects)
    every = sizes(subjects, seed)
    found = best_constants(every)
    for one in every[:: max(1, len(every) // 12)]:
        assert found[one.id].tolist() == alone(every, one.subject)


def test_subjects_for_which_the_same_others_are_drawn_share_a_search() -> None:
    calls = list[int]()

    def counted(answers: Floats, targets: Floats) -> Floats:
        calls.append(1)
        return our_loss("size")(answers, targets)

    every = sizes([number // 3 for number in range(6_000)], 5)
    found = best_constants(every, lambda _: counted)
    assert len(calls) < len(every) / 3  # a search takes three calls or more
    for one in every[::600]:
        assert found[one.id].tolist() == alone(every, one.subject)


@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(1, 40))
def test_the_relative_loss_is_the_mean_over_the_numbers_bit_for_bit(seed: int, numbers: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    targets = np.exp(rng.normal(0, 3, (1, count, numbers)))
    answers = (targets[:, :1] * np.exp(rng.normal(0, 1, (7, 1, numbers)))).astype(np.float32)
    assert relative_loss(answers, targets).tobytes() == losses(answers.astype(np.float64), targets).tobytes()
    assert relative_loss(answers[0, 0], targets[0, 0]) == losses(answers[0, 0].astype(np.float64), targets[0, 0])
