"""The responses of the viewer's server: the page, its data as JSON, and images; it also accepts notes.

Contract: only ``review.jsonl`` is written. Paths contain only keys, numbers and hashes, so that no outside text ever
names a file. Something missing or damaged gives a ``Problem``, and so does an internal error.
"""

import logging
from collections.abc import Callable, Mapping

from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from medvision_agent.errors import MedVisionAgentError
from medvision_agent.eval.browse.forms import Note, Problem
from medvision_agent.eval.browse.library import Library
from medvision_agent.eval.browse.page import TYPES
from medvision_agent.eval.server.guard import Guard, Keys
from medvision_agent.frozen import complaint

__all__ = ["app_of"]

_LOG = logging.getLogger(__name__)
_WAIT = 0.5
"""Seconds that the first page waits for newly stored records."""
_LONGEST = 64 * 1024
"""Largest note in bytes."""
_MOST = 1 << 53

Answer = Callable[[Request], Response]


def app_of(library: Library, page: Mapping[str, bytes], keys: Keys, port: int) -> Starlette:
    """Return the web application that shows the runs of *library*, for a server on *port* of this machine.

    *page* holds the files of the viewer's page by name; *keys* are the secrets that a request must have.
    """
    answers = _Answers(library, page)
    return Starlette(
        routes=[
            Route("/", _safely(answers.file)),
            Route("/data/index", _safely(answers.index)),
            Route("/data/rows/{run}", _safely(answers.rows)),
            Route("/data/talks/{run}/{row:int}", _safely(answers.talk)),
            Route("/data/reviews/{run}", _safely(answers.reviews)),
            Route("/data/reviews/{run}", answers.note, methods=["POST"]),
            Route("/pictures/{name}.png", _safely(answers.picture)),
            Route("/{name}", _safely(answers.file)),
        ],
        middleware=[Middleware(Guard, keys=keys, port=port)],
        exception_handlers={HTTPException: _refused},
    )


class _Answers:
    """The functions that answer the requests to each path, from the runs in *library* and the files of *page*."""

    def __init__(self, library: Library, page: Mapping[str, bytes]) -> None:
        self._library, self._page = library, page

    def file(self, request: Request) -> Response:
        name = request.path_params.get("name", "index.html")
        if name not in self._page:
            raise HTTPException(404)
        return Response(self._page[name], media_type=TYPES[name.rpartition(".")[2]])

    def index(self, _: Request) -> Response:
        self._library.read_on(_WAIT, findings=False)
        return _json(self._library.index(live=True))

    def rows(self, request: Request) -> Response:
        return _json(self._library.rows(_key(request), _number(request.query_params.get("since", "-1"))))

    def talk(self, request: Request) -> Response:
        return _json(self._library.talk(_key(request), request.path_params["row"]))

    def picture(self, request: Request) -> Response:
        return Response(self._library.picture(request.path_params["name"]), media_type="image/png")

    def reviews(self, request: Request) -> Response:
        return _json(self._library.reviews(_key(request)))

    async def note(self, request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return _problem("expected a note as JSON (Content-Type: application/json)", 415)
        written = bytearray()
        async for part in request.stream():
            written += part
            if len(written) > _LONGEST:
                return _problem(f"a note has at most {_LONGEST} bytes", 413)
        try:
            posted = Note.model_validate_json(bytes(written))
        except ValidationError as error:
            return _problem(complaint(error), 422)
        return await run_in_threadpool(_safely(lambda one: _json(self._library.note(_key(one), posted))), request)


def _safely(answer: Answer) -> Answer:
    """Return a function that answers like *answer*, but whose exceptions become responses with a ``Problem``.

    Something missing or damaged has status 404, an internal error 500.
    """

    def safe(request: Request) -> Response:
        try:
            return answer(request)
        except MedVisionAgentError as error:
            return _problem(str(error), 404)
        except HTTPException:
            raise
        except Exception as error:  # noqa: BLE001 - one broken answer must not end the others
            _LOG.exception("the viewer's server failed at %s", request.url.path)
            return _problem(f"the viewer failed with an internal error ({type(error).__name__}); reload the page", 500)

    return safe


async def _refused(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    said = {404: "there is nothing at this address", 405: "this method is not allowed at this address"}
    return _problem(said.get(status, "the request is not valid"), status)


def _key(request: Request) -> str:
    return str(request.path_params["run"])


def _number(text: str) -> int:
    try:
        return max(-1, min(int(text[:20]), _MOST))
    except ValueError:
        raise HTTPException(400) from None


def _json(value: BaseModel) -> Response:
    return Response(value.model_dump_json(), media_type="application/json")


def _problem(why: str, status: int) -> Response:
    return Response(Problem(error=why[:2000]).model_dump_json(), status, media_type="application/json")
