"""Finds repeated images and questions by hashes of a few bytes for each sample.

Contract: one image shows one person, so one image under two subjects is refused. A repetition under one subject is a
warning: statistics treat it as one cluster. Images of a single grey level are not compared across persons.
"""

from array import array
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from medvision_agent.eval.checking.finding import Checked, Fault
from medvision_agent.eval.data.sample import Sample

__all__ = ["Repeated"]


class Repeated:
    """Hashes of the ids, images, subjects and questions of the samples checked so far."""

    def __init__(self) -> None:
        self._ids, self._pictures, self._names, self._subjects, self._questions = (array("q") for _ in range(5))
        self._numbers = array("Q")

    def add(self, number: int, sample: Sample, content: int | None) -> None:
        """Note a sample, whose place in the source is *number*; *content* is the hash of its pixels.

        If the pixels were not read (None), the image or volume is known by its name.
        """
        picture = hash(sample.image) if content is None else content
        slice_ = sample.volume or (sample.medvision and (sample.medvision.slice_dim, sample.medvision.slice_idx))
        asked = sample.task, sample.label, sample.landmarks, sample.measurement
        self._numbers.append(number)
        self._ids.append(hash(sample.id))
        self._pictures.append(picture)
        self._names.append(hash(sample.image))
        self._subjects.append(hash(sample.subject))
        self._questions.append(hash((picture, slice_, *asked)))

    def report(self, checked: Checked, place: Callable[[int], str], uniform: Callable[[set[int]], set[int]]) -> None:
        """Add the repetitions among the noted samples to *checked*.

        *place* returns in words where the sample with a number is; *uniform* returns those of some numbers whose image
        has only one grey level.
        """
        pictures, names = np.asarray(self._pictures), np.asarray(self._names)
        subjects, questions = np.asarray(self._subjects), np.asarray(self._questions)
        first = _firsts(np.asarray(self._ids))
        for row in map(int, np.flatnonzero(first != np.arange(len(first)))):
            other = place(self._numbers[int(first[row])])
            told = f"is the id of another sample too, at {other}; give every sample an id of its own"
            checked.add(Fault("form", "id", told), place(self._numbers[row]))
        first = _firsts(pictures)
        shared = np.flatnonzero(subjects != subjects[first])
        plain = uniform({self._numbers[int(first[row])] for row in shared})
        for row in map(int, shared):
            if (at := self._numbers[int(first[row])]) not in plain:
                told = f"another subject has the same image, at {place(at)}; one image shows one person"
                more = ", so correct one of the subjects, or confirm both with --unchecked shared-picture"
                checked.add(Fault("shared-picture", "subject", told + more), place(self._numbers[row]))
        renamed = np.flatnonzero((names != names[first]) & (subjects == subjects[first]))
        told = "the same image is there twice; under another name it is at"
        self._warn(checked, place, (renamed, first), Fault("repeated-picture", "image", told, refused=False))
        asked = _firsts(questions)
        twice = np.flatnonzero(asked != np.arange(len(asked)))
        told = "the same question about the same image is asked twice; the other sample is at"
        self._warn(checked, place, (twice, asked), Fault("repeated-question", "id", told, refused=False))

    def _warn(
        self,
        checked: Checked,
        place: Callable[[int], str],
        found: tuple[NDArray[np.intp], NDArray[np.intp]],
        fault: Fault,
    ) -> None:
        """Add one warning about repetitions, if there are any.

        *found* are the repeating rows, and for every row the first row that it repeats.
        """
        rows, first = found
        if len(rows):
            at = int(rows[0])
            other = place(self._numbers[int(first[at])])
            told = replace(fault, message=f"{fault.message} {other}")
            checked.add(told, place(self._numbers[at]), len(rows))


def _firsts(values: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return, for each value, the index of the first equal value."""
    _, first, which = np.unique(values, return_index=True, return_inverse=True)
    return first[which] if len(values) else np.zeros(0, np.intp)
