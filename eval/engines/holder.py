"""A worker's leases: samples that wait here, samples being asked, and the shards that keep finished samples.

Contract: samples are begun in the order in which they were leased, and of each model as many are in flight as the
worker was told. A finished sample is on disk before it is reported, and every note is sent again until the process that
writes the run acknowledges it. After a refused request, or an image that cannot be read here, no sample is begun until
that process has the note about it.
"""

import asyncio
import shutil
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.models import ModelConfig
from medvision_agent.agent.trace import Trace
from medvision_agent.agent.wire.rate_limit import Pace
from medvision_agent.errors import StorageError
from medvision_agent.eval.asking.draws import marked
from medvision_agent.eval.asking.watch import Watch, waiting_until
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.engines.bench import Bench, spoken, told
from medvision_agent.eval.engines.messages import (
    Ask,
    Broke,
    Closed,
    Fault,
    Finished,
    Heard,
    Leased,
    Message,
    News,
    Note,
    Open,
    Place,
    Told,
)
from medvision_agent.eval.scorer.protocol import protocol
from medvision_agent.eval.scorer.score import score_record
from medvision_agent.eval.store.files import UNWRITABLE, not_stored, write_picture
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.refusals import refused_first
from medvision_agent.eval.store.shard import SHARDS, Shard, sees

__all__ = ["Holder"]

TOGETHER = 0.2
"""Seconds for which notes are collected before they are sent."""
QUIET = 5.0
"""Seconds after which a worker without news sends a sign of life."""
_RECORDS, _BYTES = 256, 1 << 22
"""Number of records, and bytes of traces and images, at which a shard is closed."""
_AGE, _PROMPT = 5.0, 0.5
"""Seconds after which a shard is closed; the shorter time applies where other runs wait for it."""
_TOLD = 1 << 23
"""Largest number of bytes of shards and images sent together, unless a single note has more."""

_BACK = 1 << 12
"""How many of the last samples given back are reported again: more than can wait here at once (``slots.py``)."""


@dataclass
class _Pool:
    """The leased samples of one model."""

    most: int = 0
    flying: int = 0
    queue: deque[Leased] = field(default_factory=deque[Leased])
    last: int = -1
    """The highest number of a sample that arrived; a call is repeated if its reply was lost."""
    back: deque[int] = field(default_factory=lambda: deque[int](maxlen=_BACK))
    """The samples given back last; they are reported again, in case the earlier reply was lost."""


@dataclass(eq=False)
class _Kept:
    """An open shard (a file of finished samples) and the images to send with it.

    Images are sent only if this worker does not see the run's folder.
    """

    shard: Shard
    begun: float
    scratch: Path | None
    """The folder made for it alone where the run's folder is not visible; it is removed with the shard."""
    pictures: dict[str, bytes] = field(default_factory=dict[str, bytes])


@dataclass(eq=False)
class _Lane:
    """One run that this worker asks, and where its finished samples are kept."""

    opened: Open
    place: Place
    run: Path | None
    """The run's folder, where this process sees it."""
    answered: bool
    numbers: int = 0
    kept: _Kept | None = None
    making: asyncio.Lock = field(default_factory=asyncio.Lock)


