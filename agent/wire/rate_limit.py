"""Rate limit: no more requests and tokens within any minute than a model's row allows.

Contract: ``wait`` returns when one more request may start, and counts it at once. The tokens of a request are not
known before its reply: until then the mean of the replies so far is counted. A minute is any 60 seconds,
not a minute of the clock, so that the limit holds however a service counts.
"""

import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

__all__ = ["WINDOW", "Pace", "Start"]

WINDOW = 60.0
"""Seconds over which the rate limit is kept."""


@dataclass(eq=False)
class Start:
    """A started request: its time in seconds, and its tokens (expected ones until ``Pace.took`` is called)."""

    moment: float
    tokens: float


class Pace:
    """A rate limiter for *requests* and *tokens* per minute, for one event loop; None means no limit."""

    def __init__(
        self, requests: int | None = None, tokens: int | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._requests = requests
        self._tokens = tokens
        self._clock = clock
        self._starts: deque[Start] = deque()
        self._replies = 0
        self._reported = 0

    async def wait(self, sleep: Callable[[float], Awaitable[None]]) -> Start:
        """Wait with *sleep* until a request may start, and return its ``Start``."""
        while (delay := self._delay(now := self._clock())) > 0:
            await sleep(delay)
        start = Start(now, self._expected)
        self._starts.append(start)
        return start

    def took(self, start: Start, tokens: int) -> None:
        """Record the tokens that a request took: input plus output."""
        start.tokens = tokens
        self._replies += 1
        self._reported += tokens

    def ended(self, start: Start) -> None:
        """Note that a request has ended, answered or not; call it once, after any call of ``took``.

        Here it does nothing. A subclass whose limit is kept by another process reports the end to that process.
        """

    @property
    def _expected(self) -> float:
        return self._reported / self._replies if self._replies else 0.0

    def _delay(self, now: float) -> float:
        """Return the seconds until one more request fits; a request always fits in an empty minute."""
        while self._starts and self._starts[0].moment <= now - WINDOW:
            self._starts.popleft()
        ends = [0.0]
        if self._requests is not None and len(self._starts) >= self._requests:
            ends.append(self._starts[-self._requests].moment + WINDOW - now)
        if self._tokens is not None:
            room = self._tokens - self._expected - sum(start.tokens for start in self._starts)
            for start in self._starts:
                if room >= 0:
                    break
                room += start.tokens
                ends.append(start.moment + WINDOW - now)
        return max(ends)
