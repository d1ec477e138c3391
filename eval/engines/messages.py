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
    """To a worker: prepare the run of a lane."""

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
    """To a worker: ask one sample."""

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
    """To a worker of a cluster: one sample of a lease."""

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
    """To a worker of a cluster, with ``Open``: where it keeps the finished samples of a lane."""

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
    """To a worker: the run is being stopped, give up the samples that wait for the next try of a request."""


@dataclass(frozen=True)
class Paced:
    """To a worker: a request may start; ``start`` is its number, None where the run is being stopped."""

    number: int
    start: int | None


@dataclass(frozen=True)
class Ready:
    """From a worker: it has started, and takes messages."""


@dataclass(frozen=True)
class Began:
    """From a worker: it works on a message now, so a death of the worker may be due to it."""

    number: int
    """The number of that ``Open`` or ``Ask``."""


@dataclass(frozen=True)
class Opened:
    """From a worker: a lane is prepared."""

    number: int


@dataclass(frozen=True)
class Told:
    """From a worker: the result of a sample."""

    number: int
    record: str
    """JSON without the sample."""
    trace: str
    """JSON."""
    pictures: Mapping[str, bytes]
    """The images that are not in the run's folder yet."""

    def to_json(self) -> str:
        """Return the trace."""
        return self.trace


@dataclass(frozen=True)
class GaveUp:
    """From a worker: a sample that waited for its next try was given up."""

    number: int


@dataclass(frozen=True)
class Broke:
    """From a worker: an error that ends the run."""

    number: int
    kind: str
    """The name of its class, where this program defines it; else empty."""
    text: str


Message = Told | Opened | GaveUp | Broke
"""What answers ``Open`` and ``Ask``."""


@dataclass(frozen=True)
class Heard:
    """From a worker: a try of a request failed."""

    number: int
    fault: Fault
    tries: int


@dataclass(frozen=True)
class Wants:
    """From a worker: a request waits for its turn within the limits per minute of a lane's model."""

    number: int
    lane: int


@dataclass(frozen=True)
class Took:
    """From a worker: a request is over."""

    start: int
    lane: int
    tokens: int | None
    """Input and output tokens together; None: the request had no reply."""


@dataclass(frozen=True)
class Finished:
    """From a worker of a cluster: a sample is on disk, in a shard."""

    number: int
    record: str
    """JSON without the sample and, unless it was drawn, without the response."""
    scored: tuple[bool, float] | None
    """Success and loss."""
    shard: int
    """The number of that shard among those of its lane, with which its name begins."""


@dataclass(frozen=True)
class Closed:
    """From a worker of a cluster: a shard is closed, and can be taken into the run."""

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
    """From a worker of a cluster: its notes since the last time."""

    last: int
    """The number of the last note, with which its receipt is confirmed to the worker."""
    notes: Sequence[Note]
    unclosed: bool
    """Whether it keeps anything in a shard that is not closed."""


def packed(message: object) -> bytes:
    """Return a message as it is sent."""
    content = pickle.dumps(message, protocol=5)
    return _LENGTH.pack(len(content)) + content


async def received(reader: StreamReader) -> object | None:
    """Return the next message, or None where the other side is gone."""
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        message: object = pickle.loads(await reader.readexactly(length))  # noqa: S301 - from our own process
    except (EOFError, OSError):  # IncompleteReadError is an EOFError
        return None
    return message
