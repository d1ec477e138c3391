"""The mean loss of an arm in parts, task by task, and how many answers are of each kind.

Contract: strict JSON. The parts add up to the mean loss over all scored samples; infrastructure failures are excluded.
If no answered sample of a task states points in an arm, by a tool or by the model, seeing and arithmetic cannot be
separated: the loss of its answers is then one part, *seeing and arithmetic* (it includes any unit error, which cannot
be seen). Intervals are those of the jackknife over subjects (95%), and withheld where subjects are too few.
"""

import math
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence

from medvision_agent.eval.compare.statistics.clusters import clustered
from medvision_agent.eval.compare.statistics.estimate import too_few
from medvision_agent.eval.compare.statistics.jackknife import ROUNDING, by_subject, jackknife
from medvision_agent.eval.data.sample import Question
from medvision_agent.eval.parts.losses import Losses, SampleLoss
from medvision_agent.eval.parts.replay import Case, Cause, explain_traced
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.score import Score
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.tasks import TASKS, Task, TaskName
from medvision_agent.eval.why.look import Look, looks_at
from medvision_agent.frozen import Frozen
from medvision_agent.text import plural

__all__ = ["PartMean", "SampleLoss", "TaskParts", "parts_of_run", "summarise_parts"]
__all__ += ["loss_of", "means_of", "part_mean", "structure_of", "summarise_labels", "withheld"]

_LEVEL = 0.95
_NOT_NAMED = "not named"


class PartMean(Frozen):
    """The mean over samples of a part of the loss, or of a part of a difference in loss."""

    mean: float
    interval: tuple[float, float] | None
    """95%, by the jackknife over subjects; None if ``withheld`` gives a reason, or if nothing varies."""


class Replays(Frozen):
    """The mean losses that the same answers would have with some causes of error corrected."""

    n: int
    """Number of decomposed answers."""
    losses: dict[str, PartMean]
    """Losses as answered, with the true points, with exact arithmetic (not for boxes), in the right unit."""


class TaskParts(Frozen):
    """The mean loss of one arm on one task, split by cause, with counts of answers by their error."""

    n: int
    """Number of scored samples, failures included."""
    subjects: int
    """Number of known subjects."""
    loss: float
    """Mean loss over these samples."""
    states_points: bool
    """Whether any answer states points, so that seeing and arithmetic can be separated."""
    parts: dict[Cause, PartMean]
    """The mean part of each cause; the parts add up to ``loss``. A cause that is in no sample's parts is left out."""
    kinds: dict[str, int]
    """Number of samples by the type of error of their answer (``Kind``)."""
    reasons: dict[str, int]
    """Number of answers that are not decomposed, by reason."""
    replays: Replays | None
    """None if no answer is decomposed, or if seeing and arithmetic are not separated."""
    withheld: str
    """Why there are no intervals; empty if there are."""


def parts_of_run(run: Run, rules: Protocol, scores: Iterable[Score | None] | None = None) -> Iterator[SampleLoss]:
    """Yield every scored sample of a stored run with the parts of its loss, in the run's order.

    *rules* is the protocol, and *scores* are the scores of the run's records, if known.
    """
    return map(loss_of, looks_at(run, rules, scores))


def loss_of(look: Look) -> SampleLoss:
    """Return the sample of a look (one scored answer with its conversation) with the parts of its loss."""
    sample = look.record.sample
    case = Case(sample.asks, sample.target, *look.conversation, look.rules)
    return SampleLoss(look.question, explain_traced(case, look.score, look.traced))


def means_of(parts: Iterable[Mapping[Cause, float]], subjects: Sequence[str], *, bare: bool) -> dict[Cause, PartMean]:
    """Return, for each cause that any sample has, the mean of its part over all samples.

    *parts* holds the parts of each sample by cause, and *subjects* the subject of each sample. With *bare*, the means
    have no intervals.
    """
    columns: dict[Cause, array[float]] = {}
    for row, one in enumerate(parts):
        for cause, value in one.items():
            columns.setdefault(cause, array("d", bytes(8 * len(subjects))))[row] = value
    return {cause: part_mean(columns[cause], subjects, bare=bare) for cause in Cause if cause in columns}


