"""Contrasts over several models, and over several datasets: what is taken together, and how."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np

from medvision_agent.eval.compare.statistics.estimate import Estimate, Role, losses_of
from medvision_agent.eval.compare.statistics.interaction import MIN_SUBJECTS
from medvision_agent.eval.compare.statistics.jackknife import ROUNDING, by_subject, jackknife
from medvision_agent.eval.compare.statistics.models import between_models, interaction, mean_over
from medvision_agent.eval.compare.statistics.pairs import Key, Pairs
from medvision_agent.eval.compare.statistics.random_effects import MIN_GROUPS, random_effects
from medvision_agent.eval.compare.statistics.weights import holm
from medvision_agent.eval.report.inputs import ChapterIn
from medvision_agent.eval.report.model import Chapter, Joined, OverDatasets
from medvision_agent.eval.report.table import Table, Value
from medvision_agent.eval.report.tables import chapter_table, numbers, signed, slug, texts
from medvision_agent.eval.tasks import TASKS, TaskName

__all__ = ["joined_tables", "over_datasets", "over_models"]


def over_models(chapter: ChapterIn, data: Mapping[Key, Pairs]) -> list[Joined]:
    """Return every contrast of a study over its models; none with one model."""
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
    """Return the second model's loss beside the first one's in each arm, and the interaction."""
    a, _, b = contrast.partition(" -> ")
    return {
        f"in {a}": between_models(first, second, "a"),
        f"in {b}": between_models(first, second, "b"),
        "of the contrast": interaction(first, second, role=role),
    }


def _adjusted(found: Sequence[Joined]) -> list[Joined]:
    """Return the rows with the p-values of the declared ones adjusted together."""
    raw = {at: p for at, one in enumerate(found) if (p := one.estimate.p) is not None}
    adjusted = dict(zip(raw, holm(list(raw.values())), strict=True))
    return [one.but(p=adjusted.get(at)) for at, one in enumerate(found)]


def _by_contrast(chapter: ChapterIn, data: Mapping[Key, Pairs]) -> Iterator[tuple[str, TaskName, dict[str, Pairs]]]:
    """Yield the pairs of every contrast and task by model, in the order of the study."""
    for contrast in dict.fromkeys(one.name for one in chapter.contrasts if chapter.kind == "study"):
        for task in TASKS:
            own = {
                one.a.model: data[key]
                for one in chapter.contrasts
                if one.name == contrast and (key := Key(contrast, task, one.a.model, chapter.source)) in data
            }
            if own:
                yield contrast, task, own


def over_datasets(chapter: ChapterIn, data: Mapping[Key, Pairs]) -> Iterator[OverDatasets]:
    """Yield the mean over datasets of every contrast, task and model, where there are enough datasets."""
    if chapter.evidence == "demonstration":
        return
    for one in chapter.contrasts:
        for task in TASKS:
            pairs = data.get(Key(one.name, task, one.a.model, chapter.source))
            if pairs is None or pairs.no_claim:
                continue
            values = sorted({unit.unit.strata.get("dataset", "") for unit in pairs.scored})
            groups = [_group(pairs.where("dataset", value)) for value in values]
            kept = [group for group in groups if group is not None]
            if len(kept) >= MIN_GROUPS:
                effects, errors = np.array(kept).T
                name = chapter.name_of(one)
                yield OverDatasets(contrast=name, task=task, found=random_effects(effects, errors))


def _group(pairs: Pairs) -> tuple[float, float] | None:
    """Return the difference in a dataset and its error; None for too few subjects, or no spread."""
    losses, subjects = losses_of(pairs)
    sizes, sums = by_subject(subjects, [b - a for a, b in losses])
    if len(sizes) < MIN_SUBJECTS:
        return None
    found = jackknife(sums, sizes)
    return (float(found.estimate), float(found.error)) if found.error > ROUNDING else None


def joined_tables(chapter: Chapter, place: str) -> list[Table]:
    """Return the tables that have rows."""
    return [table for table in (_models(chapter, place), _datasets(chapter, place)) if table.rows]


def _models(chapter: Chapter, place: str) -> Table:
    columns = [*texts("contrast", "task", "what"), *signed("difference in loss", "low", "high")]
    columns += [*numbers("n", "subjects", "p, Holm"), *texts("what is withheld, and why")]
    rows: list[tuple[Value, ...]] = []
    for one in chapter.models:
        own = one.estimate
        ends = own.interval or (None, None)
        cells = (one.contrast, one.task, one.what, own.difference, *ends, own.n, own.subjects, one.p)
        rows.append((*cells, own.withheld))
    notes = (
        "Of the contrast: the second model's difference between the arms minus the first one's, within the sample.",
        "The mean holds for these models and for no others. p: only of pairs that the study named (`model_pairs`).",
    )
    return chapter_table(chapter, slug(place, "models"), "contrasts over models", columns, rows, notes=notes)


def _datasets(chapter: Chapter, place: str) -> Table:
    columns = [*texts("contrast", "task"), *numbers("datasets"), *signed("difference in loss", "low", "high")]
    columns += [*numbers("SD between"), *signed("next dataset, low", "high")]
    rows: list[tuple[Value, ...]] = [
        (one.contrast, one.task, f.groups, f.mean, *f.interval, f.between, *f.prediction)
        for one in chapter.datasets
        for f in (one.found,)
    ]
    notes = (
        "Random effects (REML, Hartung and Knapp) over datasets of 10 subjects at least.",
        "Next dataset: the 95% interval in which the true difference of one more dataset like these would lie.",
    )
    caption = "mean differences over datasets"
    return chapter_table(chapter, slug(place, "datasets"), caption, columns, rows, notes=notes)
