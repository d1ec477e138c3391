"""A segmenter behind a small HTTP interface (docs/segmenters.md): its requests, and the check of its replies.

Contract: whatever the server does, a request ends within ``SECONDS`` and reads at most ``MOST_BYTES``. A server that
fails, or sends no valid reply, raises a ToolServiceError: the sample is asked again, and the model is not blamed. A
reply without candidates is a result of the tool. Nothing of a reply is evaluated, and no text of it reaches the model.
"""

import asyncio
import base64
import io
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import cv2
import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from medvision_agent.errors import ConfigError, ToolError, ToolServiceError
from medvision_agent.text import printable
from medvision_agent.tools.segment.candidates import MOST, Candidate, Prompt
from medvision_agent.tools.segment.contour import measure_mask, measure_outline
from medvision_agent.tools.view.slice import Slice

__all__ = ["MOST_BYTES", "SECONDS", "Server", "check_address"]

SECONDS = 60.0
"""Longest time of one request, from the connection to the last byte."""
MOST_BYTES = 16_000_000
"""Largest body of a reply."""
_MOST_POINTS = 20_000
_NEEDS = {
    "box": "the method needs a region (x0, y0, x1, y1)",
    "point": "the method needs a point inside the structure",
}
_FAR = 1e6
"""Largest coordinate of a polygon, in pixels to each side."""


class _Form(BaseModel):
    model_config = ConfigDict(allow_inf_nan=False, frozen=True)


class _About(_Form):
    """The reply to ``GET /about``: the name and version that a segmenter states."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._+-]{0,63}$")
    version: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._+-]{0,63}$")


_Coordinate = Annotated[float, Field(ge=-_FAR, le=_FAR)]


class _Found(_Form):
    """One candidate of a segmenter's reply: a mask (PNG in base64) or a polygon (x, y in the slice frame); a score."""

    mask: str | None = None
    polygon: list[tuple[_Coordinate, _Coordinate]] | None = Field(default=None, min_length=3, max_length=_MOST_POINTS)
    score: float = 0.0

    @model_validator(mode="after")
    def _one_form(self) -> "_Found":
        if (self.mask is None) == (self.polygon is None):
            raise ValueError("expected either mask or polygon, and not both")
        return self


class _Reply(_About):
    """The reply to ``POST /segment``: the segmenter's name and version, its candidates, or what it needs."""

    candidates: list[_Found] = Field(default=[], max_length=20)
    needs: Literal["box", "point"] | None = None
    """What is missing in the prompt; the words that a model gets are ours."""


def check_address(address: str) -> None:
    """Raise ConfigError for an invalid address, or one with a user name, password or query: addresses are stored."""
    try:
        parts = urlsplit(address)
    except ValueError:  # half of an IPv6 address
        parts = urlsplit("")
    if "@" in address or parts.query or parts.fragment:
        raise ConfigError(
            "--segmenter: the address is stored with the run, so that it must not contain a user name or password "
            "(...@), a query (?...) or a fragment (#...); leave these out"
        )
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigError(
            f"--segmenter {address[:100]!r}: expected an address that begins with http:// or https://, such as "
            "http://127.0.0.1:8000"
        )


