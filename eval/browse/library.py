"""All runs and studies under the folders that were opened, with the keys by which the viewer's page asks for them.

Contract: only notes are written here. A problem of a run or a study is shown on its line, never raised;
``StorageError`` is raised for a key, a row or an image that is missing or damaged. Reading proceeds in small steps
(``read_on``), so that the first page appears at once, and a run that is being written grows on it. At most about
``MOST_LINES`` lines are in memory; runs that nobody looks at are dropped, and read again when requested. Safe for
several threads.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from medvision_agent.errors import StorageError
from medvision_agent.eval.browse.colours import with_colours
from medvision_agent.eval.browse.conversation import open_talk, picture_made
from medvision_agent.eval.browse.feed import Feed
from medvision_agent.eval.browse.forms import Index, Note, Reviews, Rows, RunLine, Talk
from medvision_agent.eval.browse.line import Line
from medvision_agent.eval.browse.means import Place, source_of
from medvision_agent.eval.browse.rows import rows_of
from medvision_agent.eval.browse.shelf import Found, OpenedRun, OpenedStudy, find
from medvision_agent.eval.browse.study import arm_colours, arm_name
from medvision_agent.eval.data.folders import Folders
from medvision_agent.eval.data.shared import shared_names
from medvision_agent.eval.scorer.protocol import DEFAULT_PROTOCOL, Protocol, protocol
from medvision_agent.eval.store.damage import read_picture
from medvision_agent.eval.store.files import is_hash, picture_path
from medvision_agent.eval.store.reviews import add_review, read_reviews
from medvision_agent.eval.study.plan import Plan
from medvision_agent.version import VERSION

__all__ = ["MOST_LINES", "Library"]

MOST_LINES = 400_000
"""Lines kept in memory at most; each takes about a kilobyte."""
_LOOK, _SHARE = 2.0, 20.0
"""Time between two searches of the folders: in seconds, and as a multiple of the last search's duration; the longer
counts."""
_MADE = 10_000
"""Number of images made on demand whose origin is remembered."""


class Library:
    """All runs and studies in the folders *roots*.

    *rules* is the protocol that scores them; without it, a study is scored by its own protocol and a run outside a
    study by the default one.
    """

    def __init__(self, roots: Sequence[Path], rules: Protocol | None = None) -> None:
        self.roots, self._rules = tuple(roots), rules
        self._runs: dict[str, OpenedRun] = {}
        self._studies: dict[str, OpenedStudy] = {}
        self._keys: dict[Path, str] = {}
        self._made: OrderedDict[str, tuple[str, int]] = OrderedDict()
        self._reading, self._lock = threading.Lock(), threading.Lock()
        self._next_look = 0.0

    @property
    def runs(self) -> dict[str, OpenedRun]:
        """The runs found in the last search, by their keys."""
        return dict(self._runs)

    @property
    def plans(self) -> list[Plan]:
        """The plans of the studies found in the last search; a study whose plan cannot be read has none."""
        return [study.plan for study in dict(self._studies).values() if study.plan is not None]

    @property
    def folders(self) -> Folders:
        """The folders whose paths must not be shown to others."""
        return Folders(self.roots, {source_of(run.feed) for run in self.runs.values()})

    def read_on(self, seconds: float | None = None, *, findings: bool = True) -> bool:
        """Read for about *seconds*, or until everything stored is read; return whether more can be read now.

        Once everything is read, the findings of studies are computed without a time limit, unless *findings* is false.
        """
        end = None if seconds is None else time.monotonic() + seconds
        if not self._reading.acquire(timeout=-1 if seconds is None else seconds):
            return True
        try:
            return self._read_until(end, findings=findings)
        finally:
            self._reading.release()

    def index(self, *, live: bool, bounded: str = "") -> Index:
        """Return the data of the viewer's first page.

        *live* means that this machine's server shows it; otherwise it is meant for others, and local folders are
        removed. *bounded* says which samples a bundle holds; empty if all.
        """
        lines = {key: run.line for key, run in self.runs.items()}
        found = Index(
            program=f"medvision-agent {VERSION}",
            title=", ".join(dict.fromkeys(root.resolve().name or str(root) for root in self.roots)),
            live=live,
            bounded=bounded,
            runs=with_colours(list(lines.values())),
            studies=tuple(study.page(self._cells(study, lines)) for study in dict(self._studies).values()),
            notes=tuple(f"{root} is not there any more" for root in self.roots if not root.is_dir()),
        )
        return found if live else Index.model_validate_json(self.folders.left_out_of(found.model_dump_json()))

    def rows(self, key: str, since: int = -1, only: Sequence[int] | None = None) -> Rows:
        """Return the rows of a run that changed after the stamp *since*, as far as the run was read; -1 gives all.

        If *only* is given, the rows with these numbers are returned instead. Raises StorageError for an unknown key.
        """
        with self.opened(key) as feed:
            at = feed.since(since) if only is None else list(only)
            return rows_of(key, feed.stamp, at, [feed.lines[row] for row in at])

    def talk(self, key: str, row: int) -> Talk:
        """Return the conversation of the sample in a row of a run, with its canvas.

        Raises StorageError if the run or the row is missing, or the conversation is missing or damaged.
        """
        with self.opened(key, row) as feed:
            found = open_talk(feed, key, row)
        if found.scene is not None:
            with self._lock:
                self._made[found.scene.shown.name] = key, row
                if len(self._made) > _MADE:
                    self._made.popitem(last=False)
        return found

    def picture(self, name: str) -> bytes:
        """Return the PNG file of an image, given by its SHA-256: a stored image, or one that is made on demand.

        Raises StorageError if *name* is no SHA-256, if no run here has this image, or if it cannot be made again.
        """
        if not is_hash(name):
            raise StorageError("this is not the name of an image: expected a SHA-256, 64 digits from 0 to f")
        for run in self.runs.values():
            if picture_path(run.feed.folder, name).is_file():
                return read_picture(run.feed.folder, name)
        with self._lock:
            key, row = self._made.get(name, ("", 0))
        if not key:
            raise StorageError("none of the runs shown here holds this image; open the conversation again")
        with self.opened(key, row) as feed:
            return picture_made(feed, row, name)

    def reviews(self, key: str) -> Reviews:
        """Return the notes that people put on the samples of a run; raises StorageError for an unknown key."""
        found = read_reviews(self._run(key).feed.folder)
        return Reviews(run=key, reviews=found.reviews, damaged=found.damaged)

    def note(self, key: str, note: Note) -> Reviews:
        """Store a note on a sample, and return all notes of its run; raises StorageError for an unknown key or row."""
        with self.opened(key, note.row) as feed:
            add_review(feed.folder, feed.lines[note.row].id, note.verdict, note.comment)
        return self.reviews(key)

    @contextmanager
    def opened(self, key: str, row: int | None = None, *, whole: bool = False) -> Iterator[Feed]:
        """Provide the feed of a run with its lock held, read as far as needed.

        That is until some samples, or the sample in *row*, are listed; with *whole*, until everything stored is read.
        Raises StorageError if the run or the row is missing.
        """
        run = self._run(key)
        with run.lock:
            run.asked = time.monotonic()
            while _wanting(run.feed, row, whole=whole) and run.feed.read_on():
                pass
            if row is not None and not 0 <= row < len(run.feed.lines):
                raise StorageError(
                    run.feed.problem or f"{run.place.name} has no row {row} (from 0); load the page again"
                )
            yield run.feed

    def _run(self, key: str) -> OpenedRun:
        try:
            return self._runs[key]
        except KeyError:
            raise StorageError("there is no run with this key, or it no longer exists; load the page again") from None

    def _lines_of(self, key: str) -> Sequence[Line]:
        """Return the lines of a run, as far as they are in memory; empty for an unknown key."""
        return self.runs[key].feed.lines if key in self.runs else ()

    def _cells(self, study: OpenedStudy, lines: Mapping[str, RunLine]) -> dict[str, RunLine]:
        """Return the lines of a study's runs, except canaries, by their folders relative to the study's folder."""
        own = ((run.feed.folder, lines[key]) for key, run in self.runs.items() if key in lines)
        return {
            folder.relative_to(study.folder).as_posix(): line
            for folder, line in own
            if line.study == study.key and not line.canary
        }

    def _read_until(self, end: float | None, *, findings: bool) -> bool:
        if time.monotonic() >= self._next_look:
            self.look()
        runs = sorted(self.runs.values(), key=lambda run: -run.asked)
        late = _go_on([run for run in runs if run.feed.head is None], Feed.read_on, end, once=True)
        late = late or _go_on(runs, Feed.read_on, end) or _go_on(runs, Feed.place_on, end)
        _rest(runs)
        if late:
            return True
        lines = {key: run.line for key, run in self.runs.items()}
        for study in dict(self._studies).values() if findings else ():
            study.work_out(self._cells(study, lines), self._lines_of)
        return False

    def look(self) -> None:
        """Search the folders for runs and studies: known ones keep their keys, and missing ones are forgotten."""
        begun, runs, studies = time.monotonic(), dict[str, OpenedRun](), dict[str, OpenedStudy]()
        for found in find(self.roots):
            key = self._key(found)
            if found.kind == "study":
                studies[key] = self._studies.get(key) or OpenedStudy(key, found.folder, found.name)
                studies[key].read()
            else:
                runs[key] = self._runs.get(key) or self._open(found, key, studies)
        self._runs, self._studies = runs, studies
        self._next_look = time.monotonic() + max(_LOOK, _SHARE * (time.monotonic() - begun))

    def _key(self, found: Found) -> str:
        place = found.folder.resolve()
        if place not in self._keys:
            first = "s" if found.kind == "study" else "r"
            self._keys[place] = f"{first}{sum(key.startswith(first) for key in self._keys.values()) + 1}"
        return self._keys[place]

    def _open(self, found: Found, key: str, studies: Mapping[str, OpenedStudy]) -> OpenedRun:
        study = next((one for one in studies.values() if one.folder == found.study), None)
        plan = study.plan if study is not None else None
        arm, colour, sources, rules = "", "", dict[str, str](), self._rules
        if study is not None and plan is not None:
            inner = found.folder.relative_to(study.folder).as_posix()
            cell = next((cell for cell in plan.cells if cell.folder == inner), None)
            arm = arm_name(plan, cell.model, cell.arm) if cell is not None else ""
            colour, sources = arm_colours(plan).get(arm, ""), shared_names(one.source for one in plan.sources)
            rules = rules or protocol(plan.protocol)
        place = Place(key, found.name, study.key if study is not None else None, arm, found.canary, colour, sources)
        return OpenedRun(place, Feed(found.folder, rules or protocol(DEFAULT_PROTOCOL)))


def _go_on(runs: Sequence[OpenedRun], step: Callable[[Feed], bool], end: float | None, *, once: bool = False) -> bool:
    """Apply *step* to each run until it returns false, or only *once*; return whether *end* has passed.

    *end* is a time of the monotonic clock in seconds; None means no limit.
    """
    for run in runs:
        more = not run.resting
        while more:
            with run.lock:
                more = step(run.feed) and not once
            if end is not None and time.monotonic() > end:
                return True
    return False


def _wanting(feed: Feed, row: int | None, *, whole: bool) -> bool:
    """Return whether more of a run must be read: always if *whole*, else if no sample, or not *row*, is listed."""
    if whole or not feed.lines:
        return True
    return row is not None and row >= len(feed.lines) and not feed.listed


def _rest(runs: Sequence[OpenedRun]) -> None:
    """If more than ``MOST_LINES`` lines are in memory, drop those of the runs that were looked at longest ago.

    *runs* must be sorted, the run looked at last first.
    """
    lines = 0
    for at, run in enumerate(runs):  # the run looked at last comes first
        lines += len(run.feed.lines)
        if at and lines > MOST_LINES:
            run.rest()
