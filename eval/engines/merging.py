"""Takes what workers finished into the run: what is stored here, what waits for a shard, and what is lost with one.

Contract: a sample that others depend on ends when it is in the run, and so does one of a worker that does not see the
run's folder. A record that is made from drawn answers is stored after all of these. What is lost with a shard or a
worker is named once in a message, with its tokens and cost, and is asked again.
"""

import asyncio
from abc import ABC
from collections.abc import Sequence
from pathlib import Path

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.errors import MedVisionAgentError, StorageError
from medvision_agent.eval.asking.meter import Meter
from medvision_agent.eval.asking.pool import Lane, Pool
from medvision_agent.eval.asking.settle import settle
from medvision_agent.eval.asking.watch import Brief, Watch
from medvision_agent.eval.engines.handing import Handing
from medvision_agent.eval.engines.messages import Closed
from medvision_agent.eval.engines.slots import LeaseWorker, Out, Slot
from medvision_agent.eval.engines.unmerged import Key, Unmerged
from medvision_agent.eval.store.files import make_folder, unwritable, write_picture
from medvision_agent.eval.store.read import find_attempt
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.refused import lost_of, what_it_took, what_was_lost
from medvision_agent.eval.store.shard import SHARDS, left_in, remove_shards
from medvision_agent.eval.store.write import Traced

__all__ = ["Merging"]

_AGAIN = "its samples are asked again: at once where this command still waits for them, else with --resume"
"""What becomes of the samples of a shard, or of a worker, that is lost."""
_LOOKS = 3
"""How often the end looks for remaining shards: a worker that is being killed may close one meanwhile."""


