"""The reasons why an arm is no evidence about tools, for all output that mentions the arm.

Contract: summary, comparison, report and study state these reasons first, and give no interval, p-value or verdict for
a difference in tools with such an arm. To add a reason, add a function to ``REASONS``.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from medvision_agent.agent.endings.outcome import READ_THEM
from medvision_agent.eval.settings.settings import TOOL_FIELDS
from medvision_agent.eval.store.run import Run
from medvision_agent.text import plural

__all__ = ["REASONS", "no_claim", "no_claim_line", "no_claim_of_pair", "no_verdict_line", "unfinished"]

Reason = Callable[[Sequence[Run]], Iterator[str]]


def _never_called(runs: Sequence[Run]) -> Iterator[str]:
    """Yield a reason if tools could be called but no sample called one: their worth was not tested."""
    identity = runs[0].identity
    if not (identity.tools or identity.provider_code):
        return
    scored = sum(run.overview.scored for run in runs)
    if scored and not any(run.overview.with_tools for run in runs):
        yield f"no tool was called in any of {plural(scored, 'sample')}"


def _unread_calls(runs: Sequence[Run]) -> Iterator[str]:
    """Yield a reason if replies hold tool calls, as text, that nobody read: the server lost them, not the model."""
    unread = sum(run.overview.unread_calls for run in runs)
    if unread:
        hold = "reply holds" if unread == 1 else "replies hold"
        yield f"{unread} {hold} unread calls: {READ_THEM}"


def _told_truth(runs: Sequence[Run]) -> Iterator[str]:
    """Yield a reason if tool results came from the ground truth: such tools do not exist in practice."""
    if told := runs[0].identity.told_truth:
        yield f"{' and '.join(told)} {'was' if len(told) == 1 else 'were'} told the ground truth"


REASONS: tuple[Reason, ...] = (_told_truth, _never_called, _unread_calls)
"""Functions that take the runs of one arm (its epochs) and yield why the arm says nothing about tools."""


def no_claim(runs: Sequence[Run]) -> tuple[str, ...]:
    """Return the reasons why an arm is no evidence about tools; empty without a reason.

    *runs* are the epochs of the arm.
    """
    return tuple(line for reason in REASONS for line in reason(runs))


def no_claim_of_pair(a: Sequence[Run], b: Sequence[Run], names: tuple[str, str] = ("A", "B")) -> tuple[str, ...]:
    """Return the reasons why a difference of two arms is no evidence about tools, each with the name of the arm.

    Empty without a reason, and for arms that do not differ in their tools. *a* and *b* are the epochs of each arm.
    """
    differ = {name for name, _, _ in a[0].identity.differences(b[0].identity)}
    if not differ & TOOL_FIELDS:
        return ()
    return tuple(f"{name}: {line}" for name, runs in zip(names, (a, b), strict=True) for line in no_claim(runs))


def no_claim_line(reason: str) -> str:
    """Return the headline for one reason of ``no_claim``, which precedes all other statements about the arm."""
    return f"NOTHING CAN BE SAID OF TOOLS: {reason}"


def no_verdict_line(asked: int, planned: int) -> str:
    """Return the headline for a run or study that stopped early: *asked* of its *planned* samples were asked."""
    return f"no verdict: {asked} of {plural(planned, 'planned sample')} {'was' if asked == 1 else 'were'} asked"


def unfinished(runs: Mapping[str, Run]) -> str:
    """Return in words why a difference between named runs has no verdict yet; empty if all their samples were asked."""
    lines = [
        f"{no_verdict_line(len(run.records), len(run.samples))} in {name}"
        for name, run in runs.items()
        if len(run.records) < len(run.samples)
    ]
    return "; ".join(lines)
