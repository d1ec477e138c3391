"""Asks a second reader about all responses, except those read before; equal responses are asked once.

Contract: every reading is stored as soon as it arrives, so that an interrupted session continues where it ended. A
response for which the provider gave no reply is *not reached*: it has no reading, and is asked again the next time.
Reading stops when *stop* is set, when the cost limit is reached, or when the first requests all fail.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from medvision_agent.agent.chat.chat import Chat
from medvision_agent.agent.endings.usage import Usage
from medvision_agent.agent.reader import Reader, Reading, Wanted
from medvision_agent.agent.reader_call import read_response
from medvision_agent.agent.retry import RequestFailed
from medvision_agent.agent.session import GivenUpError, Waiting
from medvision_agent.errors import ProviderError
from medvision_agent.eval.reading.kept import Kept, Readings

__all__ = ["Asked", "read_all"]

_FIRST = 5
"""If this many requests fail before any is answered, reading stops."""


@dataclass(eq=False)
class Asked:
    """The result of asking the second reader: the readings, and what they cost."""

    found: dict[str, Reading] = field(default_factory=dict[str, Reading])
    """All readings, new and earlier ones, by key (``Reader.key``)."""
    asked: int = 0
    """Number of responses read now; all others were read before."""
    usage: Usage = field(default_factory=Usage)
    """Usage of this session, including requests without a proper reply."""
    cost_usd: float | None = None
    """Cost of this usage in US dollars; None without prices."""
    before_usd: float | None = None
    """Cost in US dollars of the readings made before; None if unknown."""
    failed: int = 0
    """Number of requests that got no reply."""
    first_failure: str = ""
    used_up: bool = False
    """Whether the cost limit was reached."""


Wish = tuple[str, Wanted]
"""A response, and the numbers wanted from it."""


async def read_all(
    chat: Chat,
    reader: Reader,
    wishes: Iterable[Wish],
    readings: Readings,
    waiting: Waiting,
    *,
    known: Mapping[str, Reading] = MappingProxyType({}),
    most_usd: float | None = None,
    stop: asyncio.Event | None = None,
    on_read: Callable[[], None] = lambda: None,
) -> Asked:
    """Have the second reader read responses, and return the readings.

    Equal responses are asked once, and those read before are not asked again.

    Args:
        chat: The reader's model.
        reader: The identity of the reader.
        wishes: The responses, each with the numbers wanted from it.
        readings: The file in which readings are found and stored.
        waiting: Callbacks for the time between two tries of a request.
        known: Readings from another source, by key: they are stored here too, without further cost.
        most_usd: Stop asking once this call has cost so many US dollars.
        stop: Stop asking once this event is set.
        on_read: Called after each response that was sent to the reader now, also without a reply.

    Raises:
        StorageError: The file of readings cannot be used.
        ProviderError: The provider refuses to work, or the first requests all failed.
    """
    readings.introduce(reader)
    done, left = Asked(), dict[str, Wish]()
    for response, wanted in wishes:
        key = reader.key(response, wanted)
        if key in done.found or key in left:
            continue
        if (kept := readings.find(key)) is not None:
            done.found[key] = kept.reading
            done.before_usd = _sum(done.before_usd, kept.cost_usd)
        elif key in known:
            done.found[key] = known[key]
            readings.keep(key, chat.config.model, Kept(replace(known[key], usage=Usage()), 0.0))
        else:
            left[key] = (response, wanted)
    queue = iter(left.items())
    work = _Work(chat, reader, readings, waiting, done, most_usd, stop or asyncio.Event(), on_read)
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(chat.config.max_connections, len(left))):
                group.create_task(work.lane(queue))
    except ExceptionGroup as several:  # the first error of the lanes explains the others
        raise several.exceptions[0] from None
    if done.failed >= _FIRST and not done.asked:
        raise ProviderError(
            f"{chat.config.model}: the first {done.failed} requests to this second reader all failed, so no more are "
            f"sent; the first error: {done.first_failure}"
        )
    return done


def _sum(one: float | None, other: float | None) -> float | None:
    return one if other is None else other + (one or 0.0)


@dataclass(eq=False)
class _Work:
    chat: Chat
    reader: Reader
    readings: Readings
    waiting: Waiting
    done: Asked
    most_usd: float | None
    stop: asyncio.Event
    on_read: Callable[[], None]

    async def lane(self, queue: Iterator[tuple[str, Wish]]) -> None:
        """Have responses of *queue* read one after the other, until none is left or reading must stop."""
        for key, (response, wanted) in queue:
            if self._over():
                return
            spent = list[Usage]()

            def spend(more: Usage, spent: list[Usage] = spent) -> None:
                spent.append(more)
                self._spend(more)

            try:
                reading = await read_response(self.chat, response, wanted, self.waiting, spend)
            except GivenUpError:
                return
            except RequestFailed as failure:
                usage = sum(spent, Usage())
                self.readings.lose(self.reader, usage, usage.cost_usd(self.chat.config.prices))
                self.done.failed += 1
                self.done.first_failure = self.done.first_failure or str(failure)
            else:
                self._keep(key, reading)
            self.on_read()

    def _over(self) -> bool:
        done = self.done
        done.used_up = self.most_usd is not None and (done.cost_usd or 0.0) >= self.most_usd
        return self.stop.is_set() or done.used_up or (done.failed >= _FIRST and not done.asked)

    def _keep(self, key: str, reading: Reading) -> None:
        cost = reading.usage.cost_usd(self.chat.config.prices)
        self.readings.keep(key, self.chat.config.model, Kept(reading, cost))
        self.done.found[key] = reading
        self.done.asked += 1

    def _spend(self, usage: Usage) -> None:
        self.done.usage += usage
        self.done.cost_usd = _sum(self.done.cost_usd, usage.cost_usd(self.chat.config.prices))
