"""The catalogue of models: the sources of its rows, in order, and lookup by name.

Later sources may add to earlier ones:

1. packages, by an entry point of the group ``medvision_agent.models``: a function without arguments that returns the
   rows, or the path of a YAML file of rows. The shipped rows come first, in the same way; no package may
   replace another's.
2. the user's own file, ``models.yaml`` in the usual folder for settings;
3. the files named in ``MEDVISION_AGENT_MODELS`` (several as in PATH);
4. the file of ``--models-file``.

Rows of 2 to 4 may replace earlier ones: a user knows what a name stands for.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import click
import yaml

from medvision_agent.agent.models import ModelConfig
from medvision_agent.agent.models.rows import Rows, model, rows
from medvision_agent.errors import ConfigError, nearest
from medvision_agent.plugins import Door, Offer

__all__ = ["GROUP", "VARIABLE", "RowSource", "find", "load_catalogue", "origins", "places", "user_file"]


GROUP = "medvision_agent.models"
VARIABLE = "MEDVISION_AGENT_MODELS"


class RowSource(NamedTuple):
    """A source of catalogue rows: its name in messages, its YAML text, and whether it may replace earlier rows."""

    name: str
    text: str
    replaces: bool


def places(extra: Path | None, environ: Mapping[str, str] = os.environ) -> Iterator[RowSource]:
    """Yield every source of rows, in order; *extra* is the file of ``--models-file``, None without this option.

    Raises ConfigError if a package's function fails, or if a file that was named cannot be read.
    """
    for offer in Door(GROUP, "models").offers():
        yield RowSource(*_offered(offer), replaces=False)
    own = user_file()
    if own.exists():
        yield RowSource(str(own), _read(own, str(own)), replaces=True)
    for name in filter(None, environ.get(VARIABLE, "").split(os.pathsep)):
        yield RowSource(name, _read(Path(name), f"{VARIABLE}: {name}"), replaces=True)
    if extra is not None:
        yield RowSource(str(extra), _read(extra, str(extra)), replaces=True)


def user_file() -> Path:
    """Return the path of the user's own rows, which need not exist."""
    return Path(click.get_app_dir("medvision-agent")) / "models.yaml"


def _offered(offer: Offer) -> tuple[str, str]:
    """Return the name of a package as a source, and the text of its rows; raises ConfigError if the package fails."""
    made = offer.made()
    try:
        text = yaml.safe_dump(dict(made)) if isinstance(made, Mapping) else _read(Path(made), offer.package)
    except (TypeError, yaml.YAMLError) as error:
        raise offer.failed(error) from None
    return ("the shipped catalogue" if offer.shipped else f"the package {offer.package}"), text


def _read(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(
            f"{name}: this file does not exist; expected a YAML file of models (docs/models.md)."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{name}: this file cannot be read as UTF-8 text ({type(error).__name__}); expected a YAML file of models "
            "(docs/models.md)."
        ) from None


_LOG = logging.getLogger(__name__)


def load_catalogue(extra: Path | None = None) -> dict[str, ModelConfig]:
    """Return all models by name; rows of the file *extra* override all others.

    Raises ConfigError for a file that cannot be read, for an invalid row, and for a package that fails or offers a name
    that is already in use.
    """
    return {name: config for name, (config, _) in _loaded(extra).items()}


def origins(extra: Path | None = None) -> dict[str, str]:
    """Return for each model, by its name, the source of its row; raises ConfigError as ``load_catalogue`` does."""
    return {name: origin for name, (_, origin) in _loaded(extra).items()}


def _loaded(extra: Path | None) -> dict[str, tuple[ModelConfig, str]]:
    layers: list[Rows] = []
    models: dict[str, tuple[ModelConfig, str]] = {}
    for place in places(extra):
        layers.append(rows(place.text, place.name))
        _LOG.info("models of %s: %d rows", place.name, len(layers[-1]))
        for name in layers[-1]:
            if name.startswith("."):
                continue  # not a model: a row that others extend
            if name in models and not place.replaces:
                raise ConfigError(
                    f"{place.name}: model {name}: a model of that name is already in {models[name][1]}, and a package "
                    "cannot replace it; choose another name"
                )
            models[name] = model(name, layers, place.name), place.name
    return models


def find(name: str, catalogue: Mapping[str, ModelConfig], option: str = "--models-file") -> ModelConfig:
    """Return the model *name*; raises ConfigError that suggests the nearest name and *option*."""
    if name not in catalogue:
        raise ConfigError(
            f"No model is called {name!r}.{nearest(name, catalogue)} `medvision-agent models list` shows all; "
            f"add your own in a YAML file and pass it with {option}."
        )
    return catalogue[name]
