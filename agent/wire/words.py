"""Words and statuses with which services report errors (data), and how to read the status of an error object."""

import re
from typing import Any

from medvision_agent.agent.endings.outcome import Outcome

__all__ = [
    "BAD_KEY",
    "BROKEN_CALL",
    "DAILY",
    "HISTORY",
    "MOST_READ",
    "NEVER",
    "NO_CREDIT",
    "OVERFLOW",
    "POLICY",
    "RATE",
    "TEMPORARY",
    "TOOL_USE_FAILED",
    "status_of_body",
    "status_stated",
]

MOST_READ = 20_000
"""Characters searched in one text of an error: it may quote the whole request, and a search of 30 MB takes
seconds, which would block everything else."""
OVERFLOW = re.compile(
    r"context_length_exceeded|maximum context length|context window|(available )?context size|maximum model length"
    r"|prompt is too long|exceeds the maximum number of tokens|input tokens exceed|context length (is )?exceeded"
    r"|exceeds? the (model's )?context|too large for model with \d+ maximum context|longer than the model's context"
    r"|context the overflows|context (window |length )?overflow|maximum prompt length is"
    r"|exceeded model token limit|max_new_tokens` must be <=",
    re.IGNORECASE,
)
POLICY = re.compile(
    r"content[_ ](policy|filter)|content management policy|usage polic|safety (reason|system)|was flagged"
    r"|moderation|data_?inspection_?failed|unsafe or sensitive content|inappropriate content|敏感内容",
    re.IGNORECASE,
)
DAILY = re.compile(r"PerDay|per[- _]day|\((RPD|TPD)\)|daily (quota|limit|free)", re.IGNORECASE)
NO_CREDIT = re.compile(
    r"insufficient_quota|credit balance|billing_hard_limit|insufficient balance|usage limit", re.IGNORECASE
)
RATE = re.compile(r"rate.?limit|(tokens|requests) per minute|\(TPM\)", re.IGNORECASE)
NO_PATH = re.compile(r"unexpected endpoint or method", re.IGNORECASE)
"""LM Studio's error with status 200."""
BAD_KEY = re.compile(r"api[_ ]key|user location", re.IGNORECASE)
BROKEN_CALL = re.compile(
    r"output_parse_failed|failed to (call a function|parse tool call|parse input at pos)"
    r"|error parsing tool call|produced output that does not match the expected|malformed_function_call"
    r"|tool call parsing failed|could not parse (the )?(model'?s? )?tool call",
    re.IGNORECASE,
)
"""Messages that the model's call could not be read: Groq, llama.cpp, Ollama, and gateways before Gemini."""
TOOL_USE_FAILED = re.compile(r"tool_use_failed")
"""Groq's code for an unreadable call of the model, also if no tool is declared."""
HISTORY = re.compile(
    r"tool[_ ]?call[_ ]?ids?\b|tool_use(_|\.|`|'| )*ids?\b|\bcall_id\b|\bitem with id\b|duplicate item"
    r"|no tool (output|call) found|expected an id that begins|without its required following item|thought_?signature",
    re.IGNORECASE,
)
"""Messages that refuse the ids of calls, or the signatures beside them. These come from the service or this package,
never from the model."""
_STATUS = {
    "invalid_api_key": 401,
    "authentication_error": 401,
    "authenticationerror": 401,
    "permission_denied": 403,
    "permissiondeniederror": 403,
    "model_not_found": 404,
    "notfounderror": 404,
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "ratelimiterror": 429,
    "insufficient_quota": 429,
    "resource_exhausted": 429,
    "server_error": 500,
    "internal_server_error": 500,
    "internalservererror": 500,
    "overloaded_error": 503,
    "service_unavailable": 503,
    "context_length_exceeded": 400,
    "invalid_request_error": 400,
    "badrequesterror": 400,
    "invalid_prompt": 400,
    "invalid_image": 400,
    "image_content_policy_violation": 400,
    "tool_use_failed": 400,
}
"""Statuses by words, in lower case, that an error object has as ``code`` or ``type``."""

TEMPORARY = {
    408: Outcome.TIMEOUT,
    409: Outcome.SERVER_ERROR,
    421: Outcome.GATEWAY,
    423: Outcome.GATEWAY,
    424: Outcome.GATEWAY,
    425: Outcome.SERVER_ERROR,
    499: Outcome.SERVER_ERROR,
} | dict.fromkeys(range(200, 300), Outcome.BAD_REPLY)
"""Outcomes of statuses that may be temporary; 5xx are temporary too."""
NEVER = frozenset({401, 402, 403, 404, 405, 407, 410, 411, 415, 426, 451, 511})
"""Every other request would fail too: a bad key, no credit, no such model or path, a proxy that needs a login."""


_SAID = ((OVERFLOW, 400), (NO_CREDIT, 429), (DAILY, 429), (RATE, 429), (NO_PATH, 404))
"""Statuses for messages without a code."""
_PAYLOADS = frozenset({"choices", "candidates", "output"})
"""Keys under which a reply holds the model's output."""


def status_of_body(content: Any) -> int | None:
    """Return the status stated in the body of a reply if it is an error, independent of the HTTP status; else None."""
    if not isinstance(content, dict):
        return None
    error = content.get("error")
    error = {"message": error} if isinstance(error, str) else error
    if isinstance(error, dict) and (status := status_stated(error)) is not None:
        return status
    return None if _PAYLOADS & content.keys() else status_stated(content)


def status_stated(fields: dict[str, Any]) -> int | None:
    """Return the status that an error object states: as a number, a known word, or by its message; else None."""
    stated = [fields.get(name) for name in ("code", "status", "statusCode", "type")]
    for value in stated:
        if isinstance(value, int | str) and str(value).isdecimal() and 300 <= int(value) <= 599:
            return int(value)
    known = (_STATUS[word] for value in stated if (word := str(value).lower()) in _STATUS)
    said = str(fields.get("message"))[:MOST_READ]
    return next(known, None) or next((status for words, status in _SAID if words.search(said)), None)
