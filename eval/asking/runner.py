"""The runner: asks the pending samples of runs, a bounded number at a time, and stores each when it ends.

One event loop, one client for each model. When *stop* is set, samples in flight are finished and stored, and no new
one is started. A ProviderError stops the run the same way and is raised at the end.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from medvision_agent.agent.session import GivenUpError
from medvision_agent.eval.asking.breaker import Breaker
from medvision_agent.eval.asking.crashes import line_up_again, without_fatal, without_suspects
from medvision_agent.eval.asking.draws import marked
from medvision_agent.eval.asking.engine import HERE, Engine, LeasingEngine, WorkerLostError
from medvision_agent.eval.asking.heap import settled_heap
from medvision_agent.eval.asking.meter import Meter
from medvision_agent.eval.asking.pool import Ask, Job, Lane, Pool
from medvision_agent.eval.asking.settle import settle
from medvision_agent.eval.asking.watch import Watch, waiting_until
from medvision_agent.eval.store.later import streamed
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.store.write import RunStore

__all__ = ["Watch", "run_pools", "run_samples", "waiting_until"]


async def run_samples(
    job: Job,
    store: RunStore,
    run: Run,
    *,
    parallel: int,
    watch: Watch,
    stop: asyncio.Event,
    meter: Meter,
    engine: Engine | LeasingEngine = HERE,
) -> None:
    """Ask every pending sample of *run*, at most *parallel* at a time, and store each record.

    Raises ProviderError where the provider refuses to work, StorageError where a record cannot be stored.
    """
    todo = without_fatal(store, run, watch.on_record)
    lane = Lane(job, store, Breaker(job.chat.config.model, run.samples, run.records))
    alone, others = without_suspects([store], lambda: ((lane, sample, attempt) for sample, attempt in streamed(todo)))
    pool = Pool(others, parallel, alone)
    await run_pools([pool], meter, watch=watch, stop=stop, engine=engine)


async def run_pools(
    pools: Sequence[Pool], meter: Meter, *, watch: Watch, stop: asyncio.Event, engine: Engine | LeasingEngine = HERE
) -> None:
    """Have *engine* ask all that the pools hold, side by side, and store each record in the run of its lane.

    Suspects, in flight at deaths of the program, come first, one after the other over all pools. A sample that waits
    for its next try when *stop* is set is given up: it stays pending, and its usage is on record. Where *meter* finds a
    budget used up no further sample is started, and ``watch.on_limit`` is called. A sample whose worker died is asked
    again, as one that was in flight when the program died. Raises the first error that ended it early.
    """
    with settled_heap():
        if isinstance(engine, LeasingEngine):
            problems = await engine.ask_pools(pools, meter, watch=watch, stop=stop)
        else:
            problems = await _Asking(meter, watch, stop, engine).all(pools)
    if problems:
        raise problems[0]
    if meter.reason and any(pool.left() for pool in pools):
        watch.on_limit(meter.reason)


@dataclass(eq=False)
class _Asking:
    """The state that the tasks of all pools share while they ask in this process or through an engine."""

    meter: Meter
    watch: Watch
    stop: asyncio.Event
    engine: Engine
    problems: list[Exception] = field(default_factory=list[Exception])

    async def all(self, pools: Sequence[Pool]) -> list[Exception]:
        """Ask all samples of the pools, and return the errors that ended it early; empty without errors."""
        for pool in pools:
            while pool.alone and await self.next_of(pool):
                pass
        await asyncio.gather(*(self.work(pool) for pool in pools for _ in range(pool.parallel)))
        return self.problems

    async def work(self, pool: Pool) -> None:
        """Ask one sample after the other until the pool is empty, or no further sample may be started."""
        while await self.next_of(pool):
            pass

    async def next_of(self, pool: Pool) -> bool:
        """Ask the next sample of the pool, and return whether to continue."""
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
                    record = marked(record)
                await lane.store.add_async(record, trace)
        except WorkerLostError:
            lane.store.in_flight.died(sample.id)
            await line_up_again(pool, ask, self.watch)
            return
        if made is None:
            self.meter.add(record)
        settle(pool, ask, record, self.watch.on_record)
