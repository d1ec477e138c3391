"""The words and statuses by which services say what is wrong. Data, and how an error object states its status."""

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
"""Characters of one text of an error that are searched: one may quote the whole request, and a search of 30 MB takes
seconds, in which nothing else goes on."""
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
"""LM Studio, under status 200."""
BAD_KEY = re.compile(r"api[_ ]key|user location", re.IGNORECASE)
BROKEN_CALL = re.compile(
    r"output_parse_failed|failed to (call a function|parse tool call|parse input at pos)"
    r"|error parsing tool call|produced output that does not match the expected|malformed_function_call"
    r"|tool call parsing failed|could not parse (the )?(model'?s? )?tool call",
    re.IGNORECASE,
)
"""How servers say that what the model wrote could not be read: Groq, llama.cpp, Ollama, and gateways before Gemini."""
TOOL_USE_FAILED = re.compile(r"tool_use_failed")
"""Groq's code for a call of the model, also of one where no tool is declared."""
HISTORY = re.compile(
    r"tool[_ ]?call[_ ]?ids?\b|tool_use(_|\.|`|'| )*ids?\b|\bcall_id\b|\bitem with id\b|duplicate item"
    r"|no tool (output|call) found|expected an id that begins|without its required following item|thought_?signature",
    re.IGNORECASE,
)
"""How services refuse the ids of calls, or the signatures beside them. They were given by the service or by us, and
are never the model's."""
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
"""Words for a status, in small letters, as ``code`` or ``type`` of an error object holds them."""

TEMPORARY = {
    408: Outcome.TIMEOUT,
    409: Outcome.SERVER_ERROR,
    421: Outcome.GATEWAY,
    423: Outcome.GATEWAY,
    424: Outcome.GATEWAY,
    425: Outcome.SERVER_ERROR,
    499: Outcome.SERVER_ERROR,
} | dict.fromkeys(range(200, 300), Outcome.BAD_REPLY)
"""What a status means that may pass; 5xx as well."""
NEVER = frozenset({401, 402, 403, 404, 405, 407, 410, 411, 415, 426, 451, 511})
"""No other request would fare better: a bad key, no credit, no such model or path, a proxy that wants a login."""


_SAID = ((OVERFLOW, 400), (NO_CREDIT, 429), (DAILY, 429), (RATE, 429), (NO_PATH, 404))
"""What a message without a code stands for."""
_PAYLOADS = frozenset({"choices", "candidates", "output"})
"""Where a reply holds what a model said."""


def status_of_body(content: Any) -> int | None:
    """Return the status that the body of a reply states, where it is an error, whatever status it came under."""
    if not isinstance(content, dict):
        return None
    error = content.get("error")
    error = {"message": error} if isinstance(error, str) else error
    if isinstance(error, dict) and (status := status_stated(error)) is not None:
        return status
    return None if _PAYLOADS & content.keys() else status_stated(content)


def status_stated(fields: dict[str, Any]) -> int | None:
    """Return the status that an error object states: as a number, by a known word, or by what it says."""
    stated = [fields.get(name) for name in ("code", "status", "statusCode", "type")]
    for value in stated:
        if isinstance(value, int | str) and str(value).isdecimal() and 300 <= int(value) <= 599:
            return int(value)
    known = (_STATUS[word] for value in stated if (word := str(value).lower()) in _STATUS)
    said = str(fields.get("message"))[:MOST_READ]
    return next(known, None) or next((status for words, status in _SAID if words.search(said)), None)
