"""Statements about a whole chapter: which models were asked what, what the data are, what was declared beforehand."""

from collections import Counter
from collections.abc import Iterator, Sequence

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.eval.data.shared import shared_name
from medvision_agent.eval.findings.asked import asked_of
from medvision_agent.eval.findings.contrasts import Worked
from medvision_agent.eval.findings.inputs import ChapterIn
from medvision_agent.eval.tasks import TASKS
from medvision_agent.text import counted, plural

__all__ = [
    "BANNERS",
    "DIFFERENCES",
    "asked_line",
    "declared_line",
    "offline_lines",
    "reading_lines",
    "truth_lines",
    "unfinished_lines",
]

DIFFERENCES = "Differences between arms"
"""The section of a report that says why a comparison has no p-value."""
BANNERS = {
    "synthetic": "SYNTHETIC: these images are made, not taken. The figures say nothing about patients "
    "and enter no mean with real data.",
    "demonstration": "DEMONSTRATION: a handful of subjects that show how the instrument works. No interval, p-value or "
    "verdict is given, and nothing here is a benchmark score.",
    "real": "",
}
"""The warning shown above everything in a chapter."""
_MARKED = {"silver": "another model's output", "derived": "computed from a mask"}
_NAMED = 8
"""Most arms that are all named."""


def asked_line(chapter: ChapterIn) -> str:
    """Return a sentence that says which models were asked how many samples, under which arms, from which source."""
    every = asked_of(chapter)
    tasks = ", ".join(task for task in TASKS if task in every.tasks)
    runs = [run for arm in chapter.arms for run in arm.runs]
    planned, there = sum(len(run.samples) for run in runs), sum(len(run.records) for run in runs)
    verb, far = ("was asked", "were asked"), ""
    if there < planned:
        verb, far = ("is being asked", "are being asked"), f" So far, {there} of {planned} answers are there."
    source = chapter.label or shared_name(str(chapter.arms[0].first.config["source"]["name"]))
    who, under = _who(chapter)
    return (
        f"{who} {verb[len(chapter.arms) > 1]} {plural(every.samples, 'sample')} of {plural(every.subjects, 'subject')} "
        f"from {source}{under}: {tasks}.{far}{_read(chapter)}"
    )


def _who(chapter: ChapterIn) -> tuple[str, str]:
    """Return who was asked, and " in ..." with the arms if several models share them, otherwise an empty text."""
    models = list(dict.fromkeys(arm.model for arm in chapter.arms))
    shared = list(dict.fromkeys(arm.name.removeprefix(f"{arm.model} ") for arm in chapter.arms))
    if len(models) > 1 and len(shared) < len(chapter.arms):
        every = "" if len(models) * len(shared) == len(chapter.arms) else ", not every model in each"
        return f"{len(models)} models ({', '.join(models)})", f" in {_arms(shared, every)}"
    return _arms([arm.name for arm in chapter.arms], of=f" of {', '.join(models)}"), ""


def _arms(names: Sequence[str], more: str = "", of: str = "") -> str:
    named = f" ({', '.join(names)}{more})" if len(names) <= _NAMED else more
    return f"{plural(len(names), 'arm')}{of}{named}"


def _read(chapter: ChapterIn) -> str:
    """Return a sentence that names the reader whose readings are scored; empty if the rule reads the answers."""
    if chapter.read_by is None:
        return ""
    return f" Answers are scored as {chapter.read_by.name} reads them: the plan says so since before the first call."


def reading_lines(worked: Worked) -> Iterator[str]:
    """Yield a sentence if a second reader's readings are scored: it names the figures that still go by the rule."""
    reader = worked.chapter.read_by
    if reader is not None:
        yield (
            f"All comparisons score the answers as {reader.name} reads them. The figures of single runs and samples "
            "beside them (the table of cells, runs, the viewer, the table samples) go by the rule."
        )


def offline_lines(chapter: ChapterIn) -> Iterator[str]:
    """Yield a sentence that names the arms in which no vision-language model answered; nothing if there are none."""
    offline = [arm.name for arm in chapter.arms if arm.offline]
    if offline:
        verb = "is a scripted policy" if len(offline) == 1 else "are scripted policies"
        every = len(offline) == len(chapter.arms)
        who = "all arms" if every and len(chapter.arms) > 1 else ", ".join(offline)
        yield f"No vision-language model: {who} {verb}."


