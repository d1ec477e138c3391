"""What stored answers of a run or of result files would score with exact arithmetic and with the true points.

Contract: no model is asked, nothing stored is changed, nothing is printed. The answers, their losses and what
is left out are those of ``why`` over the same files.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd

from medvision_agent.api.found import EXPECTED, Walk, file_facts, model_of, no_answers, results_in
from medvision_agent.api.loaded import PathText
from medvision_agent.errors import DataError
from medvision_agent.eval.figures.figure import Figure
from medvision_agent.eval.figures.files import write_figure
from medvision_agent.eval.figures.headroom import Level, headroom, levels_of
from medvision_agent.eval.findings.inputs import no_evidence
from medvision_agent.eval.headroom.answers import of_file, of_run
from medvision_agent.eval.headroom.columns import AnswerColumns
from medvision_agent.eval.headroom.steps import Answered
from medvision_agent.eval.headroom.summary import Headroom, Losses, losses_of, summarise_headroom
from medvision_agent.eval.headroom.words import ASSUMED, sentences
from medvision_agent.eval.parts.summary import structure_of
from medvision_agent.eval.results.plans import Plans
from medvision_agent.eval.scorer.protocol import DEFAULT_PROTOCOL, Protocol
from medvision_agent.eval.scorer.protocol import protocol as protocol_named
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.tables.frames import frame
from medvision_agent.eval.tables.headroom import ANSWERS, STEPS, answer_rows, step_rows
from medvision_agent.eval.tables.write import export_tables
from medvision_agent.eval.tasks import TASKS, TaskName

__all__ = ["Counterfactual", "counterfactual", "headroom_figure", "write_counterfactuals"]

_NAME = "headroom"


@dataclass(frozen=True, eq=False)
class Counterfactual:
    """The answers of one model, with the loss that each would have had if one or more steps had been exact.

    The steps are described in ``eval/headroom/steps.py``.
    """

    source: Path
    """The folder of a run, a result file, or the folder of a model."""
    model: str
    condition: str
    """Tool condition of a run; empty for result files, which do not say it."""
    protocol: str
    facts: Sequence[str]
    """Lines about the run or the files (model, tools, what is left out) that are printed before the figures."""
    answers: Mapping[TaskName, Sequence[Answered]]
    losses: Mapping[TaskName, Losses]
    """Loss of each answer in each step, in the order of ``answers``."""
    tasks: Mapping[TaskName, Headroom]
    labels: Mapping[TaskName, Mapping[str, Headroom]]
    """By task and structure (``structure_of``); structures with most answers first."""

    @property
    def headline(self) -> Sequence[str]:
        """Sentences: what the same answers would score in each step."""
        return sentences(self.tasks)

    def table(self) -> pd.DataFrame:
        """Return a row for each step of each task and structure, with intervals and bounds."""
        return frame(STEPS, step_rows(self.model, self.condition, self.tasks, self.labels))

    def samples(self) -> pd.DataFrame:
        """Return a row for each answer with its loss in each step."""
        rows = (answer_rows(self.model, self.condition, own, self.losses[task]) for task, own in self.answers.items())
        return frame(ANSWERS, chain.from_iterable(rows))

    def write(self, out: PathText) -> list[Path]:
        """Write the tables as CSV and the figure as SVG and PDF into the new folder *out*; return the files.

        Raises StorageError if the folder exists already or cannot be written.
        """
        return write_counterfactuals([self], out)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON that ``counterfactual --json`` prints."""
        return {
            "source": str(self.source),
            "model": self.model,
            "condition": self.condition,
            "protocol": self.protocol,
            "facts": list(self.facts),
            "headline": list(self.headline),
            "assumed": ASSUMED,
            "tasks": {task: one.model_dump(mode="json") for task, one in self.tasks.items()},
            "labels": {
                task: {name: one.model_dump(mode="json") for name, one in named.items()}
                for task, named in self.labels.items()
            },
        }


def counterfactual(
    path: PathText, protocol: str = DEFAULT_PROTOCOL, plans: PathText | None = None
) -> tuple[Counterfactual, ...]:
    """Return what the stored answers in *path* would score with exact arithmetic and with the true points.

    One result for a run; one for each model of result files.

    Args:
        path: The folder of a run, a result file of MedVision, or a folder of such files.
        protocol: Name of the scoring rules.
        plans: MedVision's data folder, or a JSON file of tasks, for facts that result files lack.

    Raises:
        ConfigError: *plans* are given for a run.
        StorageError: The run is damaged or cannot be read.
        DataError: *path* is neither a run nor such files, or has no scored answer.
    """
    rules, found = protocol_named(protocol), results_in(path, plans)
    if isinstance(found, Run):
        return (_run(found, rules),)
    try:
        return tuple(_files(each, rules, found.plans) for each in found.models)
    except DataError as error:
        raise DataError(f"{error}\n{EXPECTED}") from None


