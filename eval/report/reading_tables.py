"""Both readings of the responses as tables and sentences."""

from collections.abc import Iterator
from dataclasses import replace

from medvision_agent.eval.decisions.decide import Share
from medvision_agent.eval.findings.second import missed_by_reader
from medvision_agent.eval.reading.both import KINDS
from medvision_agent.eval.report.model import Chapter, ReadBy
from medvision_agent.eval.report.table import Column, Table, Value
from medvision_agent.eval.report.tables import FIRST, chapter_table, numbers, rates, repeated, signed, slug, texts
from medvision_agent.text import fixed, plural

__all__ = ["reading_notes", "reading_sentences", "reading_tables"]

_READER = "reader"
_FORMAT = (
    "Format: the difference by the reader minus that by the rule, sample by sample, which only one of the two sees. "
    "All figures are over the samples that the reader reached. Intervals: 95%, jackknife over subjects."
)
_KINDS = "Same: both read the same numbers. Apart: both read an answer, not the same one."
_COST = (
    "Responses: those that are read, equal ones once. Requests without a reply are in the tokens and the money as far "
    "as they were reported; money is not known where the reader has no prices."
)
_SHOWN = "At most 12 samples. Numbers are in MedVision's convention; a response is the model's own words, its end."


def reading_notes(chapter: Chapter) -> Iterator[str]:
    """Yield a text for each second reader: its name, the version served, and whether its reading is primary."""
    for one in chapter.readings:
        served = f" (served as {', '.join(one.versions)})" if one.versions else ""
        yield f"Responses were read a second time by {one.reader}{served}. {_standing(one)}"


def _standing(one: ReadBy) -> str:
    if one.primary:
        return "The plan named it as the primary reader before the first call: all other figures go by its readings."
    if one.planned:
        return "The plan named it before the first call, beside the rule: all other figures go by the rule."
    return "No plan named it before the first call: the rule is the primary reading, and all other figures go by it."


def reading_tables(chapter: Chapter, place: str) -> list[Table]:
    """Return the tables of both readings, without those that have no rows; *place* is the prefix of their ids."""
    made = [make(chapter, place) for make in (_pairs, _arms, _agreement, _cost, _disagreements)]
    several = len(chapter.readings) > 1
    return [table if several else _without_reader(table) for table in made if table.rows]


def _without_reader(table: Table) -> Table:
    """Return the table without its column of readers, because a note names the only one."""
    kept = [at for at, column in enumerate(table.columns) if column.name != _READER]
    rows = tuple(tuple(row[at] for at in kept) for row in table.rows)
    return replace(table, columns=tuple(table.columns[at] for at in kept), rows=rows)


def _pairs(chapter: Chapter, place: str) -> Table:
    columns = [*texts("contrast", "task", _READER), *numbers("pairs", "subjects")]
    for name in ("by the rule", "by the reader", "format"):
        columns += signed(name, f"{name}, low", f"{name}, high")
    columns += texts("why there is no interval")
    rows: list[tuple[Value, ...]] = []
    for read in chapter.readings:
        for one in read.pairs:
            found = one.found
            cells: list[Value] = [one.contrast, one.task, read.reader, found.pairs, found.subjects]
            cells += [*_share(found.by_rule), *_share(found.by_reader), *_share(found.format), found.withheld]
            rows.append(tuple(cells))
    caption = "differences in loss under both readings"
    return chapter_table(chapter, slug(place, "reading-differences"), caption, columns, rows, notes=[_FORMAT])