class Holder:
    """The samples that one worker of a cluster holds and asks; used from one event loop."""

    def __init__(self, pace: Callable[[int, str, ModelConfig], Pace], scratch: Callable[[], Path]) -> None:
        """Take *pace*, which returns the rate limiter of a model, and *scratch*, which makes a folder for a shard.

        *pace* gets the lane's number, the model's name and its row. *scratch* is used where the run's folder is not
        visible.
        """
        self._bench, self._scratch = Bench(pace), scratch
        self._stop = asyncio.Event()
        self._pools, self._lanes = dict[int, _Pool](), dict[int, _Lane]()
        self._notes = deque[tuple[int, Note]]()
        self._last = 0
        self._refused = 0
        """The number of the note about the last refusal; no sample is begun until it is acknowledged."""
        self._heard = 0
        self._told = asyncio.Event()
        self._hurried = asyncio.Event()
        self._tasks = set[asyncio.Task[None]]()
        self._closing = 0

    async def open(self, message: Open, place: Place) -> Message:
        """Prepare the run of a lane, and return the answer: that it is prepared, or the error."""
        run = message.folder if message.folder is not None and sees(message.folder, place.token) else None
        self._lanes[message.lane] = _Lane(message, place, run, place.answered)
        return await spoken(message.number, self._bench.open(message))

    def sees(self, lane: int) -> bool:
        """Return whether this process sees the folder of the run with this lane number."""
        return self._lanes[lane].run is not None

    def lease(self, asks: Sequence[Leased], most: int) -> None:
        """Take samples of one model, of which *most* are in flight at once; samples that arrived before are ignored."""
        pool = self._pools.setdefault(asks[0].pool, _Pool())
        pool.most = most
        pool.queue.extend(one for one in asks if one.number > pool.last)
        pool.last = max(pool.last, asks[-1].number)
        self._begin()

    def recall(self, pool: int) -> list[int]:
        """Return the numbers of the samples of a model (by the number of its pool) that were not begun.

        The numbers returned by earlier calls are included, in case a reply was lost.
        """
        held = self._pools.setdefault(pool, _Pool())
        held.back.extend(one.number for one in held.queue)
        held.queue.clear()
        self._close_what_is_due()
        return list(held.back)

    def stop(self) -> None:
        """Stop waiting for further tries of requests, and begin no further sample."""
        self._stop.set()

    async def news(self, heard: int) -> News:
        """Return the notes after number *heard*, as soon as there are any.

        An empty message after a few seconds without. Notes up to *heard* are acknowledged and forgotten. Notes beyond a
        few megabytes follow in the next call.
        """
        self._heard = heard
        while self._notes and self._notes[0][0] <= heard:
            self._notes.popleft()
        self._begin()
        await self._something()
        notes, size = list[tuple[int, Note]](), 0
        for number, note in self._notes:
            more = _size(note)
            if notes and size + more > _TOLD:
                break
            notes.append((number, note))
            size += more
        unclosed = bool(self._closing) or any(lane.kept for lane in self._lanes.values())
        return News(notes[-1][0] if notes else heard, [note for _, note in notes], unclosed)

    async def _something(self) -> None:
        """Wait for notes, then a little longer for more, unless they are urgent."""
        if not self._notes:
            self._told.clear()
            self._hurried.clear()
            waited_for = any(lane.kept and lane.place.prompt for lane in self._lanes.values())
            await _either(self._told, _PROMPT if waited_for else QUIET)
        elif self._hurried.is_set():
            self._hurried.clear()
            return
        await _either(self._hurried, TOGETHER if self._notes else 0)
        self._hurried.clear()
        self._close_what_is_due()

    def _tell(self, note: Note, *, urgent: bool = False) -> int:
        self._last += 1
        self._notes.append((self._last, note))
        self._told.set()
        if urgent:
            self._hurried.set()
        return self._last

    def _begin(self) -> None:
        """Begin the samples that may be begun now."""
        if self._stop.is_set() or self._refused > self._heard:
            return
        for pool in self._pools.values():
            while pool.queue and pool.flying < pool.most:
                pool.flying += 1
                self._go(pool, pool.queue.popleft())

    def _go(self, pool: _Pool, leased: Leased) -> None:
        task = asyncio.create_task(self._one(pool, leased))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _one(self, pool: _Pool, leased: Leased) -> None:
        problem = await spoken(leased.number, self._ask(leased))
        pool.flying -= 1
        if problem is not None:
            if isinstance(problem, Broke):
                self._stop.set()
            self._refused = self._tell(problem, urgent=True)
        self._begin()
        if pool.flying < pool.most:
            self._hurried.set()  # there is room for more
        self._close_what_is_due()

    async def _ask(self, leased: Leased) -> Told | None:
        """Ask one sample and keep its result in a shard.

        Return None, or the message with a result that is not kept here.
        """
        lane = self._lanes[leased.lane]
        ask = Ask(
            number=leased.number,
            lane=leased.lane,
            sample=Sample.model_validate_json(leased.sample),
            attempt=leased.attempt,
            donor=Sample.model_validate_json(leased.donor) if leased.donor else None,
            lent=leased.lent,
            results=leased.results,
            pixels=leased.pixels,
            thinking_budget=leased.thinking_budget,
        )

        def on_fault(fault: Fault, tries: int) -> None:
            self._tell(Heard(leased.number, fault, tries))

        record, trace = await self._bench.asked(ask, waiting_until(self._stop, Watch(on_fault=on_fault)))
        lane.answered = lane.answered or bool(record.finish_reasons)
        if record.outcome is Outcome.UNREADABLE or (refused_first(record) and not lane.answered):
            return await asyncio.to_thread(told, leased.number, record, trace, lane.opened)
        if leased.drawn:
            record = marked(record)
        shard = await self._keep(lane, record, trace)
        shown = {"sample"} if leased.drawn else {"sample", "response", "as_written"}
        text = record.model_dump_json(exclude=shown, exclude_defaults=True)
        refused = record.outcome is Outcome.REJECTED
        if refused and lane.run is None:
            self._close(leased.lane)
        number = self._tell(Finished(leased.number, text, _scored(lane, record), shard), urgent=refused)
        if refused:
            self._refused = number
        return None

    async def _keep(self, lane: _Lane, record: Record, trace: Trace) -> int:
        """Store a finished sample in the shard of its lane, and return the shard's number.

        Raises StorageError if it cannot be written.
        """
        try:
            return await self._kept(lane, record, trace)
        except UNWRITABLE as error:
            folder = lane.run or Path(tempfile.gettempdir())
            raise StorageError(not_stored(folder, record.sample.id, error)) from error

    async def _kept(self, lane: _Lane, record: Record, trace: Trace) -> int:
        if lane.run is not None and trace.pictures:
            await asyncio.to_thread(_write_pictures, lane, trace)
        text = trace.to_json()
        async with lane.making:
            if lane.kept is None:
                lane.numbers += 1
                lane.kept = await asyncio.to_thread(self._begun, lane)
            kept = lane.kept
            if lane.run is None:
                kept.pictures.update(trace.pictures)
                kept.shard.bytes += sum(map(len, trace.pictures.values()))
            stored, number = kept.shard.submit(record, text), lane.numbers
        await asyncio.wrap_future(stored)
        return number

    def _begun(self, lane: _Lane) -> _Kept:
        """Begin and return the next shard of a lane."""
        scratch: Path | None = None
        if lane.run is not None:
            above = lane.run / SHARDS
        else:
            above = scratch = self._scratch()
        folder = above / lane.place.worker / str(lane.numbers)
        return _Kept(Shard(folder, run=lane.place.run, packs=lane.place.packs), time.monotonic(), scratch)

    def _close_what_is_due(self) -> None:
        """Close shards that are full or old, and all of them when no sample is being asked."""
        idle = self._idle
        for number, lane in self._lanes.items():
            if (kept := lane.kept) is None:
                continue
            age = time.monotonic() - kept.begun
            full = kept.shard.records >= _RECORDS or kept.shard.bytes >= _BYTES
            if idle or full or age >= (_PROMPT if lane.place.prompt else _AGE):
                self._close(number)

    def _close(self, number: int) -> None:
        lane = self._lanes[number]
        kept, lane.kept = lane.kept, None
        if kept is not None:
            self._closing += 1
            task = asyncio.create_task(self._closed(number, lane, kept))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _closed(self, number: int, lane: _Lane, kept: _Kept) -> None:
        """Close a shard of the lane with this number, and report it in a note."""
        note = await spoken(-1, asyncio.to_thread(_close, number, lane, kept))
        self._closing -= 1
        self._tell(note, urgent=lane.place.prompt or self._idle)

    @property
    def _idle(self) -> bool:
        return not any(pool.flying or pool.queue for pool in self._pools.values())


