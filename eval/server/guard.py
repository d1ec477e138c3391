"""Access control of the viewer's server, and what every response forbids the browser.

Contract: a request is answered only if

* it names this machine as its host (so another site cannot reach the server under its own name: DNS rebinding);
* no other origin sent it, as far as the browser says (``Origin``, ``Sec-Fetch-Site``);
* it has the cookie that only the printed address, with its token, sets. A note also needs a stated origin.

The cookie is only for this server (``HttpOnly``, ``SameSite=Strict``). The page that sets it redirects to ``/`` by
itself, so that the token leaves the address bar, the history and every referrer, and so that the next request comes
from our own page. The address passed to a browser as an argument, which other users of the machine may see, works only
once.
"""

import hmac
import secrets
from html import escape
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from medvision_agent.loopback import HERE

__all__ = ["HEADERS", "Guard", "Keys"]

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
"""Headers of every response."""
_ON = """<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=/">
<link rel="icon" href="/icon.svg"><title>medvision-agent</title><a href="/">Open the viewer</a></html>
"""


class Keys:
    """The secrets of one server: the token in the printed address, the cookie, and a token that works once."""

    def __init__(self) -> None:
        self.token, self.cookie = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        self._once = secrets.token_urlsafe(32)

    def once(self) -> str:
        """Return the token that opens the server once; after its use, the next call returns another one."""
        return self._once

    def opens(self, token: str) -> bool:
        """Return whether a token opens the server; the token that works once is used up by this."""
        if _same(token, self._once):
            self._once = secrets.token_urlsafe(32)
            return True
        return _same(token, self.token)

    def known(self, cookie: str) -> bool:
        """Return whether a cookie has the value that this server set."""
        return _same(cookie, self.cookie)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


class Guard:
    """The middleware that refuses requests without permission, and passes all others on to *app*."""

    def __init__(self, app: ASGIApp, keys: Keys, port: int) -> None:
        self._app, self._keys = app, keys
        self._cookie = f"medvision_agent_{port}"
        """Cookies ignore ports, so the port in the name keeps two servers from overwriting each other's."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or pass it on if it is allowed; every response gets ``HEADERS``."""
        if scope["type"] != "http":
            return  # a web socket gets no response

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        answer = self._refused(scope) or self._opened(scope)
        await (answer or self._app)(scope, receive, guarded)

    def _refused(self, scope: Scope) -> Response | None:
        """Return the refusal of a request under another host name or from another web page; None for any other one."""
        headers = Headers(scope=scope)
        hosts, origin, site = headers.getlist("host"), headers.get("origin"), headers.get("sec-fetch-site")
        if len(hosts) != 1 or hosts[0].rpartition(":")[0] not in HERE:
            return _no("this server answers to 127.0.0.1 and localhost only; open it by one of these names", 421)
        if origin is not None and origin != f"http://{hosts[0]}":
            return _no(_ANOTHER_PAGE)
        if scope["method"] not in {"GET", "HEAD"} and origin is None:
            return _no("a note is accepted from the viewer's own page only; write it there")
        opens = scope["path"] == "/"  # may be a link in another program
        if site not in {None, "same-origin", "none"} and not opens:
            return _no(_ANOTHER_PAGE)
        return None

    def _opened(self, scope: Scope) -> Response | None:
        """Return the response that decides about token and cookie; None for a request with the right cookie.

        The response is the page that sets the cookie, for a request with a valid token, or else a refusal.
        """
        tokens = parse_qs(scope["query_string"].decode("latin-1")).get("token", [])
        if scope["path"] == "/" and tokens:
            if len(tokens) != 1 or not self._keys.opens(tokens[0]):
                return _no("the token is not that of this server: open the address that it printed last")
            answer = HTMLResponse(_ON)
            answer.set_cookie(self._cookie, self._keys.cookie, httponly=True, samesite="strict", path="/")
            return answer
        cookies = [
            value
            for header in Headers(scope=scope).getlist("cookie")
            if (value := cookie_parser(header).get(self._cookie)) is not None
        ]
        if not any(map(self._keys.known, cookies)):
            return _no("open the address that `medvision-agent view` printed, with its token")
        return None


_ANOTHER_PAGE = "a request from another web page is refused; open the address that `medvision-agent view` printed"


def _no(why: str, status: int = 403) -> Response:
    return PlainTextResponse(escape(f"{why}\n", quote=False), status)
