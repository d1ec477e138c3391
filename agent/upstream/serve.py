"""Serving one of upstream's models on this machine until Ctrl-C."""

from collections.abc import Callable
from contextlib import suppress

import uvicorn

from medvision_agent.agent.upstream.app import app_of
from medvision_agent.agent.upstream.model import UpstreamModel
from medvision_agent.loopback import HOST, Announced, listening

__all__ = ["serve_upstream"]


def serve_upstream(model: UpstreamModel, port: int, ready: Callable[[str], None]) -> None:
    """Serve *model* until Ctrl-C; *ready* gets the base URL when it takes requests. Raises ConfigError."""
    with listening(port) as taken:
        own = int(taken.getsockname()[1])
        settings = uvicorn.Config(app_of(model), access_log=False, log_config=None, ws="none", lifespan="off")
        with suppress(KeyboardInterrupt):
            Announced(settings, lambda: ready(f"http://{HOST}:{own}/v1")).run(sockets=[taken])
