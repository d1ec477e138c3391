"""Means, intervals, bounds and priors of many answers, by another route."""

import math
from collections import defaultdict

import numpy as np
import pytest
from scipy import stats
from talks import RULES, scene

from medvision_agent.eval.headroom.columns import AnswerColumns
from medvision_agent.eval.headroom.references import GROUPS, priors
from medvision_agent.eval.headroom.steps import Step, answered
from medvision_agent.eval.headroom.summary import losses_of, summarise_headroom
from medvision_agent.eval.headroom.words import sentences
from medvision_agent.eval.parts.replay import Case
from medvision_agent.eval.scorer.score import score
from medvision_agent.eval.tasks import TASKS
from medvision_agent.eval.why.flow import trace

DISTANCE = TASKS["distance"]
POINTS = "(0.1, 0.5), (0.76, 0.5) "
"""132 mm in an image of 200 x 200 mm."""


@pytest.fixture
def answers(make_record):
    """Return a function that makes answers to distances, each a text, a target, and the number of its subject."""
    where = scene()

    def made(*given):
        found = []
        for number, (text, target, subject) in enumerate(given):
            case = Case(DISTANCE, (target,), (), where, RULES)
            sample = make_record(f"s{number}", "distance", "1", target=(target,), subject=f"d/{subject:03d}").sample
            own = score("distance", text, (target,), RULES)
            traced = trace(DISTANCE, text, (), where, RULES) if own.success else []
            found.append(answered(sample, case, own, traced, text=text, inclusive=False))
        return found

    return made


def jackknife(values, subjects):
    """Return the 95 % interval of a mean: each subject left out in turn; of equal sizes, so Student's t."""
    by = defaultdict(list)
    for value, subject in zip(values, subjects, strict=True):
        by[subject].append(value)
    mean = math.fsum(values) / len(values)
    without = [(math.fsum(values) - math.fsum(own)) / (len(values) - len(own)) for own in by.values()]
    error = math.sqrt((len(by) - 1) / len(by) * math.fsum((one - mean) ** 2 for one in without))
    effective = len(values) ** 2 / math.fsum(len(own) ** 2 for own in by.values())
    margin = stats.t.ppf(0.975, effective - 1) * error
    return mean - margin, mean + margin


def test_means_and_intervals_are_those_of_a_jackknife_over_subjects(answers):
    rng = np.random.default_rng(3)
    given, wanted, subjects = [], defaultdict(list), []
    for number in range(90):
        target, factor = float(rng.uniform(80, 200)), float(rng.choice([0.5, 1.0, 1.2]))
        said = round(132 * factor, 1)
        stated = number % 5 != 0
        given.append((f"{POINTS if stated else ''}<answer>{said}</answer>", target, number % 30))
        own, exact = abs(said - target) / target, abs(132 - target) / target
        true = abs(said / 132 - 1)
        subjects.append(number % 30)
        for step, loss in zip(Step, (None, own, exact, true, 0.0), strict=False):
            wanted[step].append(min(own if step is not None and not stated and loss is not None else loss or 0.0, 1.0))
    made = AnswerColumns.of(answers(*given))
    found = summarise_headroom(made, losses_of("distance", made, RULES))
    assert (found.n, found.subjects, found.decomposed, found.states, found.withheld) == (90, 30, 72, 72, "")
    for step in (Step.ANSWERED, Step.ARITHMETIC, Step.POINTS, Step.BOTH):
        mean, values = found.steps[step], wanted[step]
        assert mean.loss.mean == pytest.approx(sum(values) / 90, abs=1e-6)
        assert mean.loss.interval == pytest.approx(jackknife(values, subjects), abs=1e-6)
        assert mean.decomposed == pytest.approx(
            sum(value for place, value in enumerate(values) if place % 5) / 72, abs=1e-6
        )
        if step is Step.ANSWERED:
            assert (mean.difference, mean.bounds) == (None, None)
        else:
            changes = [a - b for a, b in zip(values, wanted[Step.ANSWERED], strict=True)]
            assert mean.difference.mean == pytest.approx(sum(changes) / 90, abs=1e-6)
            assert mean.difference.interval == pytest.approx(jackknife(changes, subjects), abs=1e-6)
            assert mean.bounds[0] <= mean.loss.mean <= mean.bounds[1]
    (said,) = sentences({"distance": found})
    assert "Of 90 answers, 18 are not decomposed and keep their loss" in said
    assert "95% interval" in said


def test_few_subjects_and_reasons_of_the_caller_have_no_interval(answers):
    made = AnswerColumns.of(answers(*((f"{POINTS}<answer>{k}</answer>", 120.0, k % 4) for k in range(100, 140))))
    found = summarise_headroom(made, losses_of("distance", made, RULES))
    assert found.withheld.startswith("4 subjects, fewer than 20")
    assert all(one.loss.interval is None for one in found.steps.values())
    many = AnswerColumns.of(answers(*((f"{POINTS}<answer>{k}</answer>", 120.0, k) for k in range(100, 140))))
    losses = losses_of("distance", many, RULES)
    assert summarise_headroom(many, losses).steps[Step.ANSWERED].loss.interval is not None
    assert summarise_headroom(many, losses, ["demonstration"]).steps[Step.ANSWERED].loss.interval is None


def test_the_prior_of_two_subjects_is_the_answer_of_the_other(answers):
    made = AnswerColumns.of(answers(("", 100.0, 1), ("", 50.0, 2)))
    assert priors("distance", made, RULES).tolist() == pytest.approx([0.5, 1.0])
    alone = AnswerColumns.of(answers(("", 100.0, 1), ("", 50.0, 1)))
    assert np.isnan(priors("distance", alone, RULES)).all()
    assert Step.PRIOR not in summarise_headroom(alone, losses_of("distance", alone, RULES)).steps


@pytest.mark.parametrize("subjects", [7, 3 * GROUPS + 1])
def test_no_ground_truth_enters_the_prior_of_its_own_subject(answers, subjects):
    # One subject has nearly all answers, and 400 mm in each: whoever may look at these answers 400 mm.
    targets = [100.0 + 3 * k for k in range(subjects)]
    for own in (0, subjects - 1):
        given = [("", 400.0 if k == own else one, k) for k, one in enumerate(targets)] + [("", 400.0, own)] * 500
        found = priors("distance", AnswerColumns.of(answers(*given)), RULES)
        assert found[own] == found[-1] > 0.6
        others = [found[k] for k in range(subjects) if (k - own) % GROUPS]
        assert others == [1.0] * len(others)


def test_a_model_that_is_better_with_its_own_slips_is_told_so(answers):
    # 110 for 120 mm, of points that give 132: exact arithmetic takes away what made up for the points.
    made = AnswerColumns.of(answers(*((f"{POINTS}<answer>110</answer>", 120.0, k) for k in range(30))))
    found = summarise_headroom(made, losses_of("distance", made, RULES))
    assert found.steps[Step.ARITHMETIC].difference.mean == pytest.approx(0.1 - 10 / 120, abs=1e-6)
    (said,) = sentences({"distance": found})
    assert "from 0.083 to 0.100 (+0.017" in said
