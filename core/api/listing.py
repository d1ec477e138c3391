"""List the models of the catalogue, and the stored runs and studies of a folder."""

import os
from pathlib import Path

import pandas as pd

from medvision_agent.agent.models import ModelConfig
from medvision_agent.agent.models.catalogue import load_catalogue
from medvision_agent.agent.providers.factory import check_ready
from medvision_agent.agent.wire.keys import key_names
from medvision_agent.api.loaded import PathText
from medvision_agent.errors import ConfigError
from medvision_agent.eval.listing.read import listed, scored
from medvision_agent.eval.listing.row import Listed
from medvision_agent.eval.scorer.protocol import protocol as protocol_named

__all__ = ["models", "readiness", "runs"]


def models(models_file: PathText | None = None) -> pd.DataFrame:
    """Return a row for each model that can be named, as a DataFrame.

    Columns: ``name``, ``provider``, ``model`` (the provider's id of the model) and ``readiness`` (in words, as from
    ``readiness``: whether its API key is set). No provider is contacted. *models_file* is a YAML file of the user's own
    models, which override those of the catalogue.
    """
    catalogue = load_catalogue(Path(models_file) if models_file is not None else None)
    rows = [(name, row.provider, row.model, readiness(row)) for name, row in catalogue.items()]
    return pd.DataFrame(rows, columns=["name", "provider", "model", "readiness"])


def runs(folder: PathText = ".", *, loss: bool = True, protocol: str | None = None) -> tuple[Listed, ...]:
    """Return a row for each stored run and study in a folder: what was asked, progress, cost and loss.

    Studies hold the rows of their runs (``cells``). With *loss*, the records of a run are read, unless its figures were
    stored by an earlier listing (docs/storage.md). Without *protocol*, a study is scored by the protocol it
    declared, a run by the default one. Problems of a run are reported in its row. Raises StorageError if the
    folder cannot be read.
    """
    rules = protocol_named(protocol) if protocol is not None else None
    return tuple(scored(row, rules) if loss else row for row in listed(Path(folder)))


def readiness(config: ModelConfig) -> str:
    """Return one of: "key set (NAMES)", "key not set (NAMES)", "needs no key", or "not ready: " with the reason.

    NAMES are the environment variables that are searched; the key itself is never returned. No provider is contacted.
    """
    names = key_names(config)
    try:
        check_ready(config, os.environ)
    except ConfigError as error:
        if not names:
            return f"not ready: {error}"
        return f"key not set ({' or '.join(names)})"
    return f"key set ({' or '.join(names)})" if names else "needs no key"
