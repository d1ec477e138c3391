"""The fake provider in a thread of its own, with one reply for each model that is asked for."""

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

from fake import wires
from fake.replies import Reply, text
from fake.server import FakeServer, Request

ANSWER = text("<answer>8.0</answer>")


class ByModel(FakeServer):
    """Answers as the model that is asked for does: by its rule, or one reply for each turn, the last one repeated."""

    def __init__(self) -> None:
        super().__init__()
        self.replies: dict[str, list[Reply]] = {}
        self.rules: dict[str, Callable[[Request], Reply]] = {}

    def _next(self, request: Request) -> Reply:
        gemini = request.wire == "gemini"
        model = request.path.rpartition("/")[2].partition(":")[0] if gemini else request.body["model"]
        if rule := self.rules.get(model):
            return rule(request)
        replies = self.replies.get(model, [ANSWER])
        return replies[min(wires.turns(request.wire, request.body), len(replies) - 1)]


def number_of(request: Request) -> int:
    """Return the number of the sample that a conversation is about (``samples.py``)."""
    found = re.search(r"start (\d+)", json.dumps(request.body))
    assert found is not None
    return int(found[1])


@contextmanager
def serving() -> Iterator[ByModel]:
    """Serve until the end of the block."""
    loop, server = asyncio.new_event_loop(), ByModel()
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result()
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(server.__aexit__(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def row(server: ByModel, wire: str, model: str, **fields: object) -> dict[str, object]:
    """Return a model's row behind the server, on the wire ``chat``, ``responses`` or ``gemini``."""
    where = server.gemini_url if wire == "gemini" else server.openai_url
    return (
        {
            "provider": "gemini" if wire == "gemini" else "openai",
            "model": model,
            "base_url": where,
            "perceived": {"rule": "native"},
            "timeout_seconds": 60,
            "max_tries": 1,
            "api_key_env": "KEY_OF_THE_MATRIX" if wire == "gemini" else None,
        }
        | ({"api": "responses"} if wire == "responses" else {})
        | fields
    )
