"""The trace: everything said and done for one sample, with pictures by hash.

Contract: a trace is plain JSON. A picture appears in it as ``{"picture": "<sha256>", ...}`` and its bytes lie in
``pictures`` under that hash. No request header and no key ever reaches a trace.
"""

import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from langchain_core.messages import AnyMessage

__all__ = ["ToolCallTrace", "Trace"]

_DATA_URL = re.compile(r"^data:([\w./+-]+);base64,")


@dataclass(frozen=True, slots=True)
class ToolCallTrace:
    """One tool call: what the model wrote, what it got back, how long it took."""

    tool: str
    call_id: str
    arguments: Any
    ok: bool
    text: str
    picture: str | None
    seconds: float


@dataclass(eq=False)
class Trace:
    """A growing record of one conversation."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    tool_calls: list[ToolCallTrace] = field(default_factory=list)
    pictures: dict[str, bytes] = field(default_factory=dict)

    def picture(self, png: bytes) -> str:
        """Keep a picture and return its hash."""
        key = sha256(png).hexdigest()
        self.pictures[key] = png
        return key

    def say(self, *messages: AnyMessage) -> None:
        """Append messages as sent or received, pictures replaced by their hashes."""
        for message in messages:
            self.messages.append(self._without_pictures(message.model_dump(mode="json", exclude_none=True)))

    def _without_pictures(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {str(key): self._without_pictures(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._without_pictures(item) for item in value]
        if isinstance(value, str) and (found := _DATA_URL.match(value)):
            data = b64decode(value[found.end() :])
            return {"picture": self.picture(data), "mime_type": found[1]}
        return value
