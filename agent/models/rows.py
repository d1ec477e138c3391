"""Read the rows of a catalogue file: parse them, apply ``extends``, and validate them as models.

Every problem of a file (invalid YAML, unknown key, wrong value, unknown parent) is a ConfigError that names the file,
the row and the key. Values are not repeated in messages: someone may have put an API key where a name belongs.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from medvision_agent.agent.endings.usage import Prices
from medvision_agent.agent.models import MODEL_CONFIG, ModelConfig
from medvision_agent.errors import ConfigError, nearest
from medvision_agent.frozen import told
from medvision_agent.settings_text import read_yaml
from medvision_agent.tools.view.perceived import PerceivedRule

__all__ = ["Rows", "model", "rows"]

Rows = Mapping[str, Mapping[str, Any]]
"""Settings by the name of the model."""


@lru_cache(maxsize=32)  # every arm of a study reads the shipped rows, which takes a sixth of a second
def rows(text: str, file: str) -> Rows:
    """Return the rows in the text of *file*; callers must not change them.

    Raises ConfigError unless the text is YAML with a mapping of names to mappings. Settings are not yet validated.
    """
    try:
        content = read_yaml(text)
    except ValueError as error:
        raise ConfigError(f"{file}: {error}.") from None
    if not isinstance(content, dict):
        found = "nothing" if content is None else type(content).__name__
        raise ConfigError(f"{file}: expected a mapping of model names to their settings, found {found}.")
    for name, row in content.items():
        if not isinstance(name, str) or not isinstance(row, dict):
            raise ConfigError(f"{file}: {name}: a model's name must be a text and its settings a mapping.")
    return content


def model(name: str, layers: Sequence[Rows], file: str) -> ModelConfig:
    """Return the model *name* from the last of the *layers* that has it; *file* names that layer in errors.

    Raises ConfigError for an unknown key, a wrong value, and a row that extends an unknown row or itself.
    """
    row = _resolved(name, layers, file, ())
    try:
        return MODEL_CONFIG.validate_python(row)
    except ValidationError as error:
        raise ConfigError(f"{file}: {name}: {_complaint(error, str(row.get('provider')))}") from None


def _resolved(name: str, layers: Sequence[Rows], file: str, path: tuple[str, ...]) -> dict[str, Any]:
    """Return the settings of the row *name*, added to those of the row that it extends; its settings take precedence.

    A row may extend a row with the same name in an earlier layer. *path* are the rows that led to this one. Raises
    ConfigError for an unknown row and for rows that extend each other in a circle.
    """
    while name not in layers[-1]:
        layers = layers[:-1]
    row = dict(layers[-1][name])
    parent = row.pop("extends", None)
    if parent is None:
        return row
    below = layers[:-1] if parent == name else layers
    if not isinstance(parent, str) or not any(parent in layer for layer in below):
        known = [known for layer in below for known in layer]
        raise ConfigError(f"{file}: {name}: extends: no model is called {parent!r}.{nearest(str(parent), known)}")
    if parent in path:
        raise ConfigError(
            f"{file}: {name}: extends: these rows extend each other in a circle: {' -> '.join([*path, name, parent])}; "
            "leave one `extends` out."
        )
    step = () if parent == name else (*path, name)
    return _resolved(parent, below, file, step) | row


def _complaint(error: ValidationError, provider: str) -> str:
    parts = []
    for item in error.errors(include_url=False):
        keys = [str(key) for key in item["loc"] if str(key) not in _TAGS]
        message = told(item)
        if item["type"] == "extra_forbidden":
            hint = nearest(keys[-1], _known(provider, keys))
            message = f"no such setting.{hint}" if hint else "no such setting; leave it out, or correct its name"
        if item["type"].startswith("union_tag"):
            keys, message = [*keys, str(item["ctx"]["discriminator"]).strip("'")], _of_tags(item["ctx"])
        parts.append(": ".join(filter(None, [".".join(keys), message])))
    return "; ".join(parts)


def _of_tags(context: Mapping[str, Any]) -> str:
    """Return the message for an unknown or missing word: the allowed words, without repeating the word itself."""
    if "expected_tags" not in context:
        key = str(context["discriminator"]).strip("'")
        words = (one.model_fields[key].default for one in (*_MODELS, *_RULES) if key in one.model_fields)
        return f"this key is missing; expected one of {', '.join(words)}"
    known = [word.strip(" '") for word in str(context["expected_tags"]).split(",")]
    return f"expected one of {', '.join(known)}.{nearest(str(context.get('tag')), known)}"


def _known(provider: str, keys: Sequence[str]) -> list[str]:
    """Return the settings allowed in place of an unknown one: those of the provider, of size rules, or of prices."""
    if len(keys) > 1:
        inner: Sequence[type[BaseModel]] = [Prices] if keys[0] == "prices" else _RULES
        return sorted({key for model in inner for key in model.model_fields})
    of = [model for model in _MODELS if model.model_fields["provider"].default == provider]
    return sorted({"extends", *(key for model in of for key in model.model_fields)})


_RULES: Sequence[type[BaseModel]] = get_args(get_args(PerceivedRule)[0])
_MODELS: Sequence[type[BaseModel]] = get_args(ModelConfig)
_TAGS = {rule.model_fields["rule"].default for rule in _RULES} | {
    model.model_fields["provider"].default for model in _MODELS
}
"""Words that pydantic adds to the path of an error to name the tried member of a union."""
