"""Chat completions limited to what upstream's models can do: one question, one image, no tools.

Contract: unsupported requests are refused with status 400 and the reason, so that they never count against the
model. A seed is taken at temperature 0 only, where nothing is drawn by it. Replies have no usage, because upstream
counts no tokens. The reason to stop is always ``stop``, because upstream does not report whether a reply was cut off.
Only requests that name this machine as host, and that no web page sent, are answered. A request for another model of
the catalogue is refused with status 404, which ends a run.
"""

import base64
import json
import math
import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from medvision_agent.agent.upstream.model import CHECKPOINTS, UpstreamModel
from medvision_agent.loopback import HERE
from medvision_agent.text import plural

__all__ = ["Refused", "app_of", "question_of"]

_MOST_BYTES = 64 * 2**20
_MOST_WORDS = 500
_NOT_ASKED = ("tools", "functions", "stream", "response_format", "logprobs")
_NOT_PASSED = ("stop", "presence_penalty", "frequency_penalty", "logit_bias")
"""Settings for which upstream's generation has no place: it would ignore them."""


class Refused(ValueError):  # noqa: N818 - it reads as what happened
    """Raised if a request asks for something that upstream's interface does not support."""


def app_of(model: UpstreamModel) -> Starlette:
    """Return the web application that serves *model* by chat completions."""

    async def complete(request: Request) -> JSONResponse:
        try:
            _check_sender(request)
            body = await _body(request)
            if other := _other(body.get("model"), model.name):
                return _error(404, other, "not_found_error")
            text, image, settings = question_of(body)
        except Refused as refusal:
            return _error(400, str(refusal), "invalid_request_error")
        try:
            said = await run_in_threadpool(model.answer, text, image, settings)
        except Exception as error:  # noqa: BLE001 - whatever upstream's code raises is told to the caller
            return _error(500, f"{type(error).__name__}: {error}"[:_MOST_WORDS], "server_error")
        message = {"role": "assistant", "content": _encodable(said)}
        return JSONResponse(
            {
                "id": f"chatcmpl-{uuid4().hex}",
                "object": "chat.completion",
                "created": int(time.time()),
                "model": model.version,
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            }
        )

    async def models(request: Request) -> JSONResponse:  # noqa: ARG001 - the signature of a route
        return JSONResponse({"object": "list", "data": [{"id": model.name, "object": "model"}]})

    return Starlette(
        routes=[Route("/v1/chat/completions", complete, methods=["POST"]), Route("/v1/models", models)],
    )


def _other(asked: Any, name: str) -> str:
    """Return an error message if a request asks for another catalogue model (*asked*) than *name*, else ""."""
    if asked == CHECKPOINTS.get(name) or asked not in CHECKPOINTS.values():
        return ""
    return (
        f"this server serves the model {name}, not {asked}; serve each model on its own port (--port), and give that "
        "port in base_url of the model's row"
    )


def _check_sender(request: Request) -> None:
    host = request.headers.get("host", "").rpartition(":")[0] or request.headers.get("host", "")
    if host not in HERE or "origin" in request.headers:
        raise Refused(
            "this server answers only programs on its own machine, under the host localhost or 127.0.0.1, and no web "
            "page"
        )


async def _body(request: Request) -> Mapping[str, Any]:
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > _MOST_BYTES:
            raise Refused(
                f"the request is larger than {_MOST_BYTES // 2**20} MiB, which is the limit; send a smaller image"
            )
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        raise Refused("the request is not valid JSON") from None
    if not isinstance(body, dict):
        raise Refused("the request is not a JSON object")
    return body


def question_of(body: Mapping[str, Any]) -> tuple[str, bytes, dict[str, Any]]:
    """Return the text, the file of the image and the settings of a request.

    A system message goes before the question, with an empty line between them: upstream's interface has one text.
    Raises Refused for a request with tools, several turns, no image or several, an image that is no data URL, or a
    setting that upstream does not support.
    """
    _check_supported(body)
    texts, images, users = list[str](), list[bytes](), 0
    messages = body.get("messages")
    for message in messages if isinstance(messages, list) else []:
        role = message.get("role") if isinstance(message, dict) else None
        if role not in ("system", "developer", "user"):
            raise Refused(
                "messages: the models of MedVision's package answer one question without a conversation, so that only "
                "messages of the roles system and user are allowed; use --tools off"
            )
        users += role == "user"
        for part in _parts(message.get("content")):
            if part.get("type") == "text":
                texts.append(str(part.get("text", "")))
            elif part.get("type") == "image_url":
                images.append(_image(part))
            else:
                raise Refused(f"messages: a part of type {str(part.get('type'))[:50]!r} is neither text nor image_url")
    if users != 1 or len(images) != 1 or not "".join(texts).strip():
        raise Refused(
            f"messages: expected one user message with a text and one image, got {plural(users, 'user message')} with "
            f"{plural(len(images), 'image')} and {'a' if ''.join(texts).strip() else 'no'} text"
        )
    return "\n\n".join(texts), images[0], _settings(body)


def _check_supported(body: Mapping[str, Any]) -> None:
    """Raise Refused for settings that upstream's models would not follow."""
    if asked := [name for name in _NOT_ASKED if body.get(name)]:
        raise Refused(
            f"{asked[0]}: the models of MedVision's package answer one question and call no tools; ask with --tools off"
        )
    if asked := [name for name in _NOT_PASSED if body.get(name)]:
        raise Refused(
            f"{asked[0]}: the models of MedVision's package do not take this setting; leave it out of the model's row"
        )
    if body.get("seed") is not None and body.get("temperature"):
        raise Refused(
            "seed: the models of MedVision's package take no seed; set temperature to 0, or leave seed out of the "
            "model's row"
        )
    if body.get("n", 1) != 1:
        raise Refused("n: only one answer per request is supported; leave n out")


def _parts(content: Any) -> list[dict[str, Any]]:
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise Refused("messages: content must be a text or a list of JSON objects")
    return parts


def _image(part: Mapping[str, Any]) -> bytes:
    where = part.get("image_url")
    url = where.get("url") if isinstance(where, dict) else where
    head, _, data = str(url).partition(",")
    if not (head.startswith("data:image/") and head.endswith(";base64")):
        raise Refused("image_url: expected a data URL (data:image/...;base64,...); other URLs are not fetched")
    try:
        return base64.b64decode(data, validate=True)
    except ValueError:  # also for letters that are not ASCII
        raise Refused("image_url: the data is not base64") from None


def _settings(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request's settings under the names of upstream's generation settings.

    Raises Refused if one is not a finite number.
    """
    most = body.get("max_completion_tokens", body.get("max_tokens"))
    temperature = body.get("temperature") or 0
    settings = {"max_new_tokens": most, "top_p": body.get("top_p")}
    given: dict[str, Any] = {name: value for name, value in settings.items() if value is not None}
    if not all(isinstance(value, int | float) and math.isfinite(value) for value in (*given.values(), temperature)):
        raise Refused("max_tokens, temperature and top_p must be numbers")
    return given | {"temperature": temperature, "do_sample": temperature > 0}


def _encodable(text: str) -> str:
    """Return a text with question marks in place of lone surrogates, which cannot be encoded."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _error(status: int, message: str, kind: str) -> JSONResponse:
    return JSONResponse({"error": {"message": _encodable(message), "type": kind, "code": None}}, status_code=status)
