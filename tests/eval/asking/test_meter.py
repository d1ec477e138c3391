"""When a run may start no further sample."""

import pytest

from medvision_agent.agent.endings.usage import Usage
from medvision_agent.eval.asking.meter import UNESTIMATED, Meter
from medvision_agent.eval.settings.budget import Budget


@pytest.fixture
def record(make_record):
    def make(*, tokens: int = 0, usd: float | None = None, unreported: int = 0):
        usage = Usage(model_calls=1, unreported=unreported, input=tokens)
        return make_record("s", "distance", "10", usage=usage, cost_usd=usd)

    return make


def test_without_a_budget_everything_may_start(record):
    meter = Meter(Budget(), [record(tokens=10**9, usd=1e6)])
    assert meter.allows_one_more()


def test_tokens_over_all_sessions(record):
    meter = Meter(Budget(tokens=1000), [record(tokens=600)])
    assert meter.allows_one_more()
    meter.add(record(tokens=400))
    assert not meter.allows_one_more()
    assert meter.reason.startswith("1,000 tokens are used up")


def test_samples_in_flight_count_as_the_mean_so_far(record):
    meter = Meter(Budget(usd=1.0), [record(usd=0.3), record(usd=0.5)])
    with meter.in_flight():
        assert not meter.allows_one_more()  # 0.8 spent and 0.4 expected


@pytest.mark.parametrize("budget", [Budget(usd=5.0), Budget(tokens=1000)])
def test_one_reply_without_a_report_stops_the_run(record, budget):
    meter = Meter(budget, [record(tokens=1, usd=0.0), record(unreported=1, usd=0.0)])
    assert not meter.allows_one_more()
    assert "reports no token counts (1 of 2 replies came without)" in meter.reason


def test_a_limit_of_time_needs_no_report(record):
    meter = Meter(Budget(seconds=1000), [record(unreported=1)])
    assert meter.allows_one_more()


def test_time_is_that_of_this_session():
    moments = iter([100.0, 109.0, 110.0])
    meter = Meter(Budget(seconds=10), clock=lambda: next(moments))
    assert meter.allows_one_more()
    assert not meter.allows_one_more()
    assert "time allowed, 10 s" in meter.reason


def test_tokens_of_replies_that_were_none_count_too(make_record):
    usage = Usage(model_calls=0, input=1000)
    meter = Meter(Budget(tokens=1000), [make_record("s", "distance", "10", usage=usage)])
    assert not meter.allows_one_more()


@pytest.fixture
def broken(make_record):
    """Return a function that makes a record, one call of which was answered by an error without token counts."""

    def make(*, tokens: int = 0, usd: float = 0.0, reason: str = "malformed_function_call", calls: int = 2):
        usage = Usage(model_calls=calls, unreported=1, input=tokens)
        return make_record("s", "distance", "10", usage=usage, cost_usd=usd, finish_reasons=(reason, "stop")[:calls])

    return make


def test_a_call_that_was_answered_by_an_error_is_estimated_at_the_dearest_sample(broken, record):
    meter = Meter(Budget(tokens=1000), [record(tokens=300), broken(tokens=200)])
    assert meter.allows_one_more()  # 500 reported, 300 estimated
    meter.add(record(tokens=200))
    assert not meter.allows_one_more()
    assert "so far 1,000 tokens" in meter.reason
    assert "1 unreadable call without a count estimated at the dearest sample" in meter.reason


def test_it_costs_as_much_as_the_dearest_sample(broken, record):
    meter = Meter(Budget(usd=1.0), [record(tokens=1, usd=0.4), broken(tokens=1, usd=0.1)])
    assert meter.allows_one_more()
    meter.add(record(tokens=1, usd=0.1))
    assert not meter.allows_one_more()


def test_another_reply_without_a_count_still_stops_the_run(broken, record):
    meter = Meter(Budget(tokens=1000), [record(tokens=1), broken(tokens=1, reason="stop")])
    assert not meter.allows_one_more()


def test_where_nothing_was_ever_counted_a_few_such_samples_stop_the_run(broken, record):
    meter = Meter(Budget(tokens=1000), [broken(calls=1)] * (UNESTIMATED - 1))
    assert meter.allows_one_more()
    meter.add(broken(calls=1))
    assert not Meter(Budget(tokens=1000), [broken(calls=1)] * UNESTIMATED).allows_one_more()
    assert not meter.allows_one_more()
    assert "reports no token counts (5 of 5 replies came without)" in meter.reason
