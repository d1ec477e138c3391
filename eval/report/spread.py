"""The noise floor of a chapter's differences, and the components of the variance of losses and differences.

Contract: a difference is compared with identical runs of the same model: repeats of one of its own arms if there are
any, otherwise all repeats. Components of variance are given if an arm was asked several times, in wordings, epochs or
both; an arm with a missing run has none.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from medvision_agent.eval.compare.statistics.jackknife import Floats
from medvision_agent.eval.compare.statistics.variance import PARTS, Components, components
from medvision_agent.eval.findings.inputs import ArmIn, ChapterIn
from medvision_agent.eval.findings.questions import asked_in
from medvision_agent.eval.findings.scores import Epochs, result_of
from medvision_agent.eval.report.model import Chapter, Contrast, Spread
from medvision_agent.eval.report.table import Table, Value, fixed
from medvision_agent.eval.report.tables import chapter_table, numbers, signed, slug, texts
from medvision_agent.eval.scorer.primary import Primary
from medvision_agent.eval.tasks import TASKS, TaskName
from medvision_agent.text import percent, plural

__all__ = ["noise_sentences", "spread_sentences", "spread_tables", "spreads"]

_WHAT = (
    "Of the variance of one value (a sample, asked once in one wording), the share that each part has; SD: of all "
    "parts together. Estimates by the method of moments, without intervals: few subjects, samples or wordings give "
    "rough ones. What lies below 0 is given as 0."
)
_PARTS = (
    "Subject, sample: how much persons, and samples of a person, differ. Prompt: how much wordings differ over all "
    "samples alike; with one wording nothing is known of it. Prompt x sample: how much a wording, with its order of "
    "tools, suits single samples. Sampling: how much the same request differs when it is asked again. What cannot be "
    "told apart stands under the first of its parts."
)
_LEFT_OUT = "A sample that lacks a result in any wording or epoch is left out."
_FLOOR = (
    "Times: the size of the difference over that of two identical runs. Within: its size is inside the interval of "
    "theirs, so that it is not larger than the noise of asking again. Of several repeats, the noisiest is taken."
)


def spreads(chapter: ChapterIn, scores: Mapping[str, Epochs]) -> Iterator[Spread]:
    """Yield the parts of the variance of each arm's loss and of each contrast's difference, task by task.

    *scores* are the scored samples of each arm. Only arms that were asked several times have such parts.
    """
    if all(len(arm.runs) == 1 for arm in chapter.arms):
        return
    for task in TASKS:
        samples = [(one.id, one.subject) for one in asked_in(chapter.arms[0].first) if one.task == task]
        if not samples:
            continue
        subjects = [subject for _, subject in samples]
        metric = chapter.metrics.get(task)
        losses = {
            arm.name: _losses([name for name, _ in samples], arm, scores[arm.name], metric) for arm in chapter.arms
        }
        values = list(losses.items())
        values += [
            (chapter.name_of(one), losses[one.b.name] - losses[one.a.name])
            for one in chapter.contrasts
            if one.a.wordings == one.b.wordings
        ]
        for name, own in values:
            if own[:1].size > 1 and (found := components(own, subjects)) is not None:
                yield Spread(what=name, task=task, found=found)


def _losses(samples: Sequence[str], arm: ArmIn, epochs: Epochs, metric: Primary | None) -> Floats:
    """Return the losses of an arm, an array (samples, wordings, epochs) with NaN where missing.

    *samples* are the ids of the samples. The array is empty if a run is missing.
    """
    times = Counter(arm.wordings)
    if len(set(times.values())) > 1:
        return np.empty((len(samples), 0, 0))
    place = {name: number for number, name in enumerate(samples)}
    losses = np.full((len(samples), len(epochs)), np.nan)
    for run, epoch in enumerate(epochs):
        for sample, score in epoch:
            if sample.id in place and (loss := result_of(sample, score, metric).loss) is not None:
                losses[place[sample.id], run] = loss
    # Runs are in the order of the plan: by wording, then by epoch.
    return losses.reshape(len(samples), len(times), -1)


def spread_tables(chapter: Chapter, place: str) -> list[Table]:
    """Return the tables of noise and of variance, without those that have no rows.

    *place* is the prefix of their ids.
    """
    return [table for table in (_noise_table(chapter, place), _parts_table(chapter, place)) if table.rows]


def _noise_table(chapter: Chapter, place: str) -> Table:
    columns = [*texts("contrast", "task"), *signed("difference"), *texts("identical runs"), *signed("theirs")]
    columns += [*signed("low", "high"), *numbers("times"), *texts("within the noise", "what is withheld, and why")]
    rows: list[tuple[Value, ...]] = [
        (
            *(one.name, task, one.tests[task].primary.difference, floor.repeat, floor.difference),
            *(floor.interval or (None, None)),
            *(floor.times, {True: "yes", False: "no", None: "not known"}[floor.within], floor.withheld),
        )
        for one in chapter.contrasts
        for task, floor in one.noise.items()
    ]
    return chapter_table(chapter, slug(place, "noise"), "the noise of asking again", columns, rows, notes=(_FLOOR,))


def _parts_table(chapter: Chapter, place: str) -> Table:
    columns = [*texts("what", "task"), *numbers("SD", *PARTS), *texts("not told apart")]
    columns += numbers("wordings", "epochs", "n", "subjects", "left out")
    rows: list[tuple[Value, ...]] = []
    for one in chapter.spread:
        found = one.found
        shares = {part.of[0]: part.share for part in found.parts}
        together = "; ".join(" and ".join(part.of) for part in found.parts if len(part.of) > 1)
        cells: list[Value] = [one.what, one.task, found.sd, *(shares.get(name) for name in PARTS), together]
        cells += [found.wordings, found.repetitions, found.n, found.subjects, found.left_out]
        rows.append(tuple(cells))
    return chapter_table(
        chapter, slug(place, "variance"), "parts of the variance", columns, rows, notes=(_WHAT, _PARTS, _LEFT_OUT)
    )


def noise_sentences(one: Contrast, task: TaskName) -> Iterator[str]:
    """Yield a sentence if the difference on a task is larger than that of two identical runs.

    Nothing otherwise: a caveat says if it is not larger, or if this is unknown.
    """
    floor, difference = one.noise.get(task), one.tests[task].primary.difference
    if floor is None or floor.interval is None or floor.within or difference is None:
        return
    theirs, ours = fixed(floor.difference, 3, sign=True), fixed(difference, 3, sign=True)
    low, high = (fixed(end, 3, sign=True) for end in floor.interval)
    times = "larger than" if floor.times is None else f"{floor.times:.3g} times"
    yield (
        f"{one.name}, {task}: the difference of {ours} is in size {times} that of two identical runs ({floor.repeat}), "
        f"{theirs}, whose interval is {low} to {high}."
    )


def spread_sentences(chapter: Chapter) -> Iterator[str]:
    """Yield a sentence for each contrast and task: which share of the variance of the difference each part has."""
    contrasts = {one.name for one in chapter.contrasts if not one.identical}
    for one in chapter.spread:
        if one.what in contrasts and one.found.sd:
            yield f"{one.what}, {one.task}: {_parts(one.found)}."


def _parts(found: Components) -> str:
    parts = ", ".join(f"{' and '.join(part.of)} {percent(part.share)}" for part in found.parts)
    over = f"{plural(found.n, 'sample')} of {plural(found.subjects, 'subject')}, {plural(found.wordings, 'wording')}"
    return (
        f"the difference of one sample, asked once in one wording, has SD {found.sd:.3f}; of its variance, "
        f"over {over}, {plural(found.repetitions, 'epoch')}: {parts}"
    )
