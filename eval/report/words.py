"""The sentences of folded sections, comparison by comparison. Every number in them is a field of the report's data."""

from collections.abc import Iterator

from medvision_agent.eval.compare.statistics.estimate import Differing
from medvision_agent.eval.compare.statistics.family import Test
from medvision_agent.eval.findings.contrast import Contrast
from medvision_agent.eval.findings.said import per_cent
from medvision_agent.eval.report.model import Chapter
from medvision_agent.eval.report.spread import noise_sentences
from medvision_agent.eval.report.tables import FIRST, marked, repeated
from medvision_agent.eval.tasks import TaskName
from medvision_agent.eval.why.measured import solvers
from medvision_agent.eval.why.summary import Group
from medvision_agent.text import fixed, plural

__all__ = ["MOST", "difference_sentences", "title", "why_sentences"]

MOST = 16
"""Most comparisons described in words; the tables contain all."""
_NAMED = 8
"""Most arms described in words."""


def title(chapter: Chapter) -> str:
    """Return the title of a chapter, with a mark of synthetic or demonstration data."""
    return marked(chapter, f"{'study' if chapter.kind == 'study' else 'runs over'} {chapter.name}")


def difference_sentences(chapter: Chapter) -> Iterator[str]:
    """Yield a sentence for each contrast and task: its difference with all results of its test, and its noise.

    With more than 16 of them, only those with an interval. A contrast whose arm gets its own results back has one more
    sentence, on equal answers.
    """
    several = sum(len(one.tests) for one in chapter.contrasts) > MOST
    for one in chapter.contrasts:
        for task, test in one.tests.items():
            if not (several and test.primary.interval is None):
                yield _difference(one, task, test)
                yield from noise_sentences(one, task)
        if one.same_answers is not None:
            same, scored = one.same_answers
            among = f"{same} of {plural(scored, 'sample')}"
            yield f"{one.name}: own results handed back; both arms answer the same in {among}."


def _difference(one: Contrast, task: TaskName, test: Test) -> str:
    found, means = test.primary, one.means[task]
    if found.difference is None or found.differing is None or means.loss_a is None or means.loss_b is None:
        return f"{one.name}, {task}: no pair was scored in both arms."
    pairs = f"{plural(found.n, 'pair')}, {plural(found.subjects, 'subject')}"
    rates = f"success rates {per_cent(means.success_a)} and {per_cent(means.success_b)}"
    apart = fixed(found.difference, 3, sign=True)
    text = (
        f"{one.name}, {task}: mean loss{_metric(one, task)} {means.loss_a:.3f} with {one.a} and {means.loss_b:.3f} "
        f"with {one.b}, "
        f"difference {apart} ({pairs}; {_counts(one, found.differing)}; {rates})"
    )
    if found.interval is not None:
        text += f"; {100 * found.level:.4g}% interval {fixed(found.interval[0], 3, sign=True)} to "
        text += fixed(found.interval[1], 3, sign=True)
    if test.adjusted_p is not None and found.p is not None:
        look = f" at look {test.look} of {test.looks}" if test.looks > 1 else ""
        text += f"; p {found.p:.2g}{look}, adjusted over the family {test.adjusted_p:.2g}: {test.verdict_words}"
        if test.decided_at is not None and test.decided_at < test.look:
            text += f" (since look {test.decided_at})"
        text += _undone(one, test)
    elif found.withheld:
        text += f"; {'no interval, no p-value' if found.interval is None else 'no p-value'} ({found.withheld})"
    return f"{text}."


def _metric(one: Contrast, task: TaskName) -> str:
    """Return the declared metric of a task in brackets, after a space; empty for the default loss."""
    return f" ({one.metrics[task]})" if task in one.metrics else ""


def _counts(one: Contrast, found: Differing) -> str:
    """Return in how many samples the second arm's loss is lower, equal and higher, and how many subjects differ."""
    return (
        f"{one.b} lower in {found.b_lower}, equal in {found.equal}, higher in {found.b_higher}; "
        f"{plural(found.subjects, 'subject')} differ{'s' if found.subjects == 1 else ''} at all"
    )


def _undone(one: Contrast, test: Test) -> str:
    """Return how many more subjects in whom the better arm fails would undo a difference.

    Empty if nothing is rejected, and if one subject is enough: a caveat says so then.
    """
    if test.tipping is None or test.tipping.share is not None or test.primary.difference is None:
        return ""
    better = one.b if test.primary.difference < 0 else one.a
    if test.tipping.subjects is None:
        return ". Even 1,000 more subjects in whom the better arm fails would not undo it"
    dear = "" if test.largest_price is None else ", each at the cost of the worst answer,"
    more = f"{test.tipping.subjects} more subjects in whom {better} fails in every sample{dear}"
    return f". It would take {more} to undo it"


def why_sentences(chapter: Chapter) -> Iterator[str]:
    """Yield a sentence for each arm, task and quantity: how its errors divide into unit, arithmetic and seeing.

    If a tool found the points itself (a solver), the sentence also says so without these answers. Nothing for more than
    eight arms.
    """
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
