"""What an exception of the provider stack means for the sample, the run and the next try.

Contract: ``classify`` takes whatever LangChain, the SDKs, their HTTP libraries or asyncio raise and names it.
HTTP status comes before the exception's class, because the adapters name some errors by their wording (a rate
limit that speaks of a "token limit" is raised as a context overflow). Details hold no keys.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import httpx2
from langchain_core.exceptions import ContextOverflowError, ModelConnectionError, ModelTimeoutError

from medvision_agent.agent.endings.outcome import Outcome

__all__ = ["Fault", "KnownFault", "classify"]


@dataclass(frozen=True)
class Fault:
    """Why one try failed."""

    outcome: Outcome
    """The sample's outcome if no later try succeeds."""
    detail: str
    """One line for the record, without secrets."""
    retryable: bool = False
    wait_seconds: float | None = None
    """How long the provider asked to wait."""
    stops_run: bool = False
    """No other sample would fare better: bad key, unknown model, no credit."""


class KnownFault(Exception):  # noqa: N818 - it carries a fault
    """Raised by a model of ours that knows itself what its failure means."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.detail)
        self.fault = fault


_OVERFLOW = re.compile(
    r"context_length_exceeded|maximum context length|context window|(available )?context size|maximum model length"
    r"|prompt is too long|exceeds the maximum number of tokens|input tokens exceed",
    re.IGNORECASE,
)
_POLICY = re.compile(
    r"content[_ ](policy|filter)|content management policy|usage polic|safety (reason|system)|was flagged",
    re.IGNORECASE,
)
_NO_CREDIT = re.compile(r"insufficient_quota|credit balance|billing_hard_limit", re.IGNORECASE)
_BAD_KEY = re.compile(r"api[_ ]key|user location", re.IGNORECASE)

_TIMEOUTS = (TimeoutError, ModelTimeoutError, httpx.TimeoutException, httpx2.TimeoutException)
_DROPS = (OSError, ModelConnectionError, httpx.TransportError, httpx2.TransportError)
_UNREADABLE = (ValueError, TypeError, KeyError, IndexError, AttributeError)
"""What the SDKs raise for a body that is no reply: no choices, null, HTML under status 200."""


def classify(error: BaseException) -> Fault:  # noqa: PLR0911 - one line for each kind of error
    """Name *error*."""
    # The SDKs wrap what their HTTP client raises.
    known = next((link for link in _chain(error) if isinstance(link, KnownFault)), None)
    if known is not None:
        return known.fault
    detail = _detail(error)
    status = _status(error)
    if status is not None:
        return _by_status(status, error, detail)
    if isinstance(error, ContextOverflowError):
        return Fault(Outcome.CONTEXT_OVERFLOW, detail)
    if isinstance(error, _TIMEOUTS):
        return Fault(Outcome.TIMEOUT, f"no complete reply in time ({detail})", retryable=True)
    if isinstance(error, _DROPS):
        return Fault(Outcome.CONNECTION, detail, retryable=True)
    if isinstance(error, _UNREADABLE):
        return Fault(Outcome.BAD_REPLY, detail, retryable=True)
    return Fault(Outcome.INTERNAL, detail)


def _by_status(status: int, error: BaseException, detail: str) -> Fault:
    # OpenAI's machine-readable code is no part of the message.
    text = " ".join(f"{link} {getattr(link, 'code', '')}" for link in _chain(error))
    if (outcome := _temporary(status)) is not None:
        no_credit = status == 429 and _NO_CREDIT.search(text) is not None
        return Fault(outcome, detail, not no_credit, _asked_wait(error), stops_run=no_credit)
    if status in {401, 402, 403, 404, 407} or (status == 400 and _BAD_KEY.search(text)):
        return Fault(Outcome.REJECTED, detail, stops_run=True)
    if isinstance(error, ContextOverflowError) or _OVERFLOW.search(text):
        return Fault(Outcome.CONTEXT_OVERFLOW, detail)
    return Fault(Outcome.REFUSED if _POLICY.search(text) else Outcome.REJECTED, detail)


def _temporary(status: int) -> Outcome | None:
    """Return what a status means that may pass, None for one that will not."""
    if status == 429:
        return Outcome.RATE_LIMITED
    if status == 408:
        return Outcome.TIMEOUT
    if status >= 500 or status in {409, 425, 499}:
        return Outcome.SERVER_ERROR
    return Outcome.BAD_REPLY if status < 300 else None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and what it was raised from: adapters wrap the SDK's error, which knows the response."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__


def _first(error: BaseException, *names: str) -> Any:
    values = (getattr(link, name, None) for link in _chain(error) for name in names)
    return next((value for value in values if value is not None), None)


def _status(error: BaseException) -> int | None:
    status = _first(error, "status_code", "code")
    return status if isinstance(status, int) else None


def _asked_wait(error: BaseException) -> float | None:
    """Return the seconds to wait by Retry-After header or Gemini's RetryInfo, whichever is there."""
    headers = getattr(_first(error, "response"), "headers", None) or {}
    if milliseconds := _number(headers.get("retry-after-ms")):
        return milliseconds / 1000
    if (after := headers.get("retry-after")) is not None:
        seconds = _number(after)
        return _until(after) if seconds is None else max(0.0, seconds)
    match = re.search(r"['\"]retryDelay['\"]:\s*['\"]([0-9.]+)s['\"]", str(_first(error, "details")))
    return _number(match.group(1)) if match else None


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None


def _until(date: str) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
        return max(0.0, (moment.astimezone(UTC) - datetime.now(UTC)).total_seconds())
    except (ValueError, OverflowError):
        return None


_KEY_HEADER = re.compile(r"authorization|key|token|secret", re.IGNORECASE)
_SHORTEST_KEY = 6
"""Characters; what is shorter is a word such as "none", and no secret."""
_KEY_LIKE = re.compile(r"(Bearer\s+\S+|\bsk-[\w*-]{6,}|AIza[\w*-]{6,}|([?&]key=)[^&\s]+)", re.IGNORECASE)


def _detail(error: BaseException) -> str:
    """Return class and message in one bounded line, with anything that is or looks like a key blotted out."""
    request = getattr(_first(error, "response"), "request", None) or _request(error)
    text = f"{type(error).__name__}: {error}".removesuffix(": ")
    for header, value in getattr(request, "headers", {}).items():
        if _KEY_HEADER.search(header) and len(key := str(value).removeprefix("Bearer ")) >= _SHORTEST_KEY:
            text = text.replace(key, "[key]")
    return " ".join(_KEY_LIKE.sub("[key]", text).split())[:500]


def _request(error: BaseException) -> Any:
    # httpx raises RuntimeError where an error has no request.
    try:
        return _first(error, "request")
    except RuntimeError:
        return None