def _close(number: int, lane: _Lane, kept: _Kept) -> Closed:
    """Close a shard and return the note about it.

    The note holds the shard's bytes where the process that writes the run cannot read the file.
    """
    file = kept.shard.close()
    name = f"{lane.place.worker}/{file.name}"
    if kept.scratch is None:
        return Closed(number, name, None, {})
    content = file.read_bytes()
    shutil.rmtree(kept.scratch, ignore_errors=True)
    return Closed(number, name, content, kept.pictures)


async def _either(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, at most this many seconds."""
    if seconds and not event.is_set():
        await asyncio.wait([waiter := asyncio.ensure_future(event.wait())], timeout=seconds)
        waiter.cancel()


def _size(note: Note) -> int:
    """Return how many bytes of shards and images a note carries."""
    if not isinstance(note, Closed) or note.content is None:
        return 0
    return len(note.content) + sum(map(len, note.pictures.values()))


def _write_pictures(lane: _Lane, trace: Trace) -> None:
    assert lane.run is not None  # noqa: S101 - checked by the caller
    for key, png in trace.pictures.items():
        write_picture(lane.run, key, png, lane.opened.shared)


def _scored(lane: _Lane, record: Record) -> tuple[bool, float] | None:
    """Return success and loss of a record, for callbacks; None where there are no callbacks or it has no score."""
    if lane.place.rules is None or (found := score_record(record, protocol(lane.place.rules))) is None:
        return None
    return found.success, found.loss
