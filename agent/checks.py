"""Results of model checks, stored in a file of the user for each row, endpoint and version of this package.

Contract: no API key is stored, and of a server's words only the model version it reported, cut to a length. The
file is replaced as a whole. An unreadable file counts as empty, and one line says so. Nothing here
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
"""Fields that a run may override; no check depends on them."""
_MOST = 500
"""Number of checks kept; the oldest are dropped first."""


class Kept(Frozen):
    """The stored result of one check of a model."""

    row: str = Field(max_length=200)
    endpoint: str = Field(max_length=500)
    version: str
    """Version of this package."""
    served: str = Field(max_length=200)
    """Model version that the server reported; empty if it reported none."""
    on: str
    """Day of the check (UTC), as 2026-12-31."""
    failed: tuple[str, ...]
    """Names of the findings that failed."""


class _File(Frozen):
    format: int = 1
    checks: dict[str, Kept] = Field(default={})


def state_file(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the path of the file of checks, which need not exist."""
    if folder := environ.get("XDG_STATE_HOME"):
        return Path(folder) / "medvision-agent" / "checks.json"
    if sys.platform in {"win32", "darwin"}:
        return Path(click.get_app_dir("medvision-agent")) / "checks.json"
    return Path.home() / ".local" / "state" / "medvision-agent" / "checks.json"


def keep(name: str, config: ModelConfig, found: Check, file: Path | None = None) -> str:
    """Store the result *found* of checking the model *name*, replacing an earlier one.

    *config* is the model's row; *file* is the file of checks, by default ``state_file()``. Returns a message if the
    result could not be stored, or if earlier checks could not be read; else "". No error is raised.
    """
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
        return f"the result of the check is not stored, because the file {file} cannot be written ({error.strerror})"
    return problem


def standing(name: str, config: ModelConfig, file: Path | None = None) -> list[str]:
    """Return lines that warn the user that the row was not checked yet, or that its last check failed.

    Empty for a row that passed its last check, and for models that cannot be checked: offline policies and replays. A
    further line says so if the file of checks cannot be read.
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
        return [
            *lines,
            f"model {name}: its check on {kept.on}{served} failed: {', '.join(kept.failed)}; details: {again}",
        ]
    return lines


def checked_as(name: str, config: ModelConfig, file: Path | None = None) -> dict[str, str] | None:
    """Return the model version that the server reported in the row's last check (``served``), and its day (``on``).

    None if there was no check of this row, endpoint and version, or the server reported no version.
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
    """Return the stored checks, and a message if the file cannot be read (else "")."""
    try:
        return _File.model_validate_json(file.read_bytes()), ""
    except FileNotFoundError:
        return _File(), ""
    except (OSError, ValidationError) as error:
        why = error.strerror if isinstance(error, OSError) else "it does not have the form that this version writes"
        return _File(), f"the results of earlier checks of models are not known, because {file} cannot be read ({why})"


def _write(file: Path, content: _File) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f"{file.name}.{uuid4().hex}.part")
    try:
        part.write_text(content.model_dump_json(indent=1), encoding="utf-8")
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
