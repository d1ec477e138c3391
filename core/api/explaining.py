"""Why stored answers are as wrong as they are: those of a run, or of MedVision's result files.

Contract: nothing is asked of a model, nothing stored is changed, nothing is printed.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medvision_agent.api.loaded import PathText
from medvision_agent.api.scoring import is_answers
from medvision_agent.errors import ConfigError, DataError
from medvision_agent.eval.parts.filed import filed_answers
from medvision_agent.eval.parts.looked import look_closely
from medvision_agent.eval.parts.summary import SampleLoss, TaskParts, summarise_labels, summarise_parts
from medvision_agent.eval.place.located import Located
from medvision_agent.eval.place.summary import TaskPlace, places_by_task, summarise_place
from medvision_agent.eval.results.heading import form_of, task_of
from medvision_agent.eval.results.load import ResultFiles, models_in, without_collector
from medvision_agent.eval.results.plans import Plans, read_plans
from medvision_agent.eval.results.record import Prompted
from medvision_agent.eval.scorer.protocol import DEFAULT_PROTOCOL, Protocol
from medvision_agent.eval.scorer.protocol import protocol as protocol_named
from medvision_agent.eval.store.files import DATABASE
from medvision_agent.eval.store.read import STUDY, open_run
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.tasks import TASKS, TaskName
from medvision_agent.eval.why.samples import AnswerErrors
from medvision_agent.eval.why.summary import TaskWhy, WhySummary, summarise_errors
from medvision_agent.text import counted, plural

__all__ = ["FilesWhy", "RunWhy", "Why", "explain_results"]

_EXPECTED = (
    "expected the folder of a run, or MedVision's result files: a file <stamp>_samples_<task>.jsonl[.gz], or a folder "
    "that holds such files of one model or of several"
)
_PARSED = "parsed"


@dataclass(frozen=True, eq=False)
class Why:
    """What is known of the answers of one model."""

    summary: WhySummary
    places: Mapping[TaskName, TaskPlace]
    parts: Mapping[TaskName, TaskParts]
    labels: Mapping[TaskName, Mapping[str, TaskParts]]
    """By task and structure."""

    def figures(self) -> dict[str, Any]:
        """Return the figures as strict JSON."""
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
        """What is to be said of it first."""
        return [*self.run.facts, *([self.run.source_note] if self.run.source_note else [])]

    def to_json(self) -> dict[str, Any]:
        """Return what ``why --json`` prints."""
        return {"run": str(self.run.folder), "facts": self.run.facts, **self.figures()}


@dataclass(frozen=True, eq=False)
class FilesWhy(Why):
    """The result files of one model, explained."""

    files: Path
    notes: Sequence[str]
    """What is to be known about the files."""
    lacks: Mapping[str, int] = field(default_factory=dict)
    """Answers of which the files do not say something, by what that is and what follows."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Answers that are in no figure, by the reason."""

    @property
    def facts(self) -> Sequence[str]:
        """What is to be said of them first."""
        named = f"model {self.summary.model} (name of the folder)" if self.summary.model else "model not named"
        lines = [f"result files: {self.files}", named, *(f"note: {note}" for note in self.notes)]
        lines += [f"left out: {plural(count, 'answer')} {reason}" for reason, count in self.left_out.items()]
        return lines + [f"not in the files, {plural(count, 'answer')}: {what}" for what, count in self.lacks.items()]

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
    """Return why the answers in *path* are wrong: those of a run, or those of each model in MedVision's result files.

    Args:
        path: The folder of a run, a result file, or a folder of such files.
        protocol: Name of the scoring rules.
        plans: MedVision's data folder, or a JSON file of tasks, for what result files do not carry.

    Raises:
        ConfigError: *plans* are given for a run.
        StorageError: The run is damaged or cannot be read.
        DataError: It is neither a run nor such files; the message says what was expected.
    """
    rules, source = protocol_named(protocol), Path(path)
    if source.is_dir() and ((source / DATABASE).exists() or (source / STUDY).exists()):  # a study is refused by name
        if plans is not None:
            raise ConfigError(f"--plans is for MedVision's result files; {source} is a run, which has all of it")
        return [_run(open_run(source), rules)]
    if not source.exists():
        raise DataError(f"{source}: there is nothing of this name; {_EXPECTED}")
    if not is_answers(source):
        raise DataError(f"{source} holds no run and no result files; {_EXPECTED}")
    known = None if plans is None else read_plans(Path(plans))
    try:
        return [_files(each, rules, known) for each in (models_in(source) if source.is_dir() else [source])]
    except DataError as error:
        raise DataError(f"{error}\n{_EXPECTED}") from None


def _run(run: Run, rules: Protocol) -> RunWhy:
    found, summary = look_closely(run, rules)
    return RunWhy(
        summary=summary,
        places=summarise_place(run, found.located),
        parts=summarise_parts(found.losses),
        labels=summarise_labels(found.losses),
        run=run,
    )


def _files(source: Path, rules: Protocol, plans: Plans | None) -> FilesWhy:
    files = ResultFiles(source, plans, Prompted)
    lacks, left_out, forms = Counter[str](), Counter[str](), Counter[str]()
    losses, located = list[SampleLoss](), list[Located]()
    errors: dict[TaskName, list[AnswerErrors]] = {task: [] for task in TASKS}
    without: Counter[TaskName] = Counter()
    with without_collector():
        for answers in files.answers():
            forms.update(map(form_of, answers.column("task")))
            for one in filed_answers(answers, rules, left_out, plans):
                task = one.question.task
                losses.append(SampleLoss(one.question, found := one.loss()))
                errors[task].append(one.errors())
                if one.score.success:
                    lacks.update(str(lack) for lack in one.lacks if lack.matters(decomposed=found.decomposed))
                if (place := one.located()) is None:
                    without[task] += 1
                else:
                    located.append(place)
    notes = files.remarks(rules)
    if len(forms) > 1:
        notes.append(f"answers asked in several forms, here together: {counted(dict(forms.most_common(10)))}")
    if not losses:
        raise DataError(f"{source}: no answer can be explained: all are {', '.join(left_out)}")
    summary = WhySummary(
        model=_model(source),
        condition="",
        protocol=rules.name,
        solvers=(),
        n=len(losses),
        tasks={
            task: TaskWhy(n=len(own), errors=summarise_errors(TASKS[task], own), behaviour=None)
            for task, own in errors.items()
            if own
        },
    )
    return FilesWhy(
        summary=summary,
        places=places_by_task(located, without),
        parts=summarise_parts(losses),
        labels=summarise_labels(losses),
        files=source,
        notes=notes,
        lacks=dict(lacks.most_common()),
        left_out=dict(left_out),
    )


def _model(source: Path) -> str:
    """Return the name that MedVision's layout gives the model of a folder, or of a file that is named as in one."""
    if source.is_file() and not task_of(source.name):
        return ""
    folder = source.resolve() if source.is_dir() else source.resolve().parent
    return folder.parent.name if folder.name == _PARSED else folder.name
