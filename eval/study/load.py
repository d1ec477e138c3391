"""Reading a study file: YAML in which ``on`` and ``off`` are words, checked key by key.

Contract: any error is a ConfigError that names the file, the key, and the nearest known name.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from medvision_agent.errors import ConfigError, nearest
from medvision_agent.eval.study.schema import Study
from medvision_agent.frozen import keys_at, told
from medvision_agent.settings_text import read_yaml

__all__ = ["read_study"]


def read_study(path: Path) -> Study:
    """Return the study in the YAML file *path*; raises ConfigError that names the file and the first invalid key."""
    try:
        content = read_yaml(path.read_text(encoding="utf-8"), switches=False)
    except OSError as error:
        why = "there is no such file" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
        raise ConfigError(
            f"{path}: {why}; give the YAML file of a study (docs/studies.md says how to write one)"
        ) from None
    except ValueError as error:
        raise ConfigError(f"{path}: not a readable YAML file of a study: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise ConfigError(
            f"{path}: expected a mapping with the keys of a study (docs/studies.md): {', '.join(Study.model_fields)}"
        )
    try:
        return Study.model_validate(content)
    except ValidationError as error:
        errors = error.errors(include_url=False)
        wrong = next((one for one in errors if one["type"] == "extra_forbidden"), errors[0])  # explains the others
        raise ConfigError(f"{path}: {_complaint(wrong['loc'], wrong)}") from None


def _complaint(place: Sequence[str | int], wrong: Any) -> str:
    key = ".".join(map(str, place))
    if wrong["type"] == "extra_forbidden":
        known = keys_at(Study, place[:-1])
        return f"{key}: unknown key; known: {', '.join(known)}.{nearest(str(place[-1]), known)}"
    if wrong["type"] == "missing":
        return f"{key}: this key is missing and has no default; add it (docs/studies.md)"
    return f"{key}: {told(wrong)}" if key else told(wrong)  # an error in several keys names them
