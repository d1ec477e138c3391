"""Leases of samples: the side of the process that decides everything and writes the run.

Contract: ``handing.py`` decides which samples are handed out, and when. The samples that a worker finished are in its
shards, which are merged into the run while it goes on. If a worker dies, its shards are merged, and other workers ask
the rest of its samples. A worker that sends no message for ``SILENCE`` seconds is killed first, then treated as dead.
"""

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.errors import StorageError
from medvision_agent.eval.asking.crashes import line_up_again
from medvision_agent.eval.asking.engine import LeasingEngine, WorkerLostError
from medvision_agent.eval.asking.meter import Meter
from medvision_agent.eval.asking.one import beside
from medvision_agent.eval.asking.pool import Lane, Pool
from medvision_agent.eval.asking.watch import Brief, Watch
from medvision_agent.eval.engines.dispatch import MOST_DEATHS, died_often, settled
from medvision_agent.eval.engines.handing import TICK
from medvision_agent.eval.engines.merging import Merging
from medvision_agent.eval.engines.messages import (
    Broke,
    Closed,
    Finished,
    Heard,
    Leased,
    Note,
    Open,
    Place,
    Told,
)
from medvision_agent.eval.engines.slots import LeaseWorker, Out, Slot
from medvision_agent.eval.store.files import unwritable
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.shard import new_token

__all__ = ["Leases"]

SILENCE = 300.0
"""Seconds without a message after which a worker is given up."""
_PATIENCE = 5.0
"""Seconds to wait for all workers to give back their waiting samples before any worker may begin more."""


class Leases(LeasingEngine):
    """An engine whose workers hold leases: samples handed to a worker together."""

    def __init__(self, number: int, make: Callable[[], LeaseWorker]) -> None:
        self._workers = [make() for _ in range(number)]

    async def ask_pools(
        self, pools: Sequence[Pool], meter: Meter, *, watch: Watch, stop: asyncio.Event
    ) -> list[Exception]:
        """Ask all samples of the pools (one for each model), and return the errors that ended it early.

        The list is empty without errors. *meter* keeps the budget, *watch* has the callbacks for results, and no sample
        is begun once *stop* is set.
        """
        return await _Session(self._workers, pools, meter, watch, stop).run()

    def close(self) -> None:
        """End all workers."""
        for worker in self._workers:
            worker.close()


