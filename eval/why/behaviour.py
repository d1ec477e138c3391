"""The model's behaviour: calls, their order, repeats, answers copied from the last result, changes of the answer.

Contract: every share and mean has its number of samples or calls. Infrastructure failures are excluded.

Does an answer copy the last tool result? The values of a result are those that its tool declares to measure of the
quantity asked for; the result of a computing tool may be any quantity, but not a box. If one result has fewer values
than the answer, that many consecutive successful results are joined: two lines give a size. Numbers are compared as
written: each number of the answer must be a rounding of a different number of the result, in any order.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from sys import intern
from typing import NamedTuple

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.eval.scorer.boxes import written_box
from medvision_agent.eval.scorer.protocol import PROTOCOLS, Protocol
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.summary.summary import Mean
from medvision_agent.eval.why.calls import Call
from medvision_agent.eval.why.measured import declared
from medvision_agent.eval.why.numbers import Number, numbers_in
from medvision_agent.frozen import Frozen
from medvision_agent.tools.view.frames import FRAMES

__all__ = ["Behaviour", "Conduct", "Conversation", "Done", "ToolBehaviour", "behaviour", "conduct_of", "is_last_result"]


_MOST_ORDERS = 10
_TAGGED = next(rules for rules in PROTOCOLS.values() if rules.answer_tags)


@dataclass(frozen=True, eq=False)
class Conversation:
    """What is examined of one scored sample."""

    record: Record
    calls: Sequence[Call]
    texts: Sequence[str]
    """The model's messages, including the final one."""


class Done(NamedTuple):
    """A tool call, without its content."""

    tool: str
    invalid: bool
    """Whether it was answered with an error, except for exceeding the limit of calls."""
    over_limit: bool
    repeats: bool
    """Whether an earlier call of the same tool in the same sample had the same arguments."""
    seconds: float


@dataclass(frozen=True, eq=False, slots=True)
class Conduct:
    """The model's behaviour in one scored sample, without texts: a run has one such object per sample in memory."""

    record: Record
    calls: tuple[Done, ...]
    last: bool | None
    """Whether the answer copies the last result (``is_last_result``)."""
    change: tuple[bool, bool | None] | None
    """Whether the final answer differs from an earlier one, and whether it is closer; None without both answers."""


class ToolBehaviour(Frozen):
    """The calls of one tool."""

    calls: int
    per_sample: float
    samples: int
    """Number of samples in which it was called."""
    invalid: int
    """Number of calls answered with an error, except those over the limit of calls."""
    over_limit: int
    repeated: int
    """Number of calls with the same arguments as an earlier one in the same sample."""
    seconds: Mean
    """Seconds per executed call."""


class Behaviour(Frozen):
    """All scored samples of one task in one run."""

    n: int
    calls: Mean
    """Tool calls per sample."""
    invalid: int
    over_limit: int
    repeated: int
    tools: dict[str, ToolBehaviour]
    steps: dict[str, int]
    """How often one tool follows another: ``start > crop``, ``crop > ruler``, ``ruler > end``."""
    orders: dict[str, int]
    """The most frequent complete orders of tools, at most 10; consecutive calls of one tool are written once."""
    last_result_is_answer: Mean
    """Share of answers that copy the last tool result, over answered samples with a successful call."""
    answered_before: int
    """Number of samples with a tagged answer in a message before the last tool call."""
    changed: Mean
    """Share of these with a different final answer."""
    closer: Mean
    """Share of changed answers (lengths and angles) that moved closer to the target, by the sum of |p - t|."""
    input_tokens: Mean
    """Tokens per model call, over samples with reported usage for all calls; ``n`` counts model calls."""
    output_tokens: Mean
    model_seconds: Mean
    """Seconds per model call: the time of the sample without its tools."""


def conduct_of(one: Conversation, rules: Protocol) -> Conduct:
    """Return the model's behaviour in a sample, from its conversation."""
    calls, seen = list[Done](), set[tuple[str, str]]()
    for call in one.calls:
        name, before = intern(call.tool), len(seen)
        seen.add((name, call.written))
        invalid = not call.ok and not call.over_limit
        calls.append(Done(name, invalid, call.over_limit, len(seen) == before, call.seconds))
    return Conduct(one.record, tuple(calls), is_last_result(one.record, one.calls, rules), _change(one))


