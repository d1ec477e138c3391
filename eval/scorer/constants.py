"""The best constant answer of the other subjects: the score reachable by knowing the question, without an image.

For each sample it is the single answer with the least mean loss over samples of other subjects: those with the same
label if at least five other subjects have it, otherwise all samples of the task.

Contract: the ground truth of a subject never enters the constants of that subject. The search starts from the better of
the medians and the best ground truth. It improves one number at a time over the values of the others, until nothing
improves. The result is exact if the loss is a mean over an answer's numbers and the others are few, otherwise close to
exact. At most ``_SAMPLES`` of the others and ``_VALUES`` values of each number are examined, evenly spaced. The same
samples give the same constants. Subjects with the same drawn others share one search: a list sorted by subject takes
``_SAMPLES + 1`` searches for each number of samples per subject, instead of one for each subject.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from medvision_agent.eval.data.sample import Question
from medvision_agent.eval.scorer.metrics import LOSSES, Floats, box_loss, overlap
from medvision_agent.eval.scorer.protocol import DEFAULT_PROTOCOL, protocol
from medvision_agent.eval.tasks import TASKS, TaskName

__all__ = ["MIN_OTHERS", "Asked", "LossOf", "best_constants", "mean_losses", "our_loss"]

LossOf = Callable[[Floats, Floats], Floats]
"""A loss of answers given their ground truths; the last axis of both arrays holds the numbers of an answer."""

MIN_OTHERS = 5
"""A label with fewer other subjects uses the constant of the whole task."""
_SAMPLES, _VALUES = 256, 32


class Asked(Question, Protocol):
    """A question with its ground truth."""

    @property
    def target(self) -> tuple[float, ...]:
        """The ground truth."""
        ...


def our_loss(task: TaskName) -> LossOf:
    """Return the loss function of a task, ``f(answers, targets)``, whose losses are 0 to 1 (``metrics``).

    The last axis of both arrays holds an answer's numbers. Boxes must name the lower-left corner first.
    """
    kind = TASKS[task].loss
    if kind != "overlap":
        rule = LOSSES[kind]
        return lambda answers, targets: rule(answers.astype(np.float32), targets)
    rules = replace(protocol(DEFAULT_PROTOCOL), sort_corners=False, overlap_float64=False)
    return lambda answers, targets: box_loss(overlap(answers.astype(np.float32), targets, rules).iou)


def best_constants(samples: Iterable[Asked], loss: Callable[[TaskName], LossOf] = our_loss) -> dict[str, Floats]:
    """Return the best constant answer for each sample by id, with as many numbers as the sample's target.

    *loss* returns the loss function of a task, by which answers are the best. A sample is left out if its task has no
    other subject.
    """
    every, found = list(samples), dict[str, Floats]()
    for task in dict.fromkeys(one.task for one in every):
        whole = _Group([one for one in every if one.task == task])
        of_task: dict[str, Floats] = {}
        for same in _by_label(whole.samples):
            label = _Group(same)
            for subject, places in label.places.items():
                if len(label.places) > MIN_OTHERS:
                    constant = label.best_without(subject, loss(task))
                elif subject in of_task:
                    constant = of_task[subject]
                elif len(whole.places) > 1:
                    constant = of_task[subject] = whole.best_without(subject, loss(task))
                else:
                    continue
                found |= {same[place].id: constant for place in places}
    return found


class _Group:
    """Samples among which a constant is searched: those of one label, or all of one task.

    ``places`` holds the positions of each subject's samples.
    """

    def __init__(self, samples: Sequence[Asked]) -> None:
        self.samples = samples
        self.targets = _targets(samples)
        self.places: dict[str, list[int]] = {}
        for place, one in enumerate(samples):
            self.places.setdefault(one.subject, []).append(place)
        self._found: dict[tuple[int, ...], Floats] = {}
        """The best constants, one for each set of ground truths that was drawn."""

    def best_without(self, subject: str, loss: LossOf) -> Floats:
        """Return the constant answer with the least mean *loss* over the other subjects' ground truths.

        At most ``_SAMPLES`` of these are used, evenly spaced.
        """
        left_out = self.places[subject]
        drawn = _even_places(len(self.samples) - len(left_out), _SAMPLES)
        key = [len(left_out)]
        for place in left_out:  # in sorted order, so that each shifts the positions after it
            before = int(drawn.searchsorted(place))
            drawn[before:] += 1
            key.append(before)
        if (known := tuple(key)) not in self._found:  # these numbers determine which positions are drawn
            self._found[known] = _best(np.asarray(self.targets[drawn]), loss)
        return self._found[known]


def mean_losses(samples: Iterable[Asked], loss: Callable[[TaskName], LossOf] = our_loss) -> dict[TaskName, float]:
    """Return, by task, the mean loss of answering each sample with its best constant (``best_constants``).

    A task without any constant is left out.
    """
    every = list(samples)
    constants = best_constants(every, loss)
    found: dict[TaskName, float] = {}
    for task in TASKS:
        if own := [one for one in every if one.task == task and one.id in constants]:
            answers = np.array([constants[one.id] for one in own])
            found[task] = float(loss(task)(answers, _targets(own)).mean())
    return found


def _by_label(samples: Iterable[Asked]) -> list[list[Asked]]:
    """Return the samples of one task grouped by what is asked for: a structure, or named landmarks."""
    labels: dict[tuple[str | None, tuple[str, ...]], list[Asked]] = {}
    for one in samples:
        labels.setdefault((one.label, one.landmarks), []).append(one)
    return list(labels.values())


def _targets(samples: Sequence[Asked]) -> Floats:
    return np.array([one.target for one in samples], dtype=np.float64)


def _best(targets: Floats, loss: LossOf) -> Floats:
    """Return the constant answer (numbers,) with the least mean loss found over ground truths (n, numbers)."""

    def best_of(answers: Floats) -> tuple[Floats, float]:
        means = loss(answers[:, np.newaxis, :], targets[np.newaxis]).mean(axis=1)
        first = int(means.argmin())
        return answers[first], float(means[first])

    middle = np.quantile(targets, [0.5], axis=0, method="nearest")
    answer, least = best_of(np.concatenate((middle, _evenly(targets, _VALUES))))
    values = [_evenly(np.unique(column), _VALUES) for column in targets.T]
    better = True
    while better:
        better = False
        for index, column in enumerate(values):
            tries = np.repeat(answer[np.newaxis], len(column), axis=0)
            tries[:, index] = column
            tried, mean = best_of(tries)
            if mean < least - 1e-12:
                answer, least, better = tried, mean, True
    return answer


def _evenly(rows: Floats, count: int) -> Floats:
    """Return at most *count* of the rows, evenly spaced."""
    return rows if len(rows) <= count else rows[_even_places(len(rows), count)]


def _even_places(rows: int, count: int) -> NDArray[np.int64]:
    """Return at most *count* evenly spaced row positions, from 0 to *rows* - 1."""
    return np.arange(rows) if rows <= count else np.linspace(0, rows - 1, count).round().astype(np.int64)
