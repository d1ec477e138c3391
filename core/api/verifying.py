"""Check that stored runs and studies are unchanged.

Contract: everything is read, images too, and nothing is changed. Damage and careless edits are found; a forger who
recomputes all hashes is not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from medvision_agent.api.loaded import PathText
from medvision_agent.errors import StorageError
from medvision_agent.eval.store.files import DATABASE
from medvision_agent.eval.store.read import CANARIES, STUDY
from medvision_agent.eval.store.shard import runs_below
from medvision_agent.eval.store.verify import Verified, verify_run
from medvision_agent.eval.study.plan import read_plan

__all__ = ["VerifiedRuns", "verify"]


@dataclass(frozen=True, eq=False)
class VerifiedRuns:
    """The result of checking a run or the runs of a study."""

    runs: Mapping[str, Verified]
    """Result by the name of the run's folder, or by its path in the study."""
    not_begun: tuple[str, ...] = ()
    """Planned runs of the study that have no folder yet."""
    plan_damage: str = ""
    """What is wrong with the study's plan; empty if nothing is, and for a single run."""

    @property
    def whole(self) -> bool:
        """Whether neither a run nor the plan is damaged; runs that have not begun are no damage."""
        return not self.plan_damage and not any(run.damage for run in self.runs.values())


def verify(path: PathText) -> VerifiedRuns:
    """Return whether the stored run, or each run of the stored study, in *path* is unchanged.

    Damage is returned, not raised. Raises StorageError if *path* holds neither.
    """
    folder = Path(path)
    if (folder / DATABASE).is_file() or not (folder / STUDY).is_file():
        return VerifiedRuns({folder.resolve().name: verify_run(folder)})
    try:
        cells = [cell.folder for cell in read_plan(folder).cells]
    except StorageError as error:
        runs = {one.relative_to(folder).as_posix(): verify_run(one) for one in runs_below(folder)}
        return VerifiedRuns(runs, plan_damage=str(error))
    begun = [cell for cell in cells if (folder / cell).exists()]
    canaries = sorted(file.parent.relative_to(folder).as_posix() for file in folder.glob(f"{CANARIES}/*/{DATABASE}"))
    return VerifiedRuns(
        {cell: verify_run(folder / cell) for cell in (*begun, *canaries)},
        tuple(cell for cell in cells if cell not in begun),
    )
