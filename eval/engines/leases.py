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
from medvision_agent.errors import MedVisionAgentError, StorageError
from medvision_agent.eval.asking.crashes import line_up_again
from medvision_agent.eval.asking.engine import LeasingEngine, WorkerLostError
from medvision_agent.eval.asking.meter import Meter
from medvision_agent.eval.asking.one import beside
from medvision_agent.eval.asking.pool import Lane, Pool
from medvision_agent.eval.asking.settle import settle
from medvision_agent.eval.asking.watch import Brief, Watch
from medvision_agent.eval.engines.dispatch import MOST_DEATHS, died_often, settled
from medvision_agent.eval.engines.handing import TICK, Handing
from medvision_agent.eval.engines.messages import (
    Broke,
    Closed,
    Finished,
    GaveUp,
    Heard,
    Leased,
    Open,
    Place,
    Told,
)
from medvision_agent.eval.engines.slots import LeaseWorker, Out, Slot
from medvision_agent.eval.store.files import make_folder, unwritable, write_picture
from medvision_agent.eval.store.read import find_attempt
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.shard import SHARDS, left_in, new_token, remove_shards

__all__ = ["Leases"]

SILENCE = 300.0
"""Seconds without a message after which a worker is given up."""
_PATIENCE = 5.0
"""Seconds to wait for all workers to give back their waiting samples before any worker may begin more."""

_LOOKS = 3
"""How often the end looks for remaining shards: a worker that is being killed may close one meanwhile."""


class Leases(LeasingEngine):
    """Workers that hold leases."""

    def __init__(self, number: int, make: Callable[[], LeaseWorker]) -> None:
        self._workers = [make() for _ in range(number)]

    async def ask_pools(
        self, pools: Sequence[Pool], meter: Meter, *, watch: Watch, stop: asyncio.Event
    ) -> list[Exception]:
        """Ask all samples of the pools (``LeasingEngine.ask_pools``)."""
        return await _Session(self._workers, pools, meter, watch, stop).run()

    def close(self) -> None:
        """End all workers."""
        for worker in self._workers:
            worker.close()


