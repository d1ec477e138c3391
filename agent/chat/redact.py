"""Text that every file, database and wire can hold: lone surrogates replaced, keys blotted out.

Models (or the services around them) can send half of a surrogate pair, legal in JSON and in a Python string, but not
encodable: unmended, one such answer could never be stored or sent back. A service that repeats a request's headers in
its answer would have the key stored.
"""

from collections.abc import Callable
from typing import Any

from langchain_core.messages import AIMessage

__all__ = ["encodable"]

_FIELDS = ("content", "tool_calls", "invalid_tool_calls", "additional_kwargs", "response_metadata")


def encodable(message: AIMessage, redact: Callable[[str], str] = str) -> AIMessage:
    """Return *message*, or a copy in which every text can be encoded and went through *redact*."""

    def mended(value: Any) -> Any:
        if isinstance(value, str):
            return redact(value.encode("utf-8", "replace").decode("utf-8"))
        if isinstance(value, dict):
            return {mended(key): mended(item) for key, item in value.items()}
        if isinstance(value, list):
            return [mended(item) for item in value]
        return value

    changed = {name: new for name in _FIELDS if (new := mended(value := getattr(message, name))) != value}
    return message.model_copy(update=changed) if changed else message
