"""Differences beside those of identical runs, and the parts of a variance, worked out again from stored answers."""

from itertools import product

import numpy as np
import pytest
from told.printed import sentences

from medvision_agent.eval.compare.statistics.variance import components
from medvision_agent.eval.findings.inputs import ArmIn, ChapterIn, ContrastIn
from medvision_agent.eval.findings.scores import scored
from medvision_agent.eval.report.collect import collect
from medvision_agent.eval.report.sections import sections
from medvision_agent.eval.report.spread import spreads
from medvision_agent.eval.scorer.protocol import protocol
from medvision_agent.eval.store.read import open_run

RULES = protocol("medvision-1.2")
TRUE = np.array([10.0 + number % 31 for number in range(48)])


def answers(errors):
    """Return answers that are too long by these shares."""
    return [f"<answer>{one:.6f}</answer>" for one in TRUE * (1 + errors)]


def told(store, gain, noise, subjects=24):
    """Return what is said of the noise: two identical runs apart by about *noise*, and tools that gain *gain*."""
    random = np.random.default_rng(3)
    first = 0.5 + random.uniform(-0.05, 0.05, 48)
    again = first + noise + random.uniform(-0.02, 0.02, 48)
    on = first - gain + random.uniform(-0.02, 0.02, 48)
    runs = [store("a", answers(first), subjects=subjects), store("b", answers(again), subjects=subjects)]
    runs.append(store("on", answers(on), tools=["ruler"], subjects=subjects))
    chapter = collect(runs).chapters[0]
    tables = [table for one in sections(chapter, "c1", draw=False) for table in one.tables]
    assert any(table.id == "c1-noise" for table in tables)
    assert not any(table.id == "c1-variance" for table in tables)
    return [line for line in sentences(chapter) if "identical runs" in line]


def test_a_large_difference_is_so_many_times_the_noise(store):
    (line,) = told(store, 0.2, 0.05)
    assert line.startswith("off (a) -> on, distance: the difference of \N{MINUS SIGN}0.")
    assert " times that of two identical runs (off (a) -> off (b)), +0.05" in line
    assert 3.5 < float(line.split(" is in size ")[1].split(" times")[0]) < 4.5


def test_a_small_difference_is_not_larger_than_the_noise(store):
    (line,) = told(store, 0.03, 0.05)
    assert (
        "is not larger than the noise of asking again: two identical runs (off (a) -> off (b)) differ by +0.05" in line
    )


def test_with_few_subjects_nobody_knows_how_large_the_noise_is(store):
    (line,) = told(store, 0.2, 0.05, subjects=6)
    assert "without an interval (6 subjects, fewer than 20" in line
    assert "not larger" not in line


def test_the_parts_of_the_variance_are_those_of_the_losses(store):
    """Two arms of three wordings, twice each; one sample of one run is lost."""
    random = np.random.default_rng(4)
    losses = np.round(random.uniform(0.1, 0.9, (2, 48, 3, 2)), 6)
    arms = []
    for number, name in enumerate(("off", "on")):
        runs = []
        for wording, epoch in product(range(3), range(2)):
            said = answers(losses[number, :, wording, epoch])
            if (number, wording, epoch) == (1, 2, 0):
                said[7], losses[number, 7, wording, epoch] = "LOST", np.nan
            folder = store(f"{name}-{wording}-{epoch}", said, tools=["ruler"] if number else [])
            runs.append(open_run(folder))
        arms.append(ArmIn(name, "m", tuple(runs), drawn=(2, 2, 5, 5, 7, 7)))
    chapter = ChapterIn("c", "study", tuple(arms), (ContrastIn("off -> on", *arms),))
    found = {one.what: one.found for one in spreads(chapter, {arm.name: scored(arm, RULES) for arm in arms})}
    subjects = [one.subject for one in arms[0].first.samples]
    for name, values in (("off", losses[0]), ("on", losses[1]), ("off -> on", losses[1] - losses[0])):
        expected = components(values, subjects)
        assert (found[name].n, found[name].left_out, found[name].wordings) == (expected.n, expected.left_out, 3)
        for part, other in zip(found[name].parts, expected.parts, strict=True):
            assert part.of == other.of
            assert part.variance == pytest.approx(other.variance, abs=1e-6)
    assert (found["off"].left_out, found["on"].left_out) == (0, 1)


def test_an_arm_that_lacks_a_run_is_not_split(store):
    runs = tuple(open_run(store(f"r{number}", answers(np.full(48, 0.5)))) for number in range(3))
    arm = ArmIn("off", "m", runs, drawn=(2, 2, 5))
    assert list(spreads(ChapterIn("c", "study", (arm,)), {"off": scored(arm, RULES)})) == []
