"""The answer in at most three sentences: did tools help, by how much, how certain is it, or why nothing is claimed.

Contract: the first two sentences are about the main contrast (``Row.main``), over its tasks and models; the last one
counts all other comparisons.
"""

from collections import Counter
from collections.abc import Sequence

from medvision_agent.eval.compare.statistics.enough import MIN_SUBJECTS
from medvision_agent.eval.findings.alone import headline as alone
from medvision_agent.eval.findings.model import ArmRow, Outcome, Row
from medvision_agent.eval.findings.said import NONE, joined, sized
from medvision_agent.text import fixed, plural

__all__ = ["BECAUSE", "headline"]

_MOST = 3
_NAMED = 4
_ALIKE = 0.0005
"""Mean losses that differ by less look equal with three decimals."""
_CLAIMS: tuple[Outcome, ...] = (
    *("higher", "lower", "higher, not guarded", "lower, not guarded"),
    *("equivalent", "no difference shown"),
)
"""Order in which claims are stated: harm comes first."""
_EFFECTS: tuple[Outcome, ...] = _CLAIMS[:4]
_TOOLS: dict[Outcome, str] = {
    "lower": "Tools helped",
    "higher": "Tools did harm",
    "lower, not guarded": "Tools helped in what was seen, rare failures not excluded,",
    "higher, not guarded": "Tools did harm in what was seen, rare failures not excluded,",
    "equivalent": "Tools made no difference as large as the margin",
    "no difference shown": "No effect of tools was shown",
}
_ARMS: dict[Outcome, str] = {
    "lower": "Arm {arm} did better than arm {against}",
    "higher": "Arm {arm} did worse than arm {against}",
    "lower, not guarded": "Arm {arm} did better than arm {against} in what was seen, rare failures not excluded,",
    "higher, not guarded": "Arm {arm} did worse than arm {against} in what was seen, rare failures not excluded,",
    "equivalent": "The arms {against} and {arm} differ by less than the margin",
    "no difference shown": "No difference between the arms {against} and {arm} was shown",
}
_COUNTED: dict[Outcome, str] = {
    "higher": "a higher loss",
    "lower": "a lower loss",
    "higher, not guarded": "a higher loss, rare failures not excluded,",
    "lower, not guarded": "a lower loss, rare failures not excluded,",
    "equivalent": "no difference as large as the margin",
    "no difference shown": "no difference shown",
    "no claim": "no claim possible",
}
BECAUSE = {
    "no pairs": "no sample was scored in both arms",
    "untested": "an arm says nothing of tools, as the first caveat explains",
    "scripted": "the arms are scripted policies and not models",
    "demo data": "demonstration data support none",
    "unfinished": "not all planned samples were asked",
    "few subjects": f"it takes at least {MIN_SUBJECTS} subjects of comparable size",
    "no spread": "the difference is the same in every subject",
    "synthetic": "the images are synthetic",
    "repeat": "the two runs are identical",
    "exploratory": "it is no test that was declared beforehand",
    "failure price": "the sign of the difference depends on what a failure costs",
}
"""Why nothing is claimed for a row, by its reason."""


def headline(rows: Sequence[Row], arms: Sequence[ArmRow], refused: int) -> tuple[str, ...]:
    """Return the answer in at most three sentences.

    *rows* are the comparisons, contrast by contrast and task by task; without any, the sentences describe *arms*.
    *refused* is the number of comparisons that were refused.
    """
    if not rows:
        return alone(arms, refused)
    main, others = [row for row in rows if row.main], [row for row in rows if not row.main]
    groups = [[row for row in main if row.outcome == outcome] for outcome in _CLAIMS]
    groups = [sorted(group, key=_size, reverse=True) for group in groups if group]
    open_ = sorted([row for row in main if row.outcome == "no claim"], key=_size, reverse=True)
    doubted = _controls(main, others)
    room = _MOST - bool(doubted)
    fits = len(groups) + bool(open_) + bool(others) <= room
    told = groups if fits else groups[: room - 1]
    said = [*(_claimed(group) for group in told), *doubted]
    room = _MOST - len(said) - (bool(others) or not fits)
    if open_ and room > 0:
        said += _unclaimed(open_, room, after=bool(groups))
        told = [*told, open_]
    return (*said, *_others(rows, [row for group in told for row in group]))


def _controls(main: Sequence[Row], others: Sequence[Row]) -> list[str]:
    """Return one sentence naming the controls that do not show a claimed effect of tools; empty if there are none.

    *main* are the rows of the main contrast, *others* all other rows. A control is an arm without one of the possible
    benefits of tools.
    """
    claimed = [row for row in main if row.asks == "tools" and row.outcome in _EFFECTS]
    against = [
        control
        for row in claimed
        for control in others
        if control.control
        and (control.task, control.model, control.arm) == (row.task, row.model, row.arm)
        and control.outcome != row.outcome
    ]
    if not against:
        return []
    taken = dict.fromkeys(row.control for row in against)
    doubts = [_doubt(words, [row for row in against if row.control == words]) for words in taken]
    return [f"It is not shown to come from {'; nor from '.join(doubts)}."]


