"""One stored run, read while it is being written: the lines of its samples grow and change as records arrive.

Contract: the store is only read, a few hundred records at a time, and nothing is held open between two reads, so that
no writer ever waits. Memory grows with the number of samples, a kilobyte each, and not with conversations or images.
Records are checked as ``open_run`` does; traces and images are checked when they are opened. Errors of a run are never
raised, but stated in ``problem``. Not safe for several threads at once.
"""

import json
import sqlite3
from array import array
from collections import deque
from collections.abc import Mapping
from pathlib import Path

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.endings.probe import ToolProbe
from medvision_agent.errors import DamageError, MedVisionAgentError, StorageError
from medvision_agent.eval.browse.line import Line, line_of, open_line, place_of
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.place.located import has_place, locate_record
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.settings.identity import Identity
from medvision_agent.eval.store.damage import Damage, changed
from medvision_agent.eval.store.files import DATABASE, LOG, read_count
from medvision_agent.eval.store.read import read_record, reading
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.refusals import Ending, by_rule
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.store.seal import Tally, is_sealed, stored_tally, tally_of
from medvision_agent.eval.store.tail import Tailed, count_of_records, tail
from medvision_agent.eval.why.stored import tools_of
from medvision_agent.tools.base import Measures

__all__ = ["BROKEN", "Feed", "state_of"]

_LISTED = 2000
"""Number of samples read at once."""
_BATCH = 200
"""Number of records read at once."""
_PLACED = 20
"""Number of answers located at once: each needs its conversation."""
_AGAIN = {outcome.value for outcome in Outcome if outcome.infrastructure and outcome is not Outcome.CRASHED}
BROKEN = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)
"""Exceptions caused by a run of another version, or one edited by hand."""