def part_mean(values: Sequence[float], subjects: Sequence[str], *, bare: bool) -> PartMean:
    """Return the mean of *values*, one for each sample, with its 95% interval.

    *subjects* gives the subject of each sample: the interval is the jackknife's over them. With *bare*, or if nothing
    varies, there is no interval.
    """
    found = jackknife(*clustered(subjects, values))
    mean = float(found.estimate)
    if bare or float(found.error) < ROUNDING:
        return PartMean(mean=mean, interval=None)
    margin = float(found.margin(_LEVEL))
    return PartMean(mean=mean, interval=(mean - margin, mean + margin))


def withheld(subjects: Sequence[str], reasons: Sequence[str]) -> str:
    """Return the reasons why there are no intervals, as one text: the caller's *reasons*, and too few subjects.

    Empty without a reason. *subjects* has one entry for each sample; an empty one is an unknown subject.
    """
    nameless = sum(not subject for subject in subjects)
    if nameless:
        return "; ".join([*reasons, f"the subject of {plural(nameless, 'answer')} is not known"])
    return "; ".join([*reasons, *too_few(by_subject(subjects)[0])])


def summarise_parts(samples: Iterable[SampleLoss], reasons: Sequence[str] = ()) -> dict[TaskName, TaskParts]:
    """Return the mean losses of an arm in parts, by task; tasks without a scored sample are left out.

    *samples* are the scored samples of a run (``parts_of_run``). *reasons* are the caller's reasons for giving no
    intervals.
    """
    by_task = {task: Losses() for task in TASKS}
    for one in samples:
        by_task[one.sample.task].add(one)
    return {task: _task(task, own, reasons, apart=own.states_points) for task, own in by_task.items() if own.losses}


def summarise_labels(
    samples: Iterable[SampleLoss], reasons: Sequence[str] = ()
) -> dict[TaskName, dict[str, TaskParts]]:
    """Return the mean losses of an arm in parts, by task and then by structure (``structure_of``).

    *samples* are the scored samples of a run (``parts_of_run``). *reasons* are the caller's reasons for giving no
    intervals. Whether the arm states points is decided for a task as a whole, so that all its structures have the same
    parts.
    """
    groups: dict[TaskName, dict[str, Losses]] = {task: {} for task in TASKS}
    for one in samples:
        groups[one.sample.task].setdefault(structure_of(one.sample), Losses()).add(one)
    found: dict[TaskName, dict[str, TaskParts]] = {}
    for task, named in groups.items():
        apart = any(own.telling for own in named.values()) or not any(own.answers for own in named.values())
        if named:
            found[task] = {name: _task(task, own, reasons, apart=apart) for name, own in sorted(named.items())}
    return found


def structure_of(asked: Question) -> str:
    """Return what a sample asks for: its label, otherwise its measurement, otherwise its landmarks.

    Without any of them, it is "not named".
    """
    return asked.label or asked.measurement or ", ".join(asked.landmarks) or _NOT_NAMED


def _replays(samples: Losses, task: Task, reasons: Sequence[str]) -> Replays | None:
    """Return the mean losses with causes corrected, over the answers whose numbers have a known origin.

    None without such an answer.
    """
    subjects = samples.replayed_subjects
    if not subjects:
        return None
    bare = bool(withheld(subjects, reasons))
    losses = {name: own for name, own in samples.replayed.items() if not (task.is_box and "arithmetic" in name)}
    means = {name: part_mean(own, subjects, bare=bare) for name, own in losses.items()}
    return Replays(n=len(subjects), losses=means)


def _task(name: TaskName, samples: Losses, reasons: Sequence[str], *, apart: bool) -> TaskParts:
    """Return the mean loss of some samples of one task in parts; *apart* says whether the arm states points."""
    subjects, why = samples.subjects, withheld(samples.subjects, reasons)
    return TaskParts(
        n=len(subjects),
        subjects=len(set(subjects) - {""}),
        loss=math.fsum(samples.losses) / len(subjects),
        states_points=apart,
        parts=means_of(samples.parts(own=apart, together=not apart), subjects, bare=bool(why)),
        kinds=dict(samples.kinds.most_common()),
        reasons=dict(samples.reasons.most_common()),
        replays=_replays(samples, TASKS[name], reasons) if apart else None,
        withheld=why,
    )
