"""Workers that are actors of a Ray cluster, on this machine or on others. Needs the extra ``cluster``.

Contract: an actor gets the settings of a run and leases of samples (``holder.py``). It writes what it finishes beside
the run if it sees the run's folder; else that comes back through Ray's object store, in pieces of a few megabytes. Keys
are never sent: each machine has its own, in the environment in which Ray was started there. If an actor dies, Ray
reports it, and another one takes its place (``leases.py``). Ray decides where actors run.
"""

import asyncio
import itertools
import os
import socket
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from shutil import rmtree
from typing import Any

from medvision_agent.agent.models import ModelConfig
from medvision_agent.agent.session import GivenUpError
from medvision_agent.agent.wire.rate_limit import Pace, Start
from medvision_agent.errors import ConfigError
from medvision_agent.eval.asking.engine import WorkerLostError
from medvision_agent.eval.engines.bench import FarPace
from medvision_agent.eval.engines.dispatch import settled
from medvision_agent.eval.engines.holder import Holder
from medvision_agent.eval.engines.messages import Leased, Message, News, Open, Place
from medvision_agent.eval.engines.slots import LeaseWorker

__all__ = ["RayWorker", "connect", "gpus_of_each"]

_PATIENCE = 10.0
"""Seconds in which a cluster's address answers."""
_FLIGHTS = 20_000
"""Calls that the actor of the limits takes at once: more than all workers have samples in flight."""
_PAUSE = 1.0
"""Seconds until an actor is called again that Ray could not reach."""
_SCRATCH = "medvision-agent-shards-"
_OLD = 24 * 3600.0
"""Age in seconds from which a shard's folder belongs to a worker that was killed: shards are closed within seconds."""


def connect(address: str | None, workers: int) -> None:
    """Join the Ray cluster at *address* (``auto``: the one on this machine).

    Without an address, start Ray on this machine. Where *address* is None, the environment variable RAY_ADDRESS is used
    if it is set. A Ray that is started here gets at least *workers* cores, even if the machine has fewer. Raises
    ConfigError where Ray is not installed or no cluster can be reached.
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
            todo = (
                "give the HOST:PORT of the cluster's head, or auto for the one on this machine (`ray status` shows it)"
                "; if that cluster asks for a token, set RAY_AUTH_MODE=token (docs/cluster.md)"
                if address
                else "`ray start --head` may say more; --engine local asks without Ray"
            )
            raise ConfigError(f"{cluster}: {error}; {todo}") from error


def gpus_of_each(given: float | None, workers: int, *, loads: bool) -> float:
    """Return how many GPUs each of *workers* workers takes: *given*, if it is not None.

    By default that is one where the model *loads* into the worker and the cluster has any GPU, else 0. Raises
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
    """Raise OSError where nothing listens at *address* (HOST:PORT), because Ray itself would wait for minutes."""
    host, colon, port = (address or "").rpartition(":")
    if colon and port.isdecimal() and "/" not in host:
        socket.create_connection((host, int(port)), timeout=_PATIENCE).close()


