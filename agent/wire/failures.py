"""Classify exceptions of the provider stack: what they mean for the sample, the run and the next try.

Contract: ``classify`` names every exception that LangChain, the SDKs, their HTTP libraries or asyncio raise.
HTTP status comes before the exception's class, because the adapters name some errors by their wording (a rate
limit that speaks of a "token limit" is raised as a context overflow). An error object under status 200 is read by its
own code. Only 400 and 422 mean an invalid request of the conversation; other statuses concern route or settings.
Details hold no keys.
"""

from dataclasses import dataclass, replace

import httpx
import httpx2
from langchain_core.exceptions import ContextOverflowError, ModelConnectionError, ModelTimeoutError

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.wire.hints import with_hint
from medvision_agent.agent.wire.reading import (
    BodyError,
    asked_wait,
    chain,
    detail_of,
    failed_generation,
    is_a_page,
    redirected,
    status_of,
    text_of,
)
from medvision_agent.agent.wire.words import (
    BAD_KEY,
    BROKEN_CALL,
    DAILY,
    NEVER,
    NO_CREDIT,
    OVERFLOW,
    POLICY,
    RATE,
    TEMPORARY,
    TOOL_USE_FAILED,
)

__all__ = ["Fault", "KnownFault", "classify"]


@dataclass(frozen=True)
class Fault:
    """The reason why one try of a request failed, and what it means for the sample, the run and the next try."""

    outcome: Outcome
    """The sample's outcome if no later try succeeds."""
    detail: str
    """One line for the record, without secrets."""
    retryable: bool = False
    wait_seconds: float | None = None
    """Seconds that the provider asked to wait."""
    stops_run: bool = False
    """Every other sample would fail too: bad key, unknown model, no credit."""
    refused_key: bool = False
    """The service rejects the API key, or does not allow this use of it."""
    broken_call: str | None = None
    """The model's tool call that the service could not read, as far as it is quoted; it counts as a turn."""


class KnownFault(Exception):  # noqa: N818 - it carries a fault
    """Raised by this package's own code for a failure that it has already classified as ``fault``."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.detail)
        self.fault = fault


_TIMEOUTS = (TimeoutError, ModelTimeoutError, httpx.TimeoutException, httpx2.TimeoutException)
_DROPS = (OSError, ModelConnectionError, httpx.TransportError, httpx2.TransportError)
_UNREADABLE = (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError)
"""What the SDKs raise for a body that is not a reply: null, half a JSON text, HTML with status 200, brackets without
end."""


def classify(error: BaseException, *, tools: bool = False) -> Fault:
    """Return the Fault for *error*, any exception of a request; *tools*: the request declared tools.

    With tools, an error about a call that the service could not read counts as a turn of the model.
    """
    # The SDKs wrap what their HTTP client raises.
    if (known := next((link for link in chain(error) if isinstance(link, KnownFault)), None)) is not None:
        return known.fault
    fault = _named(error, detail_of(error), tools=tools)
    refused = fault.outcome is not Outcome.BAD_REPLY or isinstance(error, BodyError)
    return replace(fault, detail=with_hint(fault.detail)) if refused else fault


def _named(error: BaseException, detail: str, *, tools: bool) -> Fault:  # noqa: PLR0911 - one line for each kind of error
    if (status := status_of(error)) is not None:
        return _by_status(status, error, detail, tools=tools)
    if isinstance(error, BodyError):
        return Fault(Outcome.BAD_REPLY, detail, retryable=True)
    if isinstance(error, ContextOverflowError):
        return Fault(Outcome.CONTEXT_OVERFLOW, detail)
    if isinstance(error, _TIMEOUTS):
        return Fault(Outcome.TIMEOUT, f"no complete reply in time ({detail})", retryable=True)
    if isinstance(error, _DROPS):
        return Fault(Outcome.CONNECTION, detail, retryable=True)
    if isinstance(error, _UNREADABLE):
        return Fault(Outcome.BAD_REPLY, f"the reply cannot be read ({detail})", retryable=True)
    return Fault(Outcome.INTERNAL, detail)


def _by_status(status: int, error: BaseException, detail: str, *, tools: bool = False) -> Fault:  # noqa: PLR0911
    text = text_of(error)
    unread = (tools and BROKEN_CALL.search(text)) or TOOL_USE_FAILED.search(text)
    if unread and (status >= 500 or status in {400, 422}):
        return Fault(Outcome.TOOL_PROTOCOL, detail, broken_call=failed_generation(error))
    if status == 429 and (DAILY.search(text) or NO_CREDIT.search(text)):
        what = "the daily quota is used up" if DAILY.search(text) else "the daily quota or the credit is used up"
        return Fault(Outcome.RATE_LIMITED, f"{what}: {detail}", stops_run=True)
    if status == 429 or (status == 413 and RATE.search(text)):
        return Fault(Outcome.RATE_LIMITED, detail, retryable=True, wait_seconds=asked_wait(error))
    if (outcome := TEMPORARY.get(status) or (Outcome.SERVER_ERROR if status >= 500 else None)) is not None:
        return Fault(outcome, detail, retryable=True, wait_seconds=asked_wait(error))
    if status == 403 and POLICY.search(text):
        return Fault(Outcome.REFUSED, detail)
    if 300 <= status < 400:
        return Fault(Outcome.GATEWAY, f"{redirected(error)}: {detail}", stops_run=True)
    if status in NEVER or (status == 400 and BAD_KEY.search(text)):
        return Fault(Outcome.GATEWAY, detail, stops_run=True, refused_key=status in {400, 401, 403})
    if isinstance(error, ContextOverflowError) or OVERFLOW.search(text):
        return Fault(Outcome.CONTEXT_OVERFLOW, detail)
    if status not in {400, 422} or is_a_page(error):
        return Fault(Outcome.GATEWAY, f"the request was refused on its way to the model: {detail}")
    return Fault(Outcome.REFUSED if POLICY.search(text) else Outcome.REJECTED, detail)
