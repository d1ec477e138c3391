"""Canaries of a study: the same samples of the arm without tools, asked at the start, in the middle and at the end.

Contract: they are ordinary runs, in a separate folder beside the cells. They belong to no arm, contrast or mean, and
the plan states only their number. Their result is on the parity card (``drift``).
"""

from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path

from medvision_agent.errors import ConfigError
from medvision_agent.eval.asking.chosen import Chosen
from medvision_agent.eval.asking.launch import prepare
from medvision_agent.eval.compare.drift import MOMENTS, canary_folder
from medvision_agent.eval.data.samples import Picked, Samples
from medvision_agent.eval.study.cells import Cell
from medvision_agent.eval.tasks import TASKS

__all__ = ["canary_cells"]


def canary_cells(count: int, cells: Sequence[Cell], out: Path, *, asking: bool = True) -> tuple[Cell, ...]:
    """Return the cells of *count* canaries of each task, for each model and source; none if *count* is 0.

    *cells* are those of the arms, *out* is the study's folder. Raises ConfigError if no arm is asked without tools, or
    a run is not possible.
    """
    return tuple(
        _canary(cell, moment, count, out, asking=asking)
        for cell in (_without_tools(cells).values() if count else ())
        for moment in MOMENTS
    )


def _without_tools(cells: Sequence[Cell]) -> Mapping[tuple[str, str], Cell]:
    """Return, by model and source, the cell that canaries repeat: that of the arm `off`, else the first without tools.

    Raises ConfigError if there is no such cell.
    """
    bare = [cell for cell in cells if cell.epoch == 1 and cell.prepared.identity.without_tools]
    bare.sort(key=lambda cell: cell.arm != "off")
    found: dict[tuple[str, str], Cell] = {}
    for cell in bare:
        found.setdefault((cell.model, cell.source), cell)
    if not found:
        raise ConfigError(
            "canaries: they are asked in an arm without tools, and the study has none; add the design on-off, or "
            "leave the key `canaries` out"
        )
    return found


def _canary(cell: Cell, moment: str, count: int, out: Path, *, asking: bool) -> Cell:
    folder = canary_folder(out, cell.folder, moment)
    chosen = Chosen(cell.prepared.source, _spread(cell.prepared.samples, count))
    prepared = prepare(cell.prepared.settings.but(out=folder), asking=asking, chosen=chosen)
    return Cell(cell.model, cell.arm, cell.source, cell.epoch, prepared, canary=moment)


def _spread(samples: Samples, count: int) -> Samples:
    """Return *count* samples of each task (all, if it has fewer), evenly spaced in the list."""
    rows = {task: array("I") for task in TASKS}
    for row, sample in enumerate(samples):
        rows[sample.task].append(row)
    return Picked(samples, [row for own in rows.values() for row in own[:: max(1, len(own) // count)][:count]])