class Feed:
    """A run that is being read: its folder, the protocol *rules* that score it, and what has been read from it."""

    def __init__(self, folder: Path, rules: Protocol) -> None:
        self.folder, self.rules = folder, rules
        self.stamp = 0
        """Grows whenever a line changes."""
        self.forget()

    def forget(self) -> None:
        """Drop everything that was read, so that the run is read from the beginning; the stamp keeps growing."""
        self.head: Run | None = None
        """The run without its samples and records; None until its settings are read."""
        self.problem = ""
        """What is wrong with the run; empty if nothing is."""
        self.lines: list[Line] = []
        self.changed = array("q")
        """The stamp at which each line last changed."""
        self.begun_at = ""
        self.costs: list[float] = []
        """The cost in US dollars of each record with a known cost, counted once; the probe is not included."""
        self.probe_cost: float | None = None
        self.synthetic = False
        self.planned = 0
        """Number of samples in the run."""
        self.stored = 0
        """Number of records in the store when it was last read."""
        self.read = 0
        self._place = 0
        self._attempts = array("q")
        self._replies = array("q")
        self._refused: dict[int, tuple[str, Line]] = {}
        self._tally: Tally | None = None
        self._unplaced: deque[int] = deque()
        self._first: tuple[object, object] = (None, None)
        self._seen: object = None
        self._tools: Mapping[str, Measures] | None = None

    @property
    def listed(self) -> bool:
        """Whether all samples of the run have a line."""
        return self.head is not None and len(self.lines) == self.planned

    @property
    def partly(self) -> bool:
        """Whether samples or records of the store have not been read yet."""
        return not self.listed or self.read < self.stored

    @property
    def left(self) -> int:
        """Number of samples that a resume would ask."""
        return sum(one.outcome in _AGAIN or one.outcome is None for one in self.lines)

    def since(self, stamp: int) -> list[int]:
        """Return the row numbers (from 0) of the lines that changed after a stamp; -1 gives all."""
        return [row for row, at in enumerate(self.changed) if at > stamp]

    def read_on(self) -> bool:
        """Read more of the run: at most 2,000 samples or 200 records; return whether there may be more to read now.

        An error is not raised: ``problem`` states it.
        """
        seen = state_of(self.folder)
        if seen == self._seen and not self.problem:
            return False
        self.problem = ""
        try:
            more = self._batch()
        except (MedVisionAgentError, OSError, *BROKEN) as error:
            self.problem = _words(self.folder, error)
            return False
        if not more:
            self._seen = seen
        return more

    def place_on(self) -> bool:
        """Determine where a few answers were measured, and put it on their lines; return whether more answers wait."""
        if self.head is None or not self._unplaced:
            return False
        self.stamp += 1
        for _ in range(min(_PLACED, len(self._unplaced))):
            row = self._unplaced.popleft()
            if (found := self._located(row)) is not None:
                self._set(row, self.lines[row]._replace(place=found))
        return bool(self._unplaced)

    def record_of(self, row: int) -> Record:
        """Return the record of the sample in a row; raises StorageError if none is stored or it was changed."""
        found = read_record(self.folder, self.lines[row].id)
        if row in self._refused and self.lines[row].outcome == Outcome.UNSUPPORTED:
            return found.model_copy(update={"outcome": Outcome.UNSUPPORTED})
        return found

    def place_in(self, record: Record) -> str | None:
        """Return where the answer of a record was measured, in the words of ``Rows.place``.

        None for a failed answer, or if the ground truth has no points; ``unknown`` if the run's form is unexpected.
        """
        try:
            return place_of(locate_record(self.opened, record, self.rules))
        except BROKEN:
            return "unknown"

    def _batch(self) -> bool:
        noted = read_count(self.folder)  # before the database: it grows meanwhile
        with reading(self.folder) as database:
            first = _first_of(database)
            if self.head is not None and first != self._first and (first[0] != self._first[0] or self.read):
                self.forget()  # another run has taken its place
            self._first = first
            if not self.listed:
                self._list(database)
                return True
            found = list(tail(database, self._place, _BATCH))
            at_end = len(found) < _BATCH
            self.stored = count_of_records(database)
            self.probe_cost = _cost_of_probe(database)
            tally = stored_tally(database) if at_end else None
        self.stamp += 1
        for one in found:
            self._take(one)
        if at_end:
            self._settle()
            self._check(tally, noted)
        return not at_end

    def _list(self, database: sqlite3.Connection) -> None:
        """Read the run's settings if needed, and then up to 2,000 samples; raises DamageError for a missing sample."""
        if self.head is None:
            self._open(database)
        self.stamp += 1
        query = "SELECT position, json FROM sample WHERE position >= ? ORDER BY position LIMIT ?"
        for position, text in database.execute(query, (len(self.lines), _LISTED)).fetchall():
            sample = Sample.model_validate_json(text)
            if position != len(self.lines):
                break
            self.synthetic = self.synthetic or sample.marks.synthetic
            self.lines.append(open_line(sample))
            for column, value in ((self.changed, self.stamp), (self._attempts, 0), (self._replies, 0)):
                column.append(value)
        else:
            return
        raise DamageError(f"{self.folder} is damaged: a sample of the run is missing; restore it from a copy")

    def _open(self, database: sqlite3.Connection) -> None:
        """Read the run's settings; raises StorageError if they or the samples were changed after they were stored."""
        facts = {key: json.loads(value) for key, value in database.execute("SELECT key, value FROM run")}
        identity = Identity.model_validate({**facts["identity"], "resumed": facts.get("resumed", ())})
        tally = tally_of(database, ()) if is_sealed(database) else None
        if tally is not None:
            _compare(self.folder, tally, stored_tally(database), "facts", "samples")
        self.planned = database.execute("SELECT count(*) FROM sample").fetchone()[0]
        self.stored, self._tally = count_of_records(database), tally
        self.head = Run(self.folder, identity, facts["config"], (), ())

    def _take(self, one: Tailed) -> None:
        stored, row = one.record, one.position
        if stored.changed:
            raise changed("record", stored.sample_id, stored.attempt).error(self.folder)
        sample = Sample.model_validate_json(one.sample)
        record = Record.model_validate({**json.loads(stored.json), "sample": sample})
        self._place, self.read = one.place, self.read + 1
        self._tally = None if self._tally is None else self._tally.plus(stored.sha256)
        if record.cost_usd is not None and not record.draws:
            self.costs.append(record.cost_usd)
        if record.asked_at and (not self.begun_at or record.asked_at < self.begun_at):
            self.begun_at = record.asked_at
        if record.part or record.attempt < self._attempts[row]:
            return
        line = line_of(self.lines[row], record, self.rules)
        self._attempts[row], self._replies[row] = record.attempt, len(record.finish_reasons)
        self._refused.pop(row, None)
        if record.outcome is Outcome.REJECTED:
            self._refused[row] = record.detail, line
        elif line.success and has_place(sample):
            if sample.asks.is_box:
                line = line._replace(place=self.place_in(record))
            else:
                self._unplaced.append(row)
        self._set(row, line)

    @property
    def opened(self) -> Run:
        """The run without its samples and records; raises StorageError if it could not be read."""
        if self.head is None:
            raise StorageError(
                self.problem or f"{self.folder}: the run has not been read yet; open it again in a moment"
            )
        return self.head

    @property
    def tools(self) -> Mapping[str, Measures]:
        """What each tool of the run declares to measure, by tool; empty if this version does not know the tools."""
        if self._tools is None:
            try:
                self._tools = tools_of(self.opened)
            except (MedVisionAgentError, *BROKEN):
                self._tools = {}
        return self._tools

    def _set(self, row: int, line: Line) -> None:
        if line != self.lines[row]:
            self.lines[row], self.changed[row] = line, self.stamp

    def _settle(self) -> None:
        """Mark each refused sample whose refusal is a rule of the server, which only all records together show.

        Such a sample gets the outcome ``unsupported`` and no loss; any other refusal stays a scored failure.
        """
        if not self._refused:
            return
        endings = [
            Ending(line.id, Outcome.REJECTED, replies, self._refused[row][0])
            if row in self._refused
            else Ending(line.id, Outcome.ANSWERED, replies, "")
            for row, (line, replies) in enumerate(zip(self.lines, self._replies, strict=True))
            if line.has_talk
        ]
        by_server = by_rule(endings)
        for row, (_, line) in self._refused.items():
            ruled = line._replace(outcome=Outcome.UNSUPPORTED.value, loss=None, success=False, answer="")
            self._set(row, ruled if line.id in by_server else line)

    def _check(self, tally: Tally | None, noted: int | None) -> None:
        """Compare all records read with the count *noted* beside the database and the stored hash sums *tally*.

        Raises StorageError if records are missing or were changed.
        """
        if noted is not None and self.read < noted:
            what = (
                f"{noted} records were stored and {self.read} are left, because its database log ({LOG}) is lost or "
                "incomplete"
            )
            raise Damage(what).error(self.folder)
        if self.stored < self.read:
            raise Damage(f"{self.read} records were stored, but it holds {self.stored}").error(self.folder)
        if self._tally is not None:
            _compare(self.folder, self._tally, tally, "records", "total")

    def _located(self, row: int) -> str | None:
        try:
            return self.place_in(self.record_of(row))
        except (MedVisionAgentError, OSError, *BROKEN):
            return "unknown"


