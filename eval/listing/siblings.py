"""The other arms of a run: runs in the same folder with the same settings except the tools."""

import json
from itertools import islice
from pathlib import Path

from pydantic import ValidationError

from medvision_agent.errors import StorageError
from medvision_agent.eval.compare.parity import parity
from medvision_agent.eval.listing.find import stored_in
from medvision_agent.eval.listing.read import stored
from medvision_agent.eval.listing.row import Listed
from medvision_agent.eval.settings.identity import Identity
from medvision_agent.eval.store.read import reading
from medvision_agent.eval.store.run import Run

__all__ = ["other_arms"]

_MOST = 300
"""Most runs examined in a folder."""


def other_arms(run: Run) -> dict[str, Listed]:
    """Return the rows of the runs in the same folder that may be compared with *run*, by their tool condition.

    Their settings are the same apart from the tools (``parity``); their answers are not read. Of several runs under one
    condition, a finished run is chosen, and of these the one asked last; unreadable runs are ignored.
    """
    found = dict[str, Listed]()
    try:
        beside = [path for path, kind in islice(stored_in(run.folder.parent, 1), _MOST) if kind == "run"]
    except StorageError:
        return {}
    for folder in beside:
        identity = _identity(folder)
        if identity is None or identity.condition == run.identity.condition:
            continue
        if parity(run.identity.plain(), identity.plain(), (), ()):
            continue
        row = stored(folder, "run", folder.name)
        if row.problem:
            continue
        known = found.get(identity.condition)
        if known is None or (known.whole, known.last_asked_at) <= (row.whole, row.last_asked_at):
            found[identity.condition] = row
    return found


def _identity(folder: Path) -> Identity | None:
    """Return the identity stored in the folder of a run; None where it cannot be read."""
    try:
        with reading(folder) as database:
            facts = dict(database.execute("SELECT key, value FROM run WHERE key IN ('identity', 'resumed')"))
            resumed = json.loads(facts.get("resumed", "[]"))
            return Identity.model_validate({**json.loads(facts["identity"]), "resumed": resumed})
    except (StorageError, ValidationError, KeyError, TypeError, ValueError):
        return None
