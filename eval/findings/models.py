"""Contrasts over several models: whether each has the same effect for any two of them, and its mean over models."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from medvision_agent.eval.compare.statistics.estimate import Estimate, Role
from medvision_agent.eval.compare.statistics.models import between_models, interaction, mean_over
from medvision_agent.eval.compare.statistics.pairs import Key, Pairs
from medvision_agent.eval.compare.statistics.weights import holm
from medvision_agent.eval.findings.inputs import ChapterIn
from medvision_agent.eval.tasks import TASKS, TaskName
from medvision_agent.frozen import Frozen

__all__ = ["Joined", "over_models"]


class Joined(Frozen):
    """The result of one contrast on one task over several models: a difference of two, or their mean."""

    contrast: str
    task: TaskName
    what: str
    estimate: Estimate
    p: float | None = None
    """Adjusted by Holm's method; None unless it was declared."""


def over_models(chapter: ChapterIn, data: Mapping[Key, Pairs]) -> list[Joined]:
    """Return, for each contrast and task of a study, the differences between models and the mean over all.

    Empty with one model, and for runs that belong to no study. *data* holds the pairs of every comparison.
    """
    named = {frozenset(pair): tuple(pair) for pair in chapter.plan.get("study", {}).get("model_pairs", ())}
    early = {one.name for one in chapter.contrasts if not chapter.at_end(one)}
    tested = {key.contrast for key in chapter.family} - early
    found: list[Joined] = []
    for contrast, task, own in _by_contrast(chapter, data):
        for both in combinations(own, 2):
            first, second = named.get(frozenset(both), both)
            role: Role = "declared" if frozenset(both) in named and contrast in tested else "exploratory"
            estimates = _of_two(own[first], own[second], contrast, role)
            found += [
                Joined(contrast=contrast, task=task, what=f"{second} minus {first}, {where}", estimate=estimate)
                for where, estimate in estimates.items()
            ]
        if len(own) > 1:
            mean = mean_over(list(own.values()))
            found.append(Joined(contrast=contrast, task=task, what=f"mean over {len(own)} models", estimate=mean))
    return _adjusted(found)


def _of_two(first: Pairs, second: Pairs, contrast: str, role: Role) -> dict[str, Estimate]:
    """Return the second model minus the first: their losses in each arm, and their differences between the arms."""
    a, _, b = contrast.partition(" -> ")
    return {
        f"in {a}": between_models(first, second, "a"),
        f"in {b}": between_models(first, second, "b"),
        "of the contrast": interaction(first, second, role=role),
    }


def _adjusted(found: Sequence[Joined]) -> list[Joined]:
    """Return the results, with the p-values of those that were declared adjusted together by Holm's method."""
    raw = {at: p for at, one in enumerate(found) if (p := one.estimate.p) is not None}
    adjusted = dict(zip(raw, holm(list(raw.values())), strict=True))
    return [one.but(p=adjusted.get(at)) for at, one in enumerate(found)]


def _by_contrast(chapter: ChapterIn, data: Mapping[Key, Pairs]) -> Iterator[tuple[str, TaskName, dict[str, Pairs]]]:
    """Yield every contrast and task of a study, in its order, with the pairs of each model by name."""
    for contrast in dict.fromkeys(one.name for one in chapter.contrasts if chapter.kind == "study"):
        for task in TASKS:
            own = {
                one.a.model: data[key]
                for one in chapter.contrasts
                if one.name == contrast and (key := Key(contrast, task, one.a.model, chapter.source)) in data
            }
            if own:
                yield contrast, task, own
