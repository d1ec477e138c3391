"""Differences that are not the same in all strata, told or not told by a report."""

from told.printed import sentences

from medvision_agent.eval.report.collect import collect
from medvision_agent.eval.report.sections import sections


def told(store, shift_mr: float) -> list[str]:
    """Return the sentences on strata of two runs: CT gains by tools, MR by *shift_mr* mm of error more."""
    true = [10.0 + number % 31 for number in range(80)]
    off = store("off", [f"<answer>{t + 4}</answer>" for t in true], subjects=40)
    answers = [t + (1 + n % 3 / 10 if n % 2 == 0 else shift_mr + n % 5 / 10) for n, t in enumerate(true)]
    on = store("on", [f"<answer>{answer}</answer>" for answer in answers], tools=["ruler"], subjects=40)
    chapter = collect([off, on]).chapters[0]
    own = next(one for one in sections(chapter, "c1", draw=False) if one.id == "c1-strata")
    assert any(table.id == "c1-interactions" for table in own.tables)
    return [line for line in sentences(chapter) if "not the same for every modality" in line]


def test_a_gain_on_ct_and_a_loss_on_mr_are_told(store):
    (line,) = told(store, 9.0)
    assert "CT" in line
    assert "exploratory" in line  # plain runs declare nothing


def test_equal_gains_are_not_told_to_differ(store):
    assert told(store, 1.0) == []
