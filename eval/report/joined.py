"""Contrasts over several models, and over several datasets, with the method of combining them."""

from collections.abc import Iterator, Mapping

import numpy as np

from medvision_agent.eval.compare.statistics.clusters import clustered
from medvision_agent.eval.compare.statistics.estimate import losses_of
from medvision_agent.eval.compare.statistics.interaction import MIN_SUBJECTS
from medvision_agent.eval.compare.statistics.jackknife import ROUNDING, jackknife
from medvision_agent.eval.compare.statistics.pairs import Key, Pairs
from medvision_agent.eval.compare.statistics.random_effects import MIN_GROUPS, random_effects
from medvision_agent.eval.findings.inputs import ChapterIn
from medvision_agent.eval.report.model import Chapter, OverDatasets
from medvision_agent.eval.report.table import Table, Value
from medvision_agent.eval.report.tables import chapter_table, numbers, signed, slug, texts
from medvision_agent.eval.tasks import TASKS

__all__ = ["joined_tables", "over_datasets"]


def over_datasets(chapter: ChapterIn, data: Mapping[Key, Pairs]) -> Iterator[OverDatasets]:
    """Yield the mean over datasets of each difference (contrast, task and model), if there are at least five datasets.

    *data* holds the pairs of every comparison. Nothing for demonstration data, and for arms that support no claim.
    """
    if chapter.evidence == "demonstration":
        return
    for one in chapter.contrasts:
        for task in TASKS:
            pairs = data.get(Key(one.name, task, one.a.model, chapter.source))
            if pairs is None or pairs.no_claim:
                continue
            values = sorted({unit.strata.get("dataset", "") for unit in pairs.scored.units})
            groups = [_group(pairs.where("dataset", value)) for value in values]
            kept = [group for group in groups if group is not None]
            if len(kept) >= MIN_GROUPS:
                effects, errors = np.array(kept).T
                name = chapter.name_of(one)
                yield OverDatasets(contrast=name, task=task, found=random_effects(effects, errors))


def _group(pairs: Pairs) -> tuple[float, float] | None:
    """Return the mean difference in loss in one dataset, and its standard error.

    None if there are too few subjects, or no spread between them.
    """
    losses, subjects = losses_of(pairs)
    data = clustered(subjects, losses[:, 1] - losses[:, 0])
    if len(data.sizes) < MIN_SUBJECTS:
        return None
    found = jackknife(*data)
    return (float(found.estimate), float(found.error)) if found.error > ROUNDING else None


def joined_tables(chapter: Chapter, place: str) -> list[Table]:
    """Return the tables over models and over datasets, without those that have no rows.

    *place* is the prefix of their ids.
    """
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
