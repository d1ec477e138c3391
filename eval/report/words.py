"""The summary in words. Contract: every number in a sentence is a field of the report's data."""

import math
from collections.abc import Iterator

from medvision_agent.eval.compare.card_words import doubts
from medvision_agent.eval.compare.statistics.estimate import Differing
from medvision_agent.eval.compare.statistics.family import Test
from medvision_agent.eval.report.how import UNFINISHED
from medvision_agent.eval.report.model import Chapter, Contrast
from medvision_agent.eval.report.parts_tables import parts_sentences
from medvision_agent.eval.report.place_tables import place_sentences
from medvision_agent.eval.report.spread import noise_sentences, spread_sentences
from medvision_agent.eval.report.table import fixed
from medvision_agent.eval.report.tables import FIRST, declared, marked, repeated, tested
from medvision_agent.eval.tasks import TaskName
from medvision_agent.eval.why.measured import solvers
from medvision_agent.eval.why.summary import Group
from medvision_agent.text import counted, plural

__all__ = ["BANNERS", "headline", "sentences"]

BANNERS = {
    "synthetic": "SYNTHETIC: the pictures of this chapter are made, not taken. Its figures say nothing about patients "
    "and enter no mean with real data.",
    "demonstration": "DEMONSTRATION: a handful of subjects that show how the instrument works. No interval, p-value or "
    "verdict is given, and nothing here is a benchmark score.",
    "real": "",
}
"""What stands above everything of a chapter."""
_MOST = 16
"""Comparisons that are each told in words."""
_NAMED = 8
"""Arms that are all named."""


def headline(chapter: Chapter) -> str:
    """Return the title of a chapter."""
    return marked(chapter, f"{'study' if chapter.kind == 'study' else 'runs over'} {chapter.name}")


def sentences(chapter: Chapter) -> list[str]:
    """Return the summary of a chapter."""
    spread = spread_sentences(chapter) if len(chapter.spread) <= _MOST else ()
    return [
        *_what(chapter),
        *_single(chapter),
        *_compared(chapter),
        *spread,
        *_assumed(chapter),
        *_placed(chapter),
        *_why(chapter),
        *_lost(chapter),
    ]


def _what(chapter: Chapter) -> Iterator[str]:
    tasks = ", ".join(data.task for data in chapter.tasks)
    verb = "was asked" if len(chapter.arms) == 1 else "were asked"
    models = ", ".join(dict.fromkeys(one.model for data in chapter.tasks for one in data.arms))
    named = f" ({', '.join(chapter.arms)})" if len(chapter.arms) <= _NAMED else ""
    arms = f"{plural(len(chapter.arms), 'arm')} of {models}{named} {verb}"
    people = plural(chapter.subjects, "subject")
    yield f"{arms} {plural(chapter.samples, 'sample')} of {people} from {chapter.source}: {tasks}."
    doubts = {name: count for name, count in chapter.marks.items() if name != "synthetic"}
    if doubts:
        meaning = "silver: another model's output; derived: by us from a mask"
        yield f"Truth to be read with care: {counted(doubts)} ({meaning})."
    if chapter.offline:
        verb = "is a scripted policy" if len(chapter.offline) == 1 else "are scripted policies"
        every = len(chapter.offline) == len(chapter.arms)
        who = "all arms" if every and len(chapter.arms) > 1 else ", ".join(chapter.offline)
        yield f"No vision-language model: {who} {verb}."


def _single(chapter: Chapter) -> Iterator[str]:
    """Say how each arm did, where there is nothing to compare."""
    if chapter.contrasts:
        return
    for data in chapter.tasks:
        for one in data.arms:
            loss, rate = one.means["loss"], one.means["success_rate"]
            if loss.mean is not None and rate.mean is not None:
                where = f"{plural(one.n, 'sample')}, {plural(one.subjects, 'subject')}"
                yield f"{data.task}, {one.arm}: mean loss {loss.mean:.3f}, success rate {rate.mean:.1%} ({where})."


def _compared(chapter: Chapter) -> Iterator[str]:
    rows = sum(len(one.tests) for one in chapter.contrasts)
    bare = 0
    for one in chapter.contrasts:
        for task, test in one.tests.items():
            if rows > _MOST and test.primary.interval is None:
                bare += 1
            else:
                yield _difference(one, task, test)
                yield from noise_sentences(one, task)
                yield from _missing(one, task, test)
            yield from _apart(one, task)
            if test.missing.warning:
                yield f"{one.name}, {task}: WARNING. {test.missing.warning}"
    yield from (f"{note}." for note in chapter.picture_notes)
    yield from dict.fromkeys(f"{one.by_construction}." for one in chapter.contrasts if one.by_construction)
    yield from _made(chapter)
    if bare:
        yield f"{bare} of {rows} comparisons have no interval; the table of differences has them all, with the reasons."
    for refused in chapter.refused:
        what = "; ".join(refused.differences).removesuffix(".")
        if chapter.kind == "runs":
            yield f"{refused.name} is not compared, because the two differ in more than their tools: {what}."
        else:
            yield f"Not compared: {refused.name}: {what}."
    yield from _declared(chapter)


