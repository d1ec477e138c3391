"""Conversations in which tools are called in text, and the requests they make; golden for the grammar `plain`.

python tests/text_calls.py    # writes the golden file again: only where requests are meant to change
"""

import asyncio
import gzip
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from fake.replies import Reply, calls, text
from fake.server import FakeServer

from medvision_agent.agent.answer import Answer, answer
from medvision_agent.agent.condition import Condition
from medvision_agent.agent.limits import Limits
from medvision_agent.agent.models import MODEL_CONFIG
from medvision_agent.agent.providers.factory import open_model
from medvision_agent.agent.words.question import Question, Wording
from medvision_agent.tools.registry import installed
from medvision_agent.tools.view.geometry import Spacing
from medvision_agent.tools.view.slice import grey_slice

GOLDEN = Path(__file__).parent / "data" / "golden" / "plain_requests.json.gz"
KEYS = {"GEMINI_API_KEY": "a-test-key-of-google", "OPENAI_API_KEY": "a-test-key-of-openai"}
WIRES = ("gemini", "chat", "responses")
CROP = '{"name": "crop", "arguments": {"view": "v0", "x0": 0, "y0": 0, "x1": 0.5, "y1": 0.5, "zoom": 2}}'
RULER = '{"name": "ruler", "arguments": {"view": "v0", "x0": 0, "y0": 0, "x1": 1, "y1": 0}}'
ANSWER = "<think>so</think><answer>20.0</answer>"
_PIXELS = np.add.outer(np.arange(60), 2 * np.arange(80)).astype(np.uint8)
_WORDS_OF_LANGCHAIN = re.compile(r"are not valid JSON\..*?(?=\"\})", re.DOTALL)
QUESTION = Question("distance", grey_slice(_PIXELS, Spacing(1.0, 0.5)), "A slice.", None, ("tip", "base"))


@dataclass(frozen=True)
class Conversation:
    """What the model says, and how it is asked."""

    replies: list[Reply]
    wires: tuple[str, ...] = ("chat",)
    tools: str = "on"
    shown: dict[str, Any] = field(default_factory=lambda: {"overlays": True, "paragraph": "tools"})
    limits: Limits = field(default_factory=Limits)
    wording: Wording = field(default_factory=Wording)
    row: dict[str, Any] = field(default_factory=dict)


def conversations(write: Callable[[list[str]], str]) -> dict[str, Conversation]:
    """Return the conversations by name, with calls as *write* writes the JSON texts of one turn."""
    broken = '{"name": "ruler", "arguments": {"x0": 0,1}}'
    unknown = '{"name": "rulr", "arguments": {}}'
    again = [text(write([CROP])), text(ANSWER)]
    return {
        "two calls, then one": Conversation(
            [text("Look.\n" + write([CROP, RULER])), text(write([RULER.replace("v0", "v1")])), text(ANSWER)], WIRES
        ),
        "broken and unknown": Conversation([text(write([RULER, broken, unknown])), text(ANSWER)], WIRES),
        "read by the service": Conversation([calls(("ruler", json.loads(RULER)["arguments"])), text(ANSWER)]),
        "read by the service, unreadable": Conversation(
            [calls(("ruler", '{"x0": '), ("ruler", json.loads(RULER)["arguments"]), texts=("So",)), text(ANSWER)]
        ),
        "dropped by the service": Conversation([text("", finish="MALFORMED_FUNCTION_CALL"), text(ANSWER)], ("gemini",)),
        "forced": Conversation(again, limits=Limits(model_calls=2)),
        "cut off": Conversation([text(write([CROP])[:40], finish="length"), text(ANSWER)]),
        "paraphrased, in pixels": Conversation(
            again, shown={"overlays": False, "paragraph": "tools_paraphrased"}, row={"frame": "pixel"}
        ),
        "must use": Conversation(again, shown={"overlays": True, "paragraph": "tools_must_use"}),
        "blind, a subset": Conversation(again, tools="blind/crop,ruler"),
        "own words": Conversation(again, wording=Wording(own={"tools": "Own words: {{ names }} {{ frame.name }}."})),
        "own form": Conversation(again, wording=Wording(own={"tools_text": "{{ names }} {{ declarations | length }}"})),
        "off": Conversation([text(ANSWER)], WIRES, tools="off"),
    }


def fenced(written: list[str]) -> str:
    """Return calls as the grammar `plain` writes them."""
    return "\n".join(["```tool_call", *written, "```"])


async def ask(server: FakeServer, talk: Conversation, wire: str, **row: Any) -> Answer:
    """Have the conversation on one of the interfaces."""
    server.script(talk.replies)
    common = {"model": "gemini-2.5-flash", "perceived": {"rule": "native"}, "tool_calling": "text"} | talk.row | row
    if wire == "gemini":
        own = {"provider": "gemini", "base_url": server.url, "thinking_budget": -1}
    else:
        own = {"provider": "openai", "base_url": server.openai_url, "api": wire}
    condition = Condition.parse(talk.tools, installed().dated("2026-11")).shown(**talk.shown)
    question = replace(QUESTION, wording=talk.wording)
    async with asyncio.timeout(60), open_model(MODEL_CONFIG.validate_python(common | own), environ=KEYS) as chat:
        return await answer(question, condition, chat, talk.limits)


def bodies(server: FakeServer) -> list[Any]:
    """Return the bodies of all requests since the script began, each picture by its hash."""
    return [_short(request.body) for request in server.requests]


def _short(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _short(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_short(item) for item in value]
    if isinstance(value, str) and value.startswith(("data:image/png", "iVBORw0KGgo")):
        return sha256(_as_then(value).encode()).hexdigest()
    return _WORDS_OF_LANGCHAIN.sub("are not valid JSON", value) if isinstance(value, str) else value


def _as_then(value: str) -> str:
    """Return a picture as the version wrote it that made the golden bodies: the same pixels in another file."""
    head, comma, content = value.rpartition(",")
    letters = None if comma else b"-_"  # a data URL, or Gemini's base64
    file = np.frombuffer(b64decode(content, letters), np.uint8)
    pixels = cv2.imdecode(file, cv2.IMREAD_UNCHANGED)
    _, data = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 6])
    return f"{head}{comma}{b64encode(data.tobytes(), letters).decode()}"


def cases(write: Callable[[list[str]], str]) -> Iterator[tuple[str, Conversation, str]]:
    """Yield every conversation on every interface it is meant for: key, conversation, interface."""
    for name, talk in conversations(write).items():
        for wire in talk.wires:
            yield f"{name} ({wire})", talk, wire


async def _golden() -> dict[str, list[Any]]:
    found = {}
    for key, talk, wire in cases(fenced):
        async with FakeServer() as server:
            await ask(server, talk, wire)
            found[key] = bodies(server)
    return found


if __name__ == "__main__":
    content = json.dumps(asyncio.run(_golden()), sort_keys=True).encode()
    GOLDEN.write_bytes(gzip.compress(content, mtime=0))
