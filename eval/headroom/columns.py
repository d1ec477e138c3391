"""The answers of one model to one task as columns, for means over many answers."""

from array import array
from collections import Counter
from collections.abc import Iterable
from sys import intern
from typing import Self

import numpy as np

from medvision_agent.eval.headroom.steps import Answered
from medvision_agent.eval.parts.summary import structure_of
from medvision_agent.eval.scorer.metrics import Flags, Floats

__all__ = ["AnswerColumns"]


class AnswerColumns:
    """The answers of one model to one task, added one by one; numbers and shared names of them are kept."""

    def __init__(self) -> None:
        self.subjects, self.structures = list[str](), list[str]()
        """The subject of each answer, and what it was asked for (``structure_of``)."""
        self.reasons, self.sources = Counter[str](), Counter[str]()
        """Number of answers that are neither decomposed nor failed by reason, and of decomposed ones by source."""
        self.states = 0
        """Number of answers that state any coordinates."""
        self._numbers, self._losses = array("d"), array("d")
        """Targets and ideal answers, and losses, one answer after the other."""
        self._success, self._decomposed = array("b"), array("b")

    @classmethod
    def of(cls, answers: Iterable[Answered]) -> Self:
        """Return the columns of *answers*, which are all to one task."""
        found = cls()
        for one in answers:
            found.add(one)
        return found

    def add(self, one: Answered) -> None:
        """Add one answer; its target has as many numbers as those of all others."""
        self.subjects.append(intern(one.question.subject))
        self.structures.append(intern(structure_of(one.question)))
        self._numbers.extend(one.target)
        self._numbers.extend([float("nan")] * len(one.target) if one.ideal is None else one.ideal)
        self._losses.extend(one.losses)
        self._success.append(one.success)
        self._decomposed.append(one.decomposed)
        self.states += one.states
        if one.success and not one.decomposed:
            self.reasons[str(one.reason)] += 1
        if one.sources:
            self.sources[", ".join(one.sources)] += 1

    def __len__(self) -> int:
        return len(self.subjects)

    @property
    def losses(self) -> Floats:
        """An array (answers, 4) of losses: as answered, with exact arithmetic, with the true points, with both."""
        return np.frombuffer(self._losses, np.float64).reshape(len(self), -1)

    @property
    def targets(self) -> Floats:
        """The ground truth: an array (answers, numbers)."""
        return np.ascontiguousarray(self._both[:, 0])

    @property
    def ideals(self) -> Floats:
        """The reading of an exact instrument at the true places: an array (answers, numbers), NaN where unknown."""
        return np.ascontiguousarray(self._both[:, 1])

    @property
    def success(self) -> Flags:
        """Whether each answer was parsed."""
        return np.frombuffer(self._success, np.bool_)

    @property
    def decomposed(self) -> Flags:
        """Whether the origin of each answer's numbers is known."""
        return np.frombuffer(self._decomposed, np.bool_)

    @property
    def _both(self) -> Floats:
        return np.frombuffer(self._numbers, np.float64).reshape(len(self), 2, -1)
