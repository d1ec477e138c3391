"""One request to a model, repeated until it is answered or cannot succeed.

Contract: ``call_model`` is the only layer that tries again (the SDKs' own retries are off). It returns a complete
reply and its parsed turn, or raises ``RequestFailed`` (ends the sample) or ``ProviderError`` (ends the run). Waits a
provider asks for are kept up to a bound; ``sleep`` waits and may raise to give up. A refused,
filtered or cut-off reply is a reply like any other and is never requested again.
"""

import asyncio
import logging
import random
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from langchain_core.language_models.base import LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import Runnable

from medvision_agent.agent.chat.chat import Turn
from medvision_agent.agent.endings.finish import CALL_REFUSED, Finish
from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.endings.usage import Usage
from medvision_agent.agent.models import ModelConfig, Offline
from medvision_agent.agent.trace import RequestTrace
from medvision_agent.agent.wire.failures import Fault, classify
from medvision_agent.agent.wire.keys import key_remedy
from medvision_agent.agent.wire.large import aside_if_large
from medvision_agent.agent.wire.rate_limit import Pace
from medvision_agent.agent.wire.reading import BodyError
from medvision_agent.errors import ProviderError
from medvision_agent.text import printable

__all__ = ["LONGEST_WAIT", "Reply", "RequestFailed", "call_model", "encodable"]


_FIELDS = ("content", "tool_calls", "invalid_tool_calls", "additional_kwargs", "response_metadata")


def encodable(message: AIMessage, redact: Callable[[str], str] = str) -> AIMessage:
    """Return *message*, or a copy whose texts can all be encoded and have passed through *redact*.

    Models (or the services around them) can send half of a surrogate pair, legal in JSON and in a Python string, but
    not encodable: without repair, such an answer could not be stored or sent back. A service that repeats a request's
    headers in its answer would cause the API key to be stored.
    """

    def repaired(value: Any) -> Any:
        if isinstance(value, str):
            return redact(value.encode("utf-8", "replace").decode("utf-8"))
        if isinstance(value, dict):
            return {repaired(key): repaired(item) for key, item in value.items()}
        if isinstance(value, list):
            return [repaired(item) for item in value]
        return value

    changed = {name: new for name in _FIELDS if (new := repaired(value := getattr(message, name))) != value}
    return message.model_copy(update=changed) if changed else message


LONGEST_WAIT = 120.0
"""Longest wait in seconds, even if a provider asks for more."""
_LONGEST_BACKOFF = 60.0
"""Longest wait in seconds if a provider asks for none."""
_LOG = logging.getLogger(__name__)
_NO_WORD = re.compile(r"[\w+/=-]{60,}")
"""A run of so many letters is data, such as an image of the request that a provider quotes."""


class RequestFailed(Exception):  # noqa: N818 - it reads as what happened
    """Raised if no proper reply arrived. ``fault`` says why, ``tries`` how often the request was sent."""

    def __init__(self, fault: Fault, tries: int) -> None:
        super().__init__(f"{fault.detail} ({tries} tries)" if tries > 1 else fault.detail)
        self.fault = fault
        self.tries = tries


class Reply(NamedTuple):
    """A complete reply, with its number of tries and its waiting time."""

    message: AIMessage
    turn: Turn
    """The message as parsed: text, tool calls, tokens and why it stopped."""
    tries: int
    """How often the request was sent, the last time included."""
    waited: float
    """Seconds spent in failed tries, in the waits after them, and in waiting for the rate limit."""


