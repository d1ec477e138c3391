"""Workers that are actors of a Ray cluster, on this machine or on others. Needs the extra ``cluster``.

Contract: an actor gets the settings of a run and one sample after the other; record, trace and pictures come back
through Ray's object store, so that no file system need be shared but for the data. Keys are never sent: each machine
has its own, in the environment in which Ray was started there. Where an actor dies, Ray says so, and another one asks
its samples again. Scheduling and placement are Ray's.
"""

import asyncio
import itertools
import os
import socket
from collections import defaultdict
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
from medvision_agent.eval.engines.dispatch import Dispatch, NotBegunError, Worker, settled
from medvision_agent.eval.engines.messages import Ask, Message, Open, Opened, Told

__all__ = ["RayWorker", "connect", "gpus_of_each"]

_PATIENCE = 10.0
"""Seconds in which a cluster's address answers."""
_FLIGHTS = 20_000
"""Calls that an actor takes at once: more than all workers have samples in flight."""


def connect(address: str | None, workers: int) -> None:
    """Join the Ray cluster at *address* (``auto``: the one that runs here); without one, start Ray on this machine.

    Without *address*, the environment variable RAY_ADDRESS stands for it, as everywhere in Ray. A Ray that is started
    has as many cores as *workers*, whatever the machine has. Raises ConfigError where Ray is not installed or no
    cluster can be reached.
    """
    try:
        import ray  # noqa: PLC0415 - an extra
    except ImportError:
        raise ConfigError("--engine ray needs Ray: pip install 'medvision-agent[cluster]'") from None
    address = address or os.environ.get("RAY_ADDRESS")
    own: dict[str, Any] = {} if address else {"num_cpus": max(workers, os.cpu_count() or 1)}
    if not ray.is_initialized():
        try:
            _knock(address)
            quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "error", "include_dashboard": False}
            ray.init(address=address or "local", **quiet, **own)
        except (OSError, ValueError) as error:  # ConnectionError is an OSError
            cluster = f"--address {address}: no Ray cluster can be reached there" if address else "Ray does not start"
            raise ConfigError(f"{cluster}: {error}") from error


def gpus_of_each(given: float | None, workers: int, *, loads: bool) -> float:
    """Return how many GPUs each of the *workers* takes: as many as *given*.

    By default that is one where the model *loads* into the worker and the cluster has any, and else none. Raises
    ConfigError where the cluster has too few cores or GPUs for all workers: Ray would wait for them for ever.
    """
    import ray  # noqa: PLC0415 - an extra

    has: dict[str, float] = ray.cluster_resources()
    gpus = given if given is not None else float(loads and has.get("GPU", 0) > 0)
    for what, name, each in (("core", "CPU", 1.0), ("GPU", "GPU", gpus)):
        if has.get(name, 0) < each * workers:
            raise ConfigError(
                f"--processes {workers}: each worker takes {each:g} {what}, and the Ray cluster has "
                f"{has.get(name, 0):g}; give fewer --processes{' or --gpus' if what == 'GPU' else ''}, or wait until "
                "all machines have joined the cluster"
            )
    return gpus


def _knock(address: str | None) -> None:
    """Raise OSError where nobody listens at HOST:PORT, for which Ray itself would wait for minutes."""
    host, colon, port = (address or "").rpartition(":")
    if colon and port.isdecimal() and "/" not in host:
        socket.create_connection((host, int(port)), timeout=_PATIENCE).close()


class RayWorker(Worker):
    """An actor, and the calls it has not answered yet."""

    def __init__(self, dispatch: Dispatch, *, gpus: float) -> None:
        """One that takes a number of *gpus*."""
        super().__init__(dispatch)
        self._gpus = gpus
        self._calls = 0
        """Calls that the actor has not answered yet."""
        self._actor: Any = None
        self._pacer: Any = None
        self._lives = itertools.count()
        self._life = ""

    async def start(self) -> None:
        """Start the actor."""
        import ray  # noqa: PLC0415 - an extra

        shared = {"name": f"pace-{id(self.dispatch)}", "get_if_exists": True, "num_cpus": 0}
        self._pacer = ray.remote(_Pacer).options(max_concurrency=_FLIGHTS, **shared).remote()
        actor = ray.remote(_Actor).options(num_cpus=1, num_gpus=self._gpus, max_concurrency=_FLIGHTS)
        self._life = f"{id(self)}-{next(self._lives)}"
        self._actor = actor.remote(self._pacer, self._life)

    async def answer(self, message: Open | Ask, waiting: Waiting) -> Told | Opened:
        """Call the actor, and return or raise what comes of it.

        Ray does not say whether an actor that died had begun with a call. One that has nothing to do is therefore asked
        for a sign of life first: a sample has no part in a death that came before it.
        """
        if isinstance(message, Open):
            message = replace(message, folder=None, shared=None)
        if not self.lives:
            raise NotBegunError
        if not self._calls:
            try:
                await self._call("here")
            except WorkerLostError:
                raise NotBegunError from None
        self._calls += 1
        try:
            faults, answered = await self._call("answer", message)
        finally:
            self._calls -= 1
        for fault, tries in faults:
            waiting.on_fault(fault, tries)
        return settled(answered)

    async def _call(self, method: str, *given: object) -> Any:
        """Return what a method of the actor returns; raises WorkerLostError where the actor is dead."""
        from ray.exceptions import RayActorError  # noqa: PLC0415 - an extra

        actor = self._actor
        if actor is None:
            raise WorkerLostError("it died meanwhile")
        try:
            return await getattr(actor, method).remote(*given)
        except RayActorError as error:
            if self._actor is actor:  # the first to hear of it
                self._actor = None
                self._pacer.forget.remote(self._life)
                lines = str(error).strip().splitlines()
                raise self.lost(" ... ".join(dict.fromkeys((lines[0], lines[-1].strip())))) from None
            raise WorkerLostError(str(error)) from None

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

    def __init__(self, pacer: Any, life: str) -> None:
        self._bench, self._pacer, self._life, self._stop = Bench(self._pace), pacer, life, asyncio.Event()

    async def here(self) -> None:
        """Give a sign of life."""

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
        tell = partial(self._pacer.took.remote, model, self._life)
        return FarPace(partial(self._turn, model, config), tell)

    async def _turn(self, model: str, config: ModelConfig) -> int:
        limits = config.requests_per_minute, config.tokens_per_minute
        turn = asyncio.ensure_future(self._pacer.wait.remote(model, self._life, *limits))
        stopped = asyncio.create_task(self._stop.wait())
        done, _ = await asyncio.wait({turn, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if turn not in done:
            raise GivenUpError
        return int(turn.result())


class _Pacer:
    """Keeps the limits per minute of models for all actors."""

    def __init__(self) -> None:
        self._paces, self._numbers = dict[str, Pace](), itertools.count()
        self._starts: defaultdict[str, dict[int, Start]] = defaultdict(dict)
        """Requests that are not over, by the life of an actor."""

    async def wait(self, model: str, life: str, requests: int | None, tokens: int | None) -> int:
        """Wait until a request to a model may start, and return its number."""
        start = await self._paces.setdefault(model, Pace(requests, tokens)).wait(asyncio.sleep)
        self._starts[life][number := next(self._numbers)] = start
        return number

    async def took(self, model: str, life: str, number: int, tokens: int | None) -> None:
        """Count the tokens of a request that is over; None: it had no reply."""
        start = self._starts[life].pop(number)
        if tokens is not None:
            self._paces[model].took(start, tokens)

    async def forget(self, life: str) -> None:
        """Forget the requests of an actor that died."""
        self._starts.pop(life, None)
