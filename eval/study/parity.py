"""Parity of a study: do its arms differ only in what it varies? Checked in the stored runs.

Contract: every declared contrast is checked in each source, wording and epoch, and every other cell is compared with
the first cell of its model and source. The plan alone determines the allowed differences of two arms; any other
difference is a Problem that names the cells and the field. A contrast without problems has a card for each model and
source, over all its wordings and epochs.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medvision_agent.errors import ConfigError, StorageError
from medvision_agent.eval.compare.card import Card
from medvision_agent.eval.compare.drift import MOMENTS, Drift, canary_folder, drift
from medvision_agent.eval.compare.parity import parity, run_parity
from medvision_agent.eval.compare.points import parity_card
from medvision_agent.eval.scorer.protocol import protocol
from medvision_agent.eval.store.read import has_run, open_run
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.study.plan import Plan, PlannedCell, read_plan
from medvision_agent.eval.study.schema import VARIES
from medvision_agent.frozen import Frozen

if TYPE_CHECKING:  # comparing stored runs must not import what running needs
    from medvision_agent.eval.study.cells import Cell

__all__ = ["ContrastCard", "Problem", "StudyParity", "check_identities", "check_parity", "study_parity"]

CellKey = tuple[str, str, str, int | None, int]


class Problem(Frozen):
    """A difference between two cells (runs) of a study that it does not declare, or a run that cannot be read."""

    contrast: str
    """The declared contrast; empty if the cells are not compared directly."""
    model: str
    source: str
    a: str
    """The folder of one cell, relative to the study's folder."""
    b: str
    difference: str

    def __str__(self) -> str:
        """Return the problem as one line of text."""
        where = f"contrast {self.contrast}" if self.contrast else "cells"
        return f"{where} of {self.model}: {self.difference} (A is {self.a}, B is {self.b})"


@dataclass(frozen=True)
class ContrastCard:
    """The parity card of one contrast, for one model over one source: what is proven, assumed or unknowable."""

    contrast: str
    model: str
    source: str
    card: Card


@dataclass(frozen=True)
class StudyParity:
    """The result of checking whether a study's arms differ only in what they declare."""

    problems: list[Problem]
    """Undeclared differences between arms: while there are any, these arms cannot be compared."""
    cards: list[ContrastCard]
    """The cards of contrasts without problems."""

    def of(self, source: str) -> "StudyParity":
        """Return the problems and cards of the source *source* alone."""
        problems = [one for one in self.problems if one.source == source]
        return StudyParity(problems, [one for one in self.cards if one.source == source])


def check_parity(folder: Path) -> list[Problem]:
    """Return the undeclared differences between the stored runs of the study in *folder*; empty if there are none.

    Raises StorageError if the plan cannot be read.
    """
    return study_parity(folder).problems


def study_parity(folder: Path) -> StudyParity:
    """Return the undeclared differences between a study's stored runs, and the cards of valid contrasts.

    *folder* is the study's. A run that cannot be read is a problem too. Raises StorageError if the plan cannot be read.
    """
    plan, problems, cards = read_plan(folder), list[Problem](), list[ContrastCard]()
    # Contrasts often share an arm; a study with many thousand samples does not fit into memory at once.
    opened = lru_cache(maxsize=4)(lambda cell: open_run(folder / cell.folder))
    drifts = _drifts(plan, folder)
    epochs: dict[tuple[str, str, str], list[tuple[PlannedCell, PlannedCell]]] = {}
    for contrast, a, b in _pairs(plan):
        epochs.setdefault((contrast, a.model, a.source), []).append((a, b))
    for (contrast, model, source), cells in epochs.items():
        found, runs = list[Problem](), list[tuple[Run, Run]]()
        for a, b in cells:
            try:
                both = opened(a), opened(b)
            except StorageError as error:
                found.append(_problem(contrast, a, b, str(error)))
                continue
            found += [
                _problem(contrast, a, b, line)
                for line in run_parity(*both, free=_free(plan, a, b), names=_called(a, b))
            ]
            runs.append(both)
        problems += found
        if contrast and not found:
            card = parity_card(runs, drifts.get((model, source), ()), names=_called(*cells[0]))
            cards.append(ContrastCard(contrast, model, source, card))
    return StudyParity(problems, cards)


def _drifts(plan: Plan, folder: Path) -> dict[tuple[str, str], tuple[Drift, ...]]:
    """Return, by model and source, the drift between canaries, where all three canary runs are stored."""
    found, rules = dict[tuple[str, str], tuple[Drift, ...]](), protocol(plan.protocol)
    for cell in plan.cells:
        places = [canary_folder(folder, Path(cell.folder), moment) for moment in MOMENTS]
        if all(map(has_run, places)):
            found[cell.model, cell.source] = drift([open_run(place) for place in places], rules)
    return found


def check_identities(plan: Plan, cells: Sequence["Cell"]) -> None:
    """Raise ConfigError if prepared cells differ in something that the study does not vary; no request is sent."""
    identities: Mapping[CellKey, dict[str, Any]] = {
        (cell.source, cell.model, cell.arm, cell.wording, cell.epoch): cell.prepared.identity.plain() for cell in cells
    }
    for contrast, a, b in _pairs(plan):
        found = parity(identities[_key(a)], identities[_key(b)], [], [], free=_free(plan, a, b), names=_called(a, b))
        if found:
            lines = "\n".join(f"  {_problem(contrast, a, b, line)}" for line in found)
            raise ConfigError(
                "arms differ in more than the contrasts of the study vary, so they could not be compared; nothing was "
                f"asked. Make the arms equal, or name the setting in `varies`:\n{lines}"
            )


def _pairs(plan: Plan) -> Iterator[tuple[str, PlannedCell, PlannedCell]]:
    """Yield the pairs of cells to compare, each after the name of its contrast.

    Empty where no contrast compares the two.
    """
    cells, seen = {_key(cell): cell for cell in plan.cells}, set[tuple[CellKey, CellKey]]()
    for contrast in plan.contrasts:
        for cell in plan.cells:
            if cell.arm == contrast.a:
                other = cells.get((cell.source, cell.model, contrast.b, cell.wording, cell.epoch))
                if other is None:  # its model is not asked in both arms
                    continue
                seen |= {(_key(cell), _key(other)), (_key(other), _key(cell))}
                yield contrast.name, cell, other
    first: dict[tuple[str, str], PlannedCell] = {}
    for cell in plan.cells:
        reference = first.setdefault((cell.source, cell.model), cell)
        if reference is not cell and (_key(reference), _key(cell)) not in seen:
            yield "", reference, cell


def _called(a: PlannedCell, b: PlannedCell) -> tuple[str, str]:
    """Return two names for two cells: their arms, or their folders if both are in the same arm."""
    return (a.arm, b.arm) if a.arm != b.arm else (a.folder, b.folder)


def _key(cell: PlannedCell) -> CellKey:
    return cell.source, cell.model, cell.arm, cell.wording, cell.epoch


def _free(plan: Plan, a: PlannedCell, b: PlannedCell) -> frozenset[str]:
    varied = (*plan.arms[a.arm].differences(plan.arms[b.arm]), *(["wording"] if a.wording != b.wording else []))
    return frozenset[str]().union(*(VARIES[name].changes for name in varied))


def _problem(contrast: str, a: PlannedCell, b: PlannedCell, line: str) -> Problem:
    return Problem(contrast=contrast, model=a.model, source=a.source, a=a.folder, b=b.folder, difference=line)
