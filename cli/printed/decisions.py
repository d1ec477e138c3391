"""Format decisions for the terminal: for each arm a table per rule, then the decisions that the second arm changes."""

from collections.abc import Iterable

from rich.console import Group as Stack
from rich.console import RenderableType
from rich.text import Text

from medvision_agent.api.deciding import ArmDecisions, Decided
from medvision_agent.cli.printed.table import new_table, number, plain
from medvision_agent.eval.decisions.compare import Turned
from medvision_agent.eval.decisions.decide import Decisions, Share
from medvision_agent.eval.decisions.rules import Rule
from medvision_agent.text import percent, plural, points

__all__ = ["decisions_view"]


def decisions_view(found: Decided) -> Stack:
    """Return the printed decisions of each run or model, and of two runs those that the second changes."""
    blocks = [block for arm in found.arms for block in ("", *_arm(arm))]
    if found.turned:
        a, b = (arm.name for arm in found.arms)
        blocks += ["", _heading(f"{a} -> {b}"), *(block for one in found.turned for block in _turned(one, (a, b)))]
    return Stack(*blocks[1:])


def _heading(text: str) -> Text:
    heading = plain(text)
    heading.stylize("bold")
    return heading


def _arm(arm: ArmDecisions) -> Iterable[RenderableType]:
    """Yield the blocks of one run or model: its facts, and for each rule a table and its figures."""
    yield _heading(arm.name)
    yield from map(plain, arm.facts)
    if not arm.found:
        yield plain("no rule is about any of these samples; docs/decisions.md shows how to write one (--rules)")
    for one in arm.found:
        yield from ("", *_rule_lines(one.rule, one.landmarks), _table(one), *map(plain, _lines(one)))
    if arm.found and arm.left_out:
        yield from ("", plain(f"{plural(arm.left_out, 'sample')} that no rule is about"))


def _rule_lines(rule: Rule, landmarks: tuple[str, ...]) -> Iterable[RenderableType]:
    """Yield what a rule says, its landmarks, its source, and its caution."""
    about = f" of {rule.number}" if rule.number else ""
    yield plain(f"{rule.name}{about}: {rule.said()}")
    if landmarks:
        yield plain(f"landmarks: {', '.join(landmarks)}")
    yield plain(f"source: {rule.source}")
    if rule.caution:
        yield plain(f"note: {rule.caution}")


def _table(one: Decisions) -> RenderableType:
    """Return the table of categories: ground truth in rows, answers in columns, counts of samples."""
    table = new_table([*one.rule.categories, "no answer", "n"], ["ground truth (answers across)"])
    for name, row, total in zip(one.rule.categories, one.counts, one.true, strict=True):
        table.add_row(plain(name), *map(str, row), str(total - sum(row)), str(total))
    return table


def _lines(one: Decisions) -> Iterable[str]:
    """Yield the agreement with the ground truth in words: share right, weighted kappa, or why there is none."""
    yield (
        f"right in {_share(one.right)} of {plural(one.n, 'sample')} of {_subjects(one.subjects)}; "
        f"an answer in {percent(one.coverage)} ({one.answered})"
    )
    if one.kappa.value is None:
        yield "weighted kappa is not defined: ground truth and answers lie in one category, or there is no answer"
    else:
        yield f"weighted kappa of the answers {_number(one.kappa)} (quadratic), {_number(one.kappa_linear)} (linear)"
    if one.withheld:
        yield f"no intervals: {one.withheld}"


def _turned(one: Turned, names: tuple[str, str]) -> Iterable[RenderableType]:
    """Yield in words what the second of two runs turns right or wrong by a rule, and its price."""
    a, b = names
    yield plain(
        f"{one.rule.name}: of {plural(one.pairs, 'sample')} of {_subjects(one.subjects)}, {b} turns "
        f"{one.turned_right} right and {one.turned_wrong} wrong; {one.both_right} are right in both, {one.neither} in "
        f"neither. Net {_share(one.net, sign=True)}."
    )
    if one.more_usd is None:
        yield plain("Price: not known, because a cost is not known for every sample.")
    elif one.per_dollar is None:
        yield plain(f"Price: {b} did not cost more than {a} ({one.more_usd:+.4f} US dollars).")
    else:
        yield plain(
            f"Price: {one.more_usd:.4f} US dollars more; net {one.per_dollar:+.2f} right decisions for each dollar."
        )
    if one.withheld:
        yield plain(f"no interval: {one.withheld}")


def _subjects(count: int) -> str:
    return plural(count, "subject") if count else "unknown subjects"


def _share(share: Share, *, sign: bool = False) -> str:
    """Return a fraction in per cent with its interval; with *sign*, a difference in percentage points."""
    shown = _percent(share.value or 0.0, sign=sign)
    if share.interval is None:
        return shown
    low, high = (_percent(end, sign=sign) for end in share.interval)
    return f"{shown} [95% interval: {low} to {high}]"


def _percent(value: float, *, sign: bool) -> str:
    return points(value) if sign else percent(value)


def _number(share: Share) -> str:
    """Return a value with its interval, if it has one."""
    if share.interval is None:
        return number(share.value)
    return f"{number(share.value)} [{number(share.interval[0])} to {number(share.interval[1])}]"
