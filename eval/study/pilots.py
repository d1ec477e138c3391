"""Pilots of a study: stored runs, usually small, from which the spread of the loss and the cost of a sample follow.

Contract: in a study over several sources, a pilot applies only to sources of its own kind: the demo set, phantoms,
MedVision's data, a file of the same name. The cost of a sample is taken from a pilot only if it was asked exactly like
an arm: same model and settings, same condition, prompts and limits.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from medvision_agent.errors import ConfigError
from medvision_agent.eval.asking.estimate import usage_of
from medvision_agent.eval.asking.launch import Prepared
from medvision_agent.eval.compare.statistics.power import Pilot, pilot
from medvision_agent.eval.scorer.primary import Primary
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.score import score_record
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.tasks import TaskName

__all__ = ["Pilots", "measured", "open_pilots", "spread", "spread_note"]

Pilots = Mapping[str, Sequence[Run]]
"""By source, the pilots that apply to it."""
_NOT_ASKED = {"sample_ids_sha256", "samples_sha256", "volumes_sha256", "prompts_sha256"}
_NOT_ASKED |= {"wording", "wording_sha256", "tool_order"}
"""Fields of an identity that do not change the cost of a sample."""


class _Named(NamedTuple):
    """The identity of a pilot's sample: its id, task and subject."""

    id: str
    task: TaskName
    subject: str


def open_pilots(folders: Sequence[Path], sources: Mapping[str, Prepared]) -> Pilots:
    """Return the stored runs in *folders* by the source that each applies to.

    Raises ConfigError if one applies to no source, or more than two to one; StorageError if a run cannot be read.
    """
    runs = [open_run(folder) for folder in folders]
    kinds = {source: _kind(prepared.settings.data) for source, prepared in sources.items()}
    if len(sources) > 1:
        found = {source: [run for run in runs if _kind(_data(run)) == kind] for source, kind in kinds.items()}
    else:
        found = dict.fromkeys(sources, runs)
    for run in runs:
        if not any(run in own for own in found.values()):
            raise ConfigError(
                f"--pilot {run.folder}: this run asked samples of {_data(run)}, but the study asks those of "
                f"{', '.join(sources)}; give a run over the same data"
            )
    if any(len(own) > 2 for own in found.values()):
        raise ConfigError(
            "--pilot: more than two runs are given for one source; give one run, or two runs of the same samples"
        )
    return found


def spread(
    tasks: Sequence[TaskName], protocol: Protocol, runs: Sequence[Run], metrics: Mapping[TaskName, Primary]
) -> dict[TaskName, Pilot]:
    """Return, for each task, the spread of the primary metric and its correlation within subjects.

    Empty without pilots. *runs* are zero, one or two pilots; *metrics* has the declared metric of a task (default: the
    loss). Raises ConfigError if they have no scored sample of a task.
    """
    if not runs:
        return {}
    losses = [_losses(run, protocol, metrics) for run in runs]
    found: dict[TaskName, Pilot] = {}
    for task in tasks:
        common = [sample for sample in losses[0] if sample.task == task and all(sample in one for one in losses)]
        if not common:
            raise ConfigError(
                f"--pilot {runs[-1].folder}: no sample of the task {task} was scored in "
                f"{'this run' if len(runs) == 1 else 'both pilots'}; give a run that asked a few"
            )
        values = [losses[1][one] - losses[0][one] if len(losses) == 2 else losses[0][one] for one in common]
        one = pilot(values, [sample.subject for sample in common])
        found[task] = one if len(losses) == 2 or one.sd is None else one.but(sd=one.sd * math.sqrt(2))
    return found


def spread_note(runs: Sequence[Run]) -> str:
    """Return a phrase that says from what the smallest detectable difference is computed."""
    if not runs:
        return "in standard deviations of one paired difference; give --pilot RUN for the loss's own units"
    if len(runs) == 1:
        return f"by the loss of {runs[0].folder}, as if the arms had nothing in common: usually less is enough"
    return f"by the paired differences of {runs[0].folder} and {runs[1].folder}"


def measured(prepared: Prepared, runs: Sequence[Run]) -> Run | None:
    """Return the pilot that was asked exactly like the run *prepared*, with usage reported for each task.

    None if none was.
    """
    tasks = set(prepared.samples.summed.tasks)
    for run in runs:
        differ = {name for name, _, _ in run.identity.differences(prepared.identity)}
        if differ <= _NOT_ASKED and all(usage_of(run, task) for task in tasks):
            return run
    return None


def _data(run: Run) -> str:
    return str(run.config.get("data", run.config["source"]["name"]))


def _kind(data: str) -> str:
    kind = data.partition(":")[0]
    return kind if kind in {"demo", "phantom", "medvision"} else Path(data).name


def _losses(run: Run, protocol: Protocol, metrics: Mapping[TaskName, Primary]) -> dict[_Named, float]:
    scores = [(record.sample, score_record(record, protocol)) for record in run.each()]
    return {
        _Named(one.id, one.task, one.subject): metric.of(score, one.target)[0] if metric else score.loss
        for one, score in scores
        if score is not None
        for metric in [metrics.get(one.task)]
    }