def _made(chapter: Chapter) -> Iterator[str]:
    """Say how the compute of compared arms differs, and what an arm made of the results handed back to it."""
    if len(chapter.contrasts) <= _NAMED:
        yield from dict.fromkeys(f"{one.name}: {line}" for one in chapter.contrasts for line in one.compute)
    for one in chapter.contrasts:
        if one.same_answers is not None:
            same, scored = one.same_answers
            among = f"{same} of {plural(scored, 'sample')}"
            yield f"{one.name}: own results handed back; both arms answer the same in {among}."


def _assumed(chapter: Chapter) -> Iterator[str]:
    """Say what is assumed of the parity of arms, once for all contrasts of which the same is assumed."""
    alike: dict[str, list[str]] = {}
    for one in chapter.contrasts:
        if found := doubts(one.card):
            alike.setdefault("; ".join(found), []).append(one.name)
    for text, names in alike.items():
        several = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        yield f"{', '.join(names[:_NAMED])}{several}: assumed and not proven: {text}."


def _declared(chapter: Chapter) -> Iterator[str]:
    """Say what was declared beforehand, and corrected together if anything was tested."""
    if not chapter.contrasts:
        return
    if tested(chapter):
        together = f"tested together along a graph of tests (level {chapter.alpha:g})"
        besides = f"{_besides(chapter)}everything else is exploratory, without p-values"
        yield f"{declared(chapter)} and {together}; {besides}."
    elif any(one.declared for one in chapter.contrasts):
        yield f"{declared(chapter)}; none of these comparisons has a p-value, and the table of differences says why."
    else:
        yield f"{_undeclared(chapter)}: everything here is exploratory, without p-values."


def _besides(chapter: Chapter) -> str:
    """Say what has p-values of its own, which are not those of the family."""
    every = [at for one in chapter.contrasts for found in one.interactions.values() for at in found]
    strata = dict.fromkeys(at.name for at in every if at.p is not None)
    own = [f"strata ({', '.join(strata)})"] if strata else []
    own += ["models"] if any(one.p is not None for one in chapter.models) else []
    return (
        f"differences between {' and between '.join(own)} have p-values of their own, by Holm's method; " if own else ""
    )


def _undeclared(chapter: Chapter) -> str:
    """Say why no comparison of a chapter is a declared test."""
    if chapter.kind == "runs":
        return "No comparison was declared before the runs"
    if chapter.plan["protocol"] != chapter.protocol:
        return f"The study declared its tests by {chapter.plan['protocol']}, and this is scored by {chapter.protocol}"
    return "No comparison here is one of the study's declared tests"


def _difference(one: Contrast, task: TaskName, test: Test) -> str:
    found, means = test.primary, one.means[task]
    if found.difference is None or found.differing is None or means.loss_a is None or means.loss_b is None:
        return f"{one.name}, {task}: no pair was scored in both arms."
    pairs = f"{plural(found.n, 'pair')}, {plural(found.subjects, 'subject')}"
    rates = f"success rates {means.success_a:.1%} and {means.success_b:.1%}"
    apart = fixed(found.difference, 3, sign=True)
    text = (
        f"{one.name}, {task}: mean loss{_metric(one, task)} {means.loss_a:.3f} and {means.loss_b:.3f}, "
        f"difference {apart} ({pairs}; {_counts(found.differing)}; {rates})"
    )
    if found.interval is not None:
        text += f"; {100 * found.level:.4g}% interval {fixed(found.interval[0], 3, sign=True)} to "
        text += fixed(found.interval[1], 3, sign=True)
    if test.adjusted_p is not None and found.p is not None:
        look = f" at look {test.look} of {test.looks}" if test.looks > 1 else ""
        text += f"; p {found.p:.2g}{look}, adjusted over the family {test.adjusted_p:.2g}: {test.verdict_words}"
        if test.decided_at is not None and test.decided_at < test.look:
            text += f" (since look {test.decided_at})"
        text += _undone(test)
    elif found.withheld:
        text += f"; {'no interval, no p-value' if found.interval is None else 'no p-value'} ({found.withheld})"
    return f"{text}."


def _metric(one: Contrast, task: TaskName) -> str:
    """Name the declared metric; nothing where it is our loss."""
    return f" ({one.metrics[task]})" if task in one.metrics else ""


def _apart(one: Contrast, task: TaskName) -> Iterator[str]:
    """Say where a difference is not the same in all strata."""
    for at in one.interactions.get(task, ()):
        if at.apart:
            here, there, low, high = (fixed(each, 3, sign=True) for each in (at.here, at.there, *at.interval))
            p = "exploratory" if at.p is None else f"p {at.p:.2g}, adjusted over the strata"
            yield (
                f"{one.name}, {task}: the difference is not the same for every {at.name}: {at.value} {here}, "
                f"{at.against} {there} (apart by {low} to {high}; {p})."
            )


