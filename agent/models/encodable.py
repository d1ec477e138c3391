"""Text that every file, database and wire can hold: lone surrogates, which JSON may carry, are replaced.

Models (or the services around them) can send half of a surrogate pair, legal in JSON and in a Python string, but not
encodable: unmended, one such answer could never be stored or sent back.
"""

from typing import Any

from langchain_core.messages import AIMessage

__all__ = ["encodable"]

_FIELDS = ("content", "tool_calls", "invalid_tool_calls", "additional_kwargs", "response_metadata")


def encodable(message: AIMessage) -> AIMessage:
    """Return *message*, or a copy in which every text can be encoded."""
    changed = {name: mended for name in _FIELDS if (mended := _mended(value := getattr(message, name))) != value}
    return message.model_copy(update=changed) if changed else message


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {_mended(key): _mended(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_mended(item) for item in value]
    return value