def write_counterfactuals(found: Sequence[Counterfactual], out: PathText) -> list[Path]:
    """Write the tables as CSV and one figure as SVG and PDF into the new folder *out*; return the files.

    Raises StorageError if the folder exists already or cannot be written.
    """
    folder = Path(out)
    tables = {_NAME: [one.table() for one in found], "answers": [one.samples() for one in found]}
    joined = {name: pd.concat(own, ignore_index=True) for name, own in tables.items()}
    return [
        *export_tables({name: [one] for name, one in joined.items()}, folder, "csv"),
        *write_figure(headroom_figure(found), folder),
    ]


def headroom_figure(found: Sequence[Counterfactual]) -> Figure:
    """Return the figure, which is not written: a panel for each model and task, with the mean loss of each step."""
    several = len(found) > 1
    panels: dict[str, list[Level]] = {}
    for one in found:
        named = f"{one.model or one.source.name} {one.condition}".strip()
        for task, group in one.tasks.items():
            title = f"{task}: {named}" if several else task
            if title in panels:
                title = f"{title} ({len(panels) + 1})"
            panels[title] = levels_of(group)
    return headroom(_NAME, "What the same answers would score", panels)


def _run(run: Run, rules: Protocol) -> Counterfactual:
    """Return the counterfactuals of a stored run; raises DataError if no sample has a result."""
    identity, note = run.identity, run.source_note
    return _made(
        list(of_run(run, rules)),
        rules,
        source=run.folder,
        model=identity.model_name,
        condition=identity.condition,
        facts=[*run.facts, *([note] if note else [])],
        reasons=no_evidence(run),
    )


def _files(source: Path, rules: Protocol, plans: Plans | None) -> Counterfactual:
    """Return the counterfactuals of one model's result files; raises DataError if no answer can be used."""
    walk, answers = Walk(source, rules, plans), list[Answered]()
    for one in walk.answers():
        answers.append(of_file(one))
        walk.take(one, decomposed=answers[-1].decomposed)
    notes = walk.notes()
    if not answers:
        raise DataError(f"{source}: {no_answers(walk.left_out)}")
    facts = file_facts(source, notes, walk.left_out, dict(walk.lacks.most_common()))
    return _made(answers, rules, source=source, model=model_of(source), condition="", facts=facts)


def _made(
    answers: Sequence[Answered],
    rules: Protocol,
    *,
    source: Path,
    model: str,
    condition: str,
    facts: Sequence[str],
    reasons: Sequence[str] = (),
) -> Counterfactual:
    """Return the counterfactuals of *answers*; raises DataError without answers.

    *reasons* say why the answers are no evidence about tools; intervals are then left out.
    """
    if not answers:
        raise DataError(f"{source}: no sample has a result yet, so there is nothing to compute; finish the run first")
    by_task = {task: own for task in TASKS if (own := [one for one in answers if one.question.task == task])}
    columns = {task: AnswerColumns.of(own) for task, own in by_task.items()}
    losses = {task: losses_of(task, own, rules) for task, own in columns.items()}
    return Counterfactual(
        source=source,
        model=model,
        condition=condition,
        protocol=rules.name,
        facts=facts,
        answers=by_task,
        losses=losses,
        tasks={task: summarise_headroom(own, losses[task], reasons) for task, own in columns.items()},
        labels={task: _labels(own, losses[task], reasons) for task, own in by_task.items()},
    )


def _labels(answers: Sequence[Answered], losses: Losses, reasons: Sequence[str]) -> dict[str, Headroom]:
    """Return the headroom (the loss in each step) by structure; structures with most answers first."""
    places: dict[str, list[int]] = {}
    for place, one in enumerate(answers):
        places.setdefault(structure_of(one.question), []).append(place)
    ordered = sorted(places.items(), key=lambda item: (-len(item[1]), item[0]))
    return {
        name: summarise_headroom(
            AnswerColumns.of(answers[place] for place in own),
            {step: values[own] for step, values in losses.items()},
            reasons,
        )
        for name, own in ordered
    }
