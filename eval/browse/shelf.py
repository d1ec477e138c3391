"""One opened run or study: where it is, what has been read of it, and its line."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from medvision_agent.errors import MedVisionAgentError, StorageError
from medvision_agent.eval.browse.feed import Feed, state_of
from medvision_agent.eval.browse.forms import RunLine, State, StudyPage
from medvision_agent.eval.browse.harm import LinesOf, with_worst
from medvision_agent.eval.browse.means import Place, means_kept, means_of, run_line
from medvision_agent.eval.browse.study import study_page, with_findings
from medvision_agent.eval.browse.words import whole
from medvision_agent.eval.listing.find import stored_in
from medvision_agent.eval.store.read import CANARIES, CELLS
from medvision_agent.eval.store.writer import is_being_written
from medvision_agent.eval.study.plan import Plan, read_plan

__all__ = ["Found", "OpenedRun", "OpenedStudy", "find"]

_LARGEST = 200_000
"""If the runs of a study have more samples than this in total, its findings are not computed here."""
_PAUSE, _SHARE = 10.0, 20.0
"""Time between two computations of a running study's findings: in seconds, and as a multiple of the last one's
duration."""


@dataclass(frozen=True)
class Found:
    """A folder that holds a run or a study, with its name relative to the folders that were opened."""

    folder: Path
    kind: Literal["run", "study"]
    name: str
    study: Path | None = None
    canary: bool = False


def find(roots: Sequence[Path]) -> Iterator[Found]:
    """Yield every study and run under the folders *roots*, each once, and each study before its runs.

    A folder that does not exist or cannot be read gives nothing.
    """
    seen = set[Path]()
    for root in roots:
        for folder, kind in _stored(root):
            if (place := folder.resolve()) in seen:
                continue
            seen.add(place)
            inner = folder.relative_to(root).as_posix()
            first = root.resolve().name if len(roots) > 1 or inner == "." else ""
            name = "/".join(part for part in (first, inner) if part not in {"", "."})
            yield Found(folder, kind, name)
            for part in (CELLS, CANARIES) if kind == "study" else ():
                for run, _ in _stored(folder / part):
                    own = f"{name}/{run.relative_to(folder).as_posix()}"
                    yield Found(run, "run", own, study=folder, canary=part == CANARIES)


def _stored(folder: Path) -> Iterator[tuple[Path, Literal["run", "study"]]]:
    try:
        yield from stored_in(folder)
    except StorageError:  # it does not exist, or cannot be read
        return


@dataclass(eq=False)
class OpenedRun:
    """An opened run: its names, and the feed that reads it; hold ``lock`` to read further or to look at its lines."""

    place: Place
    feed: Feed
    lock: threading.RLock = field(default_factory=threading.RLock)
    asked: float = 0.0
    """Time when somebody last looked at its rows."""
    _line: tuple[object, RunLine] | None = None
    _rested_at: object = None

    @property
    def resting(self) -> bool:
        """Whether the run's lines were dropped, and since then no record was stored and nobody looked at its rows."""
        return self._rested_at is not None and self._rested_at == (self.asked, state_of(self.feed.folder))

    def rest(self) -> None:
        """Drop the run's lines from memory, if the run is read to the end."""
        with self.lock:
            if not self.feed.partly and not self.resting:
                _ = self.line
                self._rested_at = self.asked, state_of(self.feed.folder)
                self.feed.forget()

    @property
    def line(self) -> RunLine:
        """The run's line on the first page, as far as the run has been read."""
        running = is_being_written(self.feed.folder)
        with self.lock:
            if self._line is not None and self.resting:
                return self._line[1]
            feed = self.feed
            state = (feed.stamp, feed.problem, feed.read, feed.stored, feed.probe_cost, running)
            if self._line is None or self._line[0] != state:
                means = means_kept(feed) if feed.partly else means_of(feed.lines)
                self._line = state, run_line(feed, self.place, running=running, means=means)
            return self._line[1]


@dataclass(eq=False)
class OpenedStudy:
    """An opened study: its plan (None if it cannot be read, and ``problem`` says why) and its latest page."""

    key: str
    folder: Path
    name: str
    plan: Plan | None = None
    problem: str = ""
    _page: StudyPage | None = None
    _made_of: object = None
    _made_at: float = 0.0
    _took: float = 0.0

    def read(self) -> None:
        """Read the study's plan, unless it is already known; an error is not raised but stated in ``problem``."""
        if self.plan is None:
            try:
                self.plan, self.problem = read_plan(self.folder), ""
            except StorageError as error:
                self.problem = str(error)

    def page(self, runs: Mapping[str, RunLine]) -> StudyPage:
        """Return the study's page, with the latest findings that were computed.

        *runs* are the lines of the study's runs, by folder relative to the study's folder.
        """
        state = self._state(runs)
        if self.plan is None:
            name, note = whole(self.name, 1000), whole(self.problem, 1000)
            return StudyPage(
                key=self.key,
                name=name,
                arms=(),
                tasks=(),
                headline=(),
                effects=(),
                caveats=(),
                state=state,
                note=note or "not read yet",
            )
        keys = {folder: line.key for folder, line in runs.items()}
        bare = study_page(self.folder, self.plan, key=self.key, name=self.name, keys=keys, state=state)
        if self._page is None:
            return bare.but(note="What it found is being worked out.")
        return self._page.but(arms=bare.arms, state=state)

    def work_out(self, runs: Mapping[str, RunLine], lines_of: LinesOf) -> None:
        """Compute the study's findings, if its runs have changed since the last time and enough time has passed.

        *runs* are as for ``page``; *lines_of* returns the lines of a run by its key. If the findings cannot be
        computed, the page's note says why.
        """
        stamps = sorted((folder, line.stamp) for folder, line in runs.items())
        running = any(line.state == "running" for line in runs.values())
        wait = max(_PAUSE, _SHARE * self._took) if running else 0.0
        if self.plan is None or stamps == self._made_of or time.monotonic() - self._made_at < wait:
            return
        begun = time.monotonic()
        keys = {folder: line.key for folder, line in runs.items()}
        page = study_page(self.folder, self.plan, key=self.key, name=self.name, keys=keys, state=self._state(runs))
        try:
            if sum(line.done for line in runs.values()) > _LARGEST:
                note = (
                    "the study has too many samples for its findings to be computed here; use `medvision-agent report`"
                )
                self._page = page.but(note=note)
            else:
                found = with_findings(page, self.folder)
                self._page = with_worst(found, {line.key: line for line in runs.values()}, lines_of)
        except (MedVisionAgentError, OSError) as error:
            self._page = page.but(note=whole(str(error), 1000))
        self._made_of, self._made_at = stamps, time.monotonic()
        self._took = self._made_at - begun

    def _state(self, runs: Mapping[str, RunLine]) -> State:
        states = {line.state for line in runs.values()}
        if self.problem or "damaged" in states:
            return "damaged"
        if "running" in states:
            return "running"
        whole_study = self.plan is not None and all(cell.folder in runs for cell in self.plan.cells)
        return "finished" if whole_study and states == {"finished"} else "unfinished"
