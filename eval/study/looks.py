"""Planned looks of a study: the order of asking, the size of each look, and which looks took place.

Contract: the subjects of a source are asked one after the other, in an order that depends only on their names and the
study's seed; all samples of a subject are asked in all arms before the next subject. A look takes place once the
planned number of first subjects were asked completely, by every arm and epoch of a model. Samples asked beyond these
enter no test. A sample whose result was lost to infrastructure counts as asked.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from math import ceil

import numpy as np

from medvision_agent.errors import ConfigError
from medvision_agent.eval.compare.statistics.enough import MIN_SUBJECTS
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.samples import Picked, Samples
from medvision_agent.eval.store.later import streamed
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.tasks import TASKS, TaskName

__all__ = ["by_subject", "planned_looks", "subjects_seen"]


def by_subject(samples: Sequence[Sample], seed: int) -> Samples:
    """Return all samples, sorted by subject; *seed* determines the random order of the subjects."""
    place = {subject: at for at, subject in enumerate(_order(samples, seed))}
    return Picked(samples, np.argsort([place[one.subject] for one in samples], kind="stable"))


def planned_looks(samples: Sequence[Sample], fractions: Sequence[float], seed: int) -> dict[TaskName, tuple[int, ...]]:
    """Return, by task, the number of its subjects that are complete at each planned look; empty without looks.

    *fractions* are the looks as fractions of all subjects. Raises ConfigError if the first look has fewer subjects than
    a test needs, or if a look has no new subject.
    """
    found: dict[TaskName, tuple[int, ...]] = {}
    sets = _sets(samples, fractions, seed)
    for task in TASKS if sets else ():
        if not (subjects := {one.subject for one in samples if one.task == task}):
            continue
        counts = found[task] = tuple(len(subjects & seen) for seen in sets)
        if counts[0] < MIN_SUBJECTS:
            raise ConfigError(
                f"looks: the first look, at {fractions[0]:g} of the subjects, has {counts[0]} of {len(subjects)} "
                f"subjects of the task {task}, fewer than the {MIN_SUBJECTS} that a test needs; begin with a larger "
                "fraction, or ask more subjects"
            )
        if len(set(counts)) < len(counts):
            raise ConfigError(
                f"looks: one look has no more subjects of the task {task} than the look before it (subjects at each: "
                f"{', '.join(map(str, counts))}); leave that look out"
            )
    return found


def subjects_seen(run: Run, fractions: Sequence[float], seed: int) -> list[frozenset[str]]:
    """Return the subjects of each planned look that *run* has completed.

    *fractions* and *seed* are those of the study.
    """
    asked = {record.sample.id for record in streamed(run.records)}
    missing = {sample.subject for sample in run.samples if sample.id not in asked}
    return [seen for seen in _sets(run.samples, fractions, seed) if not seen & missing]


def _sets(samples: Sequence[Sample], fractions: Sequence[float], seed: int) -> list[frozenset[str]]:
    order = _order(samples, seed)
    return [frozenset(order[: ceil(fraction * len(order))]) for fraction in fractions]


def _order(samples: Iterable[Sample], seed: int) -> list[str]:
    """Return the subjects of samples in the random order that *seed* gives."""
    subjects = {one.subject for one in samples}
    return sorted(subjects, key=lambda subject: sha256(f"{seed}\0{subject}".encode()).digest())
