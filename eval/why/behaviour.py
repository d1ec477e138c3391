"""The model's behaviour: calls, their order, repeats, answers copied from the last result, changes of the answer.

Contract: every share and mean has its number of samples or calls. Infrastructure failures are excluded.

Does an answer copy the last tool result? The values of a result are those that its tool declares to measure of the
quantity asked for; the result of a computing tool may be any quantity, but not a box. If one result has fewer values
than the answer, that many consecutive successful results are joined: two lines give a size. Numbers are compared as
written: each number of the answer must be a rounding of a different number of the result, in any order.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
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

__all__ = ["Behaviour", "BehaviourSums", "Conduct", "Conversation", "Done", "ToolBehaviour", "behaviour", "conduct_of"]
__all__ += ["is_last_result"]


_MOST_ORDERS = 10
_TAGGED = next(rules for rules in PROTOCOLS.values() if rules.answer_tags)


@dataclass(frozen=True, eq=False)
class Conversation:
    """One scored sample with its tool calls and messages: what its behaviour is computed from."""

    record: Record
    calls: Sequence[Call]
    texts: Sequence[str]
    """The model's messages, including the final one."""


class Done(NamedTuple):
    """One tool call, without its arguments and its result."""

    tool: str
    invalid: bool
    """Whether it was answered with an error, except for exceeding the limit of calls."""
    over_limit: bool
    """Whether it was not run, because the limit of tool calls was reached."""
    repeats: bool
    """Whether an earlier call of the same tool in the same sample had the same arguments."""
    seconds: float
    """Wall time of the call."""


@dataclass(frozen=True, eq=False, slots=True)
class Conduct:
    """The model's behaviour in one scored sample: its calls, and what became of its answer; no texts are kept."""

    record: Record
    calls: tuple[Done, ...]
    last: bool | None
    """Whether the answer copies the last tool result; None if there is no answer or no successful call."""
    change: tuple[bool, bool | None] | None
    """Whether the final answer differs from the latest one in an earlier message, and whether it is closer to the
    target (None for a box); None instead of both unless there are two answers."""


class ToolBehaviour(Frozen):
    """Statistics of the calls of one tool, over the scored samples of one task in one run."""

    calls: int
    per_sample: float
    """Calls per scored sample, also over samples that did not call it."""
    samples: int
    """Number of samples in which it was called."""
    invalid: int
    """Number of calls answered with an error, except those over the limit of calls."""
    over_limit: int
    """Number of calls that were not run, because the limit of tool calls was reached."""
    repeated: int
    """Number of calls with the same arguments as an earlier one in the same sample."""
    seconds: Mean
    """Seconds per executed call."""


class Behaviour(Frozen):
    """Statistics of the model's behaviour, over all scored samples of one task in one run."""

    n: int
    calls: Mean
    """Tool calls per sample."""
    invalid: int
    over_limit: int
    repeated: int
    tools: dict[str, ToolBehaviour]
    steps: dict[str, int]
    """How often one tool follows another, by names such as ``start > crop``, ``crop > ruler`` and ``ruler > end``;
    start and end are those of the sample."""
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
    """Return the model's behaviour in a sample; *rules* is the protocol that reads its answer."""
    calls, seen = list[Done](), set[tuple[str, str]]()
    for call in one.calls:
        name, before = intern(call.tool), len(seen)
        seen.add((name, call.written))
        invalid = not call.ok and not call.over_limit
        calls.append(Done(name, invalid, call.over_limit, len(seen) == before, call.seconds))
    return Conduct(one.record, tuple(calls), is_last_result(one.record, one.calls, rules), _change(one))


def behaviour(conducts: Iterable[Conduct]) -> Behaviour:
    """Return the statistics of the behaviour in the samples of one task."""
    sums = BehaviourSums()
    for one in conducts:
        sums.add(one)
    return sums.behaviour()


