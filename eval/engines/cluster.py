"""Workers that are actors of a Ray cluster, on this machine or on others. Needs the extra ``cluster``.

Contract: an actor gets the settings of a run and one sample after the other; record, trace and pictures come back
through Ray's object store, so that no file system need be shared but for the data. Keys are never sent: each machine
has its own, in the environment in which Ray was started there. Where an actor dies, Ray says so, and another one asks
its samples again. Scheduling and placement are Ray's.
"""

import asyncio
import itertools
import socket
from dataclasses import replace
from functools import partial
from typing import Any

from medvision_agent.agent.models import ModelConfig
from medvision_agent.agent.session import GivenUpError, Waiting
from medvision_agent.agent.wire.failures import Fault
from medvision_agent.agent.wire.rate_limit import Pace, Start
from medvision_agent.errors import ConfigError
from medvision_agent.eval.asking.engine import WorkerLostError
from medvision_agent.eval.asking.runner import Watch, waiting_until
from medvision_agent.eval.engines.bench import Bench, FarPace, spoken
from medvision_agent.eval.engines.dispatch import Dispatch, Worker, settled
from medvision_agent.eval.engines.messages import Ask, Message, Open, Opened, Told

__all__ = ["RayWorker", "connect"]

_PATIENCE = 10.0
"""Seconds in which a cluster's address answers."""
_FLIGHTS = 1000
"""Calls that an actor takes at once: more than any worker has samples in flight."""


def connect(address: str | None) -> None:
    """Join the Ray cluster at *address* (``auto``: the one that runs here); without one, start Ray on this machine.

    Raises ConfigError where Ray is not installed or no cluster can be reached.
    """
    try:
        import ray  # noqa: PLC0415 - an extra
    except ImportError:
        raise ConfigError("--engine ray needs Ray: pip install 'medvision-agent[cluster]'") from None
    if ray.is_initialized():
        return
    try:
        _knock(address)
        ray.init(address=address, log_to_driver=False, logging_level="error", include_dashboard=False)
    except (OSError, ValueError) as error:  # ConnectionError is an OSError
        raise ConfigError(f"--address {address}: no Ray cluster can be reached there: {error}") from error


def _knock(address: str | None) -> None:
    """Raise OSError where nobody listens at HOST:PORT, for which Ray itself would wait for minutes."""
    host, colon, port = (address or "").rpartition(":")
    if colon and port.isdecimal() and "/" not in host:
        socket.create_connection((host, int(port)), timeout=_PATIENCE).close()


class RayWorker(Worker):
    """An actor, and the calls it has not answered yet."""

    def __init__(self, dispatch: Dispatch, *, loads: bool) -> None:
        """One that *loads* its model into the process gets a GPU, where the cluster has any."""
        super().__init__(dispatch)
        self._loads = loads
        self._actor: Any = None
        self._pacer: Any = None

    async def start(self) -> None:
        """Start the actor."""
        import ray  # noqa: PLC0415 - an extra

        gpus = int(self._loads and ray.cluster_resources().get("GPU", 0) > 0)
        shared = {"name": f"pace-{id(self.dispatch)}", "get_if_exists": True, "num_cpus": 0}
        self._pacer = ray.remote(_Pacer).options(max_concurrency=_FLIGHTS, **shared).remote()
        actor = ray.remote(_Actor).options(num_cpus=1, num_gpus=gpus, max_concurrency=_FLIGHTS)
        self._actor = actor.remote(self._pacer)

    async def answer(self, message: Open | Ask, waiting: Waiting) -> Told | Opened:
        """Call the actor, and return or raise what comes of it."""
        from ray.exceptions import RayActorError  # noqa: PLC0415 - an extra

        actor = self._actor
        if isinstance(message, Open):
            message = replace(message, folder=None, shared=None)
        try:
            faults, answered = await actor.answer.remote(message)
        except RayActorError as error:
            if self._actor is actor:  # the first of its samples to hear of it
                self._actor = None
                raise self.lost(str(error).splitlines()[0]) from None
            raise WorkerLostError(str(error)) from None
        for fault, tries in faults:
            waiting.on_fault(fault, tries)
        return settled(answered)

    def stop(self) -> None:
        """Have the actor wait for no further try of a request."""
        if self._actor is not None:
            self._actor.stop.remote()

    async def close(self) -> None:
        """End the actor."""
        import ray  # noqa: PLC0415 - an extra

        for actor in (self._actor, self._pacer):
            if actor is not None:
                ray.kill(actor)


class _Actor:
    """A bench somewhere in the cluster."""

    def __init__(self, pacer: Any) -> None:
        self._bench, self._pacer, self._stop = Bench(self._pace), pacer, asyncio.Event()

    async def answer(self, message: Open | Ask) -> tuple[list[tuple[Fault, int]], Message]:
        """Do what is asked; return the tries of requests that failed meanwhile, and what came of it."""
        faults = list[tuple[Fault, int]]()
        waiting = waiting_until(self._stop, Watch(on_fault=lambda fault, tries: faults.append((fault, tries))))
        work = self._bench.open(message) if isinstance(message, Open) else self._bench.ask(message, waiting)
        return faults, await spoken(message.number, work)

    async def stop(self) -> None:
        """Wait for no further try of a request."""
        self._stop.set()

    def _pace(self, lane: int, model: str, config: ModelConfig) -> Pace:  # noqa: ARG002 - the pacer goes by the model
        tell = partial(self._pacer.took.remote, model)
        return FarPace(partial(self._turn, model, config), tell)

    async def _turn(self, model: str, config: ModelConfig) -> int:
        limits = config.requests_per_minute, config.tokens_per_minute
        turn = asyncio.ensure_future(self._pacer.wait.remote(model, *limits))
        stopped = asyncio.create_task(self._stop.wait())
        done, _ = await asyncio.wait({turn, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if turn not in done:
            raise GivenUpError
        return int(turn.result())


class _Pacer:
    """Keeps the limits per minute of models for all actors."""

    def __init__(self) -> None:
        self._paces, self._starts, self._numbers = dict[str, Pace](), dict[int, Start](), itertools.count()

    async def wait(self, model: str, requests: int | None, tokens: int | None) -> int:
        """Wait until a request to a model may start, and return its number."""
        start = await self._paces.setdefault(model, Pace(requests, tokens)).wait(asyncio.sleep)
        self._starts[number := next(self._numbers)] = start
        return number

    async def took(self, model: str, number: int, tokens: int) -> None:
        """Count the tokens of a request."""
        self._paces[model].took(self._starts.pop(number), tokens)
