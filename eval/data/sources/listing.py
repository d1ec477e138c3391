"""Checks a list of samples while it is read: each is compared with those before it, and no sample is kept.

Contract: every id is unique, and synthetic samples are not mixed with others. A violation is a DataError that names
both places. It is raised after all samples are read, so that errors of single samples are reported first.
"""

from array import array
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from medvision_agent.errors import DataError
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.samples import Kept, Samples

__all__ = ["Listing", "check_unmixed"]


class Listing:
    """A checked list of samples, each with the number of its line, row or position."""

    def __init__(self, numbered: Iterable[tuple[int, Sample]], place: Callable[[int], str]) -> None:
        """Read samples with their numbers; *place* turns a number into words for messages.

        Raises DataError for an id that appears twice, and for synthetic samples among others.
        """
        kept = Kept()
        self._place, self._numbers, self._ids = place, array("I"), array("q")
        marked: dict[bool, int] = {}
        for number, sample in numbered:
            kept.add(sample)
            self._numbers.append(number)
            self._ids.append(hash(sample.id))  # valid in one process; equal hashes are compared by id
            marked.setdefault(sample.marks.synthetic, number)
        self.samples: Samples = kept
        self.synthetic = True in marked
        """Whether the images are synthetic."""
        self._sorted: NDArray[np.intp] | None = None
        self._check_unique()
        check_unmixed({synthetic: place(number) for synthetic, number in marked.items()})

    def row(self, sample: Sample) -> int:
        """Return the row of a sample, from 0; raises DataError where no sample has its id."""
        ids, order = np.asarray(self._ids), self._order()
        wanted = hash(sample.id)
        for at in range(*(int(np.searchsorted(ids, wanted, side, sorter=order)) for side in ("left", "right"))):
            if self.samples[int(order[at])].id == sample.id:
                return int(order[at])
        raise DataError(f"no sample of this source has the id {sample.id!r}; take samples from the same source")

    def place(self, sample: Sample) -> str:
        """Return the words that messages use for where *sample* is; raises DataError where no sample has its id."""
        return self._place(self._numbers[self.row(sample)])

    def _order(self) -> NDArray[np.intp]:
        """Return the rows in the order of the hashes of their ids; rows with equal hashes keep their order."""
        if self._sorted is None:
            self._sorted = np.argsort(np.asarray(self._ids), kind="stable")
        return self._sorted

    def _check_unique(self) -> None:
        ids, order = np.asarray(self._ids), self._order()
        again = np.flatnonzero(ids[order][1:] == ids[order][:-1]) + 1
        for row in sorted(int(order[at]) for at in again):
            sample = self.samples[row]
            if (first := self.row(sample)) != row:
                raise DataError(
                    f"{self._place(self._numbers[row])}: id: {sample.id!r} is the id of another sample too, at "
                    f"{self._place(self._numbers[first])}; give every sample an id of its own"
                )


def check_unmixed(first: dict[bool, str]) -> None:
    """Raise DataError if some samples are synthetic and others are not.

    *first* has, by whether it is synthetic, the words for the first such sample. All figures of a run are means over
    its samples, and no mean may mix synthetic and real images.
    """
    if len(first) == 2:
        later = list(first.values())[1]
        raise DataError(
            f"{later}: marks.synthetic: this source has synthetic images and others ({first[True]} is marked as "
            f"synthetic, {first[False]} is not), but no mean may mix them; put each kind in a source of its own"
        )
