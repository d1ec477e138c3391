"""Samples that may have crashed the program: they are asked alone, and set aside if they crash it again.

Contract: a sample is never set aside for dying in company. What is set aside is on record as ``crashed``, an
infrastructure failure that names itself; it is never a result.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.trace import Trace
from medvision_agent.eval.asking.pool import Ask, Asks, Pool
from medvision_agent.eval.asking.watch import Watch
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.store.later import streamed
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.store.write import RunStore

__all__ = ["line_up_again", "set_aside", "without_fatal", "without_suspects"]


def without_suspects(stores: Sequence[RunStore], asks: Callable[[], Iterator[Ask]]) -> tuple[deque[Ask], Asks]:
    """Return two queues of samples: those to ask alone, in flight at several deaths of the program, and the others.

    *asks* begins anew with each call, so that no list of samples is needed.
    """
    if not any(store.in_flight.remembers for store in stores):
        return deque(), Asks(asks())
    alone = deque(filter(_suspect, asks()))
    set_apart = {(lane, sample.id) for lane, sample, _ in alone}  # by the time of the others they may be done with
    return alone, Asks(ask for ask in asks() if (ask[0], ask[1].id) not in set_apart)


def _suspect(ask: Ask) -> bool:
    lane, sample, _ = ask
    return lane.store.in_flight.alone(sample.id)


def without_fatal(store: RunStore, run: Run, heard: Callable[[Record], None]) -> Sequence[tuple[Sample, int]]:
    """Return the pending samples of *run* with their next attempts, without those that killed the program.

    The latter are stored as crashed, and *heard* is called with their records.
    """
    pending, journal = run.pending(), store.in_flight
    if not journal.remembers:
        return pending
    fatal = [one for one in streamed(pending) if journal.fatal(one[0].id)]
    for sample, attempt in fatal:
        record = _crashed(store, sample, attempt)
        store.add(record, Trace())
        journal.forget(sample.id)
        heard(record)
    return [one for one in pending if one not in fatal] if fatal else pending


async def line_up_again(pool: Pool, ask: Ask, watch: Watch) -> None:
    """Queue a sample whose worker died: normally; alone after several deaths.

    Or, if it died alone, store it as crashed.
    """
    lane, sample, attempt = ask
    journal = lane.store.in_flight
    if journal.fatal(sample.id):
        watch.on_record(await set_aside(lane.store, sample, attempt))
    elif journal.alone(sample.id):
        pool.alone.append(ask)
    else:
        pool.asks.appendleft(ask)


async def set_aside(store: RunStore, sample: Sample, attempt: int) -> Record:
    """Store a sample as crashed, while the event loop goes on, and return its record."""
    record = _crashed(store, sample, attempt)
    await store.add_async(record, Trace())
    store.in_flight.forget(sample.id)
    return record


def _crashed(store: RunStore, sample: Sample, attempt: int) -> Record:
    deaths = store.in_flight.deaths(sample.id)
    detail = f"the program died {deaths} times while asking this sample, the last time while asking it alone"
    return Record(sample=sample, attempt=attempt, outcome=Outcome.CRASHED, detail=detail)
