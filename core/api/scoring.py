"""Score stored answers of a run or of MedVision's result files by a protocol.

Contract: no model is asked, nothing stored is changed, nothing is printed.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from medvision_agent.api.loaded import PathText
from medvision_agent.api.score_apart import ALONE, Workers, scored_apart
from medvision_agent.errors import ConfigError, DataError
from medvision_agent.eval.findings.alone import headline, rows_of_summary
from medvision_agent.eval.place.located import Located, located_records
from medvision_agent.eval.place.summary import TaskPlace, places_by_task
from medvision_agent.eval.published.figures import run_sections
from medvision_agent.eval.results.load import has_results, load_answers, load_batches, without_collector
from medvision_agent.eval.results.removed import read_removed
from medvision_agent.eval.results.summary import Section, sample_lines, section, sections
from medvision_agent.eval.scorer.protocol import DEFAULT_PROTOCOL, Protocol
from medvision_agent.eval.scorer.protocol import protocol as protocol_named
from medvision_agent.eval.scorer.score import Score, scored_one_by_one
from medvision_agent.eval.store.files import DATABASE
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.summary.claims import no_claim, no_claim_line
from medvision_agent.eval.summary.rows import sample_row
from medvision_agent.eval.summary.summary import Summary, Summing
from medvision_agent.eval.tasks import TaskName

__all__ = ["AnswerScore", "RunScore", "is_answers", "score", "score_answers", "score_run"]


@dataclass(frozen=True, eq=False)
class RunScore:
    """The score of a stored run."""

    run: Run
    protocol: Protocol
    summary: Summary
    """By task: every mean with its n, subjects, outcomes, effort and cost."""
    groups: Sequence[Section]
    """MedVision's own group summaries by family; empty for other data."""
    note: str
    """Why MedVision's group summaries could not be computed; empty otherwise."""
    places: Mapping[TaskName, TaskPlace]
    """By task: whether answers were measured where the ground truth lies, how often by chance, and the loss in which
    an answer measured elsewhere counts as failed."""

    @cached_property
    def scores(self) -> Sequence[Score | None]:
        """Score of each record; None for an infrastructure failure. They are computed when they are asked for."""
        return [score for _, score in scored_one_by_one(self.run.each(), self.protocol)]

    @property
    def no_claim(self) -> Sequence[str]:
        """Headlines: the reasons why the run is no evidence about tools; empty without a reason."""
        return [no_claim_line(reason) for reason in no_claim([self.run])]

    @property
    def headline(self) -> Sequence[str]:
        """The result of the run in sentences."""
        return headline(rows_of_summary(self.run.identity.condition, self.summary, self.places))

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield a row of strict JSON for each sample, as ``score --samples`` writes it."""
        return (sample_row(record, score) for record, score in scored_one_by_one(self.run.each(), self.protocol))

    def to_json(self) -> dict[str, Any]:
        """Return what ``score --json`` prints."""
        run = self.run
        facts: dict[str, Any] = {
            "run": str(run.folder),
            "no_claim": list(self.no_claim),
            "headline": list(self.headline),
            "facts": run.facts,
            "source_note": run.source_note,
            "identity": run.identity.plain(),
            "superseded_attempts": len(run.superseded),
            "spent_usd": run.spent_usd,
            "tool_path": run.tool_path.model_dump() if run.tool_path else None,
            "probe": run.probe.model_dump(mode="json") if run.probe else None,
            "summary": self.summary.model_dump(mode="json"),
            "place": {task: one.model_dump(mode="json") for task, one in self.places.items()},
        }
        return facts | ({"medvision": {one.batch.family: one.summary for one in self.groups}} if self.groups else {})


@dataclass(frozen=True, eq=False)
class AnswerScore:
    """The score of answers in MedVision's result files."""

    sections: Sequence[Section]
    """The summary of each family of tasks, in MedVision's shape."""
    notes: Sequence[str]
    """Remarks about the files."""

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield a row for each answer, as strict JSON data; needs the result of ``score_answers`` with *keep*."""
        return (line for one in self.sections for line in sample_lines(one))

    def to_json(self) -> dict[str, Any]:
        """Return what ``score --json`` prints: one family's summary, or several by family."""
        found: dict[str, Any] = {one.batch.family: self._noted(one.summary) for one in self.sections}
        return found if len(found) > 1 else dict(*found.values())

    def _noted(self, summary: dict[str, Any]) -> dict[str, Any]:
        """Return the summary of a family with the remarks about the files added to its notes."""
        ours = summary["medvision_agent"]
        return summary | {"medvision_agent": ours | {"notes": [*ours["notes"], *self.notes]}}