class _Session(Handing):
    """All leases of one command."""

    def __init__(
        self, workers: Sequence[LeaseWorker], pools: Sequence[Pool], meter: Meter, watch: Watch, stop: asyncio.Event
    ) -> None:
        super().__init__(workers, pools, meter, watch, stop)
        self._lanes, self._tokens = dict[Lane, int](), dict[Path, str]()
        self._waiting = dict[tuple[Lane, str, int], tuple[Out, Record, Brief | None]]()
        """Finished samples that are not in the run yet: other samples depend on them, or they may still be lost."""
        self._early = set[tuple[Lane, str, int]]()
        """Samples that came into the run before the worker reported them as finished."""
        self._refused = set[tuple[Lane, str]]()
        """Damaged shards. Their samples are asked again, even if the worker reports them as finished later."""
        self._named = set[str]()
        """The machines that were named because they cannot read an image."""
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
                self._back(list(slot.out.values()))
                slot.worker.kill()
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
            for note in news.notes:
                await self._hear(slot, note)
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

    async def _hear(self, slot: Slot, note: Finished | Closed | Told | GaveUp | Broke | Heard) -> None:
        if isinstance(note, Closed):
            await self._take_in(slot, note)
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
        key = lane, sample.id, attempt
        if (lane.followers or not out.slot.sees[lane]) and key not in self._early:
            self._waiting[key] = out, record, scored
            out.shard = f"{out.slot.life}/{note.shard}"
            self._landed(out)
            if (lane, out.shard) in self._refused:
                self._back_unmerged(out.slot, (lane, out.shard))
        else:
            self._early.discard(key)
            self._settle(out, record, scored)

    async def _whole(self, out: Out, note: Told) -> None:
        """Store a record that the worker did not keep.

        Its first request was refused before the worker knew of any reply, or its image cannot be read there.
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

    async def _store(self, out: Out, record: Record, trace: Any, *, counts: bool) -> None:
        """Store a record that no worker stores."""
        await out.ask[0].store.add_async(record, trace)
        if counts:
            self._meter.add(record)
        self._settle(out, record, None)
        self._fill()

    def _settle(self, out: Out, record: Record, scored: Brief | None) -> None:
        """Do everything that follows from a record that is on disk."""
        lane, sample, _ = out.ask
        if lane.store.in_flight.deaths(sample.id):
            lane.store.in_flight.forget(sample.id)
        if record.outcome is not Outcome.UNREADABLE:
            self._tell_who_cannot_read(out)

        def heard(one: Record) -> None:
            if self._watch.on_scored is not None:
                self._watch.on_scored(one, scored)
            else:
                self._watch.on_record(one)

        try:
            settle(self._pools[out.pool], out.ask, record, heard)
        except MedVisionAgentError as problem:
            self._problem(problem)
        self._end(out)

    def _tell_who_cannot_read(self, out: Out) -> None:
        """Name the machines whose workers could not read an image which another one did, each once."""
        for slot, machine, why in out.tried:
            if machine not in self._named:
                self._named.add(machine)
                self._watch.on_note(
                    f"worker {self._slots.index(slot) + 1} of {len(self._slots)}, on machine {machine}, cannot read an "
                    f"image that another worker reads; others ask its sample: {why}; give all machines the same data, "
                    "under the same paths"
                )

    async def _take_in(self, slot: Slot, note: Closed) -> None:
        lane = next(one for one, number in self._lanes.items() if number == note.lane)
        file = lane.store.folder / SHARDS / note.name
        if note.content is not None:
            try:
                await asyncio.to_thread(_unpacked, lane, file, note)
            except OSError as error:
                raise StorageError(unwritable(file, error)) from error
        merged = await lane.store.merge_async(file)
        if merged.refused:
            self._watch.on_note(merged.refused)
            self._refused.add(shard := (lane, note.name.partition("-")[0]))
            self._back_unmerged(slot, shard)
        for key in merged.keys:
            if (waited := self._waiting.pop((lane, *key), None)) is not None:
                self._settle(*waited)
            elif lane.followers or not slot.sees[lane]:
                self._early.add((lane, *key))

    def _back_unmerged(self, slot: Slot, shard: tuple[Lane, str] | None = None) -> None:
        """Queue the samples again that a worker had finished in a lost *shard*; by default, in all of its shards."""
        ours = {key: (key[0], out.shard) for key, (out, *_) in self._waiting.items() if out.slot is slot}
        lost = [key for key, its in ours.items() if shard in {None, its}]
        self._back([self._waiting.pop(key)[0] for key in lost])

    async def _lost(self, slot: Slot, how: str) -> None:
        """Merge the finished samples of a worker that died, and let others ask the rest."""
        slot.worker.kill()
        self._deaths += 1
        if self._deaths >= MOST_DEATHS:
            self._problem(died_often(self._deaths, how))
        for lane in slot.sees:
            for merged in await asyncio.to_thread(lane.store.merge_left, slot.life):
                if merged.refused:
                    self._watch.on_note(merged.refused)
        for out in list(slot.out.values()):
            await self._if_found(out)
        for number in range(len(self._pools)):
            outs = [out for out in slot.out.values() if out.pool == number]
            blamed = [out for out in outs if out.arrived and out.flies][: slot.shares[number]]
            self._back([out for out in outs if out not in blamed])
            for out in blamed:
                lane, sample, _ = out.ask
                lane.store.in_flight.died(sample.id)
                await line_up_again(self._pools[number], out.ask, self._watch)
                self._end(out)

    async def _if_found(self, out: Out) -> None:
        """Count a sample of a dead worker as finished if the merge of its shards has brought it into the run."""
        lane, sample, attempt = out.ask
        waited = self._waiting.pop((lane, sample.id, attempt), None)
        record = await asyncio.to_thread(find_attempt, lane.store.folder, sample, attempt)
        if record is None:
            return
        if waited is None:
            self._meter.add(record)
        self._settle(out, record, waited[2] if waited else None)

    def _take_what_is_left(self) -> None:
        """Merge the remaining shards where the command was interrupted twice, or failed."""
        for store in {lane.store for lane in self._lanes}:
            for _ in range(_LOOKS):
                for merged in store.merge_left():
                    if merged.refused:
                        self._watch.on_note(merged.refused)
                if not any(left_in(store.folder)):
                    remove_shards(store.folder)
                    break


async def _both(*works: Coroutine[Any, Any, None]) -> None:
    """Run both until one of them fails, and raise its error."""
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


def _unpacked(lane: Lane, file: Path, note: Closed) -> None:
    """Write files sent by a worker without a shared folder: the images first, then the shard that names them."""
    for key, png in note.pictures.items():
        write_picture(lane.store.folder, key, png, lane.store.shared)
    make_folder(file.parent)
    file.write_bytes(note.content or b"")