class BehaviourSums:
    """Running sums over the behaviour in the samples of one task; neither records nor calls are kept."""

    def __init__(self) -> None:
        self._n = 0
        self._tools: dict[str, _ToolSums] = {}
        self._steps, self._orders = Counter[str](), Counter[str]()
        self._calls, self._last, self._changed, self._closer = array("I"), array("b"), array("b"), array("b")
        self._tokens, self._model_seconds = Counter[str](), array("d")

    def add(self, one: Conduct) -> None:
        """Add a sample."""
        self._n += 1
        tools = [call.tool for call in one.calls]
        self._calls.append(len(tools))
        self._steps.update(f"{a} > {b}" for a, b in pairwise(["start", *tools, "end"]))
        self._orders[" > ".join(_once(tools)) or "no tool"] += 1
        for call in one.calls:
            self._tools.setdefault(call.tool, _ToolSums()).add(call)
        for tool in set(tools):
            self._tools[tool].samples += 1
        if one.last is not None:
            self._last.append(one.last)
        if one.change is not None:
            changed, closer = one.change
            self._changed.append(changed)
            if changed and closer is not None:
                self._closer.append(closer)
        self._add_model_calls(one.record)

    def _add_model_calls(self, record: Record) -> None:
        usage = record.usage
        self._model_seconds.append(record.seconds - sum(use.seconds for use in record.tool_uses))
        self._tokens["calls"] += usage.model_calls
        if not usage.unreported:
            self._tokens["reported"] += usage.model_calls
            self._tokens["input"] += usage.input
            self._tokens["output"] += usage.output

    def behaviour(self) -> Behaviour:
        """Return the statistics over all samples added so far."""
        tools = {
            tool: own.figures(self._n) for tool, own in sorted(self._tools.items(), key=lambda item: -item[1].calls)
        }
        tokens = self._tokens
        return Behaviour(
            n=self._n,
            calls=Mean.of(self._calls),
            invalid=sum(one.invalid for one in tools.values()),
            over_limit=sum(one.over_limit for one in tools.values()),
            repeated=sum(one.repeated for one in tools.values()),
            tools=tools,
            steps=dict(self._steps.most_common()),
            orders=dict(self._orders.most_common(_MOST_ORDERS)),
            last_result_is_answer=Mean.of(self._last),
            answered_before=len(self._changed),
            changed=Mean.of(self._changed),
            closer=Mean.of(self._closer),
            input_tokens=_ratio(tokens["input"], tokens["reported"]),
            output_tokens=_ratio(tokens["output"], tokens["reported"]),
            model_seconds=_ratio(sum(self._model_seconds), tokens["calls"]),
        )


class _ToolSums:
    """Running sums over the calls of one tool."""

    def __init__(self) -> None:
        self.calls = self.samples = self._invalid = self._over_limit = self._repeated = 0
        self._seconds = array("d")

    def add(self, call: Done) -> None:
        self.calls += 1
        self._invalid += call.invalid
        self._over_limit += call.over_limit
        self._repeated += call.repeats
        if not call.over_limit:
            self._seconds.append(call.seconds)

    def figures(self, of: int) -> ToolBehaviour:
        return ToolBehaviour(
            calls=self.calls,
            per_sample=self.calls / of,
            samples=self.samples,
            invalid=self._invalid,
            over_limit=self._over_limit,
            repeated=self._repeated,
            seconds=Mean.of(self._seconds),
        )


def _once(tools: Sequence[str]) -> list[str]:
    return [tool for before, tool in pairwise(["", *tools]) if tool != before]


def _change(one: Conversation) -> tuple[bool, bool | None] | None:
    """Return whether the final answer differs from the latest earlier one, and whether it is closer to the target.

    The second is None for a box. None instead of both unless there are two answers and a tool call.
    """
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
    """Return the numbers that *rules* read in *text* as an answer to a record's question.

    A box is in the model's own coordinate convention. None if *text* has too few numbers, or no box.
    """
    if record.spoken is None or not record.sample.asks.is_box:
        return numbers_in(text, len(record.sample.target), rules)
    box = written_box(text, FRAMES[record.spoken.frame], rules)
    return None if box is None else [Number.read(number) for number in box]


def _off(numbers: Sequence[Number], target: Sequence[float]) -> float:
    return sum(abs(number.value - wanted) for number, wanted in zip(numbers, target, strict=True))


def _ratio(total: float, n: int) -> Mean:
    return Mean(mean=total / n if n else None, n=n)


def is_last_result(record: Record, calls: Sequence[Call], rules: Protocol) -> bool | None:
    """Return whether a record's answer copies the last successful tool result (see the head of this file).

    None if there is no answer or no successful call.
    """
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
    """Return whether each number is a rounding of a different value of *said*; all orders are tried."""
    if not numbers:
        return True
    return any(
        numbers[0].rounds(value) and _each(numbers[1:], [*said[:at], *said[at + 1 :]]) for at, value in enumerate(said)
    )