def score(run: PathText, protocol: str = DEFAULT_PROTOCOL, workers: Workers = ALONE) -> RunScore:
    """Return the score of the stored run in the folder *run*, by the scoring rules named *protocol*.

    *workers* share the work; by default this process scores. Raises ConfigError for an unknown protocol, StorageError
    if the run is damaged or cannot be read.
    """
    return score_run(open_run(Path(run)), protocol_named(protocol), workers)


def score_run(run: Run, rules: Protocol, workers: Workers = ALONE) -> RunScore:
    """Return the score of an open run by *rules*; *workers* share the work, and by default this process scores."""
    every = located_records(run, rules) if workers == ALONE else scored_apart(run, rules, workers)
    summing, places, without = Summing(rules), list[Located](), Counter[TaskName]()
    for record, score, place in every:
        summing.add(record, score)
        if place is not None:
            places.append(place)
        elif score is not None:
            without[record.sample.task] += 1
    try:
        groups, note = run_sections(run.each(), rules), ""
    except DataError as error:
        groups, note = [], f"no group summaries of MedVision: {error}"
    return RunScore(run, rules, summing.summary(), groups, note, places_by_task(places, without))


def score_answers(
    source: PathText,
    protocol: str = DEFAULT_PROTOCOL,
    *,
    keep: bool = True,
    box_sizes: bool = False,
    removed_samples: PathText | None = None,
    numpy1: bool = False,
    scaled_pixel_size: tuple[float, float] = (0.5, 3.0),
    plans: PathText | None = None,
) -> AnswerScore:
    """Return the score of MedVision's result files: a file of records, or the folder of one model.

    Args:
        source: ``FILE.jsonl[.gz]`` or a folder of results.
        protocol: Name of the scoring rules.
        keep: Keep every answer, for ``rows``; without it, less is read and less memory is used.
        box_sizes: Summarise boxes also by the share of the image that the target box covers.
        removed_samples: File that lists the lesions to leave out of the groups (only a protocol with this filter).
        numpy1: Compute the errors of angles and distances in float32, as MedVision's code does under NumPy 1.
        scaled_pixel_size: Lowest and highest factor by which tasks named scaledPS change the stated pixel size. Factors
            that a file does not store are drawn again from this range (medvision-1.2).
        plans: MedVision's data folder, or a JSON file of tasks: names of labels and modalities that files lack.

    Raises:
        ConfigError: The protocol is unknown, or has no filter for *removed_samples*.
        DataError: The files cannot be read.
    """
    rules, path = replace(protocol_named(protocol), numpy1=numpy1, scaled_pixel_size=scaled_pixel_size), Path(source)
    named = None if plans is None else Path(plans)
    if removed_samples is not None and not rules.removed_samples:
        raise ConfigError(
            f"--removed-samples: {rules.name} has no such filter; leave the option out, or score with --protocol "
            "medvision-1.2"
        )
    removed = read_removed(Path(removed_samples)) if removed_samples is not None else set()
    with without_collector():
        if not (keep or removed or box_sizes):
            batches, notes = load_batches(path, rules, named)
            return AnswerScore([section(batch, rules) for batch in batches], notes)
        answers, notes = load_answers(path, rules, named)
        return AnswerScore(sections(answers, rules, removed=removed, box_sizes=box_sizes), notes)


def is_answers(source: Path) -> bool:
    """Return whether a path holds MedVision's result files, rather than a run."""
    return source.is_file() or (source.is_dir() and not (source / DATABASE).is_file() and has_results(source))
