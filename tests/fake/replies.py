"""What the fake provider answers, as plain JSON data that says nothing of any provider's wire format."""

import base64
from typing import Any

Reply = dict[str, Any]

USAGE = {"input": 1000, "output": 60, "reasoning": 40, "cached": 100}


def text(*texts: str, thoughts: str = "", finish: str | None = None, usage: dict[str, int] | None = USAGE) -> Reply:
    """Reply with visible text, perhaps in several parts, perhaps after thoughts."""
    return {"texts": list(texts), "thoughts": thoughts, "finish": finish, "usage": usage}


def calls(*wanted: tuple[str, Any], texts: tuple[str, ...] = (), finish: str | None = None) -> Reply:
    """Reply with tool calls: name and arguments; arguments given as a string go out as they are (OpenAI)."""
    return {"calls": [[name, arguments] for name, arguments in wanted], "texts": list(texts), "finish": finish}


def said(words: str) -> Reply:
    """Say something, as a step."""
    return {"said": words}


def ran(code: str, *, known_as: str | None = None) -> Reply:
    """Run code on the provider's machine, as a step."""
    return {"ran": code, "id": known_as}


def came(output: str | None, outcome: str = "OK", *, known_as: str | None = None) -> Reply:
    """Get a result of code, as a step: OK, FAILED or DEADLINE_EXCEEDED; None leaves the output out."""
    return {"came": output, "outcome": outcome, "id": known_as}


def drew(png: bytes, mime_type: str = "image/png") -> Reply:
    """Make a picture by code, as a step (Gemini)."""
    return {"drew": base64.b64encode(png).decode("ascii"), "mime_type": mime_type}


def steps(*taken: Reply, finish: str | None = None, usage: dict[str, int] | None = USAGE) -> Reply:
    """Reply after having run code: what was said, run and had, in order."""
    return {"steps": list(taken), "finish": finish, "usage": usage}


def refusal(words: str) -> Reply:
    """Reply with a refusal (OpenAI)."""
    return {"refusal": words}


def blocked_prompt(reason: str) -> Reply:
    """Reply that the prompt itself was blocked: no candidate (Gemini)."""
    return {"blocked_prompt": reason}


def error(
    status: int,
    message: str = "something is wrong",
    *,
    code: str | None = None,
    retry_after: str | None = None,
    retry_info: str | None = None,
) -> Reply:
    """Reply with an HTTP error; retry_after is a header, retry_info Google's detail such as ``2.5s``."""
    headers = {"Retry-After": retry_after} if retry_after is not None else {}
    return {"status": status, "message": message, "code": code, "headers": headers, "retry_info": retry_info}


def raw(body: Any, *, status: int = 200, content_type: str = "application/json", encoding: str | None = None) -> Reply:
    """Reply with a body of one's own: a string or bytes as they are, anything else as JSON."""
    headers = {} if encoding is None else {"Content-Encoding": encoding}
    return {"raw": body, "raw_status": status, "content_type": content_type, "headers": headers}


def endless(piece: bytes, *, pause: float = 0, head: bool = True, encoding: str | None = None) -> Reply:
    """Send the same bytes until the client leaves: as a body without a length, or, without *head*, as headers."""
    headers = {} if encoding is None else {"Content-Encoding": encoding}
    return {"endless": piece, "pause": pause, "head": head, "headers": headers}


HANG: Reply = {"hang": True}
"""Take the request and never answer."""

DROP: Reply = {"drop": True}
"""Take the request and cut the connection."""


def cut(reply: Reply) -> Reply:
    """Send half of a reply, then cut the connection."""
    return {**reply, "cut": True}


def trickle(reply: Reply, pause: float) -> Reply:
    """Send a reply in small pieces with *pause* seconds between them."""
    return {**reply, "trickle": pause}
