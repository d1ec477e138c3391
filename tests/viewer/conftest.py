"""A real browser for tests of the viewer's page: Debian's Chromium, driven by Playwright."""

import functools
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from canvas_pages import Canvas, built, served
from canvas_scenes import spots

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--force-color-profile=srgb",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[object]:
    """A browser for the tests of one file: as long as it is there, Playwright has an event loop running here."""
    if not CHROMIUM.exists():
        pytest.skip(f"needs Chromium at {CHROMIUM} (Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium, request) -> Iterator[object]:
    """A page of its own; an error in its console, or a request to another origin, fails the test."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, **getattr(request, "param", {}))
    context.set_default_timeout(20_000)
    opened, errors = context.new_page(), []
    opened.on(
        "console",
        lambda message: errors.append(f"{message.text} {message.location['url']}") if message.type == "error" else None,
    )
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("dialog", lambda dialog: (errors.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    yield opened
    context.close()
    # The server of a test may end before its page, which asks on; a page asks whether a server is there.
    known = ("net::ERR_", "404 (File not found)", "/favicon.ico")
    assert [error for error in errors if not any(one in error for one in known)] == []


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def static() -> Iterator[Callable[[Path], str]]:
    """A web host that knows nothing of the viewer: give it a folder, and it says its address."""
    servers = []

    def serve(folder: Path) -> str:
        server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=folder))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}/"

    yield serve
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="session")
def canvas_site(tmp_path_factory):
    """A page with the measuring canvas alone."""
    return built(tmp_path_factory.mktemp("page") / "site")


@pytest.fixture
def canvas(canvas_site, chromium, tmp_path):
    """Return a function that opens the canvas of some arms."""
    left = []

    def opened(arms, pictures=None, ratio=1.0, **context):
        place = served(canvas_site, tmp_path / f"site{len(left)}", arms, pictures or {"spots": spots()})
        address = place.__enter__()
        size = {"viewport": {"width": 1280, "height": 900}, "device_scale_factor": ratio} | context
        made = chromium.new_context(**size)
        left.extend([place, made])
        return Canvas(made.new_page(), ratio).open(address)

    yield opened
    for one in reversed(left):
        one.close() if hasattr(one, "close") else one.__exit__(None, None, None)
