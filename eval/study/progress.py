"""Progress of a study: how many planned samples were asked, and which planned looks took place.

Contract: a sample counts as asked if its cell holds a record of it, with any outcome. Before the planned end, or
between planned looks, no difference gets a verdict: a verdict at an unplanned time is one of many possible ones, and
false far too often.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from medvision_agent.eval.store.run import Run
from medvision_agent.eval.study.looks import subjects_seen
from medvision_agent.eval.study.plan import Plan, PlannedCell
from medvision_agent.eval.summary.claims import no_verdict_line

__all__ = ["CellProgress", "Progress", "cell_progress", "progress"]


@dataclass(frozen=True)
class CellProgress:
    """How many samples of one cell (run) of a study were asked, and which planned looks it has completed."""

    cell: PlannedCell
    asked: int
    seen: tuple[frozenset[str], ...] = ()
    """The subjects of each planned look that the cell has completed."""


@dataclass(frozen=True)
class Progress:
    """How many samples of a study were asked, and which planned looks took place."""

    plan: Plan
    asked: int
    planned: int
    """Number of samples in all cells."""
    seen: dict[tuple[str, str], tuple[frozenset[str], ...]]
    """By source and model, the subjects of each planned look that took place."""

    @property
    def looks(self) -> int:
        """Number of planned looks; 0 means only the planned end."""
        return len(self.plan.study.get("looks", ()))

    def no_verdict(self, source: str, model: str) -> str:
        """Return why a difference of *model* over *source* gets no verdict; empty if it may get one."""
        return "" if self.asked >= self.planned or self.seen[source, model] else self._why(source)

    def lines(self, source: str | None = None) -> list[str]:
        """Return headlines for one source (None: for all): why there is no verdict, or which look took place."""
        found = []
        for (place, model), seen in self.seen.items():
            if source not in {None, place}:
                continue
            if why := self.no_verdict(place, model):
                found.append(why)
            elif self.looks:
                subjects = next(one.subjects for one in self.plan.sources if one.source == place)
                found.append(
                    f"look {len(seen)} of {self.looks} at {model} over {place}: the tests are of {len(seen[-1])} of "
                    f"{subjects} subjects"
                )
        return list(dict.fromkeys(found))

    def _why(self, source: str) -> str:
        line = no_verdict_line(self.asked, self.planned)
        if not self.looks:
            return line
        first = next(iter(next(one.looks for one in self.plan.sources if one.source == source).values()))[0]
        return f"{line}, and the first of {self.looks} looks at {source} takes {first} subjects"


def cell_progress(plan: Plan, cell: PlannedCell, run: Run) -> CellProgress:
    """Return the progress of *cell*, whose stored run is *run*."""
    return CellProgress(
        cell, len(run.records), tuple(subjects_seen(run, plan.study.get("looks", ()), plan.study.get("seed", 0)))
    )


def progress(plan: Plan, cells: Iterable[CellProgress]) -> Progress:
    """Return the progress of a study; planned cells that are missing from *cells* have not begun."""
    known = {one.cell: one for one in cells}
    every = [known.get(cell) or CellProgress(cell, 0) for cell in plan.cells]
    seen: dict[tuple[str, str], tuple[frozenset[str], ...]] = {}
    for one in every:
        place = one.cell.source, one.cell.model
        seen[place] = min(seen.get(place, one.seen), one.seen, key=len)
    planned = sum(map(plan.samples_of, plan.cells))
    return Progress(plan, sum(one.asked for one in every), planned, seen)
