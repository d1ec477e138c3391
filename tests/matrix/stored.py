"""What lies on disk, read by the program's own readers, and what that must be."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from matrix.children import End
from matrix.hooks import hashes
from matrix.row import Row
from medvision_agent.errors import MedVisionAgentError
from medvision_agent.eval.store.read import has_run, open_run, read_traces
from medvision_agent.eval.store.shard import runs_below

Key = tuple[str, str, int]
"""Run's folder, sample, attempt."""


def runs(out: Path) -> list[Path]:
    """Return the folders of the runs below *out*, and of no shard that killed workers left."""
    return [folder for folder in runs_below(out) if has_run(folder)]


def stored(out: Path) -> dict[Key, list[str]]:
    """Return the hashes of every finished sample's record below *out* and of its trace; reads all pictures too."""
    found = {}
    for folder in runs(out):
        traces = dict(read_traces(folder))
        for record in open_run(folder).records:
            if not record.outcome.infrastructure:
                found[str(folder), record.sample.id, record.attempt] = hashes(record, traces[record.sample.id])
    for picture in out.rglob("*.png"):
        if hashlib.sha256(picture.read_bytes()).hexdigest() != picture.stem:
            raise MedVisionAgentError(f"{picture} does not hold what its name says")
    return found


def answers(out: Path) -> dict[tuple[str, str], tuple]:
    """Return what was answered below *out*, by the run's place and sample: the same whatever happened on the way."""
    return {
        (str(folder.relative_to(out)), record.sample.id): (record.outcome, record.response, record.v0_sha256)
        for folder in runs(out)
        for record in open_run(folder).records
    }


@dataclass
class Truth:
    """What the store has acknowledged so far, over all children of one run or study."""

    out: Path
    done: dict[Key, list[str]] = field(default_factory=dict)

    def judge(self, end: End, row: Row, what: str) -> None:
        """Hold what a child left against what was acknowledged before and by it."""
        finished = {key[:2] for key in self.done}
        asked = [(folder, sample) for folder, sample, _ in end.told("asked")]
        for folder, sample, attempt, *seen in end.told("done"):
            self.done[folder, sample, attempt] = seen
        again = sorted(one for one in asked if one in finished)
        row.fault("again", f"{what}: {again[:3]}", len(again))
        try:
            now = stored(self.out)
        except MedVisionAgentError as error:
            row.fault("lost", f"{what}: {error}", len(self.done) or 1)
            return
        lost = sorted(self.done.keys() - now.keys())
        row.fault("lost", f"{what}: {lost[:3]}", len(lost))
        changed = sorted(key for key in self.done.keys() & now.keys() if self.done[key] != now[key])
        row.fault("changed", f"{what}: {changed[:3]}", len(changed))
        self.done |= now  # killed between the commit and its acknowledgement: finished all the same
