"""Notes of people on the samples of a run: ``review.jsonl`` in its folder, one JSON object a line.

Contract: the file is only ever added to, a whole line at a time, flushed before ``add_review`` returns; the last line
of a sample is valid. Lines that are no notes are counted and stay. Nothing else in the run's folder is touched. A file
that is a link is neither read nor written. The file is bounded, and so is what is read of it.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from medvision_agent.errors import StorageError
from medvision_agent.frozen import Frozen

__all__ = ["REVIEWS", "FoundReviews", "Review", "Verdict", "add_review", "has_reviews", "read_reviews"]

REVIEWS = "review.jsonl"
_MOST = 16 * 1024 * 1024
"""Largest size of the file in bytes."""

Verdict = Literal["", "good", "bad", "unsure"]


class Review(Frozen):
    """A person's note on a sample: one line of ``review.jsonl`` in the run's folder.

    Of several notes on a sample the last one counts; one with an empty verdict and comment withdraws those before it.
    """

    id: str = Field(min_length=1, max_length=200)
    verdict: Verdict
    comment: str = Field(max_length=4000)
    at: str = Field(max_length=40)
    """Time of the note: ISO 8601, UTC."""


@dataclass(frozen=True)
class FoundReviews:
    """The notes found in a run's folder."""

    reviews: tuple[Review, ...] = ()
    """The last note of each sample, without those that were withdrawn."""
    damaged: int = 0
    """Number of lines that are not notes."""


def has_reviews(folder: Path) -> bool:
    """Return whether a run's folder has a file of notes."""
    return (folder / REVIEWS).is_file()


def read_reviews(folder: Path) -> FoundReviews:
    """Return the valid notes of a run, ordered by the first note on each sample; empty if it has no file of notes.

    Raises StorageError if the file cannot be read.
    """
    if not os.path.lexists(folder / REVIEWS):
        return FoundReviews()
    with _opened(folder, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)) as handle, os.fdopen(os.dup(handle), "rb") as file:
        lines = file.read(_MOST).split(b"\n")
    last, damaged = dict[str, Review](), 0
    for line in filter(None, map(bytes.strip, lines)):
        try:
            note = Review.model_validate_json(line)
        except ValidationError:
            damaged += 1
        else:
            last[note.id] = note
    return FoundReviews(tuple(one for one in last.values() if one.verdict or one.comment), damaged)


def add_review(folder: Path, sample: str, verdict: Verdict, comment: str) -> Review:
    """Add a note on the sample with the id *sample* and return it; an empty verdict and comment withdraw earlier notes.

    Raises StorageError where it cannot be written, or the file of notes is full.
    """
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    note = Review(id=sample, verdict=verdict, comment=comment, at=at)
    line = note.model_dump_json().encode() + b"\n"
    with _opened(folder, os.O_RDWR | os.O_APPEND | os.O_CREAT) as handle:
        size = os.fstat(handle).st_size
        if size + len(line) > _MOST:
            raise StorageError(
                f"{folder / REVIEWS} is full ({_MOST // 1024**2} MB), so the note was not stored; rename the file to "
                "begin a new one"
            )
        torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"  # the last writer was killed
        os.write(handle, b"\n" + line if torn else line)
        os.fsync(handle)
    return note


@contextmanager
def _opened(folder: Path, flags: int) -> Iterator[int]:
    path, handle = folder / REVIEWS, -1
    try:
        handle = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0), 0o666)
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise StorageError(f"{path}: notes are kept in a regular file, and this is none; move it to another place")
        yield handle
    except OSError as error:
        raise StorageError(
            f"{path}: the notes of the run cannot be read or written ({error.strerror or error})"
        ) from None
    finally:
        if handle >= 0:
            os.close(handle)
