"""The trace: all messages and tool calls of one sample, with images by hash.

Contract: a trace is strict JSON. An image block appears in it as ``{"type": "image_url", "picture": "<sha256>"}`` and
its bytes are in ``pictures`` under that hash. Request headers and API keys never reach a trace.
"""

import binascii
import json
import math
from base64 import b64decode
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any

from langchain_core.messages import AnyMessage

from medvision_agent.agent.chat.code_run import CODE_EXECUTION, CodeRun
from medvision_agent.tools.view.drawn import Drawn

__all__ = ["RequestTrace", "ToolCallTrace", "Trace"]

_DATA_URL = "data:image/png;base64,"


@dataclass(frozen=True, slots=True)
class ToolCallTrace:
    """One tool call: the model's arguments, the reply, and the seconds it took."""

    tool: str
    """The name that the model wrote; it may be unknown."""
    call_id: str
    arguments: Any
    """As the model wrote them."""
    ok: bool
    """Whether the call returned a result, not an error."""
    text: str
    """The reply that the model got."""
    picture: str | None
    """Hash of the image in the reply; None without one."""
    seconds: float
    failure: str = ""
    """The exception that the tool raised; written only if it raised."""
    shown: bool | None = None
    """Whether the result was in the messages of the model's next turn; None for errors and for provider code."""
    picture_shown: bool | None = None
    """Whether the picture was in these messages; None without a picture."""
    turn: int | None = None
    """Position of the message that made the call, from 1, among the messages that are not tool results."""
    drawn: tuple[Drawn, ...] = ()
    """What the tool found, in the slice frame, even if the model was not shown it; written only if not empty."""


@dataclass(frozen=True, slots=True)
class RequestTrace:
    """One request to a model, also a failed one: when it was sent, and what the server reported about itself."""

    asked_at: str
    """Date and time in UTC, ISO 8601, to the millisecond, by the clock of this machine."""
    seconds: float
    """Seconds until the reply was complete or the request had failed."""
    failure: str | None = None
    """The outcome of a failed request; None for a reply."""
    model_version: str | None = None
    """The exact model that answered, as the server names it."""
    fingerprint: str | None = None
    """The server's identifier of its version and settings (``system_fingerprint``)."""
    response_id: str | None = None
    """The server's id of the reply, which a provider asks for when something is wrong."""


@dataclass(eq=False)
class Trace:
    """The trace of one conversation, which grows with each message, tool call and request."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    tool_calls: list[ToolCallTrace] = field(default_factory=list)
    requests: list[RequestTrace] = field(default_factory=list)
    pictures: dict[str, bytes] = field(default_factory=dict)
    """PNG files by their SHA-256 hash."""
    looked_up: int = 0
    """Number of calls whose results were searched for in the model's next turn (``shown.py``)."""
    _names: dict[str, str | None] = field(default_factory=dict, repr=False)
    """Hashes of images by their data URL, so that each is decoded only once."""

    @property
    def turns(self) -> int:
        """Number of messages so far that are not tool results."""
        return sum(message.get("type") != "tool" for message in self.messages)

    def picture(self, png: bytes) -> str:
        """Store a PNG image and return its SHA-256 hash."""
        key = sha256(png).hexdigest()
        self.pictures[key] = png
        return key

    def named(self, url: object) -> str | None:
        """Store the PNG image of a data URL and return its SHA-256 hash; None if the URL holds no such image."""
        if not isinstance(url, str):
            return None
        if url not in self._names:
            png = _png_of(url)
            self._names[url] = None if png is None else self.picture(png)
        return self._names[url]

    def say(self, *messages: AnyMessage) -> None:
        """Append messages as sent or received, with images replaced by their hashes."""
        for message in messages:
            self.messages.append(self._plain(message.model_dump(mode="json")))

    def sent_back(self, message: AnyMessage | None) -> None:
        """Record *message*, the changed form in which the last message is sent back to the model.

        None: the last message is left out.
        """
        self.messages[-1]["sent_back"] = None if message is None else self._plain(message.model_dump(mode="json"))

    def ran(self, runs: Iterable[CodeRun]) -> None:
        """Record code that the provider ran as tool calls, each with its first image; no durations are reported."""
        for run in runs:
            keys = [self.picture(png) for png in run.pictures]
            arguments = {"code": run.code, "language": run.language}
            picture = keys[0] if keys else None
            self.tool_calls.append(
                ToolCallTrace(CODE_EXECUTION, run.id, arguments, run.ok, run.text, picture, 0.0, turn=self.turns + 1)
            )

    def to_json(self) -> str:
        """Return messages, tool calls, requests and the hashes of all pictures as strict JSON."""
        content = {
            "messages": self.messages,
            "tool_calls": [self._plain(_written(call)) for call in self.tool_calls],
            "requests": [asdict(request) for request in self.requests],
        }
        return json.dumps(content | {"pictures": sorted(self.pictures)}, allow_nan=False)

    def _plain(self, value: Any) -> Any:
        """Return *value* as strict JSON data; only image blocks are replaced, never text."""
        if isinstance(value, str):
            return value
        if isinstance(value, dict):
            if value.get("type") == "image_url" and (name := self.named(_url_of(value))) is not None:
                return {"type": "image_url", "picture": name}
            return {str(key): self._plain(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._plain(item) for item in value]
        if isinstance(value, float) and not math.isfinite(value):
            return str(value)  # a NaN that a model wrote is kept as text
        return value


def _written(call: ToolCallTrace) -> dict[str, Any]:
    fields = asdict(call)
    return {name: value for name, value in fields.items() if value or name not in {"failure", "drawn"}}


def _url_of(block: Mapping[str, Any]) -> object:
    source = block.get("image_url")
    return source.get("url") if isinstance(source, Mapping) else None


def _png_of(url: str) -> bytes | None:
    """Return the bytes of the PNG image in a data URL, or None for any other URL."""
    if not url.startswith(_DATA_URL):
        return None
    try:
        return b64decode(url.removeprefix(_DATA_URL), validate=True)
    except binascii.Error:
        return None
