"""Serve one of upstream's models on this machine until Ctrl-C."""

from collections.abc import Callable
from contextlib import suppress

import uvicorn

from medvision_agent.agent.upstream.app import app_of
from medvision_agent.agent.upstream.model import UpstreamModel
from medvision_agent.loopback import HOST, Announced, listening

__all__ = ["serve_upstream"]


def serve_upstream(load: Callable[[], UpstreamModel], port: int, ready: Callable[[UpstreamModel, str], None]) -> None:
    """Load a model and serve it until Ctrl-C; *ready* gets the model and the base URL when requests are accepted.

    Raises ConfigError for a port in use, before the slow loading of the model, and what *load* raises.
    """
    with listening(port) as taken:
        model = load()
        own = int(taken.getsockname()[1])
        settings = uvicorn.Config(app_of(model), access_log=False, log_config=None, ws="none", lifespan="off")
        with suppress(KeyboardInterrupt):
            Announced(settings, lambda: ready(model, f"http://{HOST}:{own}/v1")).run(sockets=[taken])
