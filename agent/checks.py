"""What checks of models found, kept for each row, endpoint and version of this package in a file of the user's.

Contract: no key is stored, and no word of a model or a server but the name of the version it said it is, bounded. The
file is replaced as a whole; one that cannot be read counts as none, and its reader says so in one line. Nothing here
stops a run.
"""

import json
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import click
from pydantic import Field, ValidationError

from medvision_agent.agent.check import Check
from medvision_agent.agent.models import Gemini, ModelConfig, Offline
from medvision_agent.frozen import Frozen
from medvision_agent.version import VERSION

__all__ = ["Kept", "checked_as", "keep", "standing", "state_file"]

_OF_A_RUN = {"frame", "grammar", "grammar_origin", "perceived"}
"""Fields that a run may set otherwise than the row; no check depends on them."""
_MOST = 500
"""Checks that are kept; the oldest go first."""


class Kept(Frozen):
    """What one check found."""

    row: str = Field(max_length=200)
    endpoint: str = Field(max_length=500)
    version: str
    """Of this package."""
    served: str = Field(max_length=200)
    """What the server said it answers as; empty where it said nothing."""
    on: str
    """Day of the check (UTC), as 2026-12-31."""
    failed: tuple[str, ...]
    """What was found wanting; empty where nothing was."""


class _File(Frozen):
    format: int = 1
    checks: dict[str, Kept] = Field(default={})


def state_file(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where checks are kept, whether or not there is such a file."""
    if folder := environ.get("XDG_STATE_HOME"):
        return Path(folder) / "medvision-agent" / "checks.json"
    if sys.platform in {"win32", "darwin"}:
        return Path(click.get_app_dir("medvision-agent")) / "checks.json"
    return Path.home() / ".local" / "state" / "medvision-agent" / "checks.json"


def keep(name: str, config: ModelConfig, found: Check, file: Path | None = None) -> str:
    """Keep what a check of the row *name* found, in place of what an earlier one did; return what went wrong, if so."""
    file = file or state_file()
    known, problem = _read(file)
    kept = Kept(
        row=name[:200],
        endpoint=_endpoint(config)[:500],
        version=VERSION,
        served=", ".join(found.versions)[:200],
        on=datetime.now(UTC).date().isoformat(),
        failed=tuple(finding.what for finding in found.findings if finding.verdict == "no"),
    )
    key = _key(name, config)
    checks = {other: one for other, one in known.checks.items() if other != key} | {key: kept}
    try:
        _write(file, _File(checks=dict(list(checks.items())[-_MOST:])))
    except OSError as error:
        return f"the result is not kept: {file} cannot be written ({error.strerror})"
    return problem


def standing(name: str, config: ModelConfig, file: Path | None = None) -> list[str]:
    """Return in a line what a user should know of the row's last check: none, or what it found wanting.

    Empty for a row that passed, and for models that cannot be checked: offline policies and replays.
    """
    if isinstance(config, Offline) or (isinstance(config, Gemini) and config.replay is not None):
        return []
    known, problem = _read(file or state_file())
    kept, again = known.checks.get(_key(name, config)), f"medvision-agent models check {name}"
    lines = [problem] if problem else []
    if kept is None:
        return [*lines, f"model {name}: not checked yet (this row, endpoint and version); try it with: {again}"]
    if kept.failed:
        served = f" of {kept.served}" if kept.served else ""
        return [*lines, f"model {name}: its check on {kept.on}{served} failed: {', '.join(kept.failed)}; see: {again}"]
    return lines


def checked_as(name: str, config: ModelConfig, file: Path | None = None) -> dict[str, str] | None:
    """Return what the server of the row's last check said it answers as (``served``), and its day (``on``).

    None where there was no check of this row, endpoint and version, or the server said nothing.
    """
    known, _ = _read(file or state_file())
    one = known.checks.get(_key(name, config))
    return {"served": one.served, "on": one.on} if one is not None and one.served else None


def _key(name: str, config: ModelConfig) -> str:
    row = {field: value for field, value in config.identity().items() if field not in _OF_A_RUN}
    asked = json.dumps([name, row, _endpoint(config), VERSION], sort_keys=True)
    return sha256(asked.encode()).hexdigest()


def _endpoint(config: ModelConfig) -> str:
    return str(getattr(config, "base_url", ""))


def _read(file: Path) -> tuple[_File, str]:
    """Return what is kept, and what is wrong with the file, if anything is."""
    try:
        return _File.model_validate_json(file.read_bytes()), ""
    except FileNotFoundError:
        return _File(), ""
    except (OSError, ValidationError) as error:
        why = error.strerror if isinstance(error, OSError) else "not what this version writes"
        return _File(), f"earlier checks of models are not known: {file} cannot be read ({why})"


def _write(file: Path, content: _File) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f"{file.name}.{uuid4().hex}.part")
    try:
        part.write_text(content.model_dump_json(indent=1), encoding="utf-8")
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
