"""Score stored answers in several processes or in workers of a Ray cluster, which return numbers only.

Contract: a worker reads ranges of a run's samples from its database, read-only, and scores and locates them by the same
code as a single process, so the result is the same. If the run has grown meanwhile, the calling process
scores the changed samples itself.
"""

import multiprocessing
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from medvision_agent.eval.data.sample import Asked
from medvision_agent.eval.place.located import Found, Located, locate, locate_record
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.protocol import protocol as protocol_named
from medvision_agent.eval.scorer.score import Score, score_record, score_records
from medvision_agent.eval.store.read import open_run, read_range
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.why.look import Looks

__all__ = ["ALONE", "Workers", "scored_apart"]

_PARTS = 8
"""Ranges for each worker, so that no worker is idle for long at the end."""


class Workers(NamedTuple):
    """The processes that score: how many, and whether on this machine or on a Ray cluster."""

    processes: int = 1
    engine: str = "local"
    """``local`` for processes of this machine, or ``ray`` for workers of a Ray cluster."""
    address: str | None = None
    """Address of the Ray cluster; without it, Ray is started on this machine."""


ALONE = Workers()
"""Score in the calling process."""


class _Worth(NamedTuple):
    """What a worker returns for one record: its score, and where its answer was measured."""

    sample: str
    attempt: int
    score: Score | None
    has_place: bool
    found: Found | str | None


def scored_apart(run: Run, rules: Protocol, workers: Workers) -> Iterator[tuple[Record, Score | None, Located | None]]:
    """Yield each record of a run with its score and with where its answer was measured, computed by *workers*.

    The score is None for an infrastructure failure, which is not scored; the place is None where ``locate`` has none.

    Raises ConfigError if Ray cannot be used, and StorageError if a worker cannot read the run.
    """
    size = max(1, -(-len(run.samples) // (_PARTS * workers.processes)))
    ranges = [(first, first + size) for first in range(0, len(run.samples), size)]
    folder = str(run.folder.absolute())
    work = _by_ray if workers.engine == "ray" else _by_processes
    parts = iter(work(folder, rules.name, ranges, workers))
    worth: dict[str, _Worth] = {}
    for record in run.each():
        while record.sample.id not in worth and (part := next(parts, None)) is not None:
            worth |= {one.sample: one for one in part}
        one = worth.pop(record.sample.id, None)
        if record.outcome.infrastructure:  # whether a refusal is a result follows from all records together
            yield record, None, None
        elif one is None or one.attempt != record.attempt or one.score is None:
            yield record, score_record(record, rules), locate_record(run, record, rules)
        else:
            place = Located(Asked.of(record.sample), one.score.loss, one.found) if one.has_place else None
            yield record, one.score, place


class _Part:
    """A worker with an open run, which scores ranges of its samples."""

    def __init__(self, folder: str, rules: str) -> None:
        self._run, self._rules = open_run(Path(folder)), protocol_named(rules)

    def score(self, first: int, end: int) -> list[_Worth]:
        """Return the scores of the stored samples with indices from *first* up to, not including, *end*."""
        records = list(read_range(self._run, first, end))
        with Looks(self._run, self._rules) as looks:
            return [
                _Worth(record.sample.id, record.attempt, score, one is not None, one.found if one else None)
                for record, score in zip(records, score_records(records, self._rules), strict=True)
                for one in [locate(looks.at(record, score)) if score is not None else None]
            ]


_PARTS_OF_THIS_PROCESS: list[_Part] = []


def _begin(path: Sequence[str], folder: str, rules: str) -> None:
    """Open the run in a new worker process."""
    sys.path[:] = path
    _PARTS_OF_THIS_PROCESS.append(_Part(folder, rules))


def _score(ends: tuple[int, int]) -> list[_Worth]:
    """Return the scores of a range of samples, in a worker process that ``_begin`` has prepared."""
    return _PARTS_OF_THIS_PROCESS[0].score(*ends)


def _by_processes(
    folder: str, rules: str, ranges: Iterable[tuple[int, int]], workers: Workers
) -> Iterator[list[_Worth]]:
    """Yield the scores of each range, in order, computed by processes on this machine."""
    begin = partial(_begin, sys.path, folder, rules)
    with ProcessPoolExecutor(workers.processes, multiprocessing.get_context("spawn"), begin) as pool:
        yield from pool.map(_score, ranges)


def _by_ray(folder: str, rules: str, ranges: Iterable[tuple[int, int]], workers: Workers) -> Iterator[list[_Worth]]:
    """Yield the scores of each range, in order, computed by workers of a Ray cluster.

    Raises ConfigError if Ray cannot be used, and the error of a worker.
    """
    from medvision_agent.eval.engines.cluster import connect, gpus_of_each  # noqa: PLC0415 - an extra

    connect(workers.address, workers.processes)
    gpus_of_each(0.0, workers.processes, loads=False)
    import ray  # noqa: PLC0415 - an extra
    from ray.util import ActorPool  # noqa: PLC0415

    actor: Any = ray.remote(_Part).options(num_cpus=1, max_restarts=-1, max_task_retries=-1)
    pool: Any = ActorPool([actor.remote(folder, rules) for _ in range(workers.processes)])
    try:
        yield from pool.map(lambda one, ends: one.score.remote(*ends), list(ranges))
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None
