"""Tokens into money."""

import pytest

from medvision_agent.agent.endings.usage import Prices, Usage

USAGE = Usage(model_calls=2, input=1_000_000, output=200_000, reasoning=150_000, cached=400_000)


@pytest.mark.parametrize(
    ("prices", "dollars"),
    [
        (None, None),
        # Cached tokens are part of the input, reasoning tokens part of the output: neither is paid twice.
        (Prices(input=2.0, output=10.0, cached=0.5), 0.6 * 2 + 0.4 * 0.5 + 0.2 * 10),
        (Prices(input=2.0, output=10.0), 1.0 * 2 + 0.2 * 10),
        (Prices(input=2.0, output=10.0, cached=0.0), 0.6 * 2 + 0.2 * 10),
        (Prices(input=0.0, output=0.0), 0.0),
    ],
)
def test_cost(prices, dollars):
    cost = USAGE.cost_usd(prices)
    assert cost == (None if dollars is None else pytest.approx(dollars, abs=1e-12))


def test_costs_add_up_as_usages_do():
    prices = Prices(input=3.0, output=15.0, cached=0.3)
    other = Usage(model_calls=1, unreported=1, input=10, output=7, cached=10)
    total = USAGE + other
    assert (total.model_calls, total.unreported, total.cached) == (3, 1, 400_010)
    assert total.cost_usd(prices) == pytest.approx(USAGE.cost_usd(prices) + other.cost_usd(prices))
