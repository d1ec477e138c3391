"""Read an exception of the provider stack: its status, message and response, without secrets."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from medvision_agent.agent.wire.words import MOST_READ, status_stated

__all__ = [
    "BodyError",
    "asked_wait",
    "chain",
    "detail_of",
    "failed_generation",
    "is_a_page",
    "redirected",
    "status_of",
    "text_of",
]

_GENERATED = "failed_generation"
"""Key under which Groq quotes what the model wrote."""


class BodyError(Exception):
    """Raised for an error object in the body of a reply with status 200, which is classified by its own code.

    ``code`` is an HTTP status where the object states one or a word that stands for one, else None; ``body`` is the
    object.
    """

    def __init__(self, body: Any) -> None:
        fields = body if isinstance(body, dict) else {"message": str(body)}
        super().__init__(f"an error under status 200: {fields.get('message') or fields}")
        self.body = fields
        self.code = status_stated(fields)


def text_of(error: BaseException) -> str:
    """Return the texts of an error and of its causes, each cut in length, without what they quote from the model."""
    said = (f"{link} {getattr(link, 'code', '')} {_body_of(link)}"[:MOST_READ] for link in chain(error))
    return " ".join(said)


def _body_of(link: BaseException) -> str:
    body = getattr(link, "body", "")  # the SDK's machine-readable code is not in its message
    return str({key: value for key, value in body.items() if key != _GENERATED} if isinstance(body, dict) else body)


def failed_generation(error: BaseException) -> str:
    """Return the model's text that the service could not read, cut in length; "" if it is not quoted."""
    bodies = [body for link in chain(error) if isinstance(body := getattr(link, "body", None), dict)]
    return next((str(body[_GENERATED])[:4000] for body in bodies if body.get(_GENERATED)), "")


def redirected(error: BaseException) -> str:
    """Return advice with the target of a redirect, without its query, in which a login page may put a secret."""
    location = str((getattr(first(error, "response"), "headers", None) or {}).get("location") or "")
    where = f" to {location.partition('?')[0][:200]}" if location else ""
    return f"the request is redirected{where}; set base_url to the address of the service, or log in to its gateway"


def is_a_page(error: BaseException) -> bool:
    """Return whether the body is an HTML page: gateways answer in HTML, services of models in JSON."""
    headers = getattr(first(error, "response"), "headers", None) or {}
    return "html" in str(headers.get("content-type") or "")


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and its causes: adapters wrap the SDK's error, which holds the response."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__


def first(error: BaseException, *names: str) -> Any:
    """Return the first of the attributes *names* that the error or one of its causes has; None without any."""
    values = (getattr(link, name, None) for link in chain(error) for name in names)
    return next((value for value in values if value is not None), None)


def status_of(error: BaseException) -> int | None:
    """Return the HTTP status of an error; None if neither the error nor one of its causes has one."""
    status = first(error, "status_code", "code")
    return status if isinstance(status, int) else None


def asked_wait(error: BaseException) -> float | None:
    """Return the seconds to wait from the Retry-After header or Gemini's RetryInfo; None without either of them."""
    headers = getattr(first(error, "response"), "headers", None) or {}
    if milliseconds := _number(headers.get("retry-after-ms")):
        return milliseconds / 1000
    if (after := headers.get("retry-after")) is not None:
        seconds = _number(after)
        return _until(after) if seconds is None else max(0.0, seconds)
    match = re.search(r"['\"]retryDelay['\"]:\s*['\"]([0-9.]+)s['\"]", str(first(error, "details")))
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
"""Characters; a shorter value is a word such as "none" and not a secret."""
_KEY_LIKE = re.compile(r"(Bearer\s+\S+|\bsk-[\w*-]{6,}|AIza[\w*-]{6,}|([?&]key=)[^&\s]+)", re.IGNORECASE)


def detail_of(error: BaseException) -> str:
    """Return class and message of an error in one line of at most 500 characters.

    Everything that is a key, or looks like one, is redacted.
    """
    request = getattr(first(error, "response"), "request", None) or _request(error)
    text = _whole_words(_sentence(error)) + _whole_words(_behind(error))
    for header, value in getattr(request, "headers", {}).items():
        if _KEY_HEADER.search(header) and len(key := str(value).removeprefix("Bearer ")) >= _SHORTEST_KEY:
            text = text.replace(key, "[key]")
    return " ".join(_KEY_LIKE.sub("[key]", text).split())[:500]


def _whole_words(text: str) -> str:
    """Return the beginning of a text, cut between two words: half a key would not be recognised."""
    return text if len(text) <= MOST_READ else text[:MOST_READ].rpartition(" ")[0]


def _sentence(error: BaseException) -> str:
    """Return the service's message; Google's SDK would write the whole error object."""
    if isinstance(error, BodyError):
        return str(error)
    google = next((link for link in chain(error) if hasattr(link, "details") and hasattr(link, "status")), None)
    message = getattr(google, "message", None)
    if google is not None and isinstance(message, str):
        return f"{type(error).__name__}: {getattr(google, 'code', '')} {google.status or ''}: {message}"
    return f"{type(error).__name__}: {error}".removesuffix(": ")


def _behind(error: BaseException) -> str:
    """Return ": " and the message of the service behind a gateway (OpenRouter: ``metadata.raw``); else ""."""
    bodies = [body for link in chain(error) if isinstance(body := getattr(link, "body", None), dict)]
    metadata: dict[str, Any] = next((body["metadata"] for body in bodies if isinstance(body.get("metadata"), dict)), {})
    return f": {metadata['raw']}" if metadata.get("raw") else ""


def _request(error: BaseException) -> Any:
    # httpx raises RuntimeError where an error has no request.
    try:
        return first(error, "request")
    except RuntimeError:
        return None
