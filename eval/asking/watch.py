"""Who wants to know what happens during a run, and what is done between two tries of a request."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from medvision_agent.agent.session import GivenUpError, Waiting
from medvision_agent.agent.wire.failures import Fault
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.run import Run

__all__ = ["Brief", "Watch", "waiting_until"]


class Brief(NamedTuple):
    """What a sample was worth, for who watches."""

    success: bool
    loss: float


@dataclass(frozen=True)
class Watch:
    """Who wants to know what happens during a run."""

    on_start: Callable[[Run], None] = lambda run: None  # noqa: ARG005
    asking: Callable[[str], AbstractContextManager[None]] = lambda sample_id: nullcontext()  # noqa: ARG005
    """Is entered with the id of a sample when it is begun, and left when it is stored or given up."""
    on_record: Callable[[Record], None] = lambda record: None  # noqa: ARG005
    """Hears of a record that is on disk. Where workers of a cluster ask, its response may be left out."""
    on_scored: Callable[[Record, Brief | None], None] | None = None
    """Hears instead of ``on_record`` of a record that was scored by *rules* where it was asked; None: not scored."""
    rules: Protocol | None = None
    on_fault: Callable[[Fault, int], None] = lambda fault, tries: None  # noqa: ARG005
    """Hears of every try of a request that failed, with its number."""
    on_limit: Callable[[str], None] = lambda reason: None  # noqa: ARG005
    """Hears that a budget is used up while samples are left, and which."""
    on_note: Callable[[str], None] = lambda line: None  # noqa: ARG005
    """Hears what a reader of the results must know before the first sample."""


def waiting_until(stop: asyncio.Event, watch: Watch) -> Waiting:
    """Return what is done between two tries of a request: a wait, which is given up when *stop* is set."""
    return Waiting(sleep=partial(_sleep, stop), on_fault=watch.on_fault)


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
    raise GivenUpError