def _counts(one: Differing) -> str:
    """Say in how many samples the loss of B is lower, equal and higher, and how many subjects differ at all."""
    return (
        f"B lower in {one.b_lower}, equal in {one.equal}, higher in {one.b_higher}; "
        f"{plural(one.subjects, 'subject')} differ{'s' if one.subjects == 1 else ''} at all"
    )


def _undone(test: Test) -> str:
    """Say how few failures of the better arm would undo a difference; empty where nothing was rejected."""
    if test.tipping is None or test.primary.difference is None:
        return ""
    better = "B" if test.primary.difference < 0 else "A"
    dear = "" if test.largest_price is None else ", each at the cost of the worst answer,"
    if test.tipping.subjects is None:
        return ". Even 1,000 more subjects in whom the better arm fails would not undo it"
    if test.tipping.share is not None:
        share = max(1, math.ceil(100 * test.tipping.share))  # rounded down, it would not be enough
        return f". One more subject in whom {better} fails in {share}% of its samples{dear} would undo it"
    more = f"{test.tipping.subjects} more subjects in whom {better} fails in every sample{dear}"
    return f". It would take {more} to undo it"


def _missing(one: Contrast, task: TaskName, test: Test) -> Iterator[str]:
    """Say what failed and what was lost, and what that could mean, where there is any."""
    gone = test.missing
    failed = gone.failed_only_a, gone.failed_only_b, gone.failed_both
    lost = gone.lost_only_a, gone.lost_only_b, gone.lost_both
    if any(failed):
        text = f"{one.name}, {task}: no answer only in A {failed[0]}, only in B {failed[1]}, in both {failed[2]}"
        if gone.success.difference is not None:
            text += f"; success rate {fixed(gone.success.difference, 3, sign=True)}"
        if gone.complete.difference is not None:
            apart = fixed(gone.complete.difference, 3, sign=True)
            text += f"; loss over the {gone.complete.n} pairs answered in both {apart}"
        yield f"{text} (B minus A)."
        if gone.by_answers is not None and gone.by_failures is not None:
            parts = (fixed(part, 3, sign=True) for part in (gone.by_answers, gone.by_failures))
            yield "{}, {}: of the difference in loss, {} comes from answers and {} from failures.".format(
                one.name, task, *parts
            )
        if test.largest_price is not None:
            dear = fixed(test.largest_price, 3, sign=True)
            yield f"{one.name}, {task}: had failures cost as much as the worst answer, the difference would be {dear}."
    if any(lost) and gone.bounds is not None:
        low, high = (fixed(end, 3, sign=True) for end in (gone.bounds.low, gone.bounds.high))
        yield (
            f"{one.name}, {task}: lost to infrastructure only in A {lost[0]}, only in B {lost[1]}, in both {lost[2]} "
            f"pairs; had they been scored, the difference would lie between {low} and {high}."
        )
    if gone.not_asked:
        left = f"{plural(gone.not_asked, 'pair')} {'was' if gone.not_asked == 1 else 'were'} not asked in both arms yet"
        yield f"{one.name}, {task}: {left}; no figure has them."


def _placed(chapter: Chapter) -> Iterator[str]:
    """Say where arms measured, and what differences are made of, unless there are too many comparisons to read."""
    if len(chapter.grounded) <= _MOST:
        yield from place_sentences(chapter)
    if len(chapter.parted) <= _MOST:
        yield from parts_sentences(chapter)


def _why(chapter: Chapter) -> Iterator[str]:
    """Say where the errors of each arm come from, with and without a solver's."""
    if len(chapter.arms) > _NAMED:
        return
    when = f" in the {FIRST[several]}" if (several := repeated(chapter)) else ""
    for arm, tasks in chapter.why.items():
        for task, why in tasks.items():
            for name, one in why.errors.quantities.items():
                if not one.with_solver.n:
                    continue
                text = f"{arm}, {task}: error of the {name}{when} {_parts(one.with_solver, one.unit)}"
                if one.with_solver.n > one.without_solver.n:
                    rest = _parts(one.without_solver, one.unit) if one.without_solver.n else "none left"
                    text += f"; without the answers of the solver {' or '.join(solvers())}: {rest}"
                yield f"{text}."


def _parts(group: Group, unit: str) -> str:
    sizes = {
        name: part.absolute.mean
        for name, part in (
            ("in all", group.error),
            ("seeing", group.seeing),
            ("unit", group.unit),
            ("arithmetic", group.arithmetic),
        )
    }
    shown = ", ".join(f"{name} {fixed(size, 3)}" for name, size in sizes.items() if size is not None)
    return f"(mean size, {unit}, n {group.n}): {shown}"


def _lost(chapter: Chapter) -> Iterator[str]:
    open_ = {run.arm: run.endings[UNFINISHED] for run in chapter.runs if run.endings.get(UNFINISHED)}
    if open_:
        yield f"Samples not asked yet, in no mean: {counted(open_)}."
    lost = {run.arm: run.infrastructure for run in chapter.runs if run.infrastructure}
    if not lost:
        return
    parts = [f"{arm} {sum(kinds.values())} ({counted(kinds)})" for arm, kinds in lost.items()]
    yield f"Results lost to infrastructure, in no mean: {'; '.join(parts)}."
