"""The headroom of one model by task and structure: mean losses step by step, with intervals and bounds.

Contract: strict JSON; every mean has its n. All scored answers are in every step: an answer that failed, or whose
origin is unknown, keeps its loss. The ``bounds`` show what this could hide: the answers that are not decomposed
(failures are not among them) would cost 0 at best. At worst they cost 1 in one of the two corrections, and in both
together as much as answered. Intervals are 95%, of the jackknife over subjects, and are withheld by the rules of
``eval/parts/summary.py``; the difference of a step is paired, answer by answer.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from medvision_agent.eval.headroom.columns import AnswerColumns
from medvision_agent.eval.headroom.references import ceilings, priors
from medvision_agent.eval.headroom.steps import REPLAYED, Answered, Step
from medvision_agent.eval.parts.summary import PartMean, part_mean, withheld
from medvision_agent.eval.scorer.metrics import Flags, Floats
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.tasks import TASKS, TaskName
from medvision_agent.frozen import Frozen

__all__ = ["Headroom", "Losses", "StepMean", "headroom_by_task", "losses_of", "summarise_headroom"]

Losses = Mapping[Step, Floats]
"""The loss of each answer in each step; NaN if there is none."""


class StepMean(Frozen):
    """The mean loss of one step of the headroom, compared with that of the answers as given."""

    n: int
    """Number of answers; fewer than all if the prior or the ceiling is unknown for some."""
    loss: PartMean
    difference: PartMean | None
    """This step's mean loss minus that of the answers as given, over the same answers.

    None for "as answered", and for the counterfactual steps if no answer is decomposed: a difference of 0 would look
    like a finding.
    """
    bounds: tuple[float, float] | None = None
    """Bounds of the mean loss, whatever the origin of the answers that are not decomposed; None if all are."""
    decomposed: float | None = None
    """Mean loss over the decomposed answers only; None if there are none, and for the prior and the ceiling."""


class Headroom(Frozen):
    """The headroom of some scored answers of one model to one task: their mean loss in each step."""

    n: int
    subjects: int
    """Number of known subjects."""
    success_rate: float
    """Share of answers that were parsed."""
    states: int
    """Number of answers that state any coordinates."""
    decomposed: int
    """Number of answers whose origin is known."""
    failed: int
    """Number of answers that were not parsed; they cost 1 in every step."""
    reasons: dict[str, int]
    """Number of answers that are neither decomposed nor failed, by reason."""
    sources: dict[str, int]
    """Number of decomposed answers by the source of their points; empty for boxes."""
    steps: dict[Step, StepMean]
    """The mean loss of each step; a prior or a ceiling that is unknown for all answers is left out."""
    withheld: str
    """Why there are no intervals; empty if there are."""


def losses_of(task: TaskName, answers: AnswerColumns, rules: Protocol) -> Losses:
    """Return, for each step of the headroom, the loss of each answer to a task (0 to 1); NaN if unknown.

    *rules* is the protocol that scores the prior and the ceiling.
    """
    answered, *replayed = np.ascontiguousarray(answers.losses.T)
    return {
        Step.PRIOR: priors(task, answers, rules),
        Step.ANSWERED: answered,
        **dict(zip(REPLAYED, replayed, strict=True)),
        Step.CEILING: ceilings(task, answers, rules),
    }


def headroom_by_task(
    answers: Iterable[Answered], rules: Protocol, reasons: Sequence[str] = ()
) -> dict[TaskName, Headroom]:
    """Return the headroom of answers of one model, by task; a task without answers is left out.

    *rules* is the protocol that scores the prior and the ceiling. *reasons* are the caller's reasons for giving no
    intervals.
    """
    by_task = {task: AnswerColumns() for task in TASKS}
    for one in answers:
        by_task[one.question.task].add(one)
    found = {task: own for task, own in by_task.items() if len(own)}
    return {task: summarise_headroom(own, losses_of(task, own, rules), reasons) for task, own in found.items()}


def summarise_headroom(answers: AnswerColumns, losses: Losses, reasons: Sequence[str] = ()) -> Headroom:
    """Return the headroom of answers of one model to one task; *losses* are theirs (``losses_of``).

    *reasons* are the caller's reasons for giving no intervals. There must be at least one answer.
    """
    subjects, success, decomposed = answers.subjects, answers.success, answers.decomposed
    why = withheld(subjects, reasons)
    return Headroom(
        n=len(answers),
        subjects=len(set(subjects) - {""}),
        success_rate=int(success.sum()) / len(answers),
        states=answers.states,
        decomposed=int(decomposed.sum()),
        failed=int((~success).sum()),
        reasons=dict(answers.reasons.most_common()),
        sources=dict(answers.sources.most_common()),
        steps=dict(_steps(answers, losses, bare=bool(why))),
        withheld=why,
    )


def _steps(answers: AnswerColumns, losses: Losses, *, bare: bool) -> Iterator[tuple[Step, StepMean]]:
    """Yield each step with its mean loss; a step that is unknown for all answers is left out.

    With *bare*, there are no intervals.
    """
    taken, subjects = answers.decomposed, answers.subjects
    unknown = answers.success & ~taken
    own = losses[Step.ANSWERED]
    for step, values in losses.items():
        known = ~np.isnan(values)
        if not known.any():
            continue
        people = [subjects[place] for place in np.flatnonzero(known).tolist()]
        loss, difference = (
            part_mean(column.tolist(), people, bare=bare) for column in (values[known], (values - own)[known])
        )
        nothing = step is Step.ANSWERED or (step in REPLAYED and not taken.any())
        alone = taken.any() and step not in {Step.PRIOR, Step.CEILING}
        yield (
            step,
            StepMean(
                n=len(people),
                loss=loss,
                difference=None if nothing else difference,
                bounds=_bounds(step, values, unknown) if step in REPLAYED and unknown.any() else None,
                decomposed=float(values[taken].mean()) if alone else None,
            ),
        )


def _bounds(step: Step, values: Floats, unknown: Flags) -> tuple[float, float]:
    """Return the mean loss of a step if the answers *unknown* cost nothing, and if they cost as much as possible."""
    worst = values if step is Step.BOTH else np.where(unknown, 1.0, values)
    return float(np.where(unknown, 0.0, values).mean()), float(worst.mean())
