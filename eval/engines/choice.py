"""Chooses the engine that asks: this process alone, or several beside it."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from uuid import uuid4

from medvision_agent.agent.models import Offline, Transformers
from medvision_agent.errors import ConfigError
from medvision_agent.eval.asking.engine import HERE, Engine, LeasingEngine
from medvision_agent.eval.asking.launch import Prepared
from medvision_agent.eval.settings.settings import Settings
from medvision_agent.text import plural

__all__ = ["engine_for", "number_of", "stated"]

_CONNECTIONS = 64
"""Samples in flight that keep a process busy: with fewer, a second one is of no help (``benchmarks/README.md``)."""
_SAMPLES = 100
"""Samples that are worth the start of a process."""
_MOST_CONNECTIONS = 1000
"""Samples in flight in one process."""


def number_of(runs: Sequence[Prepared], cores: int | None = None) -> int:
    """Return how many processes ask *runs*: the number that the user gave, or as many as are useful.

    1: this process alone. *cores* is the number of cores that may be used (default: those of this process). Raises
    ConfigError if several are given for a model that is loaded into the process that asks, and if one process would
    have more samples in flight than it can.
    """
    number = _number_of(runs, cores)
    most = max(run.parallel for run in runs)
    if most > number * _MOST_CONNECTIONS:
        raise ConfigError(
            f"--max-connections {most}: {plural(number, 'process', 'processes')} can have at most "
            f"{number * _MOST_CONNECTIONS} samples in flight, {_MOST_CONNECTIONS} in each; "
            f"give --processes {-(-most // _MOST_CONNECTIONS)} or more, or fewer --max-connections"
        )
    return number


def _number_of(runs: Sequence[Prepared], cores: int | None) -> int:
    settings = runs[0].settings
    if settings.engine == "ray":
        return settings.processes or 1
    if _loads(runs):
        if (settings.processes or 1) > 1:
            raise ConfigError(
                f"--processes {settings.processes}: model {settings.model!r} is loaded into the process that asks, "
                "and each process would load it again; leave --processes out"
            )
        return 1
    if settings.processes is not None:
        return settings.processes
    cores = cores or _cores()
    offline = all(isinstance(run.model, Offline) for run in runs)
    busy = cores if offline else max(run.parallel for run in runs) // _CONNECTIONS
    return max(1, min(cores, busy, sum(len(run.samples) for run in runs) // _SAMPLES))


def stated(number: int, settings: Settings) -> list[str]:
    """Return a list with one line about the *number* workers that ask; empty where this process asks alone."""
    if settings.engine == "ray":
        cluster = settings.address or os.environ.get("RAY_ADDRESS") or "of this machine"
        return [f"asking by {plural(number, 'worker')} of the Ray cluster {cluster}"]
    return [] if number == 1 else [f"asking in {number} processes (--processes 1: in this one alone)"]


@asynccontextmanager
async def engine_for(runs: Sequence[Prepared], stop: asyncio.Event) -> AsyncIterator[Engine | LeasingEngine]:
    """Open the engine that asks *runs*, for a ``with`` block; its processes end with the block.

    They stop waiting for further tries of requests when *stop* is set. Raises ConfigError if the settings name Ray, and
    Ray is not installed, no cluster can be reached, or the cluster has too few cores or GPUs.
    """
    settings, number = runs[0].settings, number_of(runs)
    if settings.engine == "ray":
        from medvision_agent.eval.engines.cluster import RayWorker, connect, gpus_of_each  # noqa: PLC0415 - an extra
        from medvision_agent.eval.engines.leases import Leases  # noqa: PLC0415 - a megabyte that few runs need

        connect(settings.address, number)
        gpus = gpus_of_each(settings.gpus, number, loads=_loads(runs))
        leases = Leases(number, partial(RayWorker, f"pace-{uuid4().hex}", gpus=gpus))
        try:
            yield leases
        finally:
            leases.close()
    elif number == 1:
        yield HERE
    else:
        from medvision_agent.eval.engines.dispatch import dispatching  # noqa: PLC0415 - as above
        from medvision_agent.eval.engines.processes import ProcessWorker  # noqa: PLC0415 - as above

        async with dispatching(number, ProcessWorker, stop) as engine:
            yield engine


def _loads(runs: Sequence[Prepared]) -> bool:
    """Return whether a model of *runs* is loaded into the process that asks it."""
    return any(isinstance(run.model, Transformers) for run in runs)


def _cores() -> int:
    """Return how many cores this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # not everywhere
    return len(affinity(0)) if affinity else os.cpu_count() or 1
