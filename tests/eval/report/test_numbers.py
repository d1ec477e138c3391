"""The report's numbers, found again by another route: plain SQLite and NumPy."""

import csv
import json
import re
import sqlite3
from contextlib import closing
from html.parser import HTMLParser

import numpy as np
import pytest
from hulls import correlation, hull, reach

from medvision_agent.eval.report.collect import collect
from medvision_agent.eval.report.page import html_page
from medvision_agent.eval.report.write import markdown_page, write_tables


class Text(HTMLParser):
    """Collects what a page says."""

    def __init__(self, page):
        super().__init__()
        self.words = []
        self.feed(page)

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def losses(folder):
    """Return loss (1 for a failure, NaN for a lost one), success, and subject of every sample, read from the rows."""
    with closing(sqlite3.connect(folder / "run.sqlite")) as database, database:
        samples = {id_: json.loads(text) for id_, text in database.execute("SELECT id, json FROM sample")}
        rows = {id_: json.loads(text) for id_, text in database.execute("SELECT sample_id, json FROM record")}
    found = {}
    for id_, sample in samples.items():
        record, target = rows[id_], sample["target"][0]
        answer = re.fullmatch(r"<answer>(-?[\d.]+)</answer>", record.get("response", ""))
        if record["outcome"] == "timeout":
            found[id_] = (np.nan, np.nan, sample["subject"])
        elif answer is None:
            found[id_] = (1.0, 0.0, sample["subject"])
        else:
            error = abs(float(np.float32(answer[1])) - target)
            found[id_] = (min(error / target, 1.0), 1.0, sample["subject"])
    return found


def by_hand(a, b):
    """Return the paired figures of two arms."""
    of_a, of_b = losses(a), losses(b)
    pairs = [(of_a[one], of_b[one]) for one in of_a if not np.isnan(of_a[one][0] + of_b[one][0])]
    loss = np.array([[one[0], two[0]] for one, two in pairs])
    rate = np.array([[one[1], two[1]] for one, two in pairs])
    who = np.array([one[2] for one, _ in pairs])
    change = loss[:, 1] - loss[:, 0]
    both = rate.min(axis=1) == 1
    people, sizes = np.unique(who, return_counts=True)
    without = np.array([change[who != one].mean() for one in people])
    count = len(people)
    error = np.sqrt((count - 1) / count * ((without - without.mean()) ** 2).sum())
    icc = correlation([change[who == one] for one in people])
    sums = np.array([(change[who == one] - change.mean()).sum() for one in people])
    low, high = hull(change.mean(), error, sums, reach(0.95, sizes, icc))
    return {
        "loss against": loss[:, 0].mean(),
        "loss": loss[:, 1].mean(),
        "difference": change.mean(),
        "low": low,
        "high": high,
        "n": len(pairs),
        "lower": int((change < 0).sum()),
        "equal": int((change == 0).sum()),
        "differing": len(set(who[change != 0])),
        "subjects": count,
        "success rate against": rate[:, 0].mean(),
        "success rate": rate[:, 1].mean(),
        "complete": change[both].mean(),
        "complete n": int(both.sum()),
    }


@pytest.fixture
def tables(arms, tmp_path):
    """Return the tables of a report as they are written, by name."""
    write_tables(collect(arms), tmp_path / "tables")
    return {
        path.stem.removeprefix("c1-"): list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
        for path in (tmp_path / "tables").glob("*.csv")
    }


def test_the_differences_are_those_of_the_raw_store(arms, tables):
    (row,), hand = tables["contrasts"], by_hand(*arms)
    assert hand["n"] < 96  # some were lost
    for name in ("n", "subjects"):
        assert int(row[name]) == hand[name]
    for name in ("loss against", "loss", "difference", "success rate against", "success rate"):
        assert float(row[name]) == pytest.approx(hand[name], rel=1e-6), name
    for name in ("low", "high"):
        assert float(row[name]) == pytest.approx(hand[name], rel=0.02), name
    assert row["what is withheld, and why"] == "exploratory: not a declared contrast, so no p-value"


def test_what_is_missing_is_counted(arms, tables):
    (row,), hand = tables["missing"], by_hand(*arms)
    lost = [np.isnan([loss for loss, _, _ in losses(arm).values()]) for arm in arms]
    assert int(row["chosen"]) == 96
    assert int(row["scored pairs"]) == hand["n"]
    assert int(row["lost in the first alone"]) == (lost[0] & ~lost[1]).sum()
    assert int(row["lost in the second alone"]) == (lost[1] & ~lost[0]).sum()
    assert int(row["lost in both"]) == (lost[0] & lost[1]).sum()
    complete = next(one for one in tables["sensitivity"] if one["figure"] == "loss, complete pairs")
    assert float(complete["difference"]) == pytest.approx(hand["complete"], rel=1e-6)
    assert int(complete["n"]) == hand["complete n"]
    bounds = next(one for one in tables["sensitivity"] if one["figure"] == "bounds: lost pairs")
    low, high = np.zeros(2), np.zeros(2)
    for place, arm in enumerate(arms):
        values = np.array([loss for loss, _, _ in losses(arm).values()])
        low[place], high[place] = np.nan_to_num(values, nan=0.0).mean(), np.nan_to_num(values, nan=1.0).mean()
    assert float(bounds["lowest"]) == pytest.approx(low[1] - high[0], rel=1e-6)
    assert float(bounds["highest"]) == pytest.approx(high[1] - low[0], rel=1e-6)


def test_every_arm_stands_with_its_own_n(arms, tables):
    *rows, constant = tables["task-distance"]
    assert (constant["arm"], constant["what"]) == ("best constant of the other subjects", "reference, no run")
    for row, arm in zip(rows, arms, strict=True):
        own = np.array([(loss, rate) for loss, rate, _ in losses(arm).values() if not np.isnan(loss)])
        assert int(row["n"]) == len(own)
        assert float(row["loss"]) == pytest.approx(own[:, 0].mean(), rel=1e-6)
        assert float(row["success rate"]) == pytest.approx(own[:, 1].mean(), rel=1e-6)


@pytest.mark.parametrize("form", [html_page, markdown_page])
def test_the_summary_in_words_says_the_same(arms, form):
    hand, page = by_hand(*arms), form(collect(arms))
    text = Text(page).text if form is html_page else " ".join(page.replace("\\", "").split())
    text = text.replace(" \N{RIGHTWARDS ARROW} ", " -> ")
    difference = f"{hand['difference']:+.3f}".replace("-", "\N{MINUS SIGN}")
    assert (
        f"off -> on, distance: mean loss {hand['loss against']:.3f} with off and {hand['loss']:.3f} with on, "
        f"difference {difference} "
        f"({hand['n']} pairs, {hand['subjects']} subjects; on lower in {hand['lower']}, equal in {hand['equal']}, "
        f"higher in {hand['n'] - hand['lower'] - hand['equal']}; {hand['differing']} subjects differ at all; "
        f"success rates {hand['success rate against']:.1%} and "
        f"{hand['success rate']:.1%}); 95% interval "
    ) in text
    apart = f"{hand['complete']:+.3f}".replace("-", "\N{MINUS SIGN}")
    assert f"over the {hand['complete n']} pairs answered in both it is {apart}" in text
    lost = sum(np.isnan(loss) for loss, _, _ in losses(arms[0]).values())
    assert f"Results lost to infrastructure, in no mean: off {lost} (timeout {lost})" in text
