"""Warnings before a model is asked: where its requests may go, and that its replies have no size limit."""

import os
from collections.abc import Mapping

from medvision_agent.agent.models import LangChain, ModelConfig
from medvision_agent.agent.wire.redirects import redirections

__all__ = ["notices"]


def notices(config: ModelConfig, environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return the warnings that a user must read before the model is asked; empty if there is nothing to warn about."""
    unbounded = (
        f"{config.model}: the size of a reply is not limited (max_body_mb), because the factory uses its own HTTP "
        "client; if it accepts a client, name that argument in client_argument"
    )
    own = isinstance(config, LangChain) and config.client_argument is None
    return [*redirections(config, environ), *([unbounded] if own else [])]
