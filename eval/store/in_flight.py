"""A journal of the samples being asked, to know them when the process dies: one line for each start and end.

Contract: the lines of a process that is killed are in the file; they need not survive a power cut, so that nothing is
flushed and a sample takes no longer for it. A sample that was in flight at ``ALONE_FROM`` deaths is asked alone from
then on, with nothing else in flight. If the process dies once more while it is, no other can be to blame: it is set
aside. The file is removed where there is nothing left to remember.
"""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from medvision_agent.errors import StorageError

__all__ = ["ALONE_FROM", "JOURNAL", "InFlight"]

JOURNAL = "in_flight.jsonl"
ALONE_FROM = 2
"""After so many deaths of the process, a sample that was in flight at each of them is asked alone."""


class InFlight:
    """The journal of the samples being asked, in a run's folder.

    For the one process that writes the run, in one event loop.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / JOURNAL
        self._file: IO[bytes] | None = None
        self._closed = False
        self._deaths = _deaths(_lines(self._path))

    @property
    def remembers(self) -> bool:
        """Whether any sample was in flight when a process of this run died, and has no record since."""
        return bool(self._deaths)

    def alone(self, sample_id: str) -> bool:
        """Return whether this sample must be asked with no other in flight: it was in flight at two deaths or more."""
        return self._deaths[sample_id] >= ALONE_FROM

    def fatal(self, sample_id: str) -> bool:
        """Return whether the process died while only this sample was in flight, so that it must be set aside."""
        return self._deaths[sample_id] > ALONE_FROM

    def deaths(self, sample_id: str) -> int:
        """Return how often the process died while this sample was in flight, since the sample's last record."""
        return self._deaths[sample_id]

    @contextmanager
    def asking(self, sample_id: str) -> Iterator[None]:
        """Note that a sample is in flight during a ``with`` block.

        If the block ends without an error, its deaths are forgotten.
        """
        self._note("start", sample_id)
        try:
            yield
        except BaseException:
            with suppress(StorageError):  # what went wrong is raised
                self._note("left", sample_id)
            raise
        self.forget(sample_id)

    def died(self, sample_id: str) -> None:
        """Note that a worker process died while it asked this sample for the process that writes the run.

        Raises StorageError if the journal cannot be written.
        """
        self._note("died", sample_id)
        self._deaths[sample_id] += 1

    def forget(self, sample_id: str) -> None:
        """Note that this sample has a record, so that its earlier deaths no longer count."""
        self._note("end", sample_id)
        self._deaths.pop(sample_id, None)

    def close(self) -> None:
        """Note that nothing is in flight any more; later notes are ignored. May be called several times."""
        if self._file is not None:
            with suppress(StorageError):
                self._note("close", "")
            self._file.close()
            self._file = None
        self._closed = True
        if not +self._deaths:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)

    def _note(self, what: str, sample_id: str) -> None:
        if self._closed:
            return
        try:
            if self._file is None:
                self._file = self._path.open("ab", buffering=0)
                self._note("open", "")
            self._file.write(json.dumps([what, sample_id]).encode() + b"\n")
        except OSError as error:
            raise StorageError(
                f"{self._path} cannot be written: {error}. All finished samples are stored; remove the cause and "
                "repeat the command (`medvision-agent run` then needs --resume)"
            ) from error


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the notes of a journal as (event, sample id); a line cut short by the death of its writer is ignored."""
    try:
        text = path.read_bytes()
    except OSError:
        return
    for line in text.splitlines():
        with suppress(ValueError, TypeError):
            what, sample_id = json.loads(line)
            yield str(what), str(sample_id)


def _deaths(notes: Iterator[tuple[str, str]]) -> Counter[str]:
    """Return, by sample id, at how many deaths of a process the sample was in flight since its last record."""
    deaths, flying = Counter[str](), set[str]()
    for what, sample_id in notes:
        if what == "open":
            deaths.update(flying)
        if what == "start":
            flying.add(sample_id)
        elif what == "died":
            deaths[sample_id] += 1
        elif what in {"end", "left"}:
            flying.discard(sample_id)
        elif what in {"open", "close"}:
            flying.clear()
        if what == "end":
            deaths.pop(sample_id, None)
    deaths.update(flying)
    return deaths
