"""The strata of contrasts as tables, and whether differences are equal across strata."""

from medvision_agent.eval.report.model import Chapter, Contrast
from medvision_agent.eval.report.table import Table, Value
from medvision_agent.eval.report.tables import LEVEL, chapter_table, numbers, signed, slug, texts

__all__ = ["interaction_table", "strata_table"]


def strata_table(chapter: Chapter, place: str, one: Contrast) -> Table:
    """Return the table of a contrast's differences by stratum (such as modality CT); exploratory, without p-values.

    *place* is the prefix of its id.
    """
    columns = [*texts("task", "stratum", "value"), *numbers("n", "subjects"), *signed("difference", "low", "high")]
    columns += texts("what is withheld, and why")
    rows = []
    for task, found in one.strata.items():
        for part in found:
            own = part.estimate
            ends = (None, None) if own is None or own.interval is None else own.interval
            difference = None if own is None else own.difference
            rows.append((task, part.name, part.value, part.n, part.subjects, difference, *ends, part.withheld))
    caption, notes = f"differences in loss by stratum, {one.name}", ("Exploratory: no p-values.", LEVEL)
    return chapter_table(chapter, slug(place, "strata", one.name), caption, columns, rows, notes=notes)


def interaction_table(chapter: Chapter, place: str) -> Table:
    """Return the table that compares each contrast's difference in one stratum with that in the others.

    *place* is the prefix of its id.
    """
    columns = [*texts("contrast", "task", "stratum", "value", "against"), *signed("difference here", "there", "apart")]
    columns += [*signed("low", "high"), *numbers("p, Holm")]
    rows: list[tuple[Value, ...]] = [
        (one.name, task, at.name, at.value, at.against, at.here, at.there, at.difference, *at.interval, at.p)
        for one in chapter.contrasts
        for task, found in one.interactions.items()
        for at in found
    ]
    notes = (
        "Apart: the difference in loss in the stratum minus that in the other one, or in all others.",
        "Strata have 10 subjects at least. The intervals of one contrast and task hold together at 95%.",
        "p: only where the study declared the name under `strata`, by Holm's method over its strata.",
    )
    return chapter_table(
        chapter, slug(place, "interactions"), "is a difference the same everywhere", columns, rows, notes=notes
    )