class Merging(Handing, ABC):
    """The samples that workers finished, on their way into the run; used from one event loop."""

    def __init__(
        self, workers: Sequence[LeaseWorker], pools: Sequence[Pool], meter: Meter, watch: Watch, stop: asyncio.Event
    ) -> None:
        super().__init__(workers, pools, meter, watch, stop)
        self._lanes = dict[Lane, int]()
        self._unmerged = Unmerged()
        self._waiting = dict[Key, tuple[Out, Record, Brief | None]]()
        """Samples that end only when they are in the run: others depend on them, or their worker sees no folder."""
        self._held = list[Out]()
        """Samples with enough drawn answers, of which some are not in the run yet."""
        self._refused = set[tuple[Lane, str]]()
        """Damaged shards. Their samples are asked again, even if the worker reports them as finished later."""
        self._named = set[str]()
        """The machines that were named because they cannot read an image."""

    def _combine(self, out: Out) -> None:
        """Store the record made from the answers drawn for a sample, or hold the sample until all are in the run."""
        lane, sample, attempt = out.ask
        if self._unmerged.has_draws_of(lane, sample):
            self._held.append(out)
            self._landed(out)
        elif lane.draws and (made := lane.draws.made(sample, attempt)):
            self._go(self._store(out, *made, counts=False))
        else:  # some were lost
            self._back([out])

    def _combine_held(self) -> None:
        """Check the held samples once more: their drawn answers may be in the run now, or lost."""
        held, self._held = self._held, []
        for out in held:
            self._combine(out)

    async def _store(self, out: Out, record: Record, trace: Traced, *, counts: bool) -> None:
        """Store a record that no worker stores; *counts* says whether its cost counts in the budget."""
        await out.ask[0].store.add_async(record, trace)
        if counts:
            self._meter.add(record)
        self._settle(out, record, None)
        self._fill()

    def _settle(self, out: Out, record: Record, scored: Brief | None) -> None:
        """Report a record that is on disk, and end its sample. *scored* is its score, if the worker computed it."""
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
        """Report, once each, the machines whose workers could not read an image that another worker could read."""
        for slot, machine, why in out.tried:
            if machine not in self._named:
                self._named.add(machine)
                self._watch.on_note(
                    f"worker {self._slots.index(slot) + 1} of {len(self._slots)}, on machine {machine}, cannot read an "
                    f"image that another worker reads, and others ask the samples that it cannot read: {why}; give all "
                    "machines the same data, under the same paths"
                )

    async def _take_in(self, note: Closed) -> None:
        """Merge a closed shard into the run; the samples that waited for it end."""
        lane = next(one for one, number in self._lanes.items() if number == note.lane)
        file = lane.store.folder / SHARDS / note.name
        if note.content is not None:
            try:
                await asyncio.to_thread(_unpacked, lane, file, note)
            except OSError as error:
                raise StorageError(unwritable(file, error)) from error
        merged = await lane.store.merge_async(file)
        self._tell_refused(lane)
        for key in merged.keys:
            self._unmerged.merged((lane, *key))
            if (waited := self._waiting.pop((lane, *key), None)) is not None:
                self._settle(*waited)
        self._combine_held()

    def _tell_refused(self, lane: Lane, ended: str = "") -> None:
        """Report the damaged shards that were not merged, each once, and ask their samples again.

        *ended* is the worker that ended ("*": all): it may have kept samples that it did not report any more.
        """
        for shard, why, intact in lane.store.refusals():
            self._refused.add((lane, shard))
            self._lose(lane, shard, why, intact if ended in {"*", shard.partition("/")[0]} else None)

    def _lose(self, lane: Lane, shards: str, why: str, intact: Sequence[Record] | None = None) -> None:
        """Ask the finished samples of lost *shards* again; report *why*, with the lost tokens and cost.

        *intact* are the records that can be read in a shard whose worker ended.
        """
        lost = self._unmerged.lost(lane, shards)
        told = {(one.sample.id, one.attempt) for one in lost}
        for one in lost_of(lane.store.folder, intact or ()):
            if (one.sample.id, one.attempt) not in told:
                self._meter.add(one)
                lost.append(one)
        again = [key for key, (out, *_) in self._waiting.items() if key[0] is lane and out.shard == shards]
        self._back([self._waiting.pop(key)[0] for key in again])
        self._combine_held()
        took = (what_it_took(lost) if lost else "") if intact is None else what_was_lost(lost, intact)
        self._watch.on_note("; ".join(filter(None, (why, took, _AGAIN))))

    def _back_unmerged(self, slot: Slot) -> None:
        """Queue again the samples that wait for shards of a worker that are merged only at the end, if at all."""
        self._back([self._waiting.pop(key)[0] for key in [*self._waiting] if self._waiting[key][0].slot is slot])
        held, self._held = self._held, []
        self._back(held)

    async def _if_found(self, out: Out) -> None:
        """Count a sample of a dead worker as finished if the merge of its shards brought its record into the run."""
        lane, sample, attempt = out.ask
        waited = self._waiting.pop((lane, sample.id, attempt), None)
        record = await asyncio.to_thread(find_attempt, lane.store.folder, sample, attempt)
        if record is None:
            return
        if waited is None:
            self._meter.add(record)
        self._settle(out, record, waited[2] if waited else None)

    def _tell_lost(self, lane: Lane, worker: str, why: str) -> None:
        """Report, with *why*, the finished samples of a *worker* that are neither in the run nor in a shard.

        An empty *worker* stands for all workers. Shards that could not be merged keep their samples for the next
        command.
        """
        if any(left_in(lane.store.folder, worker or "*")):
            return
        if lost := self._unmerged.lost(lane, worker):
            self._watch.on_note(f"{lane.store.folder}: {why}; {what_it_took(lost)}; {_AGAIN}")
        self._combine_held()

    def _take_what_is_left(self) -> None:
        """Merge the remaining shards where the command was interrupted twice, or failed."""
        self._held.clear()
        for lane in self._lanes:
            try:
                self._take_left_of(lane)
            except MedVisionAgentError as problem:
                self._problem(problem)
                if not self._over.is_set():  # something else is raised
                    self._watch.on_note(str(problem))

    def _take_left_of(self, lane: Lane) -> None:
        store = lane.store
        for _ in range(_LOOKS):
            self._unmerged.forget(lane, store.merge_left())
            self._tell_refused(lane, "*")
            if not any(left_in(store.folder)):
                remove_shards(store.folder)
                break
        self._tell_lost(lane, "", "the workers were ended before all that they had finished was in the run")


def _unpacked(lane: Lane, file: Path, note: Closed) -> None:
    """Write the files that a worker sent because it sees no shared folder: images first, then the shard *file*."""
    for key, png in note.pictures.items():
        write_picture(lane.store.folder, key, png, lane.store.shared)
    make_folder(file.parent)
    part = file.with_suffix(".part")  # under its own name, an incomplete file would count as damaged
    try:
        part.write_bytes(note.content or b"")
        part.replace(file)
    except OSError:
        part.unlink(missing_ok=True)
        raise
