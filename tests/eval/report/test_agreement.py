"""The chapter of a report on agreement, over stored runs."""

import pytest

from medvision_agent.eval.report.collect import collect
from medvision_agent.eval.report.sections import sections


def answered(values):
    return [f"<answer>{value}</answer>" for value in values]


def test_both_arms_are_judged_on_the_samples_both_answered(store):
    true = [10.0 + number % 31 for number in range(40)]
    off = store("off", [None if n == 0 else one for n, one in enumerate(answered(t + 3 for t in true))])
    on = store("on", answered(t - 1 + n % 3 for n, t in enumerate(true)), tools=["ruler"])
    chapter = collect([off, on]).chapters[0]
    plain = {one.arm: one.numbers[0] for one in chapter.agreement}
    assert {arm: one.n for arm, one in plain.items()} == {"off": 39, "on": 39}
    assert plain["off"].bias.value == pytest.approx(3.0, abs=1e-5)
    assert {one.arm: one.coverage.answered for one in chapter.agreement} == {"off": 39, "on": 40}
    found = next(one for one in sections(chapter, "c1", draw=True) if one.id == "c1-agreement")
    assert [table.id for table in found.tables] == ["c1-agreement", "c1-coverage"]
    assert len(found.figures) == 1  # nobody was asked twice, so there is no curve
    assert found.figures[0].panels[0].words.startswith("off, distance: bias +3.00 mm, limits ")
