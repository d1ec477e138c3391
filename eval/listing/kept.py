"""The figures of a run, kept beside it so that a listing need not read the records again.

Contract: the file lies in the run's folder, is safe to delete, and is read by listings alone. It is valid for the sums
of what is stored (``Tally``), the size and time of the database, the rules of scoring and the code of this package; if
any of them differs, the figures are recomputed. They are always recomputed if the folder cannot be written, while the
run is being written, and for a run of a version that did not seal records.
"""

import json
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from pydantic import Field, ValidationError

from medvision_agent.errors import StorageError
from medvision_agent.eval.listing.row import Figures
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.store.files import DATABASE, LOG
from medvision_agent.eval.store.provenance import code_sha256, eval_sha256
from medvision_agent.eval.store.read import reading
from medvision_agent.eval.store.seal import stored_tally
from medvision_agent.eval.tasks import TaskName
from medvision_agent.frozen import Frozen

__all__ = ["KEPT", "Kept", "keep", "kept", "mark_of"]

KEPT = "figures-cache.json"
_MOST = 100_000
"""Largest size of such a file in bytes."""


class Kept(Frozen):
    """The figures of a run's scored samples under one protocol, by task and over all; None without scored samples."""

    tasks: dict[TaskName, Figures]
    overall: Figures | None


class _File(Frozen):
    about: str = "Made by medvision-agent from run.sqlite; safe to delete."
    mark: str
    by_protocol: dict[str, Kept] = Field(max_length=20)


def mark_of(folder: Path) -> str:
    """Return a hash of everything except the protocol that a run's figures depend on; empty if none may be cached."""
    try:
        if (folder / LOG).exists() and (folder / LOG).stat().st_size:  # it is being written, or was killed
            return ""
        status = (folder / DATABASE).stat()
        with reading(folder) as database:
            tally = stored_tally(database)
    except (OSError, StorageError):
        return ""
    if tally is None or tally.unsealed:
        return ""
    made_of = [tally.model_dump(), status.st_size, status.st_mtime_ns, code_sha256(), eval_sha256()]
    return sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()


def kept(folder: Path, rules: Protocol, mark: str) -> Kept | None:
    """Return the cached figures of a run under a protocol; None unless they were cached for *mark* (``mark_of``)."""
    file = _read(folder)
    return file.by_protocol.get(rules.name) if file is not None and mark and file.mark == mark else None


def keep(folder: Path, rules: Protocol, mark: str, found: Kept) -> None:
    """Cache figures beside a run, if its mark still is *mark*, which was computed before its records were read.

    A folder that cannot be written is left as it is.
    """
    if not mark or mark_of(folder) != mark:
        return
    before = _read(folder)
    others = before.by_protocol if before is not None and before.mark == mark else {}
    part = folder / f"{KEPT}.{uuid4().hex}.part"
    with suppress(OSError):  # an archive that is read-only
        try:
            part.write_text(_File(mark=mark, by_protocol={**others, rules.name: found}).model_dump_json(), "utf-8")
            part.replace(folder / KEPT)
        finally:
            part.unlink(missing_ok=True)


def _read(folder: Path) -> _File | None:
    """Return the content of a run's file of cached figures; None if it is missing, too large or not valid."""
    path = folder / KEPT
    try:
        if not path.is_file() or path.stat().st_size > _MOST:
            return None
        return _File.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
