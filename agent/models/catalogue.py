"""Loading the catalogue: the rows of every place, one after the other, and one model found by name."""

import logging
from collections.abc import Mapping
from pathlib import Path

from medvision_agent.agent.models import ModelConfig
from medvision_agent.agent.models.places import places
from medvision_agent.agent.models.rows import Rows, model, rows
from medvision_agent.errors import ConfigError, nearest

__all__ = ["find", "load_catalogue", "origins"]

_LOG = logging.getLogger(__name__)


def load_catalogue(extra: Path | None = None) -> dict[str, ModelConfig]:
    """Return all models by name; *extra* is a file of rows that goes before all other places. Raises ConfigError."""
    return {name: config for name, (config, _) in _loaded(extra).items()}


def origins(extra: Path | None = None) -> dict[str, str]:
    """Return for each model the place its row was read in."""
    return {name: origin for name, (_, origin) in _loaded(extra).items()}


def _loaded(extra: Path | None) -> dict[str, tuple[ModelConfig, str]]:
    layers: list[Rows] = []
    models: dict[str, tuple[ModelConfig, str]] = {}
    for place in places(extra):
        layers.append(rows(place.text, place.name))
        _LOG.info("models of %s: %d rows", place.name, len(layers[-1]))
        for name in layers[-1]:
            if name.startswith("."):
                continue  # no model: only there to be extended
            if name in models and not place.replaces:
                raise ConfigError(f"{place.name}: {name}: {models[name][1]} has a model of that name; choose another")
            models[name] = model(name, layers, place.name), place.name
    return models


def find(name: str, catalogue: Mapping[str, ModelConfig]) -> ModelConfig:
    """Return the model called *name*, or raise a ConfigError that suggests the nearest one."""
    if name not in catalogue:
        raise ConfigError(
            f"No model is called {name!r}.{nearest(name, catalogue)} `medvision-agent models list` shows all; "
            "add your own in a YAML file and pass it with --models."
        )
    return catalogue[name]
