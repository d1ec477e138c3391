"""The headroom in words: one sentence for each task, and what no figure of it can show."""

from collections.abc import Mapping

from medvision_agent.eval.headroom.steps import Step
from medvision_agent.eval.headroom.summary import Headroom, StepMean
from medvision_agent.eval.tasks import TASKS, TaskName
from medvision_agent.text import fixed, plural

__all__ = ["ASSUMED", "sentences"]

ASSUMED = (
    "exact arithmetic is an upper bound for a calculator or a ruler only if the model's points would stay as they are; "
    "a tool that changes where a model looks is not in it"
)


def sentences(tasks: Mapping[TaskName, Headroom]) -> list[str]:
    """Return a sentence for each task: the loss that the same answers would have in each step of the headroom."""
    return [_sentence(task, one) for task, one in tasks.items()]


def _sentence(task: TaskName, one: Headroom) -> str:
    if not one.decomposed:
        return (
            f"{task}: none of {plural(one.n, 'answer')} could be decomposed, so that nothing is known of what exact "
            "arithmetic or the true points would give."
        )
    first = "a box is its own points: exact arithmetic, which corrects its unit alone,"
    if not TASKS[task].is_box:
        first = "exact arithmetic behind the answers' own points"
    own, exact, points = (one.steps[step] for step in (Step.ANSWERED, Step.ARITHMETIC, Step.POINTS))
    said = (
        f"{task}: {first} would take the mean loss from {fixed(own.loss.mean, 3)} to {_to(exact)}, the true points "
        f"under their own arithmetic to {_to(points)}."
    )
    unknown = one.n - one.failed - one.decomposed
    if exact.bounds is None:
        return said
    low, high = (fixed(end, 3) for end in exact.bounds)
    keeps = "is not decomposed and keeps its" if unknown == 1 else "are not decomposed and keep their"
    return (
        f"{said} Of {plural(one.n, 'answer')}, {unknown} {keeps} loss; whatever they were made of, exact arithmetic "
        f"would give {low} to {high}."
    )


def _to(one: StepMean) -> str:
    """Return in words the mean loss of a step, with its difference from the answers as given and its interval."""
    if one.difference is None:
        return fixed(one.loss.mean, 3)
    change = [fixed(one.difference.mean, 3, sign=True)]
    if one.difference.interval is not None:
        low, high = (fixed(end, 3, sign=True) for end in one.difference.interval)
        change.append(f"95% interval {low} to {high}")
    return f"{fixed(one.loss.mean, 3)} ({', '.join(change)})"
