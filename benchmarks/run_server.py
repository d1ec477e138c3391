"""A fast model behind chat completions, for benchmarks: canned replies by case and turn, in a process of its own.

    python benchmarks/run_server.py        # prints its port

``/CASE/SECONDS/v1/chat/completions`` answers as the model of a case (``CASES``) after so many seconds; the turn is told
by how often the model spoke before. ``GET /CASE`` returns the longest body that was heard of a case, ``GET /asked``
the samples that were begun (the N of ``spot N`` in a body) with the moment of each first request, and forgets them.
``GET /CASE/times`` returns how many questions with a picture were answered since that was asked last, and the seconds
from the first of them to the last reply: probes and whatever else a client does before and after are not in it.
"""

import asyncio
import json
import re
import time
from dataclasses import asdict, dataclass

__all__ = ["CASES"]

ANSWER = "The lesion is bright and well delimited.\n<answer>43.10, 38.20</answer>"
BOX = {"x0": 0.3, "y0": 0.6, "x1": 0.7, "y1": 0.95}
CASES: dict[str, list[tuple[str, dict[str, object]]]] = {
    "text": [],
    "crops": [("crop", {"x0": 0.1 * n, "y0": 0.2, "x1": 0.1 * n + 0.4, "y1": 0.6, "zoom": 2}) for n in range(5)],
    "loop": [
        ("pixel_spacing", {"view": "v0"}),
        ("crop", {**BOX, "zoom": 3}),
        ("fit_contour", {"view": "v0", **BOX}),
        ("ruler", {"view": "v1", "x0": 0.2, "y0": 0.5, "x1": 0.8, "y1": 0.5}),
        ("python", {"code": "0.5 * (43.1 + 38.2)"}),
    ],
}
"""The calls of each case, one a turn; then comes the answer."""
_SPOKE = re.compile(rb'"role": ?"assistant"')
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


def reply(case: str, turn: int, prompt: int) -> bytes:
    """Return the reply of a turn to a prompt of so many tokens; pictures must not use up the limit of a sample."""
    message: dict[str, object] = {"role": "assistant", "content": ANSWER}
    if calling := turn < len(CASES[case]):
        name, arguments = CASES[case][turn]
        call = {"name": name, "arguments": json.dumps(arguments)}
        message |= {"content": None, "tool_calls": [{"id": f"call_{turn}", "type": "function", "function": call}]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if calling else "stop", "logprobs": None}
    usage = {"prompt_tokens": prompt, "completion_tokens": 40, "total_tokens": prompt + 40}
    body = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "fast", "choices": [choice]}
    return json.dumps({**body, "usage": usage}).encode()


_MARK = re.compile(rb"spot (\d+)")
ASKED: list[tuple[float, int]] = []
"""Moment (``time.monotonic``, the same for all processes) and number of each first request of a marked sample."""
LONGEST = dict.fromkeys(CASES, b"null")


@dataclass
class Times:
    """The number of answers, and their times."""

    replies: int = 0
    began: float = 0.0
    ended: float = 0.0

    def told(self) -> bytes:
        """Return the count and the seconds."""
        return json.dumps({**asdict(self), "seconds": self.ended - self.began}).encode()


TIMES = {case: Times() for case in CASES}


class Connection(asyncio.Protocol):
    """One connection, which handles one request at a time."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for the type checker
        self.transport, self.came, self.end = transport, bytearray(), 0

    def data_received(self, data: bytes) -> None:
        """Answer once a request is complete."""
        self.came += data
        if not self.end and (head := self.came.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self.came, 0, head)
            self.end = head + 4 + (int(length[1]) if length else 0)
        if not self.end or len(self.came) < self.end:
            return
        head, _, body = bytes(self.came[: self.end]).partition(b"\r\n\r\n")
        del self.came[: self.end]
        self.end = 0
        method, path, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        _, case, *rest = path.split("/")
        if method == "POST":
            self.asked(case, float(rest[0]), body)
        elif case == "asked":
            self.send(json.dumps(ASKED).encode())
            ASKED.clear()
        elif rest:
            self.send(TIMES[case].told())
            TIMES[case] = Times()
        else:
            self.send(LONGEST[case])

    def asked(self, case: str, seconds: float, body: bytes) -> None:
        """Answer as the model, after a delay."""
        LONGEST[case] = max(LONGEST[case], body, key=len)
        turn = len(_SPOKE.findall(body))
        if not turn and (mark := _MARK.search(body)):
            ASKED.append((time.monotonic(), int(mark[1])))
        content = reply(case, turn, len(body) // 40)
        times = TIMES[case] if b"image_url" in body else Times()
        times.began = times.began or time.perf_counter()
        if seconds:
            asyncio.get_running_loop().call_later(seconds, self.answer, content, times)
        else:
            self.answer(content, times)

    def answer(self, content: bytes, times: Times) -> None:
        """Send a reply, and note when."""
        self.send(content)
        times.replies += 1
        times.ended = time.perf_counter()

    def send(self, content: bytes) -> None:
        """Send a reply."""
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        self.transport.write(head.encode() + content)


async def serve() -> None:
    """Serve until the process ends."""
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0, backlog=2000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())