def _doubt(words: str, against: Sequence[Row]) -> str:
    """Return the part of a sentence on controls that remove one thing, *words*, and do not show the claimed effect."""
    shown = [f"{row.of} on {row.task} ({_difference(row)})" for row in against[:_NAMED]]
    more = [f"{len(against) - _NAMED} more in the table"] if len(against) > _NAMED else []
    return f"{words}: no such effect in {joined([*shown, *more])}"


def _difference(row: Row) -> str:
    return NONE if row.difference is None else fixed(row.difference, 3, sign=True)


def _size(row: Row) -> float:
    return abs(row.difference or 0.0)


def _claimed(rows: Sequence[Row]) -> str:
    """Return the sentence that claims the outcome shared by all *rows*, with their differences in loss."""
    first = rows[0]
    words = (_TOOLS if first.asks == "tools" else _ARMS)[first.outcome].format(arm=first.arm, against=first.against)
    margin = f", which is {first.margin:g}" if first.outcome == "equivalent" and first.margin is not None else ""
    return f"{words} {_on(rows)}{margin}: {_differences(rows)}."


def _on(rows: Sequence[Row]) -> str:
    """Return the words "on TASKS (CONTRAST)" for rows of one contrast."""
    return f"on {joined(list(dict.fromkeys(row.task for row in rows)))} ({rows[0].of})"


def _differences(rows: Sequence[Row], among: Sequence[Row] = ()) -> str:
    """Return the differences in loss of the first rows in words, with intervals and sample sizes.

    *among* are all rows that are mentioned together: the model is named if they have several.
    """
    if max(len(rows), len(among)) == 1:
        return f"difference in loss {sized(rows[0])}"
    models = len({row.model for row in among or rows}) > 1
    shown = [f"{f'{row.model}, ' if models else ''}{row.task} {sized(row)}" for row in rows[:_NAMED]]
    more = [f"{len(rows) - _NAMED} more in the table"] if len(rows) > _NAMED else []
    told = joined([*shown, *more])
    return f"difference in loss: {told}" if len(rows) == 1 else f"differences in loss: {told}"


def _unclaimed(rows: Sequence[Row], room: int, *, after: bool) -> list[str]:
    """Return at most *room* sentences: why nothing is claimed for *rows*, and which differences were observed.

    *after* says whether claims on other tasks come before, so that the tasks must be named.
    """
    what = "tools" if rows[0].asks == "tools" else rows[0].of
    tasks = f" on {joined(list(dict.fromkeys(row.task for row in rows)))}" if after else ""
    seen = [row for row in rows if row.difference is not None]
    said = [f"No claim about {what} can be made{tasks}: {_because(rows)}."]
    return [*said, *([f"What was seen in {seen[0].of}: {_seen(seen)}."] if seen else [])][:room]


def _because(rows: Sequence[Row]) -> str:
    """Return the reasons why *rows* have no claim, in words; with the number of rows for each if there are several."""
    reasons = Counter(row.reason for row in rows)
    return "; ".join(
        f"{BECAUSE[reason]}{f' ({count} of {len(rows)})' if len(reasons) > 1 else ''}"
        for reason, count in reasons.most_common()
    )


def _seen(rows: Sequence[Row]) -> str:
    """Return in words the observed differences of at least 0.0005, and that all others are smaller than shown."""
    apart = [row for row in rows if _size(row) >= _ALIKE]
    if len(apart) == len(rows) or len(rows) == 1:
        return _differences(rows)
    if not apart:
        return f"the mean losses differ by less than 0.001 in all {len(rows)} comparisons"
    return f"{_differences(apart, rows)}; in all others the mean losses differ by less than 0.001"


def _others(rows: Sequence[Row], told: Sequence[Row]) -> list[str]:
    """Return one sentence that counts the outcomes of all comparisons not in *told*; empty if none is left."""
    rest = [row for row in rows if row not in told]
    if not rest:
        return []
    counts = Counter(row.outcome for row in rest)
    if told and all(row.outcome == "no claim" for row in rows) and _are_told(rest, told):
        return [f"No claim is possible in any of the {len(rows)} comparisons{_of_all(rows, ())}."]
    found = [f"{words} in {counts[outcome]}" for outcome, words in _COUNTED.items() if counts[outcome]]
    open_ = [row for row in rest if row.outcome == "no claim"]
    if not _are_told(open_, told):
        found[-1] += f" ({_because(open_)})"
    what = plural(len(rest), "other comparison" if told else "comparison")
    return [f"{what}{_of_all(rows, told)}: {', '.join(found)}."]


def _are_told(rows: Sequence[Row], told: Sequence[Row]) -> bool:
    """Return whether every reason for the lack of a claim in *rows* is also the reason of a row in *told*."""
    return {row.reason for row in rows} <= {row.reason for row in told}


def _of_all(rows: Sequence[Row], told: Sequence[Row]) -> str:
    """Return in words how many contrasts and tasks the comparisons cover.

    Empty unless there are several of both, and every contrast has every task.
    """
    contrasts, tasks = len({row.contrast for row in rows}), len({row.task for row in rows})
    if min(contrasts, tasks) == 1 or contrasts * tasks != len(rows):
        return ""
    total = f", of {len(rows)} in all" if told else ""
    return f"{total} ({contrasts} contrasts on {tasks} tasks)"
