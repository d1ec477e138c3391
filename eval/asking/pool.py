"""The queue of one model's samples: their order, how many at a time, and which of them alone.

Contract: ``turn`` hands out the next sample and counts it as in flight while the context lasts. Suspects (``alone``)
are asked with nothing else of the pool in flight, and so are all others while samples wait whose first request was
refused (``waiting``). Where nothing is left, it waits for what is in flight: more may follow from that.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice

from medvision_agent.agent.chat.chat import Chat
from medvision_agent.agent.condition import Condition
from medvision_agent.agent.limits import Limits
from medvision_agent.agent.words.handed_back import HandedBack
from medvision_agent.agent.words.question import Wording
from medvision_agent.eval.asking.breaker import FIRST, Breaker
from medvision_agent.eval.asking.draws import Draws
from medvision_agent.eval.asking.pictures import Pictures
from medvision_agent.eval.asking.recipe import Recipe
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.source import Source
from medvision_agent.eval.settings.identity import Identity
from medvision_agent.eval.settings.settings import Settings
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.write import RunStore

__all__ = ["Ask", "Asks", "Job", "Lane", "Pool", "ordered"]


@dataclass(frozen=True, eq=False)
class Job:
    """The model, the settings and the words with which every sample of one run is asked."""

    source: Source
    recipe: Recipe
    pictures: Pictures
    wording: Wording
    condition: Condition
    chat: Chat
    limits: Limits
    settings: Settings
    """What it was prepared from, with the model's row as it was resolved: enough to prepare it elsewhere."""
    identity: Identity
    tool_order: int | None = None
    """The seed that shuffles the tools' declarations; None leaves them in their order."""
    results: Callable[[str], Sequence[HandedBack]] | None = None
    """Returns the tool results shown with the question of a sample, by its id."""
    pixels: Callable[[str], int] | None = None
    """Returns how many pixels the image of a sample is enlarged to, by the sample's id; None: it is not enlarged."""
    thinking_budget: int | None = None
    """Tokens of thinking allowed, where another arm's answers settled them."""

    def condition_of(self, sample: Sample) -> Condition:
        """Return the condition for one sample: its tools are shuffled if the run has a seed for their order."""
        return ordered(self.condition, self.tool_order, self.wording, sample)


def ordered(condition: Condition, seed: int | None, wording: Wording, sample: Sample) -> Condition:
    """Return *condition* with its tools shuffled by *seed* for one sample and wording.

    Unchanged where *seed* is None.
    """
    return condition if seed is None else condition.shuffled(f"{seed}\0{wording.number}\0{sample.id}")


@dataclass(eq=False)
class Lane:
    """One run that is being asked: its job, its store, and the circuit breaker for its server."""

    job: Job
    store: RunStore
    breaker: Breaker
    draws: Draws | None = None
    """The draws, where several answers to a sample are combined into one."""
    followers: list[Callable[[Record], "list[Ask]"]] = field(default_factory=list[Callable[[Record], "list[Ask]"]])
    """Functions that get every stored record and return the samples of other runs that can be asked now."""


Ask = tuple[Lane, Sample, int]
"""A sample of a run, and the number of the attempt."""


class Asks:
    """A queue of samples to be asked; planned samples are made one by one when their turn comes."""

    def __init__(self, planned: Iterable[Ask] = ()) -> None:
        self._first, self._planned = deque[Ask](), iter(planned)

    def __bool__(self) -> bool:
        if not self._first:
            self._first.extend(islice(self._planned, 1))
        return bool(self._first)

    def popleft(self) -> Ask:
        """Remove and return the next sample; raises IndexError where the queue is empty."""
        if not self:
            raise IndexError("nothing is left to be asked")
        return self._first.popleft()

    def appendleft(self, ask: Ask) -> None:
        """Put a sample at the front of the queue."""
        self._first.appendleft(ask)

    def extendleft(self, asks: Iterable[Ask]) -> None:
        """Put these samples at the front of the queue, the last one first."""
        self._first.extendleft(asks)


@dataclass(eq=False)
class Pool:
    """The queue of one model's samples, and how many of them are asked at a time."""

    asks: Asks
    parallel: int
    alone: deque[Ask] = field(default_factory=deque[Ask])
    """The samples that are asked before all others, one at a time."""
    waiting: list[tuple[Ask, Record]] = field(default_factory=list[tuple[Ask, Record]])
    """Samples whose first request was refused before any other was answered, with their records."""
    flying: int = 0
    """Samples that were handed out and have not ended."""
    _exclusive: bool = False
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    @asynccontextmanager
    async def turn(self, may: Callable[[], bool]) -> AsyncIterator[Ask | None]:
        """Wait for the next sample, for a ``with`` block in which it counts as in flight.

        None where no sample remains or *may* returns False. Raises ProviderError where the first requests of the run
        are refused.
        """
        async with self._changed:
            await self._changed.wait_for(self._open)
            ask = self.take(may)
        try:
            yield ask
        finally:
            if ask is not None:
                async with self._changed:
                    self.ended()
                    if self._open():  # else all that wait would look, each time, and wait again
                        self._changed.notify_all()

    def take(self, may: Callable[[], bool]) -> Ask | None:
        """Return the next sample and count it as in flight; None where no sample may be started at this moment.

        *may* returns whether the budget allows it. Raises ProviderError where the first requests of the run are
        refused.
        """
        if not self._open():
            return None
        one_at_a_time = bool(self.alone or self.waiting)
        ask = self._next() if may() else None
        if ask is not None:
            self.flying += 1
            self._exclusive = one_at_a_time
        return ask

    def ended(self) -> None:
        """Count a sample that was handed out as no longer in flight."""
        self.flying -= 1
        self._exclusive = False

    @property
    def calm(self) -> bool:
        """Whether the next sample waits until nothing else is in flight."""
        return bool(self._exclusive or self.alone or self.waiting)

    def left(self) -> bool:
        """Return whether any sample was not asked; call it after all work has ended."""
        return bool(self.alone or self.waiting or self.asks)

    def _open(self) -> bool:
        one_at_a_time = self.alone or self.waiting
        return self.flying == 0 or not (self._exclusive or one_at_a_time or not self.asks)

    def _next(self) -> Ask | None:
        self._settle()
        asks: deque[Ask] | Asks = self.alone or self.asks
        ask = asks.popleft() if asks else None
        if ask is None and self.waiting:
            self._refuse(self.waiting[0])
        return ask

    def _settle(self) -> None:
        """Queue waiting samples again if their run had a reply meanwhile.

        If not, and several were refused, raise ProviderError.
        """
        for lane in dict.fromkeys(ask[0] for ask, _ in self.waiting):
            own = [(ask, record) for ask, record in self.waiting if ask[0] is lane]
            if lane.breaker.answered:
                self.alone.extend(ask for ask, _ in own)
                self.waiting = [one for one in self.waiting if one[0][0] is not lane]
            elif len(own) >= FIRST:
                self._refuse(own[0])

    @staticmethod
    def _refuse(refused: tuple[Ask, Record]) -> None:
        (lane, _, _), record = refused
        raise lane.breaker.stop_at_the_start(record)
