"""MiniMax's errors: ``base_resp`` in a body with HTTP status 200, with MiniMax's own codes.

Codes up to 1033 were read in MiniMax's documentation in November 2026
(https://platform.minimax.io/docs/api-reference/errorcode); the later ones are as users report them, not checked there.
"""

from typing import Any

__all__ = ["error_of_base_resp"]

_FILTERED = 1026, 1027
"""Sensitive input, sensitive output."""
_STATUS = {
    1000: 500,  # unknown error
    1001: 408,  # timeout
    1002: 429,  # rate limit
    1004: 401,  # not authorized
    1008: 402,  # insufficient balance
    1024: 500,  # internal error
    1026: 400,
    1027: 400,
    1033: 500,  # error of a system behind it
    1039: 429,  # limit of tokens per minute
    1041: 429,  # limit of connections
    1042: 400,  # too many invisible characters
    2013: 400,  # invalid parameters, or a context that is too long
    2045: 429,  # the rate grew too fast
    2049: 401,  # invalid key
    2056: 429,  # usage limit of the plan
    2061: 403,  # the plan does not have the model
}
"""The equivalent HTTP status, by code."""


def error_of_base_resp(content: Any) -> tuple[int, dict[str, Any]] | None:
    """Return the HTTP status and the error object for MiniMax's ``base_resp``; None if it reports no error.

    An unknown code gives status 200: the error is then known only by its message.
    """
    stated = content.get("base_resp") if isinstance(content, dict) else None
    written = str(stated.get("status_code")) if isinstance(stated, dict) else ""
    if not isinstance(stated, dict) or not written.isdecimal() or len(written) > 6 or int(written) == 0:
        return None
    code = int(written)
    message = f"{stated.get('status_msg') or 'no message'} (MiniMax, status_code {code})"
    return _STATUS.get(code, 200), {"message": message, "code": "content_filter" if code in _FILTERED else written}
