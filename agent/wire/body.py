"""Limits on bodies of replies: bytes read, bytes after decompression, and JSON values passed to parsers.

Contract: a client reads no more than its limit, whatever size the server announces or compresses; a larger body is
``Outcome.TOO_LARGE``. Large bodies are decompressed, counted and parsed in a thread, so that other samples go on
meanwhile (``large.py``). The limit on values bounds the SDKs' time for one body: up to 2 s, on a machine with
nothing else to do, for bodies made to be slow (real bodies have some dozens of values).
"""

import asyncio
import zlib
from typing import Any

import httpx2
import numpy as np

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.wire.failures import Fault, KnownFault
from medvision_agent.agent.wire.large import LARGE, hand_over, handed_over

__all__ = ["MEGABYTE", "MOST_VALUES", "BoundedClient", "bounded", "replaced"]

MEGABYTE = 1_000_000
MOST_VALUES = 20_000
"""Maximum number of JSON values in one body: objects, lists and their items."""
_STEP = 2**18
"""Bytes examined at a time."""
_ZLIB = {"gzip": 31, "x-gzip": 31, "deflate": 47}
"""``wbits`` of zlib by content encoding; 47 also takes gzip's header."""
_OF_THE_BODY = {"content-length", "content-encoding", "transfer-encoding"}
"""Headers that no longer hold when a body was decompressed or changed."""


class BoundedClient(httpx2.AsyncClient):
    """An HTTP client that reads at most *most* bytes of a body; proxies and connection limits are the default.

    It follows no redirects: a request holds images and must go where the model's row says.
    """

    def __init__(self, *, most: int, **settings: Any) -> None:
        super().__init__(headers={"Accept-Encoding": "gzip, deflate"}, **settings)
        self._most = most
        self.asked = False
        """True once a request went through this client."""

    async def send(self, request: httpx2.Request, **settings: Any) -> httpx2.Response:
        """Send a request and return the reply with its whole body; raises KnownFault as ``bounded`` does."""
        self.asked = True
        if (reply := handed_over()) is not None:
            return reply
        response = await super().send(request, **(settings | {"stream": True, "follow_redirects": False}))
        try:
            body = await bounded(response, self._most)
        finally:
            await response.aclose()
        reply = replaced(response, body)
        await hand_over(reply)
        return reply


async def bounded(response: httpx2.Response, most: int) -> bytes:
    """Return the decompressed body, of at most *most* bytes before and after decompression.

    Raises KnownFault if the body is larger, has too many JSON values, or cannot be decompressed.
    """
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > most:
            raise _too_large(f"more than {most / MEGABYTE:g} MB, the limit max_body_mb of the model's row")
    encodings = response.headers.get("content-encoding", "").lower()
    if len(body) < LARGE and not encodings:
        return _checked(bytes(body), encodings, most)
    return await asyncio.to_thread(_checked, bytes(body), encodings, most)


def replaced(response: httpx2.Response, body: bytes, status: int | None = None) -> httpx2.Response:
    """Return *response* with another body and, if given, another status."""
    headers = [(name, value) for name, value in response.headers.multi_items() if name.lower() not in _OF_THE_BODY]
    return httpx2.Response(
        status or response.status_code,
        headers=headers,
        content=body,
        request=response.request,
        extensions=response.extensions,
    )


def _checked(body: bytes, encodings: str, most: int) -> bytes:
    for encoding in reversed([name.strip() for name in encodings.split(",")]):
        if encoding not in {"", "identity"}:
            body = _inflated(body, encoding, most)
    if _many_values(body):
        raise _too_large(f"more than {MOST_VALUES:,} JSON values, the most that are read")
    return body


def _inflated(body: bytes, encoding: str, most: int) -> bytes:
    if encoding not in _ZLIB:
        raise _unreadable(f"it is compressed as {encoding[:40]!r}, which was not requested (gzip and deflate were)")
    for wbits in (_ZLIB[encoding], -15) if encoding == "deflate" else (_ZLIB[encoding],):
        decoder = zlib.decompressobj(wbits)
        try:
            content = decoder.decompress(body, most + 1)
        except zlib.error:
            continue
        if len(content) > most:
            raise _too_large(
                f"more than {most / MEGABYTE:g} MB when decompressed, the limit max_body_mb of the model's row"
            )
        if decoder.eof:
            return content
    raise _unreadable(f"its compressed data ({encoding}) is damaged or cut short")


def _many_values(body: bytes) -> bool:
    """Return whether a JSON text has more than ``MOST_VALUES`` values; commas and brackets in strings do not count."""
    if sum(map(body.count, (b",", b"[", b"{"))) <= MOST_VALUES:
        return False
    text = np.frombuffer(body.replace(b"\\\\", b"").replace(b'\\"', b""), np.uint8)
    values, open_string = 0, 0
    for start in range(0, len(text), _STEP):
        part = text[start : start + _STEP]
        in_string = (np.cumsum(part == ord('"'), dtype=np.uint8) + open_string) & 1
        opens = (part == ord(",")) | (part == ord("[")) | (part == ord("{"))
        values += int(np.count_nonzero(opens & (in_string == 0)))
        open_string = int(in_string[-1])
        if values > MOST_VALUES:
            return True
    return False


def _too_large(what: str) -> KnownFault:
    detail = f"the body of the reply is too large: {what}"
    return KnownFault(Fault(Outcome.TOO_LARGE, detail, retryable=True))


def _unreadable(what: str) -> KnownFault:
    return KnownFault(Fault(Outcome.BAD_REPLY, f"the body of the reply cannot be read: {what}", retryable=True))
