"""The sources of a run's errors: parts of errors, landmark errors and behaviour, task by task.

Contract: strict JSON; every mean has its n, and answers that could not be decomposed are counted by reason. Figures are
given over all decomposed numbers, and over those whose points no solver found (``without_solver``). Infrastructure
failures are excluded.
"""

from array import array
from collections import Counter
from collections.abc import Iterable
from itertools import compress

from medvision_agent.eval.scorer.protocol import DEFAULT_PROTOCOL, Protocol, protocol
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.summary.summary import Mean
from medvision_agent.eval.tasks import TASKS, Task, TaskName
from medvision_agent.eval.why.behaviour import Behaviour, BehaviourSums
from medvision_agent.eval.why.measured import numbers_of
from medvision_agent.eval.why.samples import AnswerErrors, LandmarkError, Parts, SampleWhy, sample_whys
from medvision_agent.eval.why.scene import Missing
from medvision_agent.eval.why.stored import tools_of
from medvision_agent.frozen import Frozen

__all__ = ["Corners", "Decomposition", "Group", "Landmarks", "Part", "Quantity", "TaskWhy", "WhySummary"]
__all__ += ["ErrorSums", "summarise_why", "why_of_run"]

_PARTS = ("error", "unit", "arithmetic", "seeing")
"""Fields of ``Group``, and properties of the ``Parts`` of one number."""


class Part(Frozen):
    """Means of one signed part over the numbers of a group."""

    signed: Mean
    """Mean of the part itself, in the unit of the number."""
    absolute: Mean
    """Mean of its absolute value."""
    signed_relative: Mean
    """Mean of the part divided by the absolute target, over targets that are not 0."""
    absolute_relative: Mean
    """Mean of the absolute value of that quotient."""


class Group(Frozen):
    """Means over decomposed numbers: the signed means of unit, arithmetic and seeing add up to that of the error."""

    n: int
    sources: dict[str, int]
    """Number of decomposed numbers by the source of their points: tools, or the model itself (``STATED``)."""
    error: Part
    unit: Part
    arithmetic: Part
    seeing: Part


class Quantity(Frozen):
    """The errors in one number of a task's answers, such as the major axis, over all scored samples."""

    unit: str
    with_solver: Group
    """All decomposed numbers, including those whose points a solver found (a tool that finds structures by itself)."""
    without_solver: Group
    not_decomposed: dict[str, int]
    """Number of scored samples without parts, by reason (``Missing``)."""


class Landmarks(Frozen):
    """Mean distances in mm of answers' points from the true ones, over samples where both are known."""

    mean_mm: Mean
    """Mean of the samples' mean distances over their points."""
    largest_mm: Mean
    """Mean of the samples' largest distances."""
    swapped: int
    """Number of samples whose two lines or axes had to be swapped."""


class Corners(Frozen):
    """Mean distances in mm of the corners of answered boxes from the target's: lower x and y, and higher x and y."""

    lower_mm: Mean
    higher_mm: Mean


class Decomposition(Frozen):
    """The errors of all answers to one task: by number, by landmark and by corner, as far as they apply."""

    quantities: dict[str, Quantity]
    landmarks: Landmarks | None
    """None if no sample has both points and true points."""
    landmarks_without_solver: Landmarks | None
    corners: Corners | None
    """For detection only."""


class TaskWhy(Frozen):
    """The errors and the behaviour in all scored samples of one task; *n* is their number."""

    n: int
    errors: Decomposition
    behaviour: Behaviour | None
    """None for answers of result files, which hold no tool calls."""


class WhySummary(Frozen):
    """Errors and behaviour by task, of one run (a model under one tool condition) or of one model's result files."""

    model: str
    condition: str
    """Empty for result files, which do not state it."""
    protocol: str
    solvers: tuple[str, ...]
    """Names of the tools that find the points of a structure by themselves."""
    n: int
    tasks: dict[TaskName, TaskWhy]


def summarise_why(run: Run, rules: Protocol | None = None) -> WhySummary:
    """Return the summary of a stored run; answers are read by *rules* (the default protocol if left out)."""
    rules = rules or protocol(DEFAULT_PROTOCOL)
    return why_of_run(run, rules, sample_whys(run, rules))


