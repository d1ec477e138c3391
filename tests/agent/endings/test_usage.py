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


def reported(**counts: int) -> Usage:
    return Usage.of_a_reply(**{"input": 10, "output": 5, "reasoning": 0, "cached": 0, "empty": False} | counts)


@pytest.mark.parametrize(
    "counts",
    [{"input": 0}, {"input": -1}, {"output": -1}, {"output": 0}, {"cached": 11}, {"input": 10**9}, {"reasoning": -2}],
)
def test_counts_that_cannot_be_true_are_not_reported(counts):
    assert reported(**counts) == Usage(model_calls=1, unreported=1)


def test_an_empty_reply_has_no_tokens_of_output():
    assert reported(output=0, empty=True) == Usage(model_calls=1, input=10)


def test_reasoning_that_a_server_does_not_count_as_output_is_kept():
    assert reported(reasoning=7).reasoning == 7
