"""The messages between a worker and the process that writes the run.

Contract: both are the same program, of the same version, started by the same user: messages are Python objects, each
after its length in bytes. Text of models is data in them. A worker gets no sample that the run does not ask.
"""

import pickle
import struct
from asyncio import StreamReader
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from medvision_agent.agent.wire.failures import Fault
from medvision_agent.agent.words.handed_back import HandedBack
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.settings.settings import Picture

__all__ = [
    "Ask",
    "Began",
    "Broke",
    "Closed",
    "Fault",
    "Finished",
    "GaveUp",
    "Heard",
    "Leased",
    "Message",
    "News",
    "Note",
    "Open",
    "Opened",
    "Paced",
    "Place",
    "Ready",
    "Stop",
    "Told",
]
__all__ += ["Took", "Wants", "packed", "received"]

_LENGTH = struct.Struct(">Q")


@dataclass(frozen=True)
class Open:
    """The message to a worker that it should prepare a run, called a lane, under the number ``lane``."""

    number: int
    lane: int
    settings: str
    """``Settings`` as JSON, with the model's row."""
    identity: Mapping[str, object]
    """The stored identity of the run; the identity that the worker computes must be the same."""
    picture: Picture
    connections: int
    """Samples of the lane's model that this worker has in flight at most."""
    folder: Path | None
    shared: Path | None
    """Where pictures are written (``eval/store/files.py``); None: they come back with the record."""


@dataclass(frozen=True)
class Ask:
    """The message to a worker that it should ask one sample."""

    number: int
    lane: int
    sample: Sample
    attempt: int
    donor: Sample | None
    """The donor whose image is shown instead."""
    lent: str | None
    """The question in MedVision's own words, where it is asked in them."""
    results: Sequence[HandedBack] | None
    pixels: int | None
    thinking_budget: int | None


@dataclass(frozen=True)
class Leased:
    """The message to a worker of a cluster with one sample of a lease, to be asked in its turn."""

    number: int
    pool: int
    """Which of the models it is asked of: each has its own bound of samples in flight."""
    lane: int
    sample: str
    """JSON."""
    attempt: int
    donor: str | None
    """JSON of the sample whose image is shown instead."""
    lent: str | None
    """The question in MedVision's own words, where it is asked in them."""
    results: Sequence[HandedBack] | None
    pixels: int | None
    thinking_budget: int | None
    drawn: bool
    """True for one of several answers to the sample: its whole record is sent."""


@dataclass(frozen=True)
class Place:
    """The message to a worker of a cluster, sent with ``Open``: where and how it keeps a lane's finished samples."""

    token: str
    """The token by which it recognises the run's folder, if it sees the folder."""
    worker: str
    """The folder of its shards."""
    run: str
    """What the run is known by in its shards."""
    packs: bool
    """Whether the run packs traces."""
    prompt: bool
    """Whether other runs wait for stored records of this run."""
    answered: bool
    """Whether the run had any reply: before that, a refused first request is not stored."""
    rules: str | None
    """The protocol by which samples are scored for callbacks; None: there are none."""


@dataclass(frozen=True)
class Stop:
    """The message to a worker that the run is being stopped: samples that wait for another try are given up."""


@dataclass(frozen=True)
class Paced:
    """The message to a worker that a request may start.

    ``start`` is its number, None where the run is being stopped.
    """

    number: int
    start: int | None


@dataclass(frozen=True)
class Ready:
    """The message from a worker that it has started, and takes messages."""


@dataclass(frozen=True)
class Began:
    """The message from a worker that it works on a message now, so that its death may be due to that message."""

    number: int
    """The number of that ``Open`` or ``Ask``."""


@dataclass(frozen=True)
class Opened:
    """The message from a worker that a lane is prepared; ``number`` is that of the ``Open``."""

    number: int


@dataclass(frozen=True)
class Told:
    """The message from a worker with the result of a sample; ``number`` is that of the message with the sample."""

    number: int
    record: str
    """JSON without the sample."""
    trace: str
    """JSON."""
    pictures: Mapping[str, bytes]
    """The images that are not in the run's folder yet."""

    def to_json(self) -> str:
        """Return the trace without images, as JSON."""
        return self.trace


@dataclass(frozen=True)
class GaveUp:
    """The message from a worker that it gave up a sample waiting for another try: the run is being stopped."""

    number: int


@dataclass(frozen=True)
class Broke:
    """The message from a worker about an error that ends the run."""

    number: int
    kind: str
    """The name of its class, where this program defines it; else empty."""
    text: str


Message = Told | Opened | GaveUp | Broke
"""What answers ``Open`` and ``Ask``."""


@dataclass(frozen=True)
class Heard:
    """The message from a worker that a try of a request failed; ``tries`` counts the tries so far."""

    number: int
    fault: Fault
    tries: int


@dataclass(frozen=True)
class Wants:
    """The message from a worker that a request waits for its turn within the limits per minute of a lane's model."""

    number: int
    lane: int


@dataclass(frozen=True)
class Took:
    """The message from a worker that a request is over; ``start`` is the request's number."""

    start: int
    lane: int
    tokens: int | None
    """Input and output tokens together; None: the request had no reply."""


@dataclass(frozen=True)
class Finished:
    """The message from a worker of a cluster that a finished sample is on disk, in a shard."""

    number: int
    record: str
    """JSON without the sample and, unless it was drawn, without the response."""
    scored: tuple[bool, float] | None
    """Success and loss."""
    shard: int
    """The number of that shard among those of its lane, with which its name begins."""


@dataclass(frozen=True)
class Closed:
    """The message from a worker of a cluster that a shard is closed, and can be merged into the run."""

    lane: int
    name: str
    """Its path below the folder of shards."""
    content: bytes | None
    """Its bytes, where the worker does not see the run's folder."""
    pictures: Mapping[str, bytes]
    """The pictures of its samples, then."""


Note = Finished | Closed | Told | GaveUp | Broke | Heard
"""What a worker of a cluster reports."""


@dataclass(frozen=True)
class News:
    """The message from a worker of a cluster with its notes since the previous one."""

    last: int
    """The number of the last note, with which its receipt is confirmed to the worker."""
    notes: Sequence[Note]
    unclosed: bool
    """Whether it keeps anything in a shard that is not closed."""


def packed(message: object) -> bytes:
    """Return the bytes of a message as they are sent: its length, then its content."""
    content = pickle.dumps(message, protocol=5)
    return _LENGTH.pack(len(content)) + content


async def received(reader: StreamReader) -> object | None:
    """Return the next message; None where the other process has closed the connection or died."""
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        message: object = pickle.loads(await reader.readexactly(length))  # noqa: S301 - from our own process
    except (EOFError, OSError):  # IncompleteReadError is an EOFError
        return None
    return message
