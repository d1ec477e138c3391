"""The actions after a record is stored: a callback receives it, and the samples that depend on it are queued."""

from collections.abc import Callable

from medvision_agent.eval.asking.pool import Ask, Pool
from medvision_agent.eval.store.record import Record

__all__ = ["settle"]


def settle(pool: Pool, ask: Ask, record: Record, heard: Callable[[Record], None]) -> None:
    """Pass a stored record to *heard*, and queue the samples that follow from it.

    Raises ProviderError if the server refuses requests by a rule, so that the run must stop.
    """
    lane, sample, attempt = ask
    if lane.draws and record.part:
        lane.draws.add(record)
        pool.asks.appendleft((lane, sample, attempt + 1))
    else:
        heard(record)
    for again in lane.breaker.hear(record):
        pool.alone.append((lane, again.sample, again.attempt + 1))
    following = [ask for follow in lane.followers for ask in follow(record)]
    pool.asks.extendleft(reversed(following))
