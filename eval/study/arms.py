"""The arms of a stored study in turn: the runs of each arm, which are its epochs.

Contract: only one arm's runs are in memory at a time; a cell that has not begun is left out.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from medvision_agent.eval.store.read import has_run, open_run
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.store.tool_path import ToolPath, tool_path
from medvision_agent.eval.study.plan import Plan, PlannedCell
from medvision_agent.eval.summary.claims import no_claim, no_claim_line

__all__ = ["StoredArm", "stored_arms"]


class StoredArm(NamedTuple):
    """One arm (way of asking) of one model over one source, with its stored runs."""

    name: str
    """Its name in messages."""
    cells: tuple[PlannedCell, ...]
    runs: tuple[Run, ...]
    """In the order of the cells."""

    @property
    def no_claim(self) -> list[str]:
        """Headlines that say why the arm supports no claim about tools; empty if it may support one."""
        return [no_claim_line(f"{self.name}: {why}") for why in no_claim(self.runs)]

    @property
    def tool_path(self) -> ToolPath | None:
        """Counts of how far tools were used, over all its runs; None if the arm can call no tool."""
        return tool_path(self.runs[0].identity, (record for run in self.runs for record in run.each()))


def stored_arms(plan: Plan, folder: Path) -> Iterator[StoredArm]:
    """Yield the arms of the study in *folder* in the order of the plan; raises StorageError if a run cannot be read."""
    by_arm: dict[tuple[str, str, str], list[PlannedCell]] = {}
    for cell in plan.cells:
        if has_run(folder / cell.folder):
            by_arm.setdefault((cell.source, cell.model, cell.arm), []).append(cell)
    several = len(plan.sources) > 1
    for (source, model, arm), cells in by_arm.items():
        name = f"{model}, {arm}, {source}" if several else f"{model}, {arm}"
        yield StoredArm(name, tuple(cells), tuple(open_run(folder / cell.folder) for cell in cells))
