"""The table of people's notes on samples: its columns, descriptions and readers."""

from dataclasses import dataclass

from medvision_agent.eval.store.reviews import Review
from medvision_agent.eval.tables.column import Column

__all__ = ["REVIEWS", "NoteRow"]


@dataclass(frozen=True)
class NoteRow:
    """What a row of the table of notes is read from: a person's note on a sample, and the run's name in the table."""

    run_name: str
    note: Review


REVIEWS: tuple[Column[NoteRow], ...] = (
    Column("run", "text", "Folder of the run, relative to the folder that was loaded", lambda row: row.run_name),
    Column("id", "text", "Identifier of the sample", lambda row: row.note.id),
    Column(
        "verdict",
        "text",
        "Verdict: good, bad or unsure; missing where none was given",
        lambda row: row.note.verdict or None,
    ),
    Column("comment", "text", "Comment", lambda row: row.note.comment or None),
    Column("at", "text", "When the note was written, in UTC (ISO 8601)", lambda row: row.note.at),
)