def behaviour(conducts: Sequence[Conduct]) -> Behaviour:
    """Return the behaviour figures of one task."""
    sequences = [[call.tool for call in one.calls] for one in conducts]
    by_tool = _tools(conducts)
    steps = Counter(f"{a} > {b}" for tools in sequences for a, b in pairwise(["start", *tools, "end"]))
    orders = Counter(" > ".join(_once(tools)) or "no tool" for tools in sequences)
    changes = [one.change for one in conducts if one.change is not None]
    return Behaviour(
        n=len(conducts),
        calls=Mean.of([len(tools) for tools in sequences]),
        invalid=sum(one.invalid for one in by_tool.values()),
        over_limit=sum(one.over_limit for one in by_tool.values()),
        repeated=sum(one.repeated for one in by_tool.values()),
        tools=by_tool,
        steps=dict(steps.most_common()),
        orders=dict(orders.most_common(_MOST_ORDERS)),
        last_result_is_answer=Mean.of([float(one.last) for one in conducts if one.last is not None]),
        answered_before=len(changes),
        changed=Mean.of([float(changed) for changed, _ in changes]),
        closer=Mean.of([float(closer) for changed, closer in changes if changed and closer is not None]),
        **_per_model_call([one.record for one in conducts]),
    )


def _tools(conducts: Sequence[Conduct]) -> dict[str, ToolBehaviour]:
    """Return the figures of each tool, the most called first."""
    calls: dict[str, list[Done]] = {}
    for one in conducts:
        for call in one.calls:
            calls.setdefault(call.tool, []).append(call)
    samples = Counter(tool for one in conducts for tool in {call.tool for call in one.calls})
    ordered = sorted(calls.items(), key=lambda item: -len(item[1]))
    return {tool: _tool(own, samples[tool], len(conducts)) for tool, own in ordered}


def _tool(calls: Sequence[Done], samples: int, of: int) -> ToolBehaviour:
    return ToolBehaviour(
        calls=len(calls),
        per_sample=len(calls) / of,
        samples=samples,
        invalid=sum(call.invalid for call in calls),
        over_limit=sum(call.over_limit for call in calls),
        repeated=sum(call.repeats for call in calls),
        seconds=Mean.of([call.seconds for call in calls if not call.over_limit]),
    )


def _once(tools: Sequence[str]) -> list[str]:
    return [tool for before, tool in pairwise(["", *tools]) if tool != before]


def _change(one: Conversation) -> tuple[bool, bool | None] | None:
    """Return whether the final answer differs from an earlier one, and whether it is closer; None without both."""
    if not one.calls:
        return None
    sample = one.record.sample
    said = [*one.texts[:-1], one.record.response]  # here a box by marks is written as numbers
    read = [_answer_in(text, one.record, _TAGGED) for text in said]
    earlier = [numbers for numbers in read[:-1] if numbers is not None]
    if not earlier or read[-1] is None:
        return None
    before, after = earlier[-1], read[-1]
    changed = [number.value for number in before] != [number.value for number in after]
    if sample.asks.is_box:
        return changed, None
    return changed, _off(after, sample.target) < _off(before, sample.target)


def _answer_in(text: str, record: Record, rules: Protocol) -> Sequence[Number] | None:
    """Return the numbers read as an answer to a record's question, in the model's own convention, or None."""
    if record.spoken is None or not record.sample.asks.is_box:
        return numbers_in(text, len(record.sample.target), rules)
    box = written_box(text, FRAMES[record.spoken.frame], rules)
    return None if box is None else [Number.read(number) for number in box]


def _off(numbers: Sequence[Number], target: Sequence[float]) -> float:
    return sum(abs(number.value - wanted) for number, wanted in zip(numbers, target, strict=True))


def _per_model_call(records: Sequence[Record]) -> dict[str, Mean]:
    reported = [record.usage for record in records if not record.usage.unreported]
    used = sum(record.seconds - sum(use.seconds for use in record.tool_uses) for record in records)
    asked, every = sum(usage.model_calls for usage in reported), sum(record.usage.model_calls for record in records)
    return {
        "input_tokens": _ratio(sum(usage.input for usage in reported), asked),
        "output_tokens": _ratio(sum(usage.output for usage in reported), asked),
        "model_seconds": _ratio(used, every),
    }


def _ratio(total: float, n: int) -> Mean:
    return Mean(mean=total / n if n else None, n=n)


def is_last_result(record: Record, calls: Sequence[Call], rules: Protocol) -> bool | None:
    """Return whether the answer copies the last result; None without an answer or without a successful call."""
    done = [call for call in calls if call.ok]
    if record.outcome is not Outcome.ANSWERED or not done:
        return None
    numbers = _answer_in(record.response, record, rules)
    if numbers is None:
        return None
    known = declared(record.sample.asks, done[-1])
    fields = known.fields if known else ()
    needed = len(numbers) // max(1, len(fields))
    last = done[-needed:] if {call.tool for call in done[-needed:]} == {done[-1].tool} else done[-1:]
    return _each(list(numbers), [value for call in last for name in fields if (value := call.number(name)) is not None])


def _each(numbers: Sequence[Number], said: Sequence[float]) -> bool:
    """Return whether every number can be assigned its own value; with so few numbers, every order can be tried."""
    if not numbers:
        return True
    return any(
        numbers[0].rounds(value) and _each(numbers[1:], [*said[:at], *said[at + 1 :]]) for at, value in enumerate(said)
    )