def _words(folder: Path, error: Exception) -> str:
    """Return the sentence that says what is wrong with a run in a folder."""
    if isinstance(error, MedVisionAgentError):
        return str(error)
    why = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
    return f"{folder} cannot be read ({why}); `medvision-agent verify` says more"


def _compare(folder: Path, found: Tally, stored: Tally | None, *fields: str) -> None:
    if stored is None:
        raise Damage("the stored count and hash sum of its records are missing").error(folder)
    for field in fields:
        if getattr(found, field) != getattr(stored, field):
            what = {"facts": "settings", "samples": "samples (questions and ground truth)"}.get(field, "records")
            raise Damage(f"its {what} were changed after they were stored").error(folder)


def _cost_of_probe(database: sqlite3.Connection) -> float | None:
    row = database.execute("SELECT value FROM run WHERE key = 'probe'").fetchone()
    return None if row is None else ToolProbe.model_validate_json(row[0]).cost_usd


def _first_of(database: sqlite3.Connection) -> tuple[object, object]:
    """Return the stored settings and the first record of a run, by which a new run in the same folder is noticed."""
    settings = database.execute("SELECT value FROM run WHERE key = 'identity'").fetchone()
    return settings, database.execute("SELECT rowid, sample_id, json FROM record ORDER BY rowid LIMIT 1").fetchone()


def state_of(folder: Path) -> object:
    """Return a value that changes whenever a run is written: file number, size and time of its database and log."""
    found = list[tuple[int, ...] | None]()
    for name in (DATABASE, LOG):
        try:
            status = (folder / name).stat()
        except OSError:
            found.append(None)
        else:
            found.append((status.st_ino, status.st_size, status.st_mtime_ns))
    return found