def truth_lines(worked: Worked) -> Iterator[str]:
    """Yield a sentence that counts the samples whose ground truth needs care, such as another model's output.

    Nothing if there are none.
    """
    marks = {name: count for name, count in asked_of(worked.chapter).marks.items() if name != "synthetic"}
    if marks:
        meaning = "; ".join(f"{name}: {_MARKED[name]}" for name in marks if name in _MARKED)
        yield f"Ground truth to be read with care: {counted(marks)}{f' ({meaning})' if meaning else ''}."


def unfinished_lines(worked: Worked) -> Iterator[str]:
    """Yield a sentence on samples that were not asked yet, and one on results lost to infrastructure, by arm."""
    left, lost = dict[str, int](), dict[str, Counter[str]]()
    for arm in worked.chapter.arms:
        missing = sum(len(run.samples) - len(run.records) for run in arm.runs)
        outcomes = sum((run.overview.outcomes for run in arm.runs), Counter[Outcome]())
        kinds = Counter({outcome.value: count for outcome, count in outcomes.items() if outcome.infrastructure})
        left |= {arm.name: missing} if missing else {}
        lost |= {arm.name: kinds} if kinds else {}
    if left:
        yield f"Samples not asked yet, in no mean: {counted(left)}."
    if lost:
        parts = [f"{arm} {sum(kinds.values())} ({counted(kinds)})" for arm, kinds in lost.items()]
        yield f"Results lost to infrastructure, in no mean: {'; '.join(parts)}."


def declared_line(worked: Worked) -> Iterator[str]:
    """Yield a sentence on which tests were declared beforehand, and which have p-values; nothing without contrasts."""
    chapter, contrasts = worked.chapter, worked.contrasts
    if not contrasts:
        return
    over = " over all sources of the study" if chapter.label else ""
    was = "was" if worked.family_size == 1 else "were"
    were = f"{plural(worked.family_size, 'test')} {was} declared{over}{_of_what(chapter)}"
    if any(test.primary.p is not None for one in contrasts for test in one.tests.values()):
        together = f"tested together along a graph of tests (level {chapter.alpha:g})"
        yield f"{were} and {together}; {_besides(worked)}everything else is exploratory, without p-values."
    elif any(one.declared for one in contrasts):
        yield f"{were}; none of these comparisons has a p-value; the report says why under {DIFFERENCES}."
    else:
        yield f"{_undeclared(chapter, worked.rules.name)}: everything here is exploratory, without p-values."


def _of_what(chapter: ChapterIn) -> str:
    """Return how many contrasts and tasks the declared tests cover, in brackets.

    Empty unless there are several of both, and every contrast is tested on every task.
    """
    contrasts = len({(key.contrast, key.model) for key in chapter.family})
    tasks = len({key.task for key in chapter.family})
    if min(contrasts, tasks) == 1 or contrasts * tasks != len(chapter.family):
        return ""
    return f" ({contrasts} contrasts on {tasks} tasks)"


def _besides(worked: Worked) -> str:
    """Return in words which p-values exist outside the family of declared tests; empty if none."""
    every = [at for one in worked.contrasts for found in one.interactions.values() for at in found]
    strata = dict.fromkeys(at.name for at in every if at.p is not None)
    own = [f"strata ({', '.join(strata)})"] if strata else []
    own += ["models"] if any(one.p is not None for one in worked.models) else []
    return (
        f"differences between {' and between '.join(own)} have p-values of their own, by Holm's method; " if own else ""
    )


def _undeclared(chapter: ChapterIn, protocol: str) -> str:
    """Return in words why no comparison of a chapter is a declared test."""
    if chapter.kind == "runs":
        return "No comparison was declared before the runs"
    if chapter.plan["protocol"] != protocol:
        return f"The study declared its tests by {chapter.plan['protocol']}, and this is scored by {protocol}"
    return "No comparison here is one of the study's declared tests"
