"""A study's folder as chapters, one for each source: cells become arms with epochs, and the plan defines contrasts.

Contract: nothing is paired or averaged over two sources. The family of tests is always the plan's. A contrast is not
compared if a run is missing or if its runs differ in more than the study varies: its tests have no data but still
count. Under another protocol than the plan's, nothing is a declared test.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from medvision_agent.errors import DataError, StorageError
from medvision_agent.eval.data.shared import shared_names
from medvision_agent.eval.findings.inputs import ArmIn, ChapterIn, ContrastIn, Refused, evidence_of
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.store.read import STUDY, has_run, open_run
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.study.parity import StudyParity, study_parity
from medvision_agent.eval.study.plan import Plan, read_plan
from medvision_agent.eval.study.progress import CellProgress, Progress, cell_progress, progress

__all__ = ["is_study", "study_chapters", "study_protocol"]


def is_study(folder: Path) -> bool:
    """Return whether a folder holds a study."""
    return (folder / STUDY).is_file()


def study_protocol(folder: Path) -> str:
    """Return the name of the protocol that the study in *folder* declared."""
    return read_plan(folder).protocol


def study_chapters(folder: Path, rules: Protocol) -> list[ChapterIn]:
    """Return the chapters of a stored study, one for each source, scored by *rules*.

    Raises a MedVisionAgentError if the study cannot be read.
    """
    plan, parity, chapters, absent = read_plan(folder), study_parity(folder), list[ChapterIn](), list[Refused]()
    several, as_planned = len(plan.sources) > 1, plan.protocol == rules.name
    name = str(plan.study.get("name", folder.name))
    read = {one.source: _arms(plan, one.source, folder) for one in plan.sources}
    names = shared_names(one.source for one in plan.sources)
    asked = progress(plan, [one for _, _, cells in read.values() for one in cells])
    for planned in plan.sources:
        source, (arms, unread, _) = planned.source, read[planned.source]
        if not arms:
            absent.append(Refused(name=f"the samples of {names[source]}", differences=("none of its runs has begun",)))
            continue
        contrasts, refused = _contrasts(plan, arms, parity.of(source), asked, source, as_planned=as_planned)
        chapters.append(
            ChapterIn(
                name=f"{name} over {names[source]}" if several else name,
                kind="study",
                arms=tuple(arms.values()),
                contrasts=tuple(contrasts),
                refused=(*unread, *refused),
                alpha=plan.alpha,
                margin=plan.margin,
                primaries=plan.primaries,
                metrics=planned.metrics,
                looks=planned.looks,
                progress=tuple(asked.lines(source)),
                evidence=evidence_of([run for arm in arms.values() for run in arm.runs], f"{folder}, {source}"),
                family=tuple(dict.fromkeys(plan.family)) if as_planned else (),  # earlier versions allowed duplicates
                source=source,
                label=names[source] if several else "",
                reader=plan.reader,
                read_by=plan.read_by if as_planned else None,
                plan=plan.model_dump(mode="json"),
                plan_sha256=plan.sha256,
            )
        )
    if not chapters:
        raise DataError(f"{folder}: none of the study's runs has begun; run it first: medvision-agent ablate")
    return [replace(one, refused=(*one.refused, *absent)) for one in chapters]


def _contrasts(
    plan: Plan,
    arms: Mapping[tuple[str, str], ArmIn],
    parity: StudyParity,
    asked: Progress,
    source: str,
    *,
    as_planned: bool,
) -> tuple[list[ContrastIn], list[Refused]]:
    """Return the contrasts of one source that may be compared, and those that are refused, with the reasons.

    *arms* are the arms by model and name. *as_planned* says whether the study's own protocol is used: only then are
    there declared tests.
    """
    contrasts, refused, problems = list[ContrastIn](), list[Refused](), parity.problems
    cards = {(one.model, one.contrast): one.card for one in parity.cards}
    planned = {(cell.model, cell.arm) for cell in plan.cells}
    for model in dict.fromkeys(cell.model for cell in plan.cells):
        for one in plan.contrasts:
            if not {(model, one.a), (model, one.b)} <= planned:
                continue  # in the study this model is asked in only one of the arms, or in neither
            a, b = arms.get((model, one.a)), arms.get((model, one.b))
            found = [str(problem) for problem in problems if (problem.contrast, problem.model) == (one.name, model)]
            card = cards.get((model, one.name))
            if found or a is None or b is None or card is None:
                refused.append(Refused(name=f"{one.name} of {model}", differences=tuple(found or ["a run is missing"])))
            else:
                early, seen = asked.no_verdict(source, model), asked.seen[source, model]
                declared = one.tested and as_planned
                contrasts.append(ContrastIn(one.name, a, b, card, declared=declared, no_verdict=early, seen=seen))
    if apart := [str(problem) for problem in problems if not problem.contrast]:
        refused.append(Refused(name="cells that no contrast compares", differences=tuple(apart)))
    return contrasts, refused


def _arms(
    plan: Plan, source: str, folder: Path
) -> tuple[dict[tuple[str, str], ArmIn], list[Refused], list[CellProgress]]:
    """Return the arms of a source by model and name, the runs that cannot be read, and the progress of each run."""
    drawn = dict[tuple[str, str], list[int]]()
    runs, missing, cells = dict[tuple[str, str], list[Run]](), list[str](), list[CellProgress]()
    for cell in plan.cells:
        if cell.source != source:
            continue
        try:
            run = open_run(folder / cell.folder)
        except StorageError as error:
            missing.append(str(error))
            if has_run(folder / cell.folder):  # contrasts with this run are refused; the others continue without it
                cells.append(CellProgress(cell, plan.samples_of(cell)))
        else:
            runs.setdefault((cell.model, cell.arm), []).append(run)
            if cell.wording is not None:
                drawn.setdefault((cell.model, cell.arm), []).append(cell.wording)
            cells.append(cell_progress(plan, cell, run))
    several = len({cell.model for cell in plan.cells}) > 1
    arms = {
        (model, arm): ArmIn(f"{model} {arm}" if several else arm, model, tuple(own), tuple(drawn.get((model, arm), ())))
        for (model, arm), own in runs.items()
    }
    refused = [Refused(name="runs that cannot be read", differences=tuple(missing))] if missing else []
    return arms, refused, cells
