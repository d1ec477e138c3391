"""Reading the row of a run or a study.

Contract: ``listed`` yields row after row as they are found. ``stored`` counts in the database and reads no record into
memory, so that a folder of a thousand runs is listed in seconds; of damage it finds what the counts show
(``medvision-agent verify`` checks everything). ``scored`` adds the figures of one run at a time, by ``figures``.
Neither raises an error for a broken run: its row states the problem.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.endings.probe import ToolProbe
from medvision_agent.errors import DamageError, StorageError
from medvision_agent.eval.listing.figures import figures
from medvision_agent.eval.listing.find import DEPTH, cells_in, stored_in
from medvision_agent.eval.listing.row import ArmFigures, Figures, Kind, Listed, State
from medvision_agent.eval.scorer.protocol import DEFAULT_PROTOCOL, Protocol, protocol
from medvision_agent.eval.store.damage import Damage
from medvision_agent.eval.store.files import LOG, read_count
from medvision_agent.eval.store.read import open_run, reading
from medvision_agent.eval.store.seal import stored_tally
from medvision_agent.eval.store.writer import is_being_written
from medvision_agent.eval.study.plan import Plan, read_plan

__all__ = ["listed", "scored", "stored"]

_ATTEMPTS = """
SELECT sample_id, outcome, instr(json, '"part":true') != 0, json ->> '$.draws', json ->> '$.cost_usd',
    json ->> '$.last_asked_at'
