"""The samples of a stored run, each made from its text when it is asked for."""

from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from pathlib import Path

from medvision_agent.errors import StorageError
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.samples import Hashes, Samples
from medvision_agent.eval.store.database import reading
from medvision_agent.eval.store.ends import Todo
from medvision_agent.eval.tasks import TaskName

__all__ = ["StoredSamples", "pending_of"]

_TOGETHER = 64
"""Number of samples read over one connection, so that a slow reader does not keep a writer's log from shrinking."""
_QUERY = "SELECT json FROM sample WHERE position = ?"
_ASKS = "SELECT EXISTS (SELECT 1 FROM sample WHERE json_extract(json, '$.task') = ?)"


class StoredSamples(Samples):
    """The samples of a stored run, each read when it is asked for; their hashes are those in the run's identity."""

    def __init__(self, folder: Path, hashes: Hashes) -> None:
        self._folder, self._hashes = folder, hashes

    @property
    def hashes(self) -> Hashes:
        """The hashes of the samples with which the run was begun.

        `verify` checks whether the samples are still the same.
        """
        return self._hashes

    def asks(self, task: TaskName) -> bool:
        """Return whether any sample is of *task*, without making the samples."""
        with reading(self._folder) as database:
            return bool(database.execute(_ASKS, (task,)).fetchone()[0])

    def __len__(self) -> int:
        return self._length

    @cached_property
    def _length(self) -> int:
        with reading(self._folder) as database:
            (count,) = database.execute("SELECT count(*) FROM sample").fetchone()
            return int(count)

    def __iter__(self) -> Iterator[Sample]:
        for first in range(0, len(self), _TOGETHER):
            yield from _at(self._folder, range(first, min(first + _TOGETHER, len(self))))

    def _made(self, row: int) -> Sample:
        [sample] = _at(self._folder, [row])
        return sample


def pending_of(folder: Path, todo: Todo) -> Iterator[tuple[Sample, int]]:
    """Yield the samples of a run that are still to be asked, each with the number of its next attempt."""
    left = iter(todo)
    while some := list(islice(left, _TOGETHER)):
        samples = _at(folder, [place for place, _ in some])
        yield from zip(samples, (attempt for _, attempt in some), strict=True)


def _at(folder: Path, places: "range | list[int]") -> list[Sample]:
    with reading(folder) as database:
        rows = [database.execute(_QUERY, (place,)).fetchone() for place in places]
        if None in rows:
            raise StorageError(
                f"{folder}: samples of this run were removed while it was being read; restore the run from a copy"
            )
        return [Sample.model_validate_json(text) for (text,) in rows]
