"""Decides which samples are handed to workers with leases, how many at a time, and which are taken back.

Contract: every sample that was handed out counts in the budget as if it were in flight. Workers hold a few samples more
than they ask at once, so that no worker waits for this process. Near the limit of a budget they hold no more, and
waiting samples are taken back when the budget, a refusal or a stop forbids to begin another one.
"""

import asyncio
import itertools
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Sequence
from typing import Any

from medvision_agent.errors import MedVisionAgentError
from medvision_agent.eval.asking.engine import WorkerLostError
from medvision_agent.eval.asking.meter import Meter
from medvision_agent.eval.asking.pool import Ask, Pool
from medvision_agent.eval.asking.watch import Watch
from medvision_agent.eval.engines.slots import LeaseWorker, Out, Slot, Tried, shares

__all__ = ["TICK", "Handing"]

TICK = 0.2
"""Seconds between two checks of the budget."""
_PATIENCE = 60.0
"""Seconds that a worker has to give back its waiting samples before it is killed."""
_SMOOTH = 0.2
"""Weight of the latest interval in a worker's mean rate."""
_FAR = 4
"""Samples may wait at workers while the budget has room for this many times the samples in flight at once."""


class Handing(ABC):
    """The samples that are handed out to workers of a cluster, and these workers; used from one event loop."""

    def __init__(
        self, workers: Sequence[LeaseWorker], pools: Sequence[Pool], meter: Meter, watch: Watch, stop: asyncio.Event
    ) -> None:
        self._pools, self._meter, self._watch, self._stop = pools, meter, watch, stop
        parts = [shares(pool.parallel, len(workers)) for pool in pools]
        self._slots = [Slot(worker, [part[at] for part in parts]) for at, worker in enumerate(workers)]
        self._suspects = [number for number, pool in enumerate(pools) if pool.alone]
        self._numbers = itertools.count()
        self._recalls: asyncio.Task[None] | None = None
        """The task that takes back the samples waiting at workers."""
        self._calmed = set[int]()
        """Models whose waiting samples were taken back, because one of their samples must be asked alone."""
        self._tasks = set[asyncio.Task[None]]()
        self._over = asyncio.Event()
        self._problems = list[Exception]()

    @abstractmethod
    def _combine(self, out: Out) -> None:
        """Store the record that is made from the answers drawn for a sample, once all these answers are in the run."""

    def _go(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and isinstance(error := task.exception(), Exception):
            self._problem(error)
            self._over.set()  # what waits for the failed task would wait forever

    def _problem(self, problem: Exception) -> None:
        self._problems.append(problem)
        self._stop.set()

    def _fill(self) -> None:
        """Hand out samples that may be begun: first to keep all workers busy, then some that wait at the workers."""
        try:
            served = self._served()
            for ahead in (False, True):
                for number in served:
                    self._hand_out(number, ahead=ahead)
        except MedVisionAgentError as problem:
            self._problem(problem)
        if not (self._recalls or any(pool.flying for pool in self._pools) or any(one.unclosed for one in self._slots)):
            self._over.set()

    def _served(self) -> Sequence[int]:
        """Return the numbers of the models that are asked now: one at a time while any sample must be asked alone."""
        while self._suspects and not self._pools[self._suspects[0]].calm:
            self._suspects.pop(0)
        return self._suspects[:1] or range(len(self._pools))

    def _hand_out(self, number: int, *, ahead: bool) -> None:
        pool = self._pools[number]
        if not pool.calm:
            self._calmed.discard(number)
        elif number not in self._calmed:
            self._calmed.add(number)
            self._recall(number, all_=True)
        if self._recalls or (ahead and (pool.calm or self._meter.room < _FAR * pool.parallel)):
            return
        slots = [slot for slot in self._slots if slot.shares[number] and slot.serves and not slot.unread]
        if ahead:
            slots = [slot for slot in slots if slot.count[number] <= slot.shares[number] + slot.ahead(number) // 2]
        while slots:
            slot = min(slots, key=lambda one: one.count[number])
            most = slot.shares[number] + (slot.ahead(number) if ahead else 0)
            if slot.count[number] >= most:
                slots.remove(slot)
            elif (ask := pool.take(self._may)) is None:
                return
            else:
                self._give(slot, number, ask)

    def _may(self) -> bool:
        """Return whether one more sample may be begun; waiting samples are taken back before the answer is final."""
        if self._stop.is_set():
            return False
        if self._meter.would_allow_one_more():
            return True
        return self._meter.allows_one_more() if not self._recall(*range(len(self._pools))) else False

    def _recall(self, *numbers: int, all_: bool = False) -> bool:
        """Take back the samples of these models that wait at workers.

        Return whether samples are still being taken back. A worker that has no more samples than it asks at once has
        none that wait. With *all_*, it may begin none of them, so that all of its samples wait.
        """
        if self._recalls is None and any(
            slot.count[number] > (0 if all_ else slot.shares[number]) for slot in self._slots for number in numbers
        ):
            self._recalls = self._go(self._recalled(numbers))
        return self._recalls is not None

    async def _recalled(self, numbers: Sequence[int]) -> None:
        try:
            await asyncio.gather(*(self._from(slot, one) for slot in self._slots for one in numbers if slot.count[one]))
        finally:
            self._recalls = None
        self._fill()

    async def _from(self, slot: Slot, number: int) -> None:
        unsent = [out for out in slot.outbox if out.pool == number]
        slot.outbox = [out for out in slot.outbox if out.pool != number]
        back = [out.number for out in unsent]
        try:
            if slot.sees:
                async with asyncio.timeout(_PATIENCE):
                    back = [*await slot.worker.recall(number), *back]
        except WorkerLostError:
            pass  # all samples of a lost worker are put back elsewhere
        except TimeoutError:
            slot.worker.kill()
        self._back([slot.out[one] for one in back if one in slot.out])

    def _back(self, outs: Sequence[Out]) -> None:
        """Put samples that were not begun at the front of the queue."""
        for out in reversed(outs):
            self._pools[out.pool].asks.appendleft(out.ask)
            self._end(out)

    def _elsewhere(self, out: Out, why: str) -> bool:
        """Hand a sample whose image its worker cannot read to a worker of another machine.

        Return False if all have tried. *why* says why it cannot be read. Where no further sample may be begun, the
        sample goes back to the queue.
        """
        tried = (*out.tried, Tried(out.slot, out.slot.worker.machine, why))
        lacking = {one.machine for one in tried}
        others = [slot for slot in self._slots if slot.serves and slot.shares[out.pool]]
        others = [slot for slot in others if slot is not out.slot and slot.worker.machine not in lacking]
        if not others:
            return False
        if self._stop.is_set():
            self._back([out])
            return True
        out.slot.unread += 1
        del out.slot.out[out.number]
        self._landed(out)
        out.asking.__exit__(None, None, None)
        self._give(min(others, key=lambda one: one.count[out.pool]), out.pool, out.ask, tried)
        return True

    def _give(self, slot: Slot, number: int, ask: Ask, tried: tuple[Tried, ...] = ()) -> None:
        lane, sample, _ = ask
        out = Out(next(self._numbers), number, ask, slot, self._watch.asking(sample.id), tried=tried)
        out.asking.__enter__()
        self._meter.flying += 1
        slot.out[out.number] = out
        slot.count[number] += 1
        if lane.draws and lane.draws.enough(sample.id):
            out.made = True
            self._combine(out)
            return
        slot.outbox.append(out)
        slot.needed.set()

    def _landed(self, out: Out) -> None:
        """Count a sample no longer as in flight: it was finished, or will not be begun."""
        if out.flies:
            out.flies = False
            out.slot.count[out.pool] -= 1
            self._meter.flying -= 1

    def _end(self, out: Out) -> None:
        del out.slot.out[out.number]
        self._landed(out)
        self._pools[out.pool].ended()
        out.asking.__exit__(None, None, None)
        for one in out.tried:
            one.slot.unread -= 1

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            for slot in self._slots:
                slot.rate += _SMOOTH * (slot.finished / TICK - slot.rate)
                slot.finished = 0
            if (stopped := self._stop.is_set()) or not self._meter.would_allow_one_more():
                self._recall(*range(len(self._pools)), all_=stopped)
            self._fill()

    async def _stop_when_told(self) -> None:
        await self._stop.wait()
        for slot in self._slots:
            slot.worker.stop()
        self._recall(*range(len(self._pools)), all_=True)
