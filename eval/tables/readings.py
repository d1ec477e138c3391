"""The table of a second reader's readings: its columns, descriptions and readers.

Contract: only what is stored beside the runs is read; nothing is asked of a model. One row for each scored sample and
reader; a sample that the reader was not asked about has no row.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from medvision_agent.agent.reader import Reader
from medvision_agent.eval.reading.both import BothRead
from medvision_agent.eval.reading.kept import NAME
from medvision_agent.eval.reading.stored import read_again, stored_readings
from medvision_agent.eval.reading.texts import texts_of_run
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.tables.column import Column

__all__ = ["READINGS", "ReadingRow", "has_readings", "reading_rows"]


@dataclass(frozen=True)
class ReadingRow:
    """What a row of the table of readings is read from: a sample of a run as the rule and a second reader read it."""

    run_name: str
    run: Run
    reader: Reader
    read: BothRead


def has_readings(folder: Path) -> bool:
    """Return whether a second reader's readings are stored in the folder of a run."""
    return (folder / NAME).is_file()


def reading_rows(run: Run, name: str, protocol: Protocol) -> Iterator[ReadingRow]:
    """Yield a row for each sample and reader of a run, reader by reader; *name* is the run's name in the table.

    Raises StorageError for a damaged file of readings.
    """
    stored = stored_readings(run.folder)
    for reader in stored.readers:
        for one in read_again(texts_of_run(run, protocol), reader, stored).samples:
            yield ReadingRow(name, run, reader, one)


def _arm(row: ReadingRow) -> object:
    return row.run.config.get("arm")


READINGS: tuple[Column[ReadingRow], ...] = (
    Column("run", "text", "Folder of the run, relative to the folder that was loaded", lambda row: row.run_name),
    Column("arm", "text", "Arm of the study", _arm),
    Column("epoch", "integer", "Epoch of the study, from 1", lambda row: row.run.config.get("epoch")),
    Column("id", "text", "Identifier of the sample", lambda row: row.read.text.asked.id),
    Column("task", "text", "Task", lambda row: row.read.text.asked.task),
    Column("subject", "text", "Dataset and person", lambda row: row.read.text.asked.subject or None),
    Column("reader", "text", "Name of the reader's model", lambda row: row.reader.name),
    Column("reader_id", "text", "Identifier of the reader: its model and its prompt", lambda row: row.reader.id),
    Column("relation", "text", "How the two readings relate", lambda row: row.read.agreement),
    Column("rule_success", "flag", "The rule reads an answer", lambda row: row.read.rule.success),
    Column("reader_success", "flag", "The reader reads an answer", lambda row: row.read.reader.success),
    Column("rule_loss", "number", "Loss by the rule", lambda row: row.read.rule.loss),
    Column("reader_loss", "number", "Loss by the reader", lambda row: row.read.reader.loss),
    Column("unread", "text", "Why the reader reads no answer", lambda row: row.read.unread or None),
)