class RayWorker(LeaseWorker):
    """A worker that is an actor (a process) of a Ray cluster; a new actor is started after each death."""

    def __init__(self, pacer: str, *, gpus: float) -> None:
        """Create a worker that uses *gpus* GPUs; *pacer* names the rate-limiting actor that all workers share."""
        self._gpus, self._name = gpus, pacer
        self._actor: Any = None
        self._pacer: Any = None
        self._lives = itertools.count()
        self._life = ""

    async def start(self) -> None:
        """Start the actor; errors while it starts are raised by the first call to it."""
        import ray  # noqa: PLC0415 - an extra

        if self._pacer is None:  # kept to the end: without the handle that created it, Ray ends the actor of all
            shared = {"name": self._name, "get_if_exists": True, "num_cpus": 0, "max_concurrency": _FLIGHTS}
            lasting = {"max_restarts": -1, "max_task_retries": -1}  # if it dies: another one, and its calls again
            self._pacer = ray.remote(_Pacer).options(**shared, **lasting).remote()
        actor = ray.remote(_Actor).options(num_cpus=1, num_gpus=self._gpus)
        self._life = f"{id(self)}-{next(self._lives)}"
        self._actor = actor.remote(self._pacer, self._life)

    async def open(self, message: Open, place: Place) -> bool:
        """Prepare the run of a lane at the actor, and return whether the actor sees the run's folder.

        Raises the actor's error, or WorkerLostError if the actor died.
        """
        answer, sees, self.machine = await self._call("open", message, place)
        settled(answer)
        return bool(sees)

    async def lease(self, asks: Sequence[Leased], most: int) -> None:
        """Give the actor samples of one model, of which at most *most* are asked at the same time."""
        await self._call("lease", asks, most)

    async def recall(self, pool: int) -> list[int]:
        """Take back the samples of a model (by the number of its pool) that were not begun; return their numbers."""
        back: list[int] = await self._call("recall", pool)
        return back

    async def news(self, heard: int) -> News:
        """Return the actor's notes after the note with the number *heard*; waits for them a few seconds."""
        found: News = await self._call("news", heard)
        return found

    async def _call(self, method: str, *given: object) -> Any:
        """Return the result of a method of the actor; raises WorkerLostError where the actor is dead."""
        from ray.exceptions import ActorUnavailableError, RayActorError  # noqa: PLC0415 - an extra

        if self._actor is None:
            raise WorkerLostError("it died meanwhile")
        while True:
            try:
                return await getattr(self._actor, method).remote(*given)
            except ActorUnavailableError:  # Ray does not know whether it lives; every method may be called again
                await asyncio.sleep(_PAUSE)
            except RayActorError as error:
                lines = str(error).strip().splitlines()
                raise WorkerLostError(" ... ".join(dict.fromkeys((lines[0], lines[-1].strip())))) from None

    def stop(self) -> None:
        """Make the actor stop waiting for further tries of requests."""
        if self._actor is not None:
            self._actor.stop.remote()

    def kill(self) -> None:
        """End the actor, and have its unfinished requests forgotten by the rate limiter."""
        if self._actor is not None:
            self._end()
            self._pacer.forget.remote(self._life)

    def close(self) -> None:
        """End the actor, and the rate-limiting actor that all workers share."""
        import ray  # noqa: PLC0415 - an extra

        if self._actor is not None:
            self._end()  # nothing to forget: a call to the rate limiter that ends now would only print an error
        if self._pacer is not None:
            ray.kill(self._pacer)
            self._pacer = None

    def _end(self) -> None:
        """End the actor, which must exist."""
        import ray  # noqa: PLC0415 - an extra

        ray.kill(self._actor)
        self._actor = None


class _Actor:
    """The Ray actor of one worker: it holds leases of samples and asks them."""

    def __init__(self, pacer: Any, life: str) -> None:
        self._pacer, self._life, self._stop = pacer, life, asyncio.Event()
        self._holder = Holder(self._pace, _scratch)

    async def open(self, message: Open, place: Place) -> tuple[Message, bool, str]:
        """Prepare the run of a lane.

        Return the answer, whether the run's folder is visible here, and this machine's name.
        """
        answer = await self._holder.open(message, place)
        return answer, self._holder.sees(message.lane), socket.gethostname()

    async def lease(self, asks: Sequence[Leased], most: int) -> None:
        """Take samples of one model, of which *most* are in flight at once."""
        self._holder.lease(asks, most)

    async def recall(self, pool: int) -> list[int]:
        """Give back the samples of a model that were not begun; return their numbers."""
        return self._holder.recall(pool)

    async def news(self, heard: int) -> News:
        """Return the notes after the note with the number *heard*."""
        return await self._holder.news(heard)

    async def stop(self) -> None:
        """Stop waiting for further tries of requests."""
        self._stop.set()
        self._holder.stop()

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


def _scratch() -> Path:
    """Make and return a folder for a shard on this machine; folders that killed workers left a day ago are removed."""
    for left in Path(tempfile.gettempdir()).glob(f"{_SCRATCH}*"):
        with suppress(OSError):  # another worker removes it
            if time.time() - left.stat().st_mtime > _OLD:
                rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=_SCRATCH))


class _Pacer:
    """The Ray actor that keeps the limits per minute of models for all workers.

    If it dies, the actor that replaces it begins a new minute.
    """

    def __init__(self) -> None:
        self._paces, self._numbers = dict[str, Pace](), itertools.count()
        self._starts: defaultdict[str, dict[int, Start]] = defaultdict(dict)
        """Requests that are not over, by the life of an actor."""

    async def wait(self, model: str, life: str, requests: int | None, tokens: int | None) -> int:
        """Wait until a request to a model may start, and return its number.

        *life* names the actor that asks; *requests* and *tokens* are the limits per minute, None: no limit.
        """
        start = await self._paces.setdefault(model, Pace(requests, tokens)).wait(asyncio.sleep)
        self._starts[life][number := next(self._numbers)] = start
        return number

    async def took(self, model: str, life: str, number: int, tokens: int | None) -> None:
        """Count the tokens of request *number* of the actor *life*, which is over; None: it had no reply."""
        start = self._starts[life].pop(number, None)  # None: it started with an actor that died
        if start is not None and tokens is not None:
            self._paces[model].took(start, tokens)

    async def forget(self, life: str) -> None:
        """Forget the unfinished requests of the actor *life*, which died."""
        self._starts.pop(life, None)