def why_of_run(run: Run, rules: Protocol, found: Iterable[SampleWhy]) -> WhySummary:
    """Return the summary of a stored run from the errors and behaviour of its samples (``sample_whys``).

    *found* is read once, and no sample is kept.
    """
    errors = {task: ErrorSums(TASKS[task]) for task in TASKS}
    conducts = {task: BehaviourSums() for task in TASKS}
    for one in found:
        task = one.record.sample.task
        errors[task].add(one)
        conducts[task].add(one.conduct)
    return WhySummary(
        model=run.identity.model_name,
        condition=run.identity.condition,
        protocol=rules.name,
        solvers=tuple(sorted(name for name, one in tools_of(run).items() if one.solver)),
        n=sum(own.n for own in errors.values()),
        tasks={
            task: TaskWhy(n=own.n, errors=own.decomposition(), behaviour=conducts[task].behaviour())
            for task, own in errors.items()
            if own.n
        },
    )


class ErrorSums:
    """Running sums over the errors of answers to one task, eight bytes for each number of a mean; no answer is kept."""

    def __init__(self, task: Task) -> None:
        self.n = 0
        self._task = task
        self._quantities = {name: _Parts() for name in numbers_of(task)}
        self._landmarks, self._without_solver = _LandmarkSums(), _LandmarkSums()
        self._lower, self._higher = array("d"), array("d")

    def add(self, one: AnswerErrors) -> None:
        """Add an answer."""
        self.n += 1
        for name, own in self._quantities.items():
            own.add(one.quantities[name])
        if one.landmarks is not None:
            self._landmarks.add(one.landmarks)
            if not one.solver:
                self._without_solver.add(one.landmarks)
        if one.corners_mm is not None:
            low, high = one.corners_mm
            self._lower.append(low)
            self._higher.append(high)

    def decomposition(self) -> Decomposition:
        """Return the means over all answers added so far."""
        unit, is_box = self._task.quantity.unit, self._task.is_box
        return Decomposition(
            quantities={name: own.quantity(unit) for name, own in self._quantities.items()},
            landmarks=self._landmarks.means(),
            landmarks_without_solver=self._without_solver.means(),
            corners=Corners(lower_mm=Mean.of(self._lower), higher_mm=Mean.of(self._higher)) if is_box else None,
        )


class _Parts:
    """Running sums over the parts of the errors in one number of the answers."""

    def __init__(self) -> None:
        self._missing = Counter[str]()
        self._sources = {True: Counter[str](), False: Counter[str]()}
        self._solver = array("b")
        self._targets = array("d")
        self._parts = {name: array("d") for name in _PARTS}

    def add(self, one: Parts | Missing) -> None:
        if not isinstance(one, Parts):
            self._missing[str(one)] += 1
            return
        self._sources[True][one.source] += 1
        if not one.solver:
            self._sources[False][one.source] += 1
        self._solver.append(one.solver)
        self._targets.append(one.target)
        for name, values in self._parts.items():
            values.append(getattr(one, name))

    def quantity(self, unit: str) -> Quantity:
        return Quantity(
            unit=unit,
            with_solver=self._group(with_solver=True),
            without_solver=self._group(with_solver=False),
            not_decomposed=dict(self._missing.most_common()),
        )

    def _group(self, *, with_solver: bool) -> Group:
        sources = self._sources[with_solver]
        parts = {name: self._part(values, with_solver=with_solver) for name, values in self._parts.items()}
        return Group(n=sources.total(), sources=dict(sources.most_common()), **parts)

    def _part(self, values: Iterable[float], *, with_solver: bool) -> Part:
        kept = [with_solver or not solver for solver in self._solver]
        own, targets = (array("d", compress(each, kept)) for each in (values, self._targets))
        relative = array("d", (value / abs(target) for value, target in zip(own, targets, strict=True) if target != 0))
        return Part(
            signed=Mean.of(own),
            absolute=Mean.of(map(abs, own)),
            signed_relative=Mean.of(relative),
            absolute_relative=Mean.of(map(abs, relative)),
        )


class _LandmarkSums:
    """Running sums over the distances of points from the true ones."""

    def __init__(self) -> None:
        self._mean, self._largest, self._swapped = array("d"), array("d"), 0

    def add(self, one: LandmarkError) -> None:
        self._mean.append(one.mean_mm)
        self._largest.append(one.largest_mm)
        self._swapped += one.swapped

    def means(self) -> Landmarks | None:
        if not self._mean:
            return None
        return Landmarks(mean_mm=Mean.of(self._mean), largest_mm=Mean.of(self._largest), swapped=self._swapped)
