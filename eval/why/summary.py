"""The sources of a run's errors: parts of errors, landmark errors and behaviour, task by task.

Contract: strict JSON; every mean has its n, and answers that could not be decomposed are counted by reason. Figures are
given over all decomposed numbers, and over those whose points no solver found (``without_solver``). Infrastructure
failures are excluded.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from medvision_agent.eval.scorer.protocol import DEFAULT_PROTOCOL, Protocol, protocol
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.summary.summary import Mean
from medvision_agent.eval.tasks import TASKS, Task, TaskName
from medvision_agent.eval.why.behaviour import Behaviour, behaviour
from medvision_agent.eval.why.measured import numbers_of
from medvision_agent.eval.why.samples import AnswerErrors, Parts, SampleWhy, sample_whys
from medvision_agent.eval.why.stored import tools_of
from medvision_agent.frozen import Frozen

__all__ = ["Corners", "Decomposition", "Group", "Landmarks", "Part", "Quantity", "TaskWhy", "WhySummary"]
__all__ += ["summarise_errors", "summarise_why", "why_of_run"]


class Part(Frozen):
    """Means of one signed part over the numbers of a group."""

    signed: Mean
    absolute: Mean
    signed_relative: Mean
    """Mean of the part divided by the size of the target, over targets that are not 0."""
    absolute_relative: Mean


class Group(Frozen):
    """Some decomposed numbers; the means of unit, arithmetic and seeing (signed) add up to that of the error."""

    n: int
    sources: dict[str, int]
    """Number of values by the source of their points: tools, or the model itself."""
    error: Part
    unit: Part
    arithmetic: Part
    seeing: Part


class Quantity(Frozen):
    """One number of the answers of a task."""

    unit: str
    with_solver: Group
    """All decomposed numbers, including those of a solver."""
    without_solver: Group
    not_decomposed: dict[str, int]
    """Number of scored samples without parts, by reason (``Missing``)."""


class Landmarks(Frozen):
    """Distances in mm from the true points, over samples where both are known."""

    mean_mm: Mean
    """Mean of the samples' mean distances over their points."""
    largest_mm: Mean
    """Mean of the samples' largest distances."""
    swapped: int
    """Number of samples whose two lines or axes had to be swapped."""


class Corners(Frozen):
    """Distances in mm of a box's corners from the target's."""

    lower_mm: Mean
    higher_mm: Mean


class Decomposition(Frozen):
    """Answers with their errors in parts, and with landmarks if known."""

    quantities: dict[str, Quantity]
    landmarks: Landmarks | None
    """None if no sample has both points and true points."""
    landmarks_without_solver: Landmarks | None
    corners: Corners | None
    """For detection only."""


class TaskWhy(Frozen):
    """All scored samples of one task."""

    n: int
    errors: Decomposition
    behaviour: Behaviour | None
    """None for answers of result files, which hold no tool calls."""


class WhySummary(Frozen):
    """The results of one run, which is one arm (a model under one condition), or of one model's result files."""

    model: str
    condition: str
    """Empty for result files, which do not state it."""
    protocol: str
    solvers: tuple[str, ...]
    """Tools that find an answer by themselves."""
    n: int
    tasks: dict[TaskName, TaskWhy]


def summarise_why(run: Run, rules: Protocol | None = None) -> WhySummary:
    """Return the summary of a stored run; answers are read by *rules* (the default protocol if left out)."""
    rules = rules or protocol(DEFAULT_PROTOCOL)
    return why_of_run(run, rules, sample_whys(run, rules))


def why_of_run(run: Run, rules: Protocol, found: Iterable[SampleWhy]) -> WhySummary:
    """Return the summary of a stored run from what is known about its samples (``sample_whys``)."""
    by_task: dict[TaskName, list[SampleWhy]] = {task: [] for task in TASKS}
    for one in found:
        by_task[one.record.sample.task].append(one)
    return WhySummary(
        model=run.identity.model_name,
        condition=run.identity.condition,
        protocol=rules.name,
        solvers=tuple(sorted(name for name, one in tools_of(run).items() if one.solver)),
        n=sum(map(len, by_task.values())),
        tasks={
            task: TaskWhy(
                n=len(own),
                errors=summarise_errors(TASKS[task], own),
                behaviour=behaviour([one.conduct for one in own]),
            )
            for task, own in by_task.items()
            if own
        },
    )


def summarise_errors(task: Task, whys: Sequence[AnswerErrors]) -> Decomposition:
    """Return the means over the answers of one task."""
    return Decomposition(
        quantities={
            name: _quantity(task.quantity.unit, [one.quantities[name] for one in whys]) for name in numbers_of(task)
        },
        landmarks=_landmarks(whys),
        landmarks_without_solver=_landmarks([one for one in whys if not one.solver]),
        corners=_corners(whys) if task.is_box else None,
    )


def _quantity(unit: str, found: Sequence[Parts | str]) -> Quantity:
    parts = [one for one in found if isinstance(one, Parts)]
    return Quantity(
        unit=unit,
        with_solver=_group(parts),
        without_solver=_group([one for one in parts if not one.solver]),
        not_decomposed=dict(Counter(str(one) for one in found if not isinstance(one, Parts)).most_common()),
    )


def _group(parts: Sequence[Parts]) -> Group:
    return Group(
        n=len(parts),
        sources=dict(Counter(one.source for one in parts).most_common()),
        error=_part(parts, lambda one: one.error),
        unit=_part(parts, lambda one: one.unit),
        arithmetic=_part(parts, lambda one: one.arithmetic),
        seeing=_part(parts, lambda one: one.seeing),
    )


def _part(parts: Sequence[Parts], of: Callable[[Parts], float]) -> Part:
    values = [of(one) for one in parts]
    relative = [value / abs(one.target) for value, one in zip(values, parts, strict=True) if one.target != 0]
    return Part(
        signed=Mean.of(values),
        absolute=Mean.of([abs(value) for value in values]),
        signed_relative=Mean.of(relative),
        absolute_relative=Mean.of([abs(value) for value in relative]),
    )


def _landmarks(whys: Sequence[AnswerErrors]) -> Landmarks | None:
    found = [one.landmarks for one in whys if one.landmarks is not None]
    if not found:
        return None
    return Landmarks(
        mean_mm=Mean.of([one.mean_mm for one in found]),
        largest_mm=Mean.of([one.largest_mm for one in found]),
        swapped=sum(one.swapped for one in found),
    )


def _corners(whys: Sequence[AnswerErrors]) -> Corners:
    found = [one.corners_mm for one in whys if one.corners_mm is not None]
    return Corners(lower_mm=Mean.of([low for low, _ in found]), higher_mm=Mean.of([high for _, high in found]))
