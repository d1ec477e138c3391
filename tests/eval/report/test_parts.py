"""The loss in parts on the page: sums, the sentence where it is true, and its absence where it is not."""

import csv

import pytest
from told.printed import sentences

from medvision_agent.eval.report.collect import collect
from medvision_agent.eval.report.write import write_tables

COUNT = 48


def stated(number, *, shift=0.0, factor=1.0):
    """Return an answer that states the true ends (image of 50 x 40 mm), the second one moved to the right."""
    length = 10.0 + number % 31
    seen = length + shift
    ends = f"({5 / 50}, {1 - 5 / 40}), ({(5 + seen) / 50}, {1 - 5 / 40})"
    return f"{ends} <answer>{factor * seen:.2f}</answer>"


@pytest.fixture
def short():
    """Answers from true points whose sums are too short, by another factor for each subject."""
    return [stated(number, factor=0.7 + 0.01 * (number % 24)) for number in range(COUNT)]


@pytest.fixture
def near():
    """Answers that are worked out rightly from points that lie a little off."""
    return [stated(number, shift=-0.5) for number in range(COUNT)]


def told(chapter):
    return [line for line in sentences(chapter) if "of the gain of" in line or "of the harm of" in line]


def test_the_parts_stand_in_tables_and_add_up_to_the_difference(store, short, near, tmp_path):
    near[3] = None
    report = collect([store("off", short), store("on", near, tools=("ruler",))])
    write_tables(report, tmp_path / "tables")
    tables = {
        path.stem.removeprefix("c1-"): list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
        for path in (tmp_path / "tables").glob("*.csv")
    }
    rows = {row["part"]: row for row in tables["difference-parts"]}
    total = float(tables["contrasts"][0]["difference"])
    assert sum(float(row["difference"]) for row in rows.values()) == pytest.approx(total, abs=1e-12)
    low, mean, high = (float(rows["arithmetic"][name]) for name in ("low", "difference", "high"))
    assert low < mean < high < 0
    for arm in ("off", "on"):
        own = [row for row in tables["loss-parts"] if row["arm"] == arm]
        assert sum(float(row["mean"]) for row in own) == pytest.approx(float(own[0]["loss"]), abs=1e-12)
    kinds = {row["arm"]: row for row in tables["kinds"]}
    assert (kinds["off"]["arithmetic"], kinds["on"]["no answer"]) == (str(COUNT), "1")
    (line,) = told(report.chapters[0])
    assert line.startswith("off -> on, distance: of the gain of ")
    for part in ("arithmetic", "seeing", "no answer"):
        assert f" is {part}" in line


def test_nothing_is_said_of_a_difference_that_is_not_decomposed(store, short, near):
    guesses = [f"<answer>{10.0 + number % 31:.2f}</answer>" for number in range(COUNT)]
    mixed = store("mixed", [*near[: COUNT // 2], *guesses[COUNT // 2 :]], tools=("ruler",))
    (one,) = collect([store("off", short), mixed]).chapters[0].parted
    assert one.found.decomposed < 0.8
    assert told(collect([store("again", short), mixed]).chapters[0]) == []


def test_of_arms_that_say_nothing_of_tools_and_of_a_demonstration_there_is_no_interval(store, short, near):
    off = store("off", short)
    untold = collect([off, store("on", near, tools=("ruler",), called=False)]).chapters[0]
    (one,) = untold.parted
    assert "no tool was called" in one.found.withheld
    assert all(part.interval is None for part in one.found.parts.values())
    assert told(untold) == []
    shown = [
        store(name, answers, tools=tools, demonstration=True)
        for name, answers, tools in (("d-off", short, ()), ("d-on", near, ("ruler",)))
    ]
    chapter = collect(shown).chapters[0]
    arm = chapter.parts[chapter.arms[-1]]["distance"]
    assert arm.withheld == "demonstration data support no claim"
    parts = [*arm.parts.values(), *chapter.parted[0].found.parts.values()]
    assert all(part.interval is None for part in parts)
