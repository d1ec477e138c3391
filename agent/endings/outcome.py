"""How one sample ended. An outcome is a typed field of the record, never a string that looks like an answer.

Two kinds of failure, kept apart everywhere:

* **infrastructure** (no proper reply came, or nothing was asked): asked again on resume (all but ``CRASHED``), outside
  all metrics, counted;
* **result** (the model replied but gave no usable answer): final, counts as a failure in every metric.
"""

from enum import StrEnum

__all__ = ["READ_THEM", "Outcome"]

READ_THEM = "set tool_calling: text in the model's row, or a parser of tool calls on the server"
"""Advice for tool calls in a text that were not parsed."""


class Outcome(StrEnum):
    """How one sample ended, as stored in its record."""

    ANSWERED = "answered"
    """The final message has visible text; the scorer reads it."""

    NO_ANSWER = "no_answer"
    """The final message has no visible text."""
    REFUSED = "refused"
    """The provider or the model refused (safety block, content filter, refusal field)."""
    LIMIT_REACHED = "limit_reached"
    """Cut off by the output token limit, or still calling tools in the turn that had to be the answer."""
    TOOL_PROTOCOL = "tool_protocol"
    """The model's tool calls stayed unreadable after several error messages, were written in text that is not parsed,
    or were made although no tool is declared."""
    CONTEXT_OVERFLOW = "context_overflow"
    """The conversation no longer fits the model's context window."""
    REJECTED = "rejected"
    """The provider rejected a request of this sample as invalid (HTTP 400), but accepted those of other samples."""

    RATE_LIMITED = "rate_limited"
    """The service still replied HTTP 429 (rate limit) at the last try."""
    SERVER_ERROR = "server_error"
    """The service still replied HTTP 5xx at the last try, or a model in this process ran out of memory."""
    TIMEOUT = "timeout"
    """No complete reply within the time allowed for a request, also at the last try."""
    CONNECTION = "connection"
    """The connection failed or dropped, also at the last try."""
    BAD_REPLY = "bad_reply"
    """Malformed reply: no candidate, no finish reason, invalid JSON, or broken off by the service."""
    GATEWAY = "gateway"
    """Something between us and the model refused the request: a redirect, a request too large for a gateway."""
    UNKNOWN_ENDING = "unknown_ending"
    """The reply stopped for a reason that this package does not know. It may be incomplete, so it is no answer."""
    TOO_LARGE = "too_large"
    """The body of the reply was larger than the model's row allows (``max_body_mb``), also at the last try."""
    UNSUPPORTED = "unsupported"
    """The provider rejected a request as invalid, as it rejects those of every sample or of one sample after the other:
    its rule or the run's settings are to blame (``eval/store/refusals.py``). Stored as ``rejected``."""
    TOOL_SERVICE = "tool_service"
    """A service behind a tool (a segmenter) failed, or its reply cannot be read."""
    CRASHED = "crashed"
    """The program died while this sample alone was being asked. It is not asked again in this run."""
    UNREADABLE = "unreadable"
    """The sample's image could not be read: the model was never asked."""
    INTERNAL = "internal"
    """An error in this package; the record holds the details."""

    @property
    def infrastructure(self) -> bool:
        """True if no proper reply arrived or nothing was asked; such a sample is excluded from all metrics.

        A resumed run asks the sample again, except one that ``CRASHED``.
        """
        return self in _INFRASTRUCTURE


_INFRASTRUCTURE = frozenset(
    {
        Outcome.RATE_LIMITED,
        Outcome.SERVER_ERROR,
        Outcome.TIMEOUT,
        Outcome.CONNECTION,
        Outcome.BAD_REPLY,
        Outcome.TOO_LARGE,
        Outcome.UNSUPPORTED,
        Outcome.TOOL_SERVICE,
        Outcome.CRASHED,
        Outcome.GATEWAY,
        Outcome.UNKNOWN_ENDING,
        Outcome.UNREADABLE,
        Outcome.INTERNAL,
    }
)