def _arms(chapter: Chapter, place: str) -> Table:
    columns = [*texts("arm", "task", _READER), *numbers("n", "subjects")]
    columns += [*rates("success rate, rule", "success rate, reader"), *numbers("loss, rule", "loss, reader")]
    columns += [
        *signed("reader minus rule", "low", "high"),
        *numbers("not reached"),
        *texts("why there is no interval"),
    ]
    rows: list[tuple[Value, ...]] = [
        (
            *(arm, task, read.reader, one.n, one.subjects, one.success_rule, one.success_reader),
            *(one.loss_rule, one.loss_reader, *_share(one.difference), one.not_reached, one.withheld),
        )
        for read in chapter.readings
        for arm, tasks in read.arms.items()
        for task, one in tasks.items()
    ]
    caption = "each arm under both readings"
    return chapter_table(chapter, slug(place, "reading-arms"), caption, columns, rows, notes=[_FORMAT])


def _agreement(chapter: Chapter, place: str) -> Table:
    columns = [*texts("arm", "task", _READER), *numbers("same", "apart", "the rule alone", "the reader alone")]
    columns += [*numbers("neither"), *texts("why the reader has no answer")]
    rows: list[tuple[Value, ...]] = []
    for read in chapter.readings:
        for arm, tasks in read.arms.items():
            for task, one in tasks.items():
                why = "; ".join(f"{reason} ({count})" for reason, count in one.unread.items())
                rows.append((arm, task, read.reader, *(one.agreement.get(kind, 0) for kind in KINDS), why))
    caption = "how often the two readings agree"
    return chapter_table(chapter, slug(place, "reading-agreement"), caption, columns, rows, notes=[_KINDS])


def _cost(chapter: Chapter, place: str) -> Table:
    columns = [*texts(_READER, "arm"), *numbers("responses", "calls", "input tokens", "output tokens")]
    columns += [*numbers("calls without counts", "requests without a reply"), Column("US dollars", 4)]
    rows: list[tuple[Value, ...]] = [
        (read.reader, arm, one.read, one.calls, one.input, one.output, one.unreported, one.failed, one.usd)
        for read in chapter.readings
        for arm, one in read.costs.items()
        if one.read or one.failed
    ]
    return chapter_table(chapter, slug(place, "reading-cost"), "what the reader took", columns, rows, notes=[_COST])


def _disagreements(chapter: Chapter, place: str) -> Table:
    columns = [*texts("sample", "arm", "task", _READER, "kind", "the rule reads", "the reader reads")]
    columns += [*numbers("loss, rule", "loss, reader"), *texts("response")]
    rows: list[tuple[Value, ...]] = [
        (one.sample, one.arm, one.task, read.reader, one.agreement, one.rule, one.reader, *one.losses, one.response)
        for read in chapter.readings
        for one in read.disagreements
    ]
    caption = "samples that the two readers read differently"
    return chapter_table(chapter, slug(place, "reading-samples"), caption, columns, rows, notes=[_SHOWN])


def _share(one: Share) -> tuple[Value, ...]:
    return (one.value, *(one.interval or (None, None)))


def reading_sentences(chapter: Chapter) -> Iterator[str]:
    """Yield a sentence for each reader, contrast and task: the difference by the rule and by the reader.

    It also gives the part that only one of them sees (format). Contrasts that say nothing about tools are left out.
    """
    silent = {one.name for one in chapter.contrasts if one.no_claim or one.by_construction}
    when = f", {FIRST[several]}" if (several := repeated(chapter)) else ""
    for read in chapter.readings:
        for one in read.pairs:
            if one.contrast in silent:
                continue
            rule, reader, apart = (_said(each) for each in (one.found.by_rule, one.found.by_reader, one.found.format))
            yield (
                f"{one.contrast}, {one.task}{when}: difference in loss {rule} by the rule and {reader} by "
                f"{read.reader}, over {plural(one.found.pairs, 'pair')}; the part that only one of them sees (format) "
                f"is {apart}.{missed_by_reader(one.found, one.a, one.b)}"
            )


def _said(share: Share) -> str:
    shown = fixed(share.value or 0.0, 3, sign=True)
    if share.interval is None:
        return shown
    low, high = (fixed(end, 3, sign=True) for end in share.interval)
    return f"{shown} (95% interval {low} to {high})"
