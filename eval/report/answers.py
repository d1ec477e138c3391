"""The numbers that an arm stated in its answers to one task, by sample, in little memory."""

import math
from array import array
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean

from medvision_agent.eval.agreement.coverage import spread
from medvision_agent.eval.findings.scores import Epochs, by_sample
from medvision_agent.eval.tasks import TASKS, TaskName

__all__ = ["Answers"]


class Answers(Mapping[str, Sequence[float]]):
    """The numbers that an arm stated, by sample id, for the samples that it answered; means over its epochs.

    *epochs* are the scored samples of the arm, and *rows* the samples that count: ids, each with its place from 0 on.
    """

    def __init__(self, epochs: Epochs, task: TaskName, rows: Mapping[str, int]) -> None:
        self._rows, self._count = rows, len(TASKS[task].numbers)
        self._losses = array("d", [math.nan]) * len(rows)
        self._values = array("d", [math.nan]) * (self._count * len(rows))
        self.repeated = list[tuple[float, str, float]]()
        """Of each sample answered several times: how much its answers differ (``spread``), its id, its mean loss."""
        for each in by_sample(epochs, task):
            own = [score for _, score in each if score.success]
            if own and (row := rows.get(name := each[0][0].id)) is not None:
                loss, values = fmean(one.loss for one in own), [one.values for one in own]
                self._losses[row] = loss
                mean = values[0] if len(values) == 1 else list(map(fmean, zip(*values, strict=True)))
                self._values[row * self._count : (row + 1) * self._count] = array("d", mean)
                if (apart := spread(values)) is not None:
                    self.repeated.append((apart, name, loss))

    @property
    def losses(self) -> Sequence[float]:
        """The mean loss of each answered sample."""
        return array("d", (one for one in self._losses if not math.isnan(one)))

    def __contains__(self, name: object) -> bool:
        row = self._rows.get(name) if isinstance(name, str) else None
        return row is not None and not math.isnan(self._losses[row])

    def __getitem__(self, name: str) -> Sequence[float]:
        if name not in self:
            raise KeyError(name)
        row = self._rows[name]
        return self._values[row * self._count : (row + 1) * self._count]

    def __iter__(self) -> Iterator[str]:
        return filter(self.__contains__, self._rows)

    def __len__(self) -> int:
        return len(self.losses)
