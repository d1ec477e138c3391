"""The runner: asks the pending samples of runs, a bounded number at a time, and stores each as it ends.

One event loop, one client for each model. When *stop* is set, samples in flight are finished and stored, and no new
one is started. A ProviderError stops the run the same way and is raised at the end.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial

from medvision_agent.agent.session import GivenUpError, Waiting
from medvision_agent.agent.wire.failures import Fault
from medvision_agent.eval.asking.breaker import Breaker
from medvision_agent.eval.asking.crashes import set_aside, without_fatal, without_suspects
from medvision_agent.eval.asking.engine import HERE, Engine, WorkerLostError
from medvision_agent.eval.asking.heap import settled_heap
from medvision_agent.eval.asking.meter import Meter
from medvision_agent.eval.asking.pool import Ask, Job, Lane, Pool
from medvision_agent.eval.store.later import streamed
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.store.write import RunStore

__all__ = ["Watch", "run_pools", "run_samples", "waiting_until"]


@dataclass(frozen=True)
class Watch:
    """Who wants to know what happens during a run."""

    on_start: Callable[[Run], None] = lambda run: None  # noqa: ARG005
    asking: Callable[[str], AbstractContextManager[None]] = lambda sample_id: nullcontext()  # noqa: ARG005
    """Is entered with the id of a sample when it is begun, and left when it is stored or given up."""
    on_record: Callable[[Record], None] = lambda record: None  # noqa: ARG005
    """Hears of a record that is on disk."""
    on_fault: Callable[[Fault, int], None] = lambda fault, tries: None  # noqa: ARG005
    """Hears of every try of a request that failed, with its number."""
    on_limit: Callable[[str], None] = lambda reason: None  # noqa: ARG005
    """Hears that a budget is used up while samples are left, and which."""
    on_note: Callable[[str], None] = lambda line: None  # noqa: ARG005
    """Hears what a reader of the results must know before the first sample."""


async def run_samples(
    job: Job,
    store: RunStore,
    run: Run,
    *,
    parallel: int,
    watch: Watch,
    stop: asyncio.Event,
    meter: Meter,
    engine: Engine = HERE,
) -> None:
    """Ask every pending sample of *run*, at most *parallel* at a time, and store each record."""
    todo = without_fatal(store, run, watch.on_record)
    lane = Lane(job, store, Breaker(job.chat.config.model, run.samples, run.records))
    alone, others = without_suspects([store], lambda: ((lane, sample, attempt) for sample, attempt in streamed(todo)))
    pool = Pool(others, parallel, alone)
    await run_pools([pool], meter, watch=watch, stop=stop, engine=engine)


async def run_pools(
    pools: Sequence[Pool], meter: Meter, *, watch: Watch, stop: asyncio.Event, engine: Engine = HERE
) -> None:
    """Have *engine* ask all that the pools hold, side by side, and store each record in the run of its lane.

    Suspects, in flight at deaths of the program, come first, one after the other over all pools. A sample that waits
    for its next try when *stop* is set is given up: it stays pending, with what it took on record. Where *meter* finds
    a budget used up no further sample is started, and *watch* hears of it. A sample whose worker died is asked again,
    as one that was in flight when the program died.
    """
    asking = _Asking(meter, watch, stop, engine)
    with settled_heap():
        for pool in pools:
            while pool.alone and await asking.next_of(pool):
                pass
        await asyncio.gather(*(asking.work(pool) for pool in pools for _ in range(pool.parallel)))
    if asking.problems:
        raise asking.problems[0]
    if meter.reason and any(pool.left() for pool in pools):
        watch.on_limit(meter.reason)


@dataclass(eq=False)
class _Asking:
    """What the workers of all pools have in common."""

    meter: Meter
    watch: Watch
    stop: asyncio.Event
    engine: Engine
    problems: list[Exception] = field(default_factory=list[Exception])

    async def work(self, pool: Pool) -> None:
        """Ask one sample after the other until nothing is left, or no further one may be started."""
        while await self.next_of(pool):
            pass

    async def next_of(self, pool: Pool) -> bool:
        """Ask what is next, and say whether to go on."""
        try:
            async with pool.turn(self._may) as ask:
                if ask is None:
                    return False
                with self.meter.in_flight(), self.watch.asking(ask[1].id):
                    await self._one(pool, ask)
        except GivenUpError:
            return False
        except Exception as problem:  # noqa: BLE001 - raised when the others are safely stored
            self.problems.append(problem)
            self.stop.set()
        return True

    def _may(self) -> bool:
        return not self.stop.is_set() and self.meter.allows_one_more()

    async def _one(self, pool: Pool, ask: Ask) -> None:
        lane, sample, attempt = ask
        made = lane.draws.made(sample, attempt) if lane.draws else None
        try:
            with lane.store.in_flight.asking(sample.id):
                waiting = waiting_until(self.stop, self.watch)
                record, trace = made or await self.engine.ask(lane, sample, attempt, waiting)
                if lane.breaker.too_early(record):
                    pool.waiting.append((ask, record))
                    return
                if lane.draws and made is None:
                    record = lane.draws.part(record)
                await lane.store.add_async(record, trace)
        except WorkerLostError:
            await self._lost(pool, ask)
            return
        if made is None:
            self.meter.add(record)
        if lane.draws and record.part:
            lane.draws.add(record)
            pool.asks.appendleft((lane, sample, attempt + 1))
        else:
            self.watch.on_record(record)
        for again in lane.breaker.hear(record):
            pool.alone.append((lane, again.sample, again.attempt + 1))
        following = [ask for follow in lane.followers for ask in follow(record)]
        pool.asks.extendleft(reversed(following))

    async def _lost(self, pool: Pool, ask: Ask) -> None:
        """Line up a sample whose worker died: after deaths in company it is asked alone, and then set aside."""
        lane, sample, attempt = ask
        journal = lane.store.in_flight
        journal.died(sample.id)
        if journal.fatal(sample.id):
            self.watch.on_record(await set_aside(lane.store, sample, attempt))
        elif journal.alone(sample.id):
            pool.alone.append(ask)
        else:
            pool.asks.appendleft(ask)


def waiting_until(stop: asyncio.Event, watch: Watch) -> Waiting:
    """Return what is done between two tries of a request: a wait, which is given up when *stop* is set."""
    return Waiting(sleep=partial(_sleep, stop), on_fault=watch.on_fault)


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
    raise GivenUpError