class _Session(Merging):
    """The work of one command: all samples handed to workers, until all have ended."""

    def __init__(
        self, workers: Sequence[LeaseWorker], pools: Sequence[Pool], meter: Meter, watch: Watch, stop: asyncio.Event
    ) -> None:
        super().__init__(workers, pools, meter, watch, stop)
        self._tokens = dict[Path, str]()
        self._deaths = 0

    async def run(self) -> list[Exception]:
        """Ask everything, and return the errors that ended it early."""
        try:
            for work in (self._tick(), self._stop_when_told(), *map(self._serve, self._slots)):
                self._go(work)
            self._fill()
            await self._over.wait()
        finally:
            for task in self._tasks:
                task.cancel()
            for slot in self._slots:
                slot.worker.kill()
                if slot.hearing is not None:
                    slot.hearing.cancel()
            self._take_what_is_left()
        return self._problems

    async def _serve(self, slot: Slot) -> None:
        while True:
            await slot.needed.wait()
            try:
                await slot.worker.start()
                await _both(self._send(slot), self._listen(slot))
            except WorkerLostError as lost:
                slot.serves = False
                await self._lost(slot, str(lost))
            except Exception as problem:  # noqa: BLE001 - raised when all others are done
                self._problem(problem)
                slot.worker.kill()
                await self._heard_out(slot)
                self._back_unmerged(slot)
                self._back([out for out in slot.out.values() if not out.made])
            slot.anew()
            self._fill()

    async def _send(self, slot: Slot) -> None:
        while True:
            await slot.needed.wait()
            slot.needed.clear()
            for lane, pool in {out.ask[0]: out.pool for out in slot.outbox}.items():
                if lane not in slot.sees:
                    await self._open(slot, lane, pool)
            batch, slot.outbox = slot.outbox, []
            if any(out.ask[0] not in slot.sees for out in batch):  # samples were added while lanes were prepared
                slot.outbox = batch
                slot.needed.set()
                continue
            for number in {out.pool for out in batch}:
                outs = [out for out in batch if out.pool == number]
                await slot.worker.lease([await self._leased(out) for out in outs], slot.shares[number])
                for out in outs:
                    out.arrived = True

    async def _listen(self, slot: Slot) -> None:
        while True:
            if not slot.sees:  # it loads its model
                await asyncio.sleep(TICK)
                continue
            lanes = len(slot.sees)
            try:
                async with asyncio.timeout(SILENCE):
                    news = await slot.worker.news(slot.heard)
            except TimeoutError:
                if lanes < len(slot.sees) or any(out.ask[0] not in slot.sees for out in slot.outbox):
                    continue  # it loads another one
                raise WorkerLostError(f"it said nothing for {SILENCE:g} seconds") from None
            slot.hearing = asyncio.create_task(self._hear_all(slot, news.notes))
            await asyncio.shield(slot.hearing)
            slot.heard, slot.unclosed = news.last, news.unclosed
            self._fill()
            if self._recalls is not None:  # before the worker begins more
                await asyncio.wait([self._recalls], timeout=_PATIENCE)

    async def _open(self, slot: Slot, lane: Lane, pool: int) -> None:
        job, store = lane.job, lane.store
        if store.folder not in self._tokens:
            try:
                self._tokens[store.folder] = new_token(store.folder)
            except OSError as error:
                raise StorageError(unwritable(store.folder, error)) from error
        number = self._lanes.setdefault(lane, len(self._lanes))
        opening = Open(
            number=-1,
            lane=number,
            settings=job.settings.model_dump_json(),
            identity=job.identity.model_dump(mode="json"),
            picture=job.pictures.kind,
            connections=slot.shares[pool],
            folder=store.folder.absolute(),
            shared=store.shared and store.shared.absolute(),
        )
        place = Place(
            token=self._tokens[store.folder],
            worker=slot.life,
            run=store.mark,
            packs=store.packs,
            prompt=bool(lane.followers),
            answered=lane.breaker.answered,
            rules=self._watch.rules.name if self._watch.rules else None,
        )
        slot.sees[lane] = await slot.worker.open(opening, place)

    async def _leased(self, out: Out) -> Leased:
        lane, sample, attempt = out.ask
        job = lane.job
        own = await beside(job, sample) if job.results or job.pixels else None
        donor = job.pictures.donors.get(sample.id)
        return Leased(
            number=out.number,
            pool=out.pool,
            lane=self._lanes[lane],
            sample=sample.model_dump_json(),
            attempt=attempt,
            donor=donor.model_dump_json() if donor else None,
            lent=job.wording.lent_to(sample.id),
            results=own.results if own else None,
            pixels=own.pixels if own else None,
            thinking_budget=job.thinking_budget,
            drawn=lane.draws is not None,
        )

    async def _hear_all(self, slot: Slot, notes: Sequence[Note]) -> None:
        for note in notes:
            await self._hear(slot, note)

    async def _heard_out(self, slot: Slot) -> None:
        """Wait until the notes that arrived last from a worker are processed, and report an error in that."""
        if slot.hearing is not None and not slot.hearing.done():
            await asyncio.wait({slot.hearing})
            if isinstance(error := slot.hearing.exception(), Exception):
                self._problem(error)

    async def _hear(self, slot: Slot, note: Note) -> None:
        if isinstance(note, Closed):
            await self._take_in(note)
            return
        if isinstance(note, Heard):
            self._watch.on_fault(note.fault, note.tries)
            return
        out = slot.out.get(note.number)
        if isinstance(note, Broke):
            self._problem(_raised(note))
            if note.number < 0:  # a shard was not closed
                self._back_unmerged(slot)
        if out is None:
            return
        self._deaths = 0
        if isinstance(note, Finished):
            self._finished(out, note)
        elif isinstance(note, Told):
            await self._whole(out, note)
        else:
            self._end(out)

    def _finished(self, out: Out, note: Finished) -> None:
        lane, sample, attempt = out.ask
        record = Record.model_validate({**json.loads(note.record), "sample": sample})
        scored = Brief(*note.scored) if note.scored else None
        out.slot.finished += 1
        self._meter.add(record)
        key, out.shard = (lane, sample.id, attempt), f"{out.slot.life}/{note.shard}"
        unmerged = self._unmerged.told(key, out.shard, record)
        if unmerged and (lane.followers or not out.slot.sees[lane]):
            self._waiting[key] = out, record, scored
            self._landed(out)
        else:
            self._settle(out, record, scored)
        if unmerged and (lane, out.shard) in self._refused:
            self._lose(lane, out.shard, f"{lane.store.folder}: shard {out.shard}, which was damaged, held more")

    async def _whole(self, out: Out, note: Told) -> None:
        """Store a record that the worker did not keep, which comes in the message *note*.

        Its first request was refused before the worker knew of any reply, or its image cannot be read by that worker.
        """
        lane, sample, _ = out.ask
        record = Record.model_validate({**json.loads(note.record), "sample": sample})
        if record.outcome is Outcome.UNREADABLE and self._elsewhere(out, record.detail):
            return
        if lane.breaker.too_early(record):
            self._pools[out.pool].waiting.append((out.ask, record))
            self._end(out)
        else:
            await self._store(out, record, note, counts=True)

    async def _lost(self, slot: Slot, how: str) -> None:
        """Merge the finished samples of a worker that died (*how* says how), and let others ask the rest."""
        slot.worker.kill()
        await self._heard_out(slot)
        self._deaths += 1
        if self._deaths >= MOST_DEATHS:
            self._problem(died_often(self._deaths, how))
        for lane in slot.sees:
            try:
                merged = await asyncio.to_thread(lane.store.merge_left, slot.life)
                self._unmerged.forget(lane, merged)
            except StorageError as problem:  # its shards stay
                self._problem(problem)
                self._back_unmerged(slot)
            self._tell_refused(lane, slot.life)
        for out in [out for out in slot.out.values() if not out.made]:
            await self._if_found(out)
        for lane in slot.sees:
            self._tell_lost(lane, slot.life, f"worker {self._slots.index(slot) + 1} of {len(self._slots)} died ({how})")
        for number in range(len(self._pools)):
            outs = [out for out in slot.out.values() if out.pool == number and not out.made]
            blamed = [out for out in outs if out.arrived and out.flies][: slot.shares[number]]
            self._back([out for out in outs if out not in blamed])
            for out in blamed:
                lane, sample, _ = out.ask
                lane.store.in_flight.died(sample.id)
                await line_up_again(self._pools[number], out.ask, self._watch)
                self._end(out)


async def _both(*works: Coroutine[Any, Any, None]) -> None:
    """Run all *works* until one of them fails, and raise its error."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


def _raised(note: Broke) -> Exception:
    try:
        settled(note)
    except Exception as error:  # noqa: BLE001 - it is what is returned
        return error
    raise AssertionError
