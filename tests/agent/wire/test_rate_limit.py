"""Requests and tokens per minute, by a clock that only waiting moves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medvision_agent.agent.wire.rate_limit import WINDOW, Pace


class Clock:
    """Time that passes by sleeping."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


async def test_without_limits_nothing_waits():
    clock = Clock()
    pace = Pace(clock=clock)
    for _ in range(1000):
        await pace.wait(clock.sleep)
    assert clock.now == 0


async def test_requests_within_any_minute():
    clock = Clock()
    pace = Pace(requests=3, clock=clock)
    moments = []
    for _ in range(7):
        moments.append((await pace.wait(clock.sleep)).moment)
        clock.now += 1
    assert moments == [0, 1, 2, 60, 61, 62, 120]


async def test_tokens_are_bounded_by_what_replies_took():
    clock = Clock()
    pace = Pace(tokens=1000, clock=clock)
    pace.took(await pace.wait(clock.sleep), 600)
    clock.now += 1
    second = await pace.wait(clock.sleep)  # 600 spent and 600 expected do not fit into one minute
    assert second.moment == WINDOW


async def test_a_request_larger_than_the_limit_still_goes_alone():
    clock = Clock()
    pace = Pace(tokens=10, clock=clock)
    for _ in range(3):
        pace.took(await pace.wait(clock.sleep), 500)
    assert clock.now == 2 * WINDOW


async def test_the_waiter_can_give_up():
    async def give_up(seconds: float) -> None:
        raise InterruptedError

    pace = Pace(requests=1, clock=Clock())
    await pace.wait(give_up)
    with pytest.raises(InterruptedError):
        await pace.wait(give_up)


@given(
    st.lists(
        st.tuples(st.integers(0, 80).map(lambda quarter: quarter / 4), st.integers(0, 400)), min_size=1, max_size=40
    ),
    st.integers(1, 5),
)
async def test_no_minute_holds_more_requests_than_allowed(steps, limit):
    clock = Clock()
    pace = Pace(requests=limit, tokens=1000, clock=clock)
    starts = []
    for pause, tokens in steps:
        start = await pace.wait(clock.sleep)
        pace.took(start, tokens)
        starts.append(start)
        clock.now += pause
    for start in starts:
        within = [one for one in starts if start.moment - WINDOW < one.moment <= start.moment]
        assert len(within) <= limit
        assert sum(one.tokens for one in within) <= 1000 + 400
