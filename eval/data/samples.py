"""Sequences of samples, each made on request and not kept: a long list takes a few bytes per sample.

Contract: a ``Samples`` is a sequence. A sample that is read twice is made twice, and both are equal. Reading in order
is fastest. A slice is a ``Samples`` too. ``summed`` describes all samples together, and reads each once.
"""

from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from threading import Lock
from typing import Self, overload

import numpy as np
from numpy.typing import NDArray

from medvision_agent.blocks import Blocks
from medvision_agent.eval.data.outline import has_outline
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.tasks import TaskName

__all__ = ["Hashes", "Kept", "Picked", "Samples", "Summed"]

TOGETHER = 64
"""Number of samples that are packed together."""
_IN_MEMORY = 1 << 22
"""Bytes of packed samples that are held in memory; more are in a temporary file (``TMPDIR`` says where)."""
_WHERE = {"image", "source"}
"""Left out of the hash: where a source keeps its images. ``v0_sha256`` of each record covers what they show."""


@dataclass(frozen=True, slots=True)
class Hashes:
    """Two SHA-256 hashes that tell whether samples are the same as at an earlier time."""

    ids: str
    """Hash over the ids in their order."""
    samples: str
    """Hash over all questions and their ground truth, in the same order."""


@dataclass(frozen=True, slots=True)
class Summed:
    """Facts about all samples of a sequence together."""

    hashes: Hashes
    tasks: dict[TaskName, int]
    """How many samples each task has, in the order of their first ones."""
    firsts: dict[TaskName, int]
    """The place of the first sample of each task."""
    subjects: int
    volumes: bool
    """Whether any sample is a slice of one of the user's own volumes."""
    without_outline: dict[TaskName, int]
    """How many samples of each task have no true outline."""
    first_without: str
    """The id of the first sample without a true outline; empty where there is none."""


class Samples(Sequence[Sample]):
    """A sequence of samples, each made when it is read and not kept; a slice of it is such a sequence too."""

    @abstractmethod
    def _made(self, row: int) -> Sample:
        """Return the sample at index *row*, from 0."""

    @overload
    def __getitem__(self, index: int) -> Sample: ...

    @overload
    def __getitem__(self, index: slice) -> "Samples": ...

    def __getitem__(self, index: int | slice) -> "Sample | Samples":
        rows = range(len(self))[index]
        return self._made(rows) if isinstance(rows, int) else Picked(self, rows)

    def __iter__(self) -> Iterator[Sample]:
        return map(self._made, range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or len(self) != len(other):
            return False
        return all(one == another for one, another in zip(self, other, strict=True))

    def __hash__(self) -> int:
        raise TypeError("a sequence that may equal a list has no hash")

    @property
    def hashes(self) -> Hashes:
        """The hashes that tell whether the samples are the same as before; the first use reads every sample."""
        return self.summed.hashes

    def asks(self, task: TaskName) -> bool:
        """Return whether any sample is of *task*."""
        return task in self.summed.tasks

    @cached_property
    def summed(self) -> Summed:
        """Facts about all samples together; the first use reads every sample."""
        ids, texts = sha256(), sha256()
        tasks, without, firsts = Counter[TaskName](), Counter[TaskName](), dict[TaskName, int]()
        subjects, volumes, first_without = set[str](), False, ""
        for row, sample in enumerate(self):
            ids.update(sample.id.encode() + b"\0")
            texts.update(sample.model_dump_json(exclude=_WHERE).encode() + b"\0")
            tasks[sample.task] += 1
            firsts.setdefault(sample.task, row)
            subjects.add(sample.subject)
            volumes = volumes or sample.volume is not None
            if not has_outline(sample):
                without[sample.task] += 1
                first_without = first_without or sample.id
        hashes = Hashes(ids.hexdigest(), texts.hexdigest())
        return Summed(hashes, dict(tasks), firsts, len(subjects), volumes, dict(without), first_without)


class Picked(Samples):
    """A selection of the samples of another sequence, in a given order."""

    def __init__(self, samples: Sequence[Sample], rows: Sequence[int] | NDArray[np.integer]) -> None:
        """Take the sequence and *rows*, the indices of the selected samples in it, as integers of any kind."""
        self._samples, self._rows = samples, rows

    @classmethod
    def all(cls, samples: Sequence[Sample]) -> Samples:
        """Return all samples of any sequence, in its order, as a ``Samples``."""
        return samples if isinstance(samples, Samples) else cls(samples, range(len(samples)))

    def __len__(self) -> int:
        return len(self._rows)

    def _made(self, row: int) -> Sample:
        return self._samples[int(self._rows[row])]


class Kept(Samples):
    """A sequence of samples kept as packed text, to which more can be added."""

    def __init__(self, samples: Iterable[Sample] = ()) -> None:
        self._blocks = Blocks("samples", _IN_MEMORY)
        self._open = list[bytes]()
        """The texts that do not fill a block yet."""
        self._read: tuple[int, list[bytes]] = -1, []
        """The block that was read last, by its number: samples are mostly read in their order."""
        self._lock = Lock()
        for sample in samples:
            self.add(sample)

    def add(self, sample: Sample) -> Self:
        """Add one sample at the end and return this sequence.

        Raises StorageError where the temporary folder is full.
        """
        self._open.append(sample.model_dump_json().encode())
        if len(self._open) == TOGETHER:
            with self._lock:
                self._blocks.add(b"\n".join(self._open))
                self._open = []
        return self

    def __len__(self) -> int:
        return len(self._blocks) * TOGETHER + len(self._open)

    def __iter__(self) -> Iterator[Sample]:
        for number in range(len(self._blocks) + 1):
            yield from map(Sample.model_validate_json, self._texts(number))

    def _made(self, row: int) -> Sample:
        number, place = divmod(row, TOGETHER)
        return Sample.model_validate_json(self._texts(number)[place])

    def _texts(self, number: int) -> list[bytes]:
        with self._lock:
            if number == len(self._blocks):
                return self._open
            if self._read[0] != number:
                self._read = number, self._blocks[number].split(b"\n")
            return self._read[1]
