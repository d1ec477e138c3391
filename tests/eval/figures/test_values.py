"""Marks are where their values are: read back from the SVG by its ticks alone."""

import math
from itertools import pairwise

import pytest
from drawn import ARMS, a_cost, a_forest, a_headroom, a_ladder, a_pair, an_agreement, read_back

from medvision_agent.eval.figures.by_label import Labelled, loss_by_label
from medvision_agent.eval.figures.by_size import Sized, loss_by_size, means
from medvision_agent.eval.figures.cost import Spot, front, round_numbers
from medvision_agent.eval.figures.tool_use import Use, tool_use


def near(found, wanted):
    return found == pytest.approx(wanted, abs=2e-3)


def test_a_forest_has_each_difference_and_interval():
    found = read_back(a_forest().panels[0])
    assert near([x for x, _ in found.marks], [place / 100 for place in range(-6, 6)])
    heights = [y for _, y in found.marks]
    assert heights == sorted(heights)  # rows run down the page
    spans = [(line[0][0], line[1][0]) for line in found.lines if line[0][1] == line[1][1]]
    wanted = [(place / 100 - 0.05, place / 100 + 0.04) for place in range(-6, 6) if place != 3]
    assert [end for span in spans for end in span] == pytest.approx([end for span in wanted for end in span], abs=2e-3)


def test_pairs_are_at_their_losses():
    from numpy.random import default_rng

    wanted = sorted(map(tuple, default_rng(1).uniform(size=(40, 2)).tolist()))
    found = sorted(read_back(a_pair().panels[0]).marks)
    assert near([x for x, _ in found], [x for x, _ in wanted])
    assert near([y for _, y in found], [y for _, y in wanted])


def test_a_crowd_keeps_its_groups():
    panel = a_pair().panels[1]
    lower, higher = (int(part.split()[0]) for part in panel.words.split(", ")[:2])
    assert lower + higher == 400


def test_costs_are_on_their_logarithmic_axis():
    for panel, unit in zip(a_cost().panels[:2], (1.0, 1e6), strict=True):
        found = read_back(panel).marks
        assert [math.log(x * unit) for x, _ in found] == pytest.approx(
            [math.log(300 * 1.7**place) for place in range(len(ARMS))], abs=0.01
        )
        assert near([y for _, y in found], [0.9 - 0.05 * place for place in range(len(ARMS))])


@pytest.mark.parametrize("low", [0.0004, 7.0, 950.0, 1000.0, 3e5])
@pytest.mark.parametrize("times", [1.69, 2.9, 8.0, 90.0, 5e3, 1e7, 1e12])
def test_an_axis_of_costs_has_a_few_round_numbers(low, times):
    ticks = round_numbers(low, low * times)
    assert 2 <= len(ticks) <= 6
    assert all(low <= tick <= low * times for tick in ticks)
    shares = [math.log(tick / low) / math.log(times) for tick in ticks]
    assert min(b - a for a, b in pairwise(shares)) >= 0.15


def test_the_front_is_drawn_through_the_arms_on_it():
    panel = a_cost().panels[0]
    line = max(read_back(panel).lines, key=len)
    assert len(line) == len(ARMS)
    assert [y for _, y in line] == sorted((y for _, y in line), reverse=True)


def test_the_front_holds_the_arms_that_no_other_beats_in_both():
    off, blind, on, dear = (
        Spot(name, cost, loss, None, 10)
        for name, cost, loss in (("off", 100, 0.5), ("blind", 400, 0.5), ("on", 500, 0.3), ("dear", 900, 0.4))
    )
    assert front([dear, on, blind, off]) == [off, on]
    assert front([on]) == [on]
    assert front([off, off._replace(arm="better", loss=0.4)]) == [off._replace(arm="better", loss=0.4)]


def test_errors_stand_beside_bias_and_limits():
    found = read_back(an_agreement().panels[0])
    assert [x for x, _ in found.marks] == pytest.approx([10.0 + at for at in range(30)], abs=0.05)
    assert [y for _, y in found.marks] == pytest.approx([math.sin(at) * 4 for at in range(30)], abs=0.02)
    level = sorted(line[0][1] for line in found.lines if line[0][1] == line[-1][1])
    assert level == pytest.approx([-5.0, 0.0, 0.5, 6.5], abs=0.02)


def test_a_rung_has_both_losses_and_the_interval_from_the_first():
    found = read_back(a_ladder().panels[0])
    assert near(sorted({round(x, 2) for x, _ in found.marks}), [0.5, 0.6, 0.8])  # 0.6 is the prior
    spans = {(round(line[0][0], 2), round(line[1][0], 2)) for line in found.lines if line[0][1] == line[1][1]}
    assert spans == {(0.8, 0.5), (0.4, 0.6)}  # from first to second, and 0.8 - 0.4 to 0.8 - 0.2
    without = a_ladder().panels[1]
    assert "interval" not in without.words


def test_a_step_has_its_loss_its_interval_and_its_bounds():
    found = read_back(a_headroom().panels[0])
    assert near([round(x, 2) for x, _ in found.marks if round(x, 2) not in {0.2, 0.4}], [0.6, 0.45, 0.3, 0.05])
    spans = {(round(line[0][0], 2), round(line[-1][0], 2)) for line in found.lines if line[0][1] == line[-1][1]}
    assert spans == {(0.5, 0.7), (0.4, 0.5), (0.25, 0.35), (0.2, 0.4)}
    assert "bounds 0.200 to 0.400" in a_headroom().panels[0].words


def test_a_group_of_few_subjects_has_no_mean():
    samples = [Sized("one", float(at), 0.1 * at) for at in range(5)]
    samples += [Sized(f"s{at}", float(at), 0.5) for at in range(5, 25)]
    assert [size for size, _ in means(samples, 5)] == [7.0, 12.0, 17.0, 22.0]
    figure = loss_by_size("n", "t", ["a"], {("size", "mm"): {"a": samples[:5]}}, 5)
    assert "too few subjects" in figure.panels[0].words
    assert len(read_back(figure.panels[0]).marks) == 5


def test_boxes_are_sorted_by_the_published_edges():
    boxes = [Labelled("liver", f"s{at}", ratio, 0.4) for at in range(5) for ratio in (0.049, 0.05, 0.35, 0.9)]
    boxes += [Labelled("kidney", f"s{at % 4}", 0.2, 0.9) for at in range(9)]
    figure = loss_by_label("n", "t", {"off": boxes}, 5)
    words = figure.panels[0].words
    assert "liver, <5%: 0.400, n 5; kidney, 20%: too few subjects, n 9" not in words
    assert "liver, <5%: 0.400, n 5" in words
    assert "liver, 5%: 0.400, n 5" in words
    assert "liver, ≥35%: 0.400, n 10" in words
    assert "kidney, 20%: too few subjects, n 9" in words
    assert loss_by_label("n", "t", {"off": boxes[-9:]}, 5) is None


def test_calls_end_at_what_a_sample_had_and_crosses_at_what_failed():
    uses = {"on": {"crop": Use(2.0, 100, 25)}, "blind": {"crop": Use(0.5, 25, 0)}}
    figure = tool_use("n", "t", ["off", "on", "blind"], {"size": uses})
    assert near([x for x, _ in read_back(figure.panels[0]).marks], [2.0, 0.5, 0.5])
    assert list(figure.key) == ["on", "blind", "failed calls"]
    assert "crop 2.00 (25 of 100 failed)" in figure.panels[0].words