class Server:
    """A segmenter behind an HTTP address; each request ends within *seconds* and reads at most *most_bytes*.

    Raises ConfigError for an address that is invalid or may not be stored.
    """

    def __init__(self, address: str, *, seconds: float = SECONDS, most_bytes: int = MOST_BYTES) -> None:
        check_address(address)
        self._address, self._seconds, self._most_bytes = address.rstrip("/"), seconds, most_bytes
        self._about: dict[str, str] = {}

    def about(self) -> dict[str, str]:
        """Return the name and the version that the server states, by the keys ``name`` and ``version``.

        Raises ConfigError where the server cannot be reached, or its reply has no valid name or version.
        """
        try:
            self._about = _About.model_validate_json(self._body("GET", "/about")).model_dump()
        except ValidationError as error:
            raise ConfigError(f"--segmenter: {self._unfit('/about', error)}") from None
        except ToolServiceError as error:
            raise ConfigError(f"--segmenter: {error}; is the server running?") from None
        return self._about

    def outline(self, image: Slice, prompt: Prompt) -> list[Candidate]:
        """Return the server's candidates (at most MOST), the highest score first; an empty list where it found nothing.

        Raises ToolError where the server asks for a region or a point that the prompt lacks, and ToolServiceError where
        it fails, sends no valid reply, or states another name or version than at the start of the run.
        """
        body = self._body("POST", "/segment", json.dumps(_request(image, prompt)).encode())
        try:
            reply = _Reply.model_validate_json(body)
        except ValidationError as error:
            raise self._unfit("/segment", error) from None
        stated = {"name": reply.name, "version": reply.version}
        if stated != (self._about or stated):
            now, then = (f"{one['name']} {one['version']}" for one in (stated, self._about))
            raise ToolServiceError(
                f"{self._address}: the segmenter now states that it is {now}, but the run began with {then}; start "
                f"{then} again and resume the run, or begin another run"
            )
        if reply.needs is not None:
            raise ToolError(_NEEDS[reply.needs])
        found = sorted(reply.candidates, key=lambda one: -one.score)
        return [self._candidate(one, image) for one in found][:MOST]

    def _candidate(self, found: _Found, image: Slice) -> Candidate:
        """Return a candidate of the reply, measured; raises ToolServiceError if it is invalid or has no area."""
        try:
            if found.polygon is not None:
                return Candidate(measure_outline(np.array(found.polygon), image.size, image.spacing), 0.0)
            return Candidate(measure_mask(_mask(found.mask or "", image), image.spacing), 0.0)
        except ValueError as error:
            raise ToolServiceError(
                f"{self._address}/segment: a candidate of the segmenter's reply cannot be used: {error}"
            ) from None

    def _body(self, method: str, path: str, content: bytes = b"") -> bytes:
        """Return the body of a reply with status 200; raises ToolServiceError for anything else."""
        import httpx2  # noqa: PLC0415 - for those only who have a server

        try:
            # In a thread of its own: a notebook's has an event loop running.
            with ThreadPoolExecutor(1) as thread:
                asked = self._bounded(method, f"{self._address}{path}", content)
                return thread.submit(asyncio.run, asked).result()
        except TimeoutError:
            raise ToolServiceError(
                f"{self._address}{path}: the segmenter sent no complete reply within {self._seconds:g} s"
            ) from None
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            words = printable(f"{type(error).__name__}: {error}")[:200]
            raise ToolServiceError(f"{self._address}{path}: the request to the segmenter failed: {words}") from None

    async def _bounded(self, method: str, url: str, content: bytes) -> bytes:
        """Return the body of a reply with status 200, read within the limits.

        Raises ToolServiceError for another status or a longer body, TimeoutError, and the errors of httpx2.
        """
        import httpx2  # noqa: PLC0415

        # Neither proxies of the environment nor redirects: the request goes where the user said. Certificates are
        # loaded only where some are needed: it takes longer than the request.
        client = httpx2.AsyncClient(trust_env=False, timeout=self._seconds, verify=self._address.startswith("https:"))
        async with asyncio.timeout(self._seconds), client:
            headers = {"content-type": "application/json", "accept-encoding": "identity"}
            async with client.stream(method, url, content=content, headers=headers) as reply:
                if reply.status_code != 200:
                    raise ToolServiceError(
                        f"{url}: the segmenter replied with HTTP status {reply.status_code}; expected 200"
                    )
                body = bytearray()
                async for chunk in reply.aiter_raw():
                    body += chunk
                    if len(body) > self._most_bytes:
                        raise ToolServiceError(
                            f"{url}: the segmenter's reply has more than {self._most_bytes} bytes, which is the limit"
                        )
                return bytes(body)

    def _unfit(self, path: str, error: ValidationError) -> ToolServiceError:
        """Return the error for a reply to *path* that has not the documented form; it names the first wrong field."""
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part)[:40] for part in first["loc"]) or "the body"
        return ToolServiceError(
            printable(
                f"{self._address}{path}: the segmenter's reply does not have the form of docs/segmenters.md: "
                f"{place}: {first['msg']}"
            )
        )


def _request(image: Slice, prompt: Prompt) -> dict[str, Any]:
    """Return the body of a request: the slice's native values (a .npy file in base64), spacing and prompt.

    Points and boxes are in the slice frame.
    """
    file, box = io.BytesIO(), prompt.region
    np.save(file, np.ascontiguousarray(image.values, np.float32), allow_pickle=False)
    return {
        "values": base64.b64encode(file.getvalue()).decode(),
        "spacing_mm": [image.spacing.height_mm, image.spacing.width_mm],
        "box": None if box is None else [box.x0, box.y0, box.x1, box.y1],
        "inside": None if prompt.inside is None else [prompt.inside.x, prompt.inside.y],
        "outside": None if prompt.outside is None else [prompt.outside.x, prompt.outside.y],
    }


def _mask(text: str, image: Slice) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return the mask (h, w) of a PNG in base64: True where a channel is above 0, opacity aside.

    Raises ValueError for text that is no PNG, for another size than the slice's, and for an empty mask.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        data = b""
    height, width = image.size.height, image.size.width
    # The size stands in the header: nothing is unpacked that would be far larger.
    if data[:8] != b"\x89PNG\r\n\x1a\n" or len(data) < 24:
        raise ValueError("its mask is not the base64 text of a PNG file")
    found = int.from_bytes(data[20:24], "big"), int.from_bytes(data[16:20], "big")
    if found != (height, width):
        raise ValueError(
            f"its mask has {found[0]} x {found[1]} pixels (height x width), but the slice has {height} x {width}"
        )
    # With its own depth and channels: 8 bits of grey would lose a 1 of 16 bits or of one colour.
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.shape[:2] != (height, width):
        raise ValueError("its mask cannot be decoded as a PNG file")
    mask = np.asarray(pixels > 0) if pixels.ndim == 2 else np.any(pixels[:, :, :3] > 0, axis=2)  # not its opacity
    if not mask.any():
        raise ValueError("its mask is empty; a segmenter that finds nothing must reply without candidates")
    return mask
