"""Models by name: the shipped rows and a user's own file of the same form.

Every problem of a file (no YAML, unknown key, wrong value, unknown parent) is a ConfigError that names the file,
the row and the key. Values are not repeated in messages: someone may have put a key where a name belongs.
"""

from collections.abc import Hashable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from medvision_agent.agent.config import MODEL_CONFIG, ModelConfig
from medvision_agent.agent.usage import Prices
from medvision_agent.errors import ConfigError, nearest
from medvision_agent.tools.perceive import PerceivedRule

__all__ = ["find", "load_catalogue"]

_Rows = Mapping[str, Mapping[str, Any]]
_SHIPPED = "the shipped catalogue"


def load_catalogue(extra: Path | None = None) -> dict[str, ModelConfig]:
    """Return all models by name; rows of *extra* replace or add to the shipped ones."""
    text = files("medvision_agent.agent").joinpath("catalogue.yaml").read_text(encoding="utf-8")
    layers = [_rows(text, _SHIPPED)]
    models = {name: _model(name, layers, _SHIPPED) for name in layers[0]}
    if extra is not None:
        layers.append(_rows(_read(extra), str(extra)))
        models |= {name: _model(name, layers, str(extra)) for name in layers[1]}
    return models


def find(name: str, catalogue: Mapping[str, ModelConfig]) -> ModelConfig:
    """Return the model called *name*, or raise a ConfigError that suggests the nearest one."""
    if name not in catalogue:
        raise ConfigError(
            f"No model is called {name!r}.{nearest(name, catalogue)} `medvision-agent models list` shows all; "
            "add your own in a YAML file and pass it with --models."
        )
    return catalogue[name]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: does not exist.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as a text file ({type(error).__name__}).") from None


class _Loader(yaml.SafeLoader):
    """Refuses a key given twice, of which YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Return a mapping of distinct keys."""
        keys = [key.value for key, _ in node.value]
        if twice := [key for key in keys if keys.count(key) > 1 and key != "<<"]:
            raise yaml.constructor.ConstructorError(None, None, f"{twice[0]!r} is given twice", node.start_mark)
        return super().construct_mapping(node, deep)


def _rows(text: str, file: str) -> _Rows:
    try:
        content = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise ConfigError(f"{file}: {line}not valid YAML: {error.problem}.") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{file}: not valid YAML ({type(error).__name__}).") from None
    if not isinstance(content, dict):
        raise ConfigError(f"{file}: is no mapping of model names to their settings.")
    for name, row in content.items():
        if not isinstance(name, str) or not isinstance(row, dict):
            raise ConfigError(f"{file}: {name}: a model's name must be a text and its settings a mapping.")
    return content


def _model(name: str, layers: Sequence[_Rows], file: str) -> ModelConfig:
    row = _resolved(name, layers, file, ())
    try:
        return MODEL_CONFIG.validate_python(row)
    except ValidationError as error:
        raise ConfigError(f"{file}: {name}: {_complaint(error)}") from None


def _resolved(name: str, layers: Sequence[_Rows], file: str, path: tuple[str, ...]) -> dict[str, Any]:
    """Return a row with its parents' settings below its own; a row may extend the shipped row of its own name."""
    while name not in layers[-1]:
        layers = layers[:-1]
    row = dict(layers[-1][name])
    parent = row.pop("extends", None)
    if parent is None:
        return row
    below = layers[:-1] if parent == name else layers
    if not isinstance(parent, str) or not any(parent in rows for rows in below):
        known = [known for rows in below for known in rows]
        raise ConfigError(f"{file}: {name}: extends: no model is called {parent!r}.{nearest(str(parent), known)}")
    if parent in path:
        raise ConfigError(f"{file}: {name}: extends: {' -> '.join([*path, name, parent])} goes in a circle.")
    step = () if parent == name else (*path, name)
    return _resolved(parent, below, file, step) | row


def _complaint(error: ValidationError) -> str:
    parts = []
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        keys = [str(key) for key in item["loc"] if str(key) not in _TAGS]
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            message = f"no such setting.{nearest(keys[-1], _KEYS)}"
        parts.append(": ".join(filter(None, [".".join(keys), message])))
    return "; ".join(parts)


def _members(union: Any) -> list[type[BaseModel]]:
    return list(get_args(union))


_RULES = _members(get_args(PerceivedRule)[0])
_MODELS = _members(ModelConfig)
_ALL: list[type[BaseModel]] = [*_RULES, *_MODELS, Prices]
_KEYS = sorted({key for model in _ALL for key in model.model_fields})
_TAGS = {rule.model_fields["rule"].default for rule in _RULES} | {
    model.model_fields["provider"].default for model in _MODELS
}
"""Words pydantic puts into the path of a fault to say which member of a union it tried."""
