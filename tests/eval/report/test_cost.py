"""Loss against cost: whether arms are compared in money or in tokens, and what the table says of each."""

import numpy as np
import pytest

from medvision_agent.eval.figures.cost import front
from medvision_agent.eval.report.collect import collect
from medvision_agent.eval.report.cost import cost_table, cost_unit, spots
from medvision_agent.eval.report.cost_plot import losses_by_cost
from medvision_agent.eval.report.links import Links, Viewer

N = 48
ERRORS = {"off": 0.4, "on": 0.1, "dear": 0.2}
TOKENS = {"off": 100, "on": 900, "dear": 800}
COSTS = {"off": 0.001, "on": 0.002, "dear": 0.004}


@pytest.fixture
def chapter(store):
    """Return a function that returns a chapter of three arms; of those named nobody knows the price."""

    def made(*unpriced, tokens=TOKENS):
        folders = [
            store(
                f"{arm}{len(unpriced)}",
                [f"<answer>{(10.0 + at % 31) * (1 + error + 0.001 * (at % 7)):.4f}</answer>" for at in range(N)],
                tools=() if arm == "off" else (arm,),
                tokens=tokens[arm],
                cost=None if arm in unpriced else COSTS[arm],
            )
            for arm, error in ERRORS.items()
        ]
        return collect(folders, most_pictures=0).chapters[0]

    return made


def test_arms_are_compared_in_money_where_all_have_prices(chapter):
    one = chapter()
    assert cost_unit(one) == "US dollars"
    money, tokens = (spots(one, unit)["distance"] for unit in ("US dollars", "tokens"))
    names = list(one.arms)
    assert [spot.cost for spot in money] == pytest.approx([0.001, 0.002, 0.004])
    assert [spot.cost for spot in tokens] == [100, 900, 800]
    for each, error in zip(money, ERRORS.values(), strict=True):
        losses = error + 0.001 * (np.arange(N) % 7)
        assert each.loss == pytest.approx(losses.mean(), abs=1e-5)
        low, high = each.interval
        assert low < losses.mean() < high
    assert [each.arm for each in front(money)] == names[:2]
    assert [each.arm for each in front(tokens)] == [names[0], names[2], names[1]]
    drawn = losses_by_cost(one, "c1", Links(Viewer(), one))
    assert drawn.title.endswith("oss against cost in US dollars")
    assert "at 0.001 US dollars of a sample, n 48" in drawn.panels[0].words
    rows = {row[0]: row for row in cost_table(one, "c1").rows}
    assert rows[names[2]][6:] == (800, pytest.approx(0.004), "yes", "no")
    assert rows[names[1]][6:] == (900, pytest.approx(0.002), "yes", "yes")


def test_one_arm_without_prices_brings_all_to_tokens_and_the_caption_says_so(chapter):
    one = chapter("on")
    assert cost_unit(one) == "tokens"
    assert len(spots(one, "US dollars")["distance"]) == 2
    drawn = losses_by_cost(one, "c1", Links(Viewer(), one))
    assert drawn.title.endswith("in tokens, because not every arm has prices")
    assert "US dollars" not in drawn.panels[0].words
    rows = {row[0]: row for row in cost_table(one, "c1").rows}
    name = one.arms[1]
    assert rows[name][6:] == (900, None, "yes", "not known")
