"""Faults on the wire: every row of the tables of endings, on each wire, as the first reply and after a tool call."""

import json
from pathlib import Path

from fake.replies import calls
from fake.servers import RULER

import medvision_agent as mva
from matrix.endings import STOPS, TABLES, Ending, endings
from matrix.row import Row, seeded
from matrix.samples import write_samples
from matrix.server import ByModel, row, serving
from medvision_agent.errors import MedVisionAgentError, ProviderError

PLACES = ("first reply", "after a tool call")


def matrix(folder: Path, seed: int, at_most: int | None = None) -> list[Row]:
    """Try each ending on each wire in both places, or *at_most* so many on each wire, chosen by the seed."""
    data, rows = write_samples(folder, 1), dict[str, Row]()
    with serving() as server:
        for wire in TABLES:
            chosen = [(one, place) for one in endings(wire) for place in PLACES]
            if at_most is not None:
                chosen = seeded(seed, wire).sample(chosen, at_most)
            for number, (one, place) in enumerate(chosen):
                what = f"{one.kind}, {wire}, {place}"
                result = rows.setdefault(what, Row("wire", what, "faults"))
                with result.trial(one.name):
                    _try(result, folder / f"{wire}{number}", wire, one, place, data, server)
    return [one.done() for one in rows.values()]


def _try(result: Row, folder: Path, wire: str, one: Ending, place: str, data: Path, server: ByModel) -> None:
    before = [] if place == PLACES[0] else [calls(RULER)]
    found = _class(folder, wire, [*before, one.reply], data, server)
    if found != (right := one.later if before else one.first):
        result.fault("mistyped", f"{one.name}: {found}, not {right}")


def _class(folder: Path, wire: str, replies: list[dict], data: Path, server: ByModel) -> str:
    """Return how a run of one sample ended: the sample's outcome, or that the run was stopped."""
    folder.mkdir()
    server.replies[folder.name] = replies
    (folder / "models.yaml").write_text(json.dumps({"mine": row(server, wire, folder.name)}), encoding="utf-8")
    asked = {"model": "mine", "models_file": folder / "models.yaml", "data": str(data), "tools": "ruler"}
    try:
        ran = mva.run(**asked, out=folder / "out", probe=False, progress=False)
    except ProviderError:
        return STOPS
    except MedVisionAgentError as problem:
        return f"{type(problem).__name__}: {problem}"[:200]
    (record,) = ran.run.records
    return record.outcome.value
