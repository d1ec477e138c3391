"""A fake provider on loopback: Gemini generateContent, OpenAI chat completions and responses.

    async with FakeServer() as server:
        server.script([text("hello")])
        ...  # ask server.gemini_url or server.openai_url
        server.requests[0].body

It refuses conversations the real services refuse, so a wrong order of messages fails loudly. As a program:

    python tests/fake/server.py --port 0 --script replies.json     # prints its port

where the file holds a list of replies (tests/fake/replies.py), or {"by_turn": [...]}, in which a reply is chosen by
how often the model spoke in the conversation asked about, so that many samples can run at once.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

if not __package__:
    sys.path.insert(0, str(Path(__file__).parents[1]))

from fake import wires
from fake.replies import Reply, text


@dataclass(frozen=True)
class Request:
    """One request as it came in."""

    wire: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    content: bytes = b""
    """The body as it came."""

    @property
    def pictures(self) -> list[bytes]:
        """All pictures, in order."""
        return list(wires.pictures(self.body))


def counted(request: Request) -> Reply:
    """Answer a probe with the tokens it has."""
    usage = {"input": wires.counted(request.body), "output": 2, "reasoning": 0, "cached": 0}
    return text("ready", usage=usage)


class FakeServer:
    """Answers requests from a script and keeps them."""

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self.requests: list[Request] = []
        self.probes: list[Request] = []
        """Requests that compare prompts with and without declared tools; they are in no script."""
        self.answer_probe: Callable[[Request], Reply] = counted
        self.heard = asyncio.Event()
        self.connections = 0
        self._replies: list[Reply] = []
        self._by_turn = False
        self._rule: Callable[[Request], Reply] | None = None
        self._open: set[asyncio.Task[None]] = set()

    def behave(self, rule: Callable[[Request], Reply]) -> None:
        """Answer every request by a function of it (``servers.py``)."""
        self._rule = rule

    def script(self, replies: list[Reply], *, by_turn: bool = False) -> None:
        """Set what is answered: one reply after the other, or by the turn of each conversation (last one repeated)."""
        self._replies, self._by_turn = list(replies), by_turn

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    gemini_url = url

    @property
    def openai_url(self) -> str:
        return f"{self.url}/v1"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connection, "127.0.0.1", self.port, limit=2**26)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._server.wait_closed()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        self.connections += 1
        try:
            while (request := await _received(reader)) is not None:
                await self._respond(request, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the client left, was cut off by the script, or the server closes
        finally:
            self._open.discard(task)
            writer.transport.abort()

    async def _respond(self, request: Request, writer: asyncio.StreamWriter) -> None:
        probe = wires.is_probe(request.wire, request.body)
        (self.probes if probe else self.requests).append(request)
        self.heard.set()
        if (fault := request.wire and wires.complaint(request.wire, request.body)) or not request.wire:
            status = 400 if request.wire else 404
            body = wires.error(request.wire, status, f"invalid request: {fault or request.path}")
            return await _send(writer, status, json.dumps(body))
        reply = self.answer_probe(request) if probe else self._next(request)
        if until := reply.get("until"):
            await until.wait()
        if reply.get("hang"):
            await asyncio.Event().wait()
        if reply.get("drop"):
            raise ConnectionAbortedError
        if "endless" in reply:
            return await _send_on(writer, reply)
        if "raw" in reply:
            body = reply["raw"] if isinstance(reply["raw"], str | bytes) else json.dumps(reply["raw"])
            headers = {"Content-Type": reply["content_type"], **reply["headers"]}
            return await _send(writer, reply["raw_status"], body, headers)
        if status := reply.get("status"):
            body = wires.error(request.wire, status, reply["message"], reply["code"], reply["retry_info"])
            return await _send(writer, status, json.dumps(body), reply["headers"])
        body = json.dumps(wires.answer(request.wire, reply, len(self.requests)))
        return await _send(writer, 200, body, cut=reply.get("cut", False), pause=reply.get("trickle", 0))

    def _next(self, request: Request) -> Reply:
        if self._rule is not None:
            return self._rule(request)
        if self._by_turn:
            return self._replies[min(wires.turns(request.wire, request.body), len(self._replies) - 1)]
        if not self._replies:
            return {"status": 400, "message": "script exhausted", "code": None, "headers": {}, "retry_info": None}
        return self._replies.pop(0)


async def _received(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.split("\r\n")
    path = first.split(" ")[1]
    pairs = (line.partition(":") for line in lines if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    content = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(wires.wire_of(path) or "", path, headers, json.loads(content or b"{}"), content)


async def _send(
    writer: asyncio.StreamWriter,
    status: int,
    body: str | bytes,
    headers: dict[str, str] | None = None,
    *,
    cut: bool = False,
    pause: float = 0,
) -> None:
    data = body.encode() if isinstance(body, str) else body
    fields = {"Content-Type": "application/json", "Content-Length": str(len(data)), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    writer.write(f"HTTP/1.1 {status} Fake\r\n{head}\r\n".encode())
    step = 8 if pause else max(1, len(data))
    for start in range(0, len(data) // 2 if cut else len(data), step):
        writer.write(data[start : start + (step if not cut else len(data) // 2)])
        await writer.drain()
        await asyncio.sleep(pause)
    if cut:
        raise ConnectionAbortedError


async def _send_on(writer: asyncio.StreamWriter, reply: Reply) -> None:
    lines = [f"{name}: {value}\r\n" for name, value in {"Content-Type": "application/json", **reply["headers"]}.items()]
    writer.write(f"HTTP/1.1 200 Fake\r\n{''.join(lines)}".encode() + (b"\r\n" if reply["head"] else b""))
    while True:
        writer.write(reply["endless"])
        await writer.drain()
        await asyncio.sleep(reply["pause"])


async def _serve(port: int, replies: Any) -> None:
    async with FakeServer(port) as server:
        by_turn = isinstance(replies, dict)
        server.script(replies["by_turn"] if by_turn else replies, by_turn=by_turn)
        print(server.port, flush=True)  # noqa: T201
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--script", type=Path, required=True)
    options = parser.parse_args()
    asyncio.run(_serve(options.port, json.loads(options.script.read_text(encoding="utf-8"))))
