"""Format two readings of the same responses: each arm task by task, and the difference of two arms."""

from collections.abc import Iterable

from rich.console import Group as Stack
from rich.console import RenderableType

from medvision_agent.api.reading import PairRead, Read
from medvision_agent.cli.printed.table import new_table, number, plain
from medvision_agent.eval.decisions.decide import Share
from medvision_agent.eval.findings.second import missed_by_reader
from medvision_agent.text import counted, percent, plural

__all__ = ["pair_read_view", "read_view"]


def read_view(read: Read) -> Stack:
    """Return the printed figures of one source, by the protocol's rule and by a second reader."""
    return Stack(*_arm(read))


def pair_read_view(found: PairRead) -> Stack:
    """Return the printed figures of two runs and of their difference, by the protocol's rule and by a second reader."""
    a, b = found.names
    table = new_table(["by the rule", "by the reader", "format", "pairs", "subjects"], [f"loss, {a} -> {b}"])
    for task, one in found.pairs.items():
        shown = [_share(each, sign=True) for each in (one.by_rule, one.by_reader, one.format)]
        table.add_row(task, *shown, str(one.pairs), str(one.subjects))
    notes = [f"{task}: no intervals: {one.withheld}" for task, one in found.pairs.items() if one.withheld]
    missed = [f"{task}:{said}" for task, one in found.pairs.items() if (said := missed_by_reader(one, a, b))]
    meant = "format: the difference by the reader minus that by the rule, which only one of them sees"
    arms = [block for name, read in zip(found.names, (found.a, found.b), strict=True) for block in _arm(read, name)]
    return Stack(*arms, "", table, plain(meant), *map(plain, [*missed, *notes]))


def _arm(read: Read, name: str = "") -> Iterable[RenderableType]:
    """Yield the blocks of one run, called *name*, or of result files: a table by task, remarks, and the cost."""
    versions = f" ({', '.join(read.model_versions)})" if read.model_versions else ""
    yield plain(
        f"{name or read.source}: responses read again by {read.reader}{versions}; the rule stays the primary reader"
    )
    table = new_table(["answers, rule", "reader", "loss, rule", "reader", "reader - rule", "n", "subjects"])
    for task, one in read.tasks.items():
        answers = percent(one.success_rule), percent(one.success_reader)
        losses = number(one.loss_rule), number(one.loss_reader), _share(one.difference, sign=True)
        table.add_row(task, *answers, *losses, str(one.n), str(one.subjects))
    yield table
    yield from (plain(f"note: {note}") for note in read.notes)
    yield from (plain(f"left out: {plural(count, 'answer')} {reason}") for reason, count in read.left_out.items())
    for task, one in read.tasks.items():
        yield plain(f"{task}: {counted(one.agreement)}")
        if one.unread:
            yield plain(f"{task}, without an answer by the reader: {counted(one.unread)}")
        if one.not_reached:
            higher = " with a higher --reader-max-cost" if read.asked.used_up else ""
            yield plain(
                f"{task}: {plural(one.not_reached, 'response')} not read by {read.reader}, in no figure above; repeat "
                f"the command{higher}"
            )
        if one.withheld:
            yield plain(f"{task}: no interval: {one.withheld}")
    yield plain(_paid(read))


def _paid(read: Read) -> str:
    """Return how many responses the reader read now, and what they and earlier ones cost, in words."""
    asked = read.asked
    cost = "cost not known" if asked.cost_usd is None else f"{asked.cost_usd:.4f} US dollars"
    now = f"read now: {asked.asked} ({cost})" if asked.asked else "read now: none"
    before = "" if asked.before_usd is None else f"; those read before had cost {asked.before_usd:.4f} US dollars"
    failed = (
        f"; {plural(asked.failed, 'request')} without a reply, the first: {asked.first_failure}" if asked.failed else ""
    )
    return f"{now}{before}{failed}" + ("; the limit of costs was reached" if asked.used_up else "")


def _share(share: Share, *, sign: bool = False) -> str:
    """Return a value with its interval, if it has one; with *sign*, as a difference."""
    shown = number(share.value, sign=sign)
    if share.interval is None:
        return shown
    low, high = (number(end, sign=sign) for end in share.interval)
    return f"{shown} [{low}, {high}]"
