"""A cell of a study whose run is open for writing: created or resumed, with its remaining samples."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from medvision_agent.errors import StorageError
from medvision_agent.eval.asking.breaker import Breaker
from medvision_agent.eval.asking.crashes import without_fatal
from medvision_agent.eval.asking.launch import check_pictures
from medvision_agent.eval.asking.meter import Meter
from medvision_agent.eval.store.later import streamed
from medvision_agent.eval.store.read import has_run
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.store.write import RunStore
from medvision_agent.eval.study.cells import Cell

__all__ = ["Attempts", "Opened", "open_cell"]

Attempts = Mapping[str, int]
"""The samples of a cell that are still to be asked, each with the number of its next attempt."""


@dataclass(frozen=True, eq=False)
class Opened:
    """A cell whose run is open for writing."""

    cell: Cell
    store: RunStore
    run: Run
    """The run as earlier sessions left it, including the check of its tool declarations."""
    todo: Attempts
    breaker: Breaker


def open_cell(cell: Cell, out: Path, meter: Meter, stack: AsyncExitStack, *, check: bool) -> Opened:
    """Create or resume a cell's run, and return it with its remaining samples; its cost so far is added to *meter*.

    *out* is the study's folder; *stack* closes the run. With *check*, images are compared with those sent before.
    Raises StorageError that names the cell if the run cannot be created or resumed.
    """
    prepared = cell.prepared
    try:
        if not has_run(cell.folder):
            config = prepared.config() | {"arm": cell.arm, "epoch": cell.epoch}
            config |= {"canary": cell.canary} if cell.canary else {}
            store = RunStore.create(cell.folder, prepared.samples, prepared.identity, config)
        else:
            store = RunStore.resume(cell.folder, prepared.identity)
    except StorageError as error:
        raise type(error)(f"{cell.name}: {error}") from None
    stack.callback(store.close)
    store.shared = out  # all cells send the same images
    run = store.run
    if check:  # of cells that send the same images, only one is checked
        check_pictures(prepared, run)
    for record in run.paid if meter.of_usage else ():
        meter.add(record)
    if run.probe is not None:
        meter.probed(run.probe)
    todo = {sample.id: attempt for sample, attempt in streamed(without_fatal(store, run, meter.add))}
    return Opened(cell, store, run, todo, Breaker(cell.model, run.samples, run.records))
