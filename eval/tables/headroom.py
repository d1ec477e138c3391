"""The headroom of stored answers as tables: a row for each step of each group of answers, and one for each answer."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from medvision_agent.eval.headroom.steps import Answered, Step
from medvision_agent.eval.headroom.summary import Headroom, Losses, StepMean
from medvision_agent.eval.parts.summary import structure_of
from medvision_agent.eval.tables.column import Column
from medvision_agent.eval.tasks import TaskName

__all__ = ["ANSWERS", "STEPS", "AnswerRow", "StepRow", "answer_rows", "step_rows"]


class StepRow(NamedTuple):
    """What a row of the table of steps is read from: one headroom step for some answers of a model to a task."""

    model: str
    condition: str
    task: TaskName
    structure: str | None
    """None for the whole task."""
    group: Headroom
    step: Step
    mean: StepMean


class AnswerRow(NamedTuple):
    """What a row of the table of answers is read from: one answer of a model with its loss in each step.

    A loss is None if the step is unknown for this answer.
    """

    model: str
    condition: str
    one: Answered
    losses: Mapping[Step, float | None]


def step_rows(
    model: str,
    condition: str,
    tasks: Mapping[TaskName, Headroom],
    labels: Mapping[TaskName, Mapping[str, Headroom]],
) -> Iterator[StepRow]:
    """Yield the rows of a model, a row for each step: for each task as a whole, then for its structures.

    *tasks* holds the headroom by task, and *labels* by task and structure.
    """
    for task, whole in tasks.items():
        groups: list[tuple[str | None, Headroom]] = [(None, whole), *labels[task].items()]
        for structure, group in groups:
            for step, mean in group.steps.items():
                yield StepRow(model, condition, task, structure, group, step, mean)


def answer_rows(model: str, condition: str, answers: Sequence[Answered], losses: Losses) -> Iterator[AnswerRow]:
    """Yield the rows of a model's answers to one task.

    *losses* holds the losses of each step (``losses_of``), in the order of the answers.
    """
    for place, one in enumerate(answers):
        own = {step: float(values[place]) for step, values in losses.items()}
        yield AnswerRow(model, condition, one, {step: None if np.isnan(loss) else loss for step, loss in own.items()})


def _end(ends: tuple[float, float] | None, place: int) -> float | None:
    return None if ends is None else ends[place]


STEPS: tuple[Column[StepRow], ...] = (
    Column("model", "text", "Model of the run, or name of the folder", lambda row: row.model),
    Column("condition", "text", "Tool condition; missing for result files", lambda row: row.condition or None),
    Column("task", "text", "Task", lambda row: row.task),
    Column("structure", "text", "Label, measurement or landmarks; missing for all of them", lambda row: row.structure),
    Column("step", "text", "Step of the headroom", lambda row: row.step),
    Column("n", "integer", "Answers that the step is over", lambda row: row.mean.n),
    Column("loss", "number", "Mean loss in this step", lambda row: row.mean.loss.mean),
    Column("loss_low", "number", "Lower end of its 95% interval", lambda row: _end(row.mean.loss.interval, 0)),
    Column("loss_high", "number", "Upper end of its 95% interval", lambda row: _end(row.mean.loss.interval, 1)),
    Column(
        "difference",
        "number",
        "This step minus as answered, over the same answers; below 0 the step is better",
        lambda row: row.mean.difference and row.mean.difference.mean,
    ),
    Column(
        "difference_low",
        "number",
        "Lower end of its 95% interval",
        lambda row: row.mean.difference and _end(row.mean.difference.interval, 0),
    ),
    Column(
        "difference_high",
        "number",
        "Upper end of its 95% interval",
        lambda row: row.mean.difference and _end(row.mean.difference.interval, 1),
    ),
    Column("bound_low", "number", "The loss if what is not decomposed cost 0", lambda row: _end(row.mean.bounds, 0)),
    Column("bound_high", "number", "The loss if it cost as much as it can", lambda row: _end(row.mean.bounds, 1)),
    Column("loss_decomposed", "number", "Mean loss over the decomposed answers", lambda row: row.mean.decomposed),
    Column("samples", "integer", "Scored answers of the group", lambda row: row.group.n),
    Column("subjects", "integer", "Their subjects, as far as known", lambda row: row.group.subjects),
    Column("success_rate", "number", "Share of them that parsed", lambda row: row.group.success_rate),
    Column("states_coordinates", "integer", "How many of them state coordinates", lambda row: row.group.states),
    Column("decomposed", "integer", "How many of them are decomposed", lambda row: row.group.decomposed),
)
ANSWERS: tuple[Column[AnswerRow], ...] = (
    Column("model", "text", "Model of the run, or name of the folder", lambda row: row.model),
    Column("condition", "text", "Tool condition; missing for result files", lambda row: row.condition or None),
    Column("id", "text", "Id of the sample", lambda row: row.one.question.id),
    Column("task", "text", "Task", lambda row: row.one.question.task),
    Column("structure", "text", "Label, measurement or landmarks", lambda row: structure_of(row.one.question)),
    Column("subject", "text", "Subject; missing where it is not known", lambda row: row.one.question.subject or None),
    Column("success", "flag", "Whether the answer parsed", lambda row: row.one.success),
    Column("states_coordinates", "flag", "Whether it states coordinates", lambda row: row.one.states),
    Column("decomposed", "flag", "Whether it is known what its numbers were made of", lambda row: row.one.decomposed),
    Column("reason", "text", "Why it is not decomposed, or failed", lambda row: row.one.reason),
    Column("points_from", "text", "Where its points come from", lambda row: ", ".join(row.one.sources) or None),
    Column("loss_prior", "number", "Loss of the prior", lambda row: row.losses[Step.PRIOR]),
    Column("loss", "number", "Loss as answered", lambda row: row.losses[Step.ANSWERED]),
    Column("loss_exact_arithmetic", "number", "Loss with exact arithmetic", lambda row: row.losses[Step.ARITHMETIC]),
    Column("loss_true_points", "number", "Loss with the true points", lambda row: row.losses[Step.POINTS]),
    Column("loss_both", "number", "Loss with both", lambda row: row.losses[Step.BOTH]),
    Column("loss_ceiling", "number", "Loss of the convention ceiling", lambda row: row.losses[Step.CEILING]),
)
