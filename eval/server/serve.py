"""Starting and ending the viewer's server.

Contract: it listens on 127.0.0.1 only. While it runs, a thread reads the store; Ctrl-C or SIGTERM ends it within
seconds, and leaves nothing behind.
"""

import os
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

import uvicorn

from medvision_agent.eval.browse.library import Library
from medvision_agent.eval.server.app import app_of
from medvision_agent.eval.server.guard import Keys
from medvision_agent.loopback import HOST, Announced, listening

__all__ = ["open_browser", "serve"]

_STEP, _PAUSE = 0.2, 1.0
"""Seconds of reading without a break, and of waiting if there is nothing new."""


def serve(
    library: Library,
    page: Mapping[str, bytes],
    *,
    port: int = 0,
    ready: Callable[[str, str], None] = lambda address, once: None,  # noqa: ARG005
) -> None:
    """Serve the runs of *library* on this machine until Ctrl-C; *port* 0 uses a free port.

    *page* holds the files of the viewer's page by name. When the server accepts requests, *ready* is called with the
    address to be printed, and with one that works once.
    Raises ConfigError if the port cannot be used.
    """
    keys = Keys()
    with listening(port) as taken:
        own = int(taken.getsockname()[1])
        settings = uvicorn.Config(
            app_of(library, page, keys, own),
            access_log=False,
            log_config=None,
            server_header=False,
            ws="none",
            lifespan="off",
            timeout_graceful_shutdown=1,
            timeout_keep_alive=30,
        )
        address = f"http://{HOST}:{own}/?token="
        server = Announced(settings, lambda: ready(address + keys.token, address + keys.once()))
        with _reading(library), suppress(KeyboardInterrupt):
            server.run(sockets=[taken])


@contextmanager
def _reading(library: Library) -> Iterator[None]:
    """Read newly stored records into *library* in a thread, as long as the context lasts."""
    over = threading.Event()

    def read() -> None:
        while not over.wait(0 if library.read_on(_STEP) else _PAUSE):
            pass

    thread = threading.Thread(target=read, name="viewer-reading", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(timeout=2)


def open_browser(address: str) -> None:
    """Open an address in the default browser, without waiting for it; do nothing on a machine without a display."""
    windows = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if sys.platform not in {"darwin", "win32"} and not windows:
        return

    def opened() -> None:
        with suppress(webbrowser.Error, OSError):
            webbrowser.open(address)

    threading.Thread(target=opened, name="viewer-browser", daemon=True).start()
