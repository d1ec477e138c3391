"""A comparison as a person reads it: one table per task, and what each run lacks."""

from collections.abc import Sequence

from rich.console import Group
from rich.text import Text

from medvision_agent.cli.printed.table import new_table, number, people, plain
from medvision_agent.eval.compare.compare import Comparison, Missing, TaskComparison
from medvision_agent.eval.summary.measures import MEASURES
from medvision_agent.eval.tasks import TaskName
from medvision_agent.text import plural

__all__ = ["comparison_view"]


def comparison_view(comparison: Comparison, facts_a: Sequence[str], facts_b: Sequence[str], source_note: str) -> Group:
    """Return a comparison as tables, under the facts of both runs and the note of their source."""
    lines = [f"{arm}: {fact}" for arm, facts in (("A", facts_a), ("B", facts_b)) for fact in facts]
    lines.append(f"scored by {comparison.protocol}, paired on sample id; no test of significance")
    lines += [source_note] if source_note else []
    views: list[Text | Group] = [plain(line) for line in lines]
    if comparison.pairs < comparison.chosen:
        verb = "is" if comparison.pairs == 1 else "are"
        warning = f"WARNING: {comparison.pairs} of {plural(comparison.chosen, 'chosen sample')} {verb} paired"
        views.append(Text(warning, style="bold"))
    for task, one in comparison.tasks.items():
        without = plain(f"{task}: no pairs; {_missing_line(one.missing)}")
        views += [plain(""), _task_view(task, one) if one.pairs else without]
    return Group(*views)


def _task_view(task: TaskName, comparison: TaskComparison) -> Group:
    table = new_table(("A", "B", "B - A", "n", "subjects"))
    for measure in MEASURES[task]:
        paired = comparison.metrics[measure.name]
        table.add_row(
            f"{measure.name} ({measure.unit})" if measure.unit else measure.name,
            number(paired.a),
            number(paired.b),
            number(paired.difference, sign=True),
            str(paired.n),
            str(paired.subjects),
        )
    heading = plain(f"{task}: {plural(comparison.pairs, 'pair')}, {people(comparison)}")
    heading.stylize("bold")
    return Group(heading, table, plain(_missing_line(comparison.missing)))


def _missing_line(missing: Missing) -> str:
    return (
        f"not paired: only in A {len(missing.only_in_a)}, only in B {len(missing.only_in_b)}, "
        f"infrastructure failure in A {len(missing.infrastructure_a)}, in B {len(missing.infrastructure_b)}; "
        f"paired as failures: {len(missing.unparsable_a)} in A, {len(missing.unparsable_b)} in B"
    )
