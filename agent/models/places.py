"""Where rows come from, in order; a later place may say more than an earlier one.

1. packages, by an entry point of the group ``medvision_agent.models``: a function without arguments that returns the
   rows, or the path of a YAML file of rows. The shipped ones come first, through the same door; no package may
   replace another's.
2. the user's own file, ``models.yaml`` in the usual folder for settings;
3. the files named in ``MEDVISION_AGENT_MODELS`` (several as in PATH);
4. the file of ``--models``.

Rows of 2 to 4 may replace earlier ones: a user knows what a name stands for.
"""

import os
from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import NamedTuple

import click
import yaml

from medvision_agent.errors import ConfigError
from medvision_agent.plugins import OURS, package_of, plugged_in

__all__ = ["GROUP", "VARIABLE", "Place", "places", "user_file"]

GROUP = "medvision_agent.models"
VARIABLE = "MEDVISION_AGENT_MODELS"


class Place(NamedTuple):
    """A file of rows, and whether it may replace rows of earlier places."""

    name: str
    text: str
    replaces: bool


def places(extra: Path | None, environ: Mapping[str, str] = os.environ) -> Iterator[Place]:
    """Yield every place that has rows; raises ConfigError where one that was named cannot be read."""
    for point in plugged_in(GROUP):
        yield Place(*_offered(point), replaces=False)
    own = user_file()
    if own.exists():
        yield Place(str(own), _read(own, str(own)), replaces=True)
    for name in filter(None, environ.get(VARIABLE, "").split(os.pathsep)):
        yield Place(name, _read(Path(name), f"{VARIABLE}: {name}"), replaces=True)
    if extra is not None:
        yield Place(str(extra), _read(extra, str(extra)), replaces=True)


def user_file() -> Path:
    """Return where a user's own rows lie, whether or not there is such a file."""
    return Path(click.get_app_dir("medvision-agent")) / "models.yaml"


def _offered(point: EntryPoint) -> tuple[str, str]:
    package = package_of(point)
    try:
        offer = point.load()()
        text = yaml.safe_dump(dict(offer)) if isinstance(offer, Mapping) else _read(Path(offer), package)
    except ConfigError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever another package's code raises
        raise ConfigError(
            f"the package {package} offers models ({point.value}) but fails: {type(error).__name__}: {error}; "
            "mend or uninstall it"
        ) from None
    return ("the shipped catalogue" if package == OURS else f"the package {package}"), text


def _read(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{name}: does not exist.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{name}: cannot be read as a text file ({type(error).__name__}).") from None
