"""Whether an answer is what the last tool result says.

A result says what its tool declares to measure of the quantity asked for; the number of a tool that computes says
whatever was worked out, but no box. Where one result of a tool holds fewer values than the answer, as many in a row
that succeeded are one result: two lines are a size. Numbers are compared as written: each number of the answer must be
a rounding of another one of the result, in any order.
"""

from collections.abc import Sequence

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.why.calls import Call
from medvision_agent.eval.why.measured import declared
from medvision_agent.eval.why.numbers import Number, numbers_in

__all__ = ["is_last_result"]


def is_last_result(record: Record, calls: Sequence[Call], rules: Protocol) -> bool | None:
    """Tell whether the answer is the last result; None without an answer or without a call that succeeded."""
    done = [call for call in calls if call.ok]
    numbers = numbers_in(record.response, len(record.sample.target), rules)
    if record.outcome is not Outcome.ANSWERED or numbers is None or not done:
        return None
    known = declared(record.sample.asks, done[-1])
    fields = known.fields if known else ()
    needed = len(numbers) // max(1, len(fields))
    last = done[-needed:] if {call.tool for call in done[-needed:]} == {done[-1].tool} else done[-1:]
    return _each(list(numbers), [value for call in last for name in fields if (value := call.number(name)) is not None])


def _each(numbers: Sequence[Number], said: Sequence[float]) -> bool:
    """Tell whether every number can have a value of its own; the few there are can be tried in every order."""
    if not numbers:
        return True
    return any(
        numbers[0].rounds(value) and _each(numbers[1:], [*said[:at], *said[at + 1 :]]) for at, value in enumerate(said)
    )
