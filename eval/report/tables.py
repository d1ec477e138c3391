"""The tables of a report, made from its data. Every mean is given with its success rate, n and number of subjects."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from medvision_agent.eval.compare.statistics.estimate import Estimate
from medvision_agent.eval.compare.statistics.family import Test
from medvision_agent.eval.compare.statistics.missing import Bounds
from medvision_agent.eval.report.model import Chapter, Contrast, Published, TaskData
from medvision_agent.eval.report.table import Column, Table, Value
from medvision_agent.eval.summary.compute import compute_note
from medvision_agent.eval.summary.measures import MEASURES, Measure
from medvision_agent.eval.summary.summary import Mean
from medvision_agent.eval.tasks import TaskName
from medvision_agent.text import plural

__all__ = [
    "FIRST",
    "chapter_table",
    "contrast_table",
    "declared",
    "details",
    "endings_table",
    "marked",
    "missing_table",
    "numbers",
]
__all__ += ["path_table", "published_table", "rates", "repeated", "sensitivity_table", "signed", "slug"]
__all__ += ["task_table", "tested", "texts", "tool_table"]

Cells = tuple[Value, ...]
_NAMES = {"success_rate": "success rate", "IoU>=0.5": "IoU ≥ 0.5"}
_MARK = {"synthetic": "SYNTHETIC: ", "demonstration": "Demonstration: ", "real": ""}
LEVEL = "Intervals: 95%, whatever the level of the declared tests."


def slug(*parts: str) -> str:
    """Return a name made of *parts* for ids and files: lower-case letters, digits and single hyphens, at most 80."""
    text = "-".join(parts).lower()
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in text)
    return "-".join(filter(None, kept.split("-")))[:80]


def marked(chapter: Chapter, caption: str) -> str:
    """Return a caption with a mark of synthetic or demonstration data before it.

    If the study has several sources, the source is added in brackets.
    """
    mark = _MARK[chapter.evidence]
    caption += f" ({chapter.label})" if chapter.label and chapter.label not in caption else ""
    return f"{mark}{caption}" if mark else f"{caption[:1].upper()}{caption[1:]}"


def declared(chapter: Chapter) -> str:
    """Return in words how many tests were declared: "3 tests were declared"."""
    over = " over all sources of the study" if chapter.label else ""
    return f"{plural(chapter.family_size, 'test')} {'was' if chapter.family_size == 1 else 'were'} declared{over}"


def tested(chapter: Chapter) -> bool:
    """Return whether any comparison of a chapter has a p-value."""
    return any(test.primary.p is not None for one in chapter.contrasts for test in one.tests.values())


def repeated(chapter: Chapter) -> str:
    """Return in what arms were asked several times: "wordings", "epochs" or "wordings and epochs"; else empty."""
    arms = [one for data in chapter.tasks for one in data.arms]
    several = [name for name in ("wordings", "epochs") if any(getattr(one, name) > 1 for one in arms)]
    return " and ".join(several)


FIRST = {
    "wordings": "first wording",
    "epochs": "first epoch",
    "wordings and epochs": "first epoch of the first wording",
}
"""The label for the single run that is analysed, if an arm was asked several times."""


def texts(*names: str) -> list[Column]:
    """Return a column for text for each of *names*."""
    return [Column(name, text=True) for name in names]


def numbers(*names: str) -> list[Column]:
    """Return a column for numbers with three decimals for each of *names*."""
    return [Column(name) for name in names]


def signed(*names: str) -> list[Column]:
    """Return a column for numbers with their sign for each of *names*."""
    return [Column(name, sign=True) for name in names]


def rates(*names: str) -> list[Column]:
    """Return a column for each of *names*, whose cells are fractions that are shown in per cent."""
    return [Column(name, digits=1, percent=True) for name in names]


def details(columns: Sequence[Column]) -> list[Column]:
    """Return columns that LaTeX leaves to the CSV file."""
    return [replace(one, detail=True) for one in columns]


def chapter_table(
    chapter: Chapter,
    name: str,
    caption: str,
    columns: Sequence[Column],
    rows: Sequence[Cells],
    *,
    notes: Sequence[str] = (),
    above: Sequence[str] = (),
) -> Table:
    """Return a table with the id *name*, whose caption begins with a mark of synthetic or demonstration data.

    *notes* are written below the table, and *above* before its rows.
    """
    return Table(name, marked(chapter, caption), tuple(columns), tuple(rows), tuple(notes), tuple(above))


def task_table(chapter: Chapter, place: str, data: TaskData) -> Table:
    """Return the table of all arms and references of a task; *place* is the prefix of its id."""
    measures = MEASURES[data.task]
    columns = [*texts("arm", "what"), *numbers("n", "subjects")]
    columns += [_measure_column(one) for one in measures]
    names = [measure.name for measure in measures]
    rows = [(one.arm, one.reference or "arm", one.n, one.subjects, *_cells(one.means, names)) for one in data.arms]
    rows += [(one.name, "reference, no run", one.n, one.subjects, *_cells(one.means, names)) for one in data.references]
    title = f"{data.task}: every arm and reference"
    return chapter_table(chapter, slug(place, "task", data.task), title, columns, rows, notes=_task_notes(data))


def _measure_column(one: Measure) -> Column:
    name = _NAMES.get(one.name, one.name)
    return rates(name)[0] if one.percent else Column(f"{name} ({one.unit})" if one.unit else name)


def _task_notes(data: TaskData) -> list[str]:
    notes = ["loss: from 0, perfect, to 1; a failure costs 1. MAE and MRE are over answers that parsed."]
    most = max((one.chosen for one in data.arms), default=0)
    notes += [
        f"{one.arm}: was to be asked {one.chosen} samples, not {most}: its means are over other samples."
        for one in data.arms
        if one.chosen < most
    ]
    fewer = [one for one in data.arms if one.means["MAE"].n < one.n]
    notes += [f"{one.arm}: MAE over {one.means['MAE'].n} of {one.n} samples." for one in fewer]
    notes += [
        f"{one.arm}: {plural(one.infrastructure, 'result')} lost to infrastructure, in no mean."
        for one in data.arms
        if one.infrastructure
    ]
    for one in data.arms:
        times = [f"{count} {name}" for name in ("wordings", "epochs") if (count := getattr(one, name)) > 1]
        notes += [f"{one.arm}: {' x '.join(times)}, averaged within each sample."] if times else []
    notes += [f"Not in this table: {line}." for line in data.not_there]
    return notes


def contrast_table(chapter: Chapter, place: str) -> Table:
    """Return the table of the primary differences of all contrasts and tasks, with the arms' means over the same pairs.

    *place* is the prefix of its id.
    """
    columns = [*texts("contrast", "task"), *numbers("loss against", "loss")]
    columns += [*signed("difference", "low", "high"), *numbers("n", "subjects", "lower", "equal", "higher")]
    columns += [*rates("success rate against", "success rate"), *details(numbers("limit against", "limit"))]
    if chapter.family_size:
        columns += [*numbers("p", "p, adjusted"), *details(numbers("local level"))]
        columns += details(signed("local low", "local high"))
        columns += [*texts("verdict"), *numbers("undone by")]
    columns += texts("what is withheld, and why")
    rows = []
    for one, task, test in _tests(chapter):
        found, means = test.primary, one.means[task]
        cells: list[Value] = [one.name, task, means.loss_a, means.loss_b, found.difference]
        cells += [*(found.interval or (None, None)), found.n, found.subjects, *_counts(found)]
        cells += [means.success_a, means.success_b, *one.card.limited.get(task, (0, 0))]
        if chapter.family_size:
            verdict = test.verdict_words or ("none" if test.declared else "exploratory")
            cells += [found.p, test.adjusted_p, test.local_level, *(test.local_interval or (None, None)), verdict]
            cells.append(None if test.tipping is None else test.tipping.subjects)
        rows.append((*cells, found.withheld))
    notes = [
        "Loss: of the second arm; loss against: of the first arm, over the pairs scored in both.",
        "Difference: second minus first; below 0, the second is better. A failure costs 1.",
        "Lower, equal, higher: samples, by the loss of the second arm.",
        *dict.fromkeys(f"Loss, {task}: {said}." for one in chapter.contrasts for task, said in one.metrics.items()),
        *_levels(chapter),
        "Limit: answers that a limit ended, among the pairs of all epochs.",
    ]
    if chapter.family_size:
        said = "p is adjusted over their graph" if tested(chapter) else "none of them has a p-value here"
        notes.append(f"{declared(chapter)}; {said}.")
        notes.append(
            "Local level: the share of the level at which a test was rejected, or that it had at the end; local low "
            "and high: the interval at that level. Undone by: "
            "how many more subjects in whom the better arm fails in every sample would undo the difference."
        )
    return chapter_table(chapter, slug(place, "contrasts"), "differences in loss", columns, rows, notes=notes)


def _levels(chapter: Chapter) -> Iterator[str]:
    """Yield a note on the level of the intervals; with planned looks, on the level of each look."""
    whole = f"Interval: {100 * (1 - chapter.alpha):.4g}%, over subjects."
    looks = {
        f"{100 * test.primary.level:.4g}%, look {test.look} of {test.looks}"
        for _, _, test in _tests(chapter)
        if test.looks > 1
    }
    yield f"Interval, over subjects, at the boundary of the look: {'; '.join(sorted(looks))}." if looks else whole


def _counts(found: Estimate) -> tuple[int | None, ...]:
    one = found.differing
    return (None, None, None) if one is None else (one.b_lower, one.equal, one.b_higher)


def _tests(chapter: Chapter) -> Iterator[tuple[Contrast, TaskName, Test]]:
    for one in chapter.contrasts:
        for task, test in one.tests.items():
            yield one, task, test


def missing_table(chapter: Chapter, place: str) -> Table:
    """Return the table of failed, lost and unasked pairs, by contrast and task; *place* is the prefix of its id."""
    columns = [*texts("contrast", "task"), *numbers("chosen", "scored pairs", "not asked")]
    for what in ("failed", "lost"):
        columns += numbers(f"{what} in the first alone", f"{what} in the second alone", f"{what} in both")
    columns += signed("difference in loss", "part by answers", "part by failures")
    rows = [
        (
            *(one.name, task, gone.chosen, gone.scored, gone.not_asked),
            *(gone.failed_only_a, gone.failed_only_b, gone.failed_both),
            *(gone.lost_only_a, gone.lost_only_b, gone.lost_both),
            *(difference, gone.by_answers, gone.by_failures),
        )
        for one, task, gone, difference in (
            (one, task, test.missing, test.primary.difference) for one, task, test in _tests(chapter)
        )
    ]
    notes = (
        "First and second: the arms of a contrast. Failed: no answer could be read; loss 1, in the primary.",
        "Lost: to infrastructure, in no mean.",
        "Not asked: not in both arms yet; neither failed nor lost, and in no figure.",
        "Parts: of the pairs answered in both arms, and of the others; they add up to the difference (docs/report.md).",
    )
    return chapter_table(chapter, slug(place, "missing"), "what is missing", columns, rows, notes=notes)


def sensitivity_table(chapter: Chapter, place: str) -> Table:
    """Return the table of differences beside the primary one, and of how much missing results could change it.

    *place* is the prefix of its id.
    """
    columns = [*texts("contrast", "task", "figure"), *signed("difference", "lowest", "highest")]
    columns += [*signed("interval, low", "interval, high"), *numbers("n", "subjects")]
    columns += texts("what is withheld, and why")
    rows: list[Cells] = []
    for one, task, test in _tests(chapter):
        gone, subjects = test.missing, one.means[task].subjects
        for name, found in (("success rate (share)", gone.success), ("loss, complete pairs", gone.complete)):
            ends = found.interval or (None, None)
            own = (found.difference, None, None, *ends, found.n, found.subjects)
            rows.append((one.name, task, name, *own, found.withheld))
        for name, bounds in (("bounds: lost pairs", gone.bounds), ("bounds: failures too", gone.answered_bounds)):
            why = bounds.withheld if bounds else ""
            rows.append((one.name, task, name, *_bounds(bounds), gone.chosen, subjects, why))
    notes = (
        "Bounds: the lowest and highest difference in loss there could be, had every lost result been scored.",
        "Failures too: had every failure been answered as well. Only the bounds' intervals speak of chance.",
        LEVEL,
    )
    caption = "sensitivity of the primary result: success, complete pairs, bounds"
    return chapter_table(chapter, slug(place, "sensitivity"), caption, columns, rows, notes=notes)


def tool_table(chapter: Chapter, place: str) -> Table:
    """Return the table of the effort per scored sample of each arm and task; *place* is the prefix of its id."""
    columns = [*texts("arm", "task"), *numbers("n"), *rates("success rate"), Column("tool calls per sample", 2)]
    columns += [*texts("calls by tool (failed)"), Column("turns", 2), Column("images", 2), Column("tokens in", 0)]
    columns += [Column("tokens out", 0), Column("US dollars", 5), Column("seconds", 1), *rates("forced endings")]
    rows: list[Cells] = []
    for data in chapter.tasks:
        for one in data.arms:
            effort = one.effort
            tools = ", ".join(f"{name} {use.calls} ({use.failed})" for name, use in effort.tools.items())
            cells: list[Value] = [one.arm, data.task, one.n, one.means["success_rate"].mean]
            cells += [effort.tool_calls.mean, tools or "none"]
            cells += [effort.turns.mean, effort.pictures.mean, effort.input_tokens.mean, effort.output_tokens.mean]
            rows.append((*cells, effort.cost_usd.mean, effort.seconds.mean, effort.forced_endings.mean))
    caption = "effort per scored sample (means; forced endings: their share)"
    notes = [f"{compute_note(run.identity.condition for run in chapter.runs).capitalize()}."]
    return chapter_table(
        chapter, slug(place, "effort"), caption, columns, rows, notes=notes if len(chapter.arms) > 1 else ()
    )


def path_table(chapter: Chapter, place: str) -> Table:
    """Return the table of how far each run with tools used them: declared, called, answered, shown.

    *place* is the prefix of its id.
    """
    columns = texts("run")
    columns += numbers("declared in samples", "called in samples", "calls", "answered without error")
    columns += numbers("results shown in the next turn", "images", "images shown in the next turn")
    columns += numbers("not recorded whether shown")
    paths = [(run.arm, run.tool_path) for run in chapter.runs if run.tool_path is not None]
    rows: list[Cells] = [(arm, *path.model_dump().values()) for arm, path in paths]
    return chapter_table(
        chapter, slug(place, "path"), "use of tools: declared, called, answered, shown to the model", columns, rows
    )


def endings_table(chapter: Chapter, place: str) -> Table:
    """Return the table of how the samples of every run ended, in counts; *place* is the prefix of its id."""
    names = list(dict.fromkeys(name for run in chapter.runs for name in run.endings))
    lost = {name for run in chapter.runs for name in run.infrastructure}
    columns = [*texts("run"), *numbers("samples")]
    columns += numbers(*(f"{_words(name)}{' (infrastructure)' if name in lost else ''}" for name in names))
    columns += [*numbers("failed tries, repeated", "superseded attempts"), Column("US dollars", 4)]
    rows = [
        (
            *(run.arm, sum(run.endings.values())),
            *(run.endings.get(name, 0) for name in names),
            *(run.failed_tries, run.superseded, run.spent_usd),
        )
        for run in chapter.runs
    ]
    return chapter_table(chapter, slug(place, "endings"), "how the samples ended", columns, rows)


def published_table(place: str, number: int, data: Published) -> Table:
    """Return one part of a published table, with our arms' figures below it.

    *place* and *number* make its id.
    """
    columns = (*texts("model", "from"), *(Column(name, 1) for name in data.columns), *numbers("n"))
    rows: list[Cells] = [(name, f"published, {data.version}", *cells, data.samples) for name, cells in data.rows]
    rows += [(f"this run: {arm}", "this report", *values, n) for arm, values, n in data.own]
    notes = (data.note, "Not the same there and here: " + "; ".join(data.not_the_same) + ".", f"Source: {data.source}")
    return Table(slug(place, "published", str(number)), data.title, columns, tuple(rows), notes)


def _words(name: str) -> str:
    return "replied with text" if name == "answered" else name.replace("_", " ")


def _cells(means: dict[str, Mean], names: Sequence[str]) -> list[float | None]:
    return [means[name].mean if name in means else None for name in names]


def _bounds(bounds: Bounds | None) -> Cells:
    if bounds is None:
        return (None,) * 5
    return (None, bounds.low, bounds.high, *(bounds.interval or (None, None)))
