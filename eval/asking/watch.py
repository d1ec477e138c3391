"""Callbacks for the progress of a run, and the wait between two tries of a request."""

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
    """The score of one sample, for callbacks: whether the answer succeeded, and the loss (0 to 1)."""

    success: bool
    loss: float


@dataclass(frozen=True)
class Watch:
    """The callbacks that a caller gives to follow the progress of a run."""

    on_start: Callable[[Run], None] = lambda run: None  # noqa: ARG005
    asking: Callable[[str], AbstractContextManager[None]] = lambda sample_id: nullcontext()  # noqa: ARG005
    """Context entered with the id of a sample when it is started, and left when it is stored or given up."""
    on_record: Callable[[Record], None] = lambda record: None  # noqa: ARG005
    """Called with each record that is on disk. Where workers of a cluster ask, its response may be left out."""
    on_scored: Callable[[Record, Brief | None], None] | None = None
    """Called instead of ``on_record`` with a record that a worker scored by *rules*; None: not scored."""
    rules: Protocol | None = None
    on_fault: Callable[[Fault, int], None] = lambda fault, tries: None  # noqa: ARG005
    """Called with every failed try of a request and its number."""
    on_limit: Callable[[str], None] = lambda reason: None  # noqa: ARG005
    """Called with the reason when a budget is used up while samples are left."""
    on_note: Callable[[str], None] = lambda line: None  # noqa: ARG005
    """Called with notes that readers of the results must know, before the first sample."""


def waiting_until(stop: asyncio.Event, watch: Watch) -> Waiting:
    """Return what a provider needs between two tries of a request: how to wait, and whom to tell of failed tries.

    When *stop* is set, the wait ends at once with GivenUpError, so that the request is not tried again. Every failed
    try goes to ``watch.on_fault``.
    """
    return Waiting(sleep=partial(_sleep, stop), on_fault=watch.on_fault)


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
    raise GivenUpError
