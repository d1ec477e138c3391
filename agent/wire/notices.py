"""What a user is told before a model is asked: where its requests may go, and that its replies have no bound."""

import os
from collections.abc import Mapping

from medvision_agent.agent.models import LangChain, ModelConfig
from medvision_agent.agent.wire.redirects import redirections

__all__ = ["notices"]


def notices(config: ModelConfig, environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return what a user must know of the model before it is asked, a line each."""
    unbounded = (
        f"{config.model}: no bound holds for the size of a reply (max_body_mb), because the factory brings an HTTP "
        "client of its own; where it takes one, name that argument in client_argument"
    )
    own = isinstance(config, LangChain) and config.client_argument is None
    return [*redirections(config, environ), *([unbounded] if own else [])]
