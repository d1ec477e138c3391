"""What can be asked: the models of the catalogue, and whether each could be asked now."""

import os
from pathlib import Path

import pandas as pd

from medvision_agent.agent.models import ModelConfig
from medvision_agent.agent.models.catalogue import load_catalogue
from medvision_agent.agent.providers.factory import check_ready, key_names
from medvision_agent.api.loaded import PathText
from medvision_agent.errors import ConfigError

__all__ = ["models", "readiness"]


def models(models_file: PathText | None = None) -> pd.DataFrame:
    """Return a row for each model: name, provider, the provider's name of it, and whether it could be asked now.

    *models_file* is a YAML file of own models, which go before those of the catalogue.
    """
    catalogue = load_catalogue(Path(models_file) if models_file is not None else None)
    rows = [(name, row.provider, row.model, readiness(row)) for name, row in catalogue.items()]
    return pd.DataFrame(rows, columns=["name", "provider", "model", "readiness"])


def readiness(config: ModelConfig) -> str:
    """Return in words whether a model could be asked: is its key set? Never what the key is."""
    names = key_names(config)
    try:
        check_ready(config, os.environ)
    except ConfigError as error:
        if not names:
            return f"not ready: {error}"
        return f"key not set ({' or '.join(names)})"
    return f"key set ({' or '.join(names)})" if names else "needs no key"
