"""Plug-ins that packages offer by entry points: find and load them, name them in errors, and hash their code.

Contract: shipped plug-ins are found in the same way as others. Finding an offer imports nothing;
loading it runs the other package's code, and its exceptions become errors of this package that name the other one.
A name that two packages offer is refused when it is requested, because it is ambiguous.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import sha256
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from medvision_agent.errors import ConfigError, MedVisionAgentError, nearest

__all__ = ["Door", "Offer"]

_OURS = "medvision-agent"


@dataclass(frozen=True)
class Door:
    """One group of entry points, by which packages offer plug-ins of one kind."""

    group: str
    kind: str
    """The kind of plug-in, as named in errors: ``grammar``, ``source``, ``tool``."""
    error: type[MedVisionAgentError] = ConfigError
    """The error raised if the code of an offer fails."""

    def offers(self) -> "list[Offer]":
        """Return the offers of all packages in this group, shipped ones first."""
        return list(_offers(self, entry_points, tuple((place, _changed(place)) for place in sys.path)))

    def names(self) -> list[str]:
        """Return the names of all offers, each once."""
        return list(dict.fromkeys(offer.name for offer in self.offers()))

    def offer(self, name: str) -> "Offer":
        """Return the offer called *name*; raises ConfigError unless exactly one offer has this name."""
        named = [offer for offer in self.offers() if offer.name == name]
        if not named:
            raise ConfigError(self.unknown(name))
        if len(named) > 1:
            packages = " and ".join(f"{offer.package} {offer.version}" for offer in named)
            raise ConfigError(f"{self.kind} {name!r} is offered by two packages, {packages}; uninstall one of them")
        return named[0]

    def unknown(self, name: str) -> str:
        """Return the message for an unknown *name*, with the known names."""
        known = self.names()
        return f"unknown {self.kind} {name[:60]!r}; known: {', '.join(known)}.{nearest(name, known)}"


@dataclass(frozen=True)
class Offer:
    """One plug-in that an installed package offers."""

    door: Door
    point: EntryPoint

    @property
    def name(self) -> str:
        """Name of the offer."""
        return self.point.name

    @cached_property
    def package(self) -> str:
        """Distribution that contains the offer."""
        return self.point.dist.name if self.point.dist else "unknown"

    @property
    def version(self) -> str:
        """Version of that distribution."""
        return self.point.dist.version if self.point.dist else ""

    @property
    def shipped(self) -> bool:
        """Whether the offer is part of this package."""
        return self.package == _OURS

    def __str__(self) -> str:
        """Return kind and name with the package."""
        return f"{self.door.kind} {self.name!r} of the package {self.package} {self.version}"

    def loaded(self) -> Any:
        """Return the object that the entry point names; raises the door's error, which names the package."""
        return self._called(self.point.load)

    def made(self, *arguments: Any) -> Any:
        """Return what the offered factory returns for *arguments*; raises the door's error, which names the package."""
        return self._called(lambda: self.point.load()(*arguments))

    def _called(self, code: Callable[[], Any]) -> Any:
        """Return the result of *code*; any exception in it becomes the door's error.

        Errors that this package raises on purpose in its own plug-ins are raised as they are.
        """
        try:
            return code()
        except (Exception, SystemExit) as error:
            if self.shipped and isinstance(error, MedVisionAgentError):
                raise
            raise self.failed(error) from None

    def failed(self, error: Exception | SystemExit | str) -> MedVisionAgentError:
        """Return, without raising it, the door's error for a failure in the code of this offer."""
        if isinstance(error, MedVisionAgentError | str):  # already written for users
            return self.door.error(f"{self}: {error}")
        return self.door.error(f"{self} fails: {type(error).__name__}: {error}; fix or uninstall the package")

    def origin(self) -> dict[str, str]:
        """Return what a run records about another package's plug-in: package, version, and the SHA-256 of its code."""
        return {"package": self.package, "version": self.version, "code_sha256": _code_sha256(self.point.module)}


@cache
def _offers(
    door: Door, scan: Callable[..., Iterable[EntryPoint]], places: tuple[tuple[str, int], ...]
) -> tuple[Offer, ...]:
    """Return all offers in a group, shipped ones first; cached because a *scan* for them is slow.

    *places* are the folders of ``sys.path`` with their times of change, so that a change is noticed.
    """
    del places
    found = [Offer(door, point) for point in scan(group=door.group)]
    return tuple(sorted(found, key=lambda offer: (not offer.shipped, offer.package, offer.name)))


def _changed(place: str) -> int:
    """Return when a folder was last changed, in nanoseconds; 0 if it cannot be read."""
    try:
        return Path(place).stat().st_mtime_ns
    except OSError:
        return 0


def _code_sha256(module: str) -> str:
    """Return the SHA-256 over the code of the top-level package of *module*; empty if there is no such package.

    It does not depend on where the package is installed.
    """
    spec = find_spec(module.partition(".")[0])
    if spec is None:
        return ""
    folders: Sequence[str] = spec.submodule_search_locations or ()
    files = [(path.relative_to(folder).as_posix(), path) for folder in folders for path in _code_in(Path(folder))]
    if not folders and spec.origin:
        files.append((Path(spec.origin).name, Path(spec.origin)))
    digest = sha256()
    for name, path in sorted(files):
        digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _code_in(folder: Path) -> list[Path]:
    """Return every file of a package, also tables and templates, which affect what its code does."""
    return [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
