"""Canaries of a service that changed, and of one that did not."""

from dataclasses import replace

import pytest
from arms import an_arm

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.eval.compare.card_words import card_lines, card_rows, doubts
from medvision_agent.eval.compare.drift import drift
from medvision_agent.eval.compare.points import parity_card
from medvision_agent.eval.scorer.protocol import PROTOCOLS

RULES = PROTOCOLS["medvision-1.2"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return an_arm(tmp_path_factory.mktemp("arm") / "a")


def answered(run, factor, **fields):
    """Return the run with every answer that many times its target."""
    answers = [f"<answer>{one.sample.target[0] * factor}</answer>" for one in run.records]
    records = [
        one.model_copy(update={"response": answer, **fields}) for one, answer in zip(run.records, answers, strict=True)
    ]
    return replace(run, records=records)


def test_a_service_that_did_not_change_shows_no_change(run):
    (found,) = drift([run, run, run], RULES)
    assert (found.task, found.n, found.subjects, found.p) == ("distance", 4, 4, 1.0)
    assert len(set(found.losses)) == 1


def test_a_service_that_changed_does(run):
    (found,) = drift([answered(run, 1.0), answered(run, 1.0), answered(run, 1.5)], RULES)
    assert found.losses == pytest.approx((0.0, 0.0, 0.5))
    # The third moment is the worst by chance in all four subjects, or one moment is in all: 3 of 3^4.
    assert found.p == pytest.approx(3 / 81, abs=0.006)


def test_subjects_are_exchanged_whole(run):
    samples = [one.sample.model_copy(update={"subject": "d/one"}) for one in run.records]
    one = replace(run, samples=samples)
    (found,) = drift([one, one, answered(one, 3.0)], RULES)
    assert (found.n, found.subjects, found.p) == (4, 1, 1.0)


def test_only_samples_scored_at_every_moment_count(run):
    lost = answered(run, 1.0, outcome=Outcome.TIMEOUT)
    assert drift([run, lost, run], RULES) == ()
    some = replace(run, records=run.records[:3])
    assert [one.n for one in drift([run, some, run], RULES)] == [3]


def test_the_card_tells_it_as_assumed(run):
    card = parity_card([(run, run)], drift([answered(run, 1.0), answered(run, 1.0), answered(run, 1.5)], RULES))
    said = "canaries, distance: mean loss 0.000, 0.000, 0.500 at start, middle, end, p 0.0"
    (line,) = [line for line in card_lines(card) if "canaries" in line]
    assert line.startswith(f"  assumed: service in the course of the study: {said}")
    assert line.endswith(" for a change (4 samples of 4 subjects)")
    assert [one for one in doubts(card) if said in one]
    assert card_rows(card)[-1][2].startswith(said)
    assert not [line for line in card_lines(parity_card([(run, run)])) if "canaries" in line]
