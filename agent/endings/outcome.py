"""How one sample ended. An outcome is a typed field of the record, never a string that looks like an answer.

Two kinds of failure, kept apart everywhere:

* **infrastructure** (the request never got a proper reply, or was never made): retried on resume, outside all metrics,
  counted;
* **result** (the model had its say and gave no usable answer): final, counts as a failure in every metric.
"""

from enum import StrEnum

__all__ = ["READ_THEM", "Outcome"]

READ_THEM = "set tool_calling: text in the model's row, or a parser of tool calls on the server"
"""What to do about calls that nobody read in a text."""


class Outcome(StrEnum):
    """How one sample ended."""

    ANSWERED = "answered"
    """The final message has visible text; the scorer reads it."""

    NO_ANSWER = "no_answer"
    """The final message has no visible text."""
    REFUSED = "refused"
    """The provider or the model refused (safety block, content filter, refusal field)."""
    LIMIT_REACHED = "limit_reached"
    """Cut off by the output token limit, or still calling tools in the turn that had to be the answer."""
    TOOL_PROTOCOL = "tool_protocol"
    """The model's tool calls stayed unreadable after being told so several times, stood in a text where nobody reads
    them, or called where no tool is declared."""
    CONTEXT_OVERFLOW = "context_overflow"
    """The conversation no longer fits the model's context window."""
    REJECTED = "rejected"
    """The provider called a request of this conversation invalid (HTTP 400), and took such of other samples."""

    RATE_LIMITED = "rate_limited"
    """Still 429 after the last try."""
    SERVER_ERROR = "server_error"
    """Still 5xx after the last try, or a model in this process ran out of memory."""
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
    """The provider called a request invalid as it does with such requests of every sample, or of one after the other:
    its rule or the run's settings are to blame (``eval/store/refusals.py``). Stored as ``rejected``."""
    TOOL_SERVICE = "tool_service"
    """A service behind a tool (a segmenter) failed, or replied what is no reply."""
    CRASHED = "crashed"
    """The program died while this sample alone was being asked. It is not asked again in this run."""
    UNREADABLE = "unreadable"
    """The sample's picture could not be read: the model was never asked."""
    INTERNAL = "internal"
    """A fault of ours; the record holds the details."""

    @property
    def infrastructure(self) -> bool:
        """True where no proper reply was had, or nothing was asked: outside the metrics, tried again on resume."""
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
