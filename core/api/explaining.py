"""Explain the errors of stored answers of a run or of MedVision's result files.

Contract: no model is asked, nothing stored is changed, nothing is printed.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medvision_agent.api.found import EXPECTED, Walk, file_facts, model_of, no_answers, results_in
from medvision_agent.api.loaded import PathText
from medvision_agent.errors import DataError
from medvision_agent.eval.findings.inputs import no_evidence
from medvision_agent.eval.parts.looked import look_closely
from medvision_agent.eval.parts.summary import SampleLoss, TaskParts, summarise_labels, summarise_parts
from medvision_agent.eval.place.located import Located
from medvision_agent.eval.place.summary import TaskPlace, places_by_task
from medvision_agent.eval.results.plans import Plans
from medvision_agent.eval.scorer.protocol import DEFAULT_PROTOCOL, Protocol
from medvision_agent.eval.scorer.protocol import protocol as protocol_named
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.tasks import TASKS, TaskName
from medvision_agent.eval.why.summary import ErrorSums, TaskWhy, WhySummary

__all__ = ["FilesWhy", "RunWhy", "Why", "explain_results"]


@dataclass(frozen=True, eq=False)
class Why:
    """What caused the errors in one model's answers."""

    summary: WhySummary
    """What answers were made of (copied or computed), and how the model used its tools."""
    places: Mapping[TaskName, TaskPlace]
    """By task: whether answers were measured where the ground truth lies."""
    parts: Mapping[TaskName, TaskParts]
    """By task: the mean loss split by cause."""
    labels: Mapping[TaskName, Mapping[str, TaskParts]]
    """By task and structure (``structure_of``): the mean loss split by cause."""

    def figures(self) -> dict[str, Any]:
        """Return all figures as strict JSON data (no NaN): the keys ``why``, ``place``, ``parts`` and ``labels``."""
        return {
            "why": self.summary.model_dump(mode="json"),
            "place": {task: one.model_dump(mode="json") for task, one in self.places.items()},
            "parts": {task: one.model_dump(mode="json") for task, one in self.parts.items()},
            "labels": {
                task: {name: one.model_dump(mode="json") for name, one in named.items()}
                for task, named in self.labels.items()
            },
        }


@dataclass(frozen=True, eq=False)
class RunWhy(Why):
    """A stored run, explained."""

    run: Run

    @property
    def facts(self) -> Sequence[str]:
        """Lines about the run (model, tools, data, progress) that are printed before the figures."""
        return [*self.run.facts, *([self.run.source_note] if self.run.source_note else [])]

    def to_json(self) -> dict[str, Any]:
        """Return what ``why --json`` prints."""
        return {"run": str(self.run.folder), "facts": self.run.facts, **self.figures()}


@dataclass(frozen=True, eq=False)
class FilesWhy(Why):
    """The result files of one model, explained."""

    files: Path
    notes: Sequence[str]
    """Remarks about the files, such as answers that were asked in several forms."""
    lacks: Mapping[str, int] = field(default_factory=dict)
    """Number of answers for which the files lack a fact, by a phrase that names the fact and the consequence."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Number of answers that are in no figure, by reason."""

    @property
    def facts(self) -> Sequence[str]:
        """Lines about the files (model, remarks, what is left out) that are printed before the figures."""
        return file_facts(self.files, self.notes, self.left_out, self.lacks)

    def to_json(self) -> dict[str, Any]:
        """Return what ``why --json`` prints."""
        return {
            "files": str(self.files),
            "model": self.summary.model,
            "notes": list(self.notes),
            "lacks": dict(self.lacks),
            "left_out": dict(self.left_out),
            **self.figures(),
        }


def explain_results(
    path: PathText, protocol: str = DEFAULT_PROTOCOL, plans: PathText | None = None
) -> list[RunWhy | FilesWhy]:
    """Return what caused the errors of the answers in *path*: one result for a run, one for each model of result files.

    Args:
        path: The folder of a run, a result file, or a folder of such files.
        protocol: Name of the scoring rules.
        plans: MedVision's data folder, or a JSON file of tasks, for facts that result files lack.

    Raises:
        ConfigError: *plans* are given for a run.
        StorageError: The run is damaged or cannot be read.
        DataError: *path* is neither a run nor such files; the message says what was expected.
    """
    rules, found = protocol_named(protocol), results_in(path, plans)
    if isinstance(found, Run):
        return [_run(found, rules)]
    try:
        return [_files(each, rules, found.plans) for each in found.models]
    except DataError as error:
        raise DataError(f"{error}\n{EXPECTED}") from None


def _run(run: Run, rules: Protocol) -> RunWhy:
    """Return what caused the errors of a stored run."""
    found, summary = look_closely(run, rules)
    reasons = no_evidence(run)
    return RunWhy(
        summary=summary,
        places=places_by_task(found.located, found.without_place),
        parts=summarise_parts(found.losses, reasons),
        labels=summarise_labels(found.losses, reasons),
        run=run,
    )


def _files(source: Path, rules: Protocol, plans: Plans | None) -> FilesWhy:
    """Return what caused the errors in one model's result files; raises DataError if no answer can be used."""
    walk = Walk(source, rules, plans)
    losses, located = list[SampleLoss](), list[Located]()
    errors = {task: ErrorSums(TASKS[task]) for task in TASKS}
    without: Counter[TaskName] = Counter()
    for one in walk.answers():
        task = one.question.task
        losses.append(SampleLoss(one.question, found := one.loss()))
        errors[task].add(one.errors())
        walk.take(one, decomposed=found.decomposed)
        if (place := one.located()) is None:
            without[task] += 1
        else:
            located.append(place)
    notes = walk.notes()
    if not losses:
        raise DataError(f"{source}: {no_answers(walk.left_out)}")
    summary = WhySummary(
        model=model_of(source),
        condition="",
        protocol=rules.name,
        solvers=(),
        n=len(losses),
        tasks={
            task: TaskWhy(n=own.n, errors=own.decomposition(), behaviour=None) for task, own in errors.items() if own.n
        },
    )
    return FilesWhy(
        summary=summary,
        places=places_by_task(located, without),
        parts=summarise_parts(losses),
        labels=summarise_labels(losses),
        files=source,
        notes=notes,
        lacks=dict(walk.lacks.most_common()),
        left_out=dict(walk.left_out),
    )