async def call_model(
    runnable: Runnable[LanguageModelInput, AIMessage],
    messages: Sequence[BaseMessage],
    *,
    config: ModelConfig,
    read: Callable[[AIMessage], Turn],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    on_fault: Callable[[Fault, int], None] | None = None,
    on_spent: Callable[[Usage], None] | None = None,
    on_request: Callable[[RequestTrace], None] = lambda request: None,  # noqa: ARG005
    redact: Callable[[str], str] = str,
    pace: Pace | None = None,
    tools: bool = False,
) -> Reply:
    """Send *messages* to *runnable* until it replies, at most ``config.max_tries`` times, and return the reply.

    Args:
        runnable: The model, with its tools declared.
        messages: The conversation so far.
        config: The row of the model: its number of tries, its time limit and its name.
        read: Parses a message; what it returns is ``Reply.turn``.
        sleep: Waits between two tries; may raise to give up.
        on_fault: Called with every failed try and its number.
        on_spent: Called with the tokens of each unusable reply.
        on_request: Called with every request, its time and its outcome.
        redact: Removes the API key from a text; replies and error details go through it.
        pace: Delays tries that would exceed the rate limit.
        tools: The request declares tools: a service's error about an unreadable call then counts as a reply.

    Raises:
        RequestFailed: No proper reply arrived.
        ProviderError: The provider refuses to work at all.
    """
    pace = pace or Pace()
    started = time.monotonic()
    for tries in range(1, config.max_tries + 1):
        start = await pace.wait(sleep)
        asked_at, began = datetime.now(UTC).isoformat(timespec="milliseconds"), time.monotonic()
        try:
            message, turn = await _once(runnable, messages, config.timeout_seconds, read, redact)
            names = (turn.model_version, turn.fingerprint, turn.response_id)
            on_request(RequestTrace(asked_at, _since(began), None, *names))
            pace.took(start, turn.usage.input + turn.usage.output)
            return Reply(message, turn, tries, began - started)
        except Exception as error:  # noqa: BLE001 - whatever an SDK raises is a fault to be named, never a crash of the run
            fault = error.fault if isinstance(error, _NoReply) else classify(error, tools=tools)
            if fault.broken_call is not None:
                on_request(RequestTrace(asked_at, _since(began)))
                return Reply(*_broken_call(redact(fault.detail), redact(fault.broken_call)), tries, began - started)
            if isinstance(error, _NoReply) and not error.usage.unreported:
                pace.took(start, error.usage.input + error.usage.output)
                if on_spent is not None:
                    on_spent(error.usage.model_copy(update={"model_calls": 0}))
            fault = replace(fault, detail=redact(fault.detail))
            if isinstance(config, Offline):
                fault = Fault(Outcome.INTERNAL, fault.detail)
            on_request(RequestTrace(asked_at, _since(began), fault.outcome.value))
            _log(config, fault, tries)
            if on_fault is not None:
                on_fault(fault, tries)
            if fault.stops_run:
                remedy = f"; {key_remedy(config)}" if fault.refused_key else ""
                raise ProviderError(f"{config.model}: {fault.detail}{remedy}") from None
            if not fault.retryable or tries == config.max_tries:
                # Only this package's own errors keep their cause: a provider's error may quote the request.
                raise RequestFailed(fault, tries) from (error if fault.outcome is Outcome.INTERNAL else None)
        finally:
            pace.ended(start)
        await sleep(_wait(fault, tries))
    raise AssertionError("unreachable: the last try raises")


def _since(began: float) -> float:
    return round(time.monotonic() - began, 4)


def _log(config: ModelConfig, fault: Fault, tries: int) -> None:
    """Log a failed try and its reason; a provider's words may quote the question, so only debug messages have them."""
    wait = "" if fault.wait_seconds is None else f", asked to wait {fault.wait_seconds:g} s"
    _LOG.info("%s: try %d of %d failed: %s%s", config.model, tries, config.max_tries, fault.outcome.value, wait)
    _LOG.debug("%s: %s", config.model, printable(_NO_WORD.sub("[data]", fault.detail)))


class _NoReply(Exception):  # noqa: N818
    def __init__(self, fault: Fault, usage: Usage) -> None:
        self.fault = fault
        self.usage = usage


async def _once(
    runnable: Runnable[LanguageModelInput, AIMessage],
    messages: Sequence[BaseMessage],
    timeout_seconds: float,
    read: Callable[[AIMessage], Turn],
    redact: Callable[[str], str],
) -> tuple[AIMessage, Turn]:
    async def call() -> tuple[AIMessage, Turn]:
        message = encodable(await runnable.ainvoke(list(messages)), redact)
        return message, read(message)

    # The SDKs' own timeouts count per read: a reply that arrives in small pieces would outlast them.
    async with asyncio.timeout(timeout_seconds):
        message, turn = await aside_if_large(call)
    if turn.finish is Finish.BROKEN_OFF:
        raise _NoReply(_broken_off(message, turn), turn.usage)
    return message, turn


def _broken_off(message: AIMessage, turn: Turn) -> Fault:
    """Return the Fault of an incomplete reply, from the error object beside the reply if there is one."""
    if (error := message.response_metadata.get("error")) is not None:
        fault = classify(BodyError(error))
        return replace(fault, detail=f"the reply was broken off ({turn.finish_raw or 'no reason'}): {fault.detail}")
    why = (
        f"the service broke the reply off ({turn.finish_raw})"
        if turn.finish_raw
        else "the reply states no finish reason"
    )
    return Fault(Outcome.BAD_REPLY, f"{why}, so that it is incomplete or empty", retryable=True)


def _broken_call(said: str, written: str) -> tuple[AIMessage, Turn]:
    """Return the message and turn of a model whose call (*written*) the service could not read, by its error *said*.

    The turn has no token counts.
    """
    metadata = {"finish_reason": CALL_REFUSED, "error": said, "failed_generation": written}
    message = AIMessage("", response_metadata=metadata)
    usage = Usage(model_calls=1, unreported=1)
    return message, Turn(text="", finish=Finish.MALFORMED_CALL, finish_raw=CALL_REFUSED, usage=usage)


def _wait(fault: Fault, tries: int) -> float:
    """Return the seconds to wait: as the provider asked, or 1 s doubled with each try; plus up to 1 s at random."""
    asked = min(2.0 ** (tries - 1), _LONGEST_BACKOFF) if fault.wait_seconds is None else fault.wait_seconds
    return min(asked, LONGEST_WAIT) + random.uniform(0, 1)  # noqa: S311 - not a secret