FROM record ORDER BY attempt
"""


def listed(folder: Path, *, depth: int = DEPTH) -> Iterator[Listed]:
    """Yield a row for each run and study in a folder, sorted by name, without loss and success rate.

    *depth* is the number of levels of folders that are searched. Raises StorageError if the folder cannot be read.
    """
    for path, kind in stored_in(folder, depth):
        yield stored(path, kind, path.relative_to(folder).as_posix())


def stored(folder: Path, kind: Kind, name: str) -> Listed:
    """Return the row, shown as *name*, of the run or study in a folder, without loss and success rate.

    For a broken one, the row states the problem.
    """
    return _study(folder, name) if kind == "study" else _run(folder, name)


def scored(row: Listed, rules: Protocol | None = None) -> Listed:
    """Return a row with loss and success rate by a protocol.

    A study has them in the rows of its cells (runs) and of its first arms. A broken run's row states the problem.
    Without *rules*, a study is scored by its declared protocol, and a run by the default protocol.
    """
    if row.kind == "study":
        if row.state in {"damaged", "unreadable"}:
            return row
        plan = read_plan(row.folder)
        rules = rules or protocol(plan.protocol)
        row = _with_cells(row, [scored(cell, rules) for cell in row.cells])
        return row.but(arms=tuple(_arms(plan, {cell.folder: cell for cell in row.cells}, row.folder)))
    if row.state in {"damaged", "unreadable"}:
        return row
    try:
        found = figures(row.folder, rules or protocol(DEFAULT_PROTOCOL))
    except StorageError as error:
        return row.but(**_wrong(error))
    return row.but(tasks=found.tasks, overall=found.overall)


def _arms(plan: Plan, cells: Mapping[Path, Listed], folder: Path) -> Iterator[ArmFigures]:
    """Yield the figures of the study's first arms (``Plan.first_arms``) for each model and source.

    *cells* are the rows of the study's runs by folder; *folder* is the study's.
    """
    found: dict[tuple[str, str, str], list[Listed]] = {}
    for cell in plan.cells:
        if cell.arm in plan.first_arms and (own := cells.get(folder / cell.folder)) is not None:
            found.setdefault((cell.model, cell.source, cell.arm), []).append(own)
    order = sorted(found, key=lambda one: plan.first_arms.index(one[2]))
    for model, source in dict.fromkeys((model, source) for model, source, _ in found):
        for arm in (one[2] for one in order if one[:2] == (model, source)):
            runs = found[model, source, arm]
            yield ArmFigures(model=model, arm=arm, source=source, runs=len(runs), figures=_together(runs))


def _together(runs: Sequence[Listed]) -> Figures | None:
    """Return the means over all results of the runs of one arm, each counted once; None if no run has figures."""
    every = [run.overall for run in runs if run.overall is not None]
    if not every:
        return None
    scored = sum(one.scored for one in every)
    return Figures(
        scored=scored,
        subjects=max(one.subjects for one in every),
        success_rate=sum(one.success_rate * one.scored for one in every) / scored,
        loss=sum(one.loss * one.scored for one in every) / scored,
    )


def _run(folder: Path, name: str) -> Listed:
    row = Listed(folder=folder, name=name, kind="run", state="unreadable")
    count = read_count(folder)  # before the database: it grows meanwhile
    try:
        with reading(folder) as database:
            facts = {key: json.loads(value) for key, value in database.execute("SELECT key, value FROM run")}
            planned = database.execute("SELECT count(*) FROM sample").fetchone()[0]
            attempts = list(database.execute(_ATTEMPTS))
            _check_counts(database, folder, len(attempts), count)
        probe = ToolProbe.model_validate(facts["probe"]) if "probe" in facts else None
        left = planned - _settled(folder, attempts)
        return row.but(
            state=_state(left=left, running=is_being_written(folder)),
            models=(str(facts["identity"]["model_name"]),),
            conditions=(str(facts["identity"]["condition"]),),
            data=(str(facts["config"]["source"]["name"]),),
            done=planned - left,
            planned=planned,
            cost_usd=_cost(attempts, probe),
            last_asked_at=max((at for *_, at in attempts if at), default=""),
        )
    except StorageError as error:
        return row.but(**_wrong(error))
    except (KeyError, TypeError, ValueError) as error:  # no facts of a run: written by another version, or by hand
        told = f"{folder}: the stored settings cannot be read ({type(error).__name__}); restore the folder from a copy"
        return row.but(state="damaged", problem=told)


def _check_counts(database: sqlite3.Connection, folder: Path, found: int, noted: int | None) -> None:
    """Raise DamageError if fewer records are *found* than were *noted*, or another number than the database states."""
    tally = stored_tally(database)
    if noted is not None and found < noted:
        raise Damage(f"{noted} records were stored and {found} are left, because its log ({LOG}) is lost").error(folder)
    if tally is not None and tally.count != found:
        raise Damage(f"{tally.count} records were stored, but it holds {found}").error(folder)


def _settled(folder: Path, attempts: list[tuple[Any, ...]]) -> int:
    """Return how many samples are settled: those that a resume would not ask again. *attempts* are the stored rows."""
    latest = {sample: Outcome(outcome) for sample, outcome, part, *_ in attempts if not part}
    if Outcome.REJECTED in latest.values():  # whether it is the server's rule follows from all records
        run = open_run(folder)
        return len(run.samples) - len(run.pending())
    return sum(not outcome.infrastructure or outcome is Outcome.CRASHED for outcome in latest.values())


def _cost(attempts: list[tuple[Any, ...]], probe: ToolProbe | None) -> float | None:
    """Return the cost in US dollars of all attempts and of the probe; None where no cost is known.

    Each request is counted once: a record does not repeat the cost of its draws.
    """
    costs = [cost for _, _, _, draws, cost, _ in attempts if cost is not None and not draws]
    costs += [probe.cost_usd] if probe is not None and probe.cost_usd is not None else []
    return sum(costs) if costs else None


def _study(folder: Path, name: str) -> Listed:
    row = Listed(folder=folder, name=name, kind="study", state="unreadable")
    try:
        plan = read_plan(folder)
    except StorageError as error:
        return row.but(**_wrong(error))
    samples = {source.source: source.samples for source in plan.sources}
    row = row.but(
        models=tuple(dict.fromkeys(cell.model for cell in plan.cells)),
        conditions=tuple(plan.arms),
        data=tuple(samples),
        planned=sum(map(plan.samples_of, plan.cells)),
    )
    return _with_cells(row, [_run(path, f"{name}/{path.relative_to(folder).as_posix()}") for path in cells_in(folder)])


def _with_cells(row: Listed, cells: list[Listed]) -> Listed:
    """Return a study's row with *cells*, the rows of its runs: their totals, and the state that follows from them."""
    costs = [cell.cost_usd for cell in cells if cell.cost_usd is not None]
    # A cell may ask fewer samples than its source holds (swapped images), which shows once it has begun.
    planned, done = row.planned, sum(cell.done for cell in cells)
    worst = next((cell for state in ("damaged", "unreadable") for cell in cells if cell.state == state), None)
    state = worst.state if worst else _state(left=planned - done, running=any(c.state == "running" for c in cells))
    return row.but(
        state=state,
        problem=worst.problem if worst else "",
        done=done,
        cost_usd=sum(costs) if costs else None,
        last_asked_at=max((cell.last_asked_at for cell in cells), default=""),
        cells=tuple(cells),
    )


def _state(*, left: int, running: bool) -> State:
    return "running" if running else "unfinished" if left > 0 else "finished"


def _wrong(error: StorageError) -> dict[str, Any]:
    return {"state": "damaged" if isinstance(error, DamageError) else "unreadable", "problem": str(error)}
