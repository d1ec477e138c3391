"""The table of samples: its columns, descriptions and readers.

Contract: one row for each sample of a run, in the order of the run. An unfinished sample has no results; an
infrastructure failure has no metrics. The latest attempt counts. Every measure of ``eval/summary/measures.py`` is a
column, and its mean over a task's rows is the mean of the summary.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from medvision_agent.agent.chat.code_run import CODE_EXECUTION
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.place.located import Located, locate
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.score import Score, scored_one_by_one
from medvision_agent.eval.store.later import streamed
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.summary.measures import MEASURES, Measure
from medvision_agent.eval.tables.column import Column
from medvision_agent.eval.tasks import TASKS
from medvision_agent.eval.why.look import Looks

__all__ = ["KEYS", "SCORES", "SampleRow", "call_columns", "column_of", "declared", "sample_columns", "sample_rows"]


@dataclass(frozen=True)
class SampleRow:
    """What a row of the table of samples is read from: a sample of a run with its record and score.

    ``record`` is None for an unfinished sample.
    """

    run_name: str
    sample: Sample
    record: Record | None
    score: Score | None
    """The score by the protocol; None if nothing is scored."""
    looks: Looks

    @property
    def run(self) -> Run:
        """The run of the sample."""
        return self.looks.run

    @cached_property
    def located(self) -> Located | None:
        """Where the answer was measured; None if nothing is scored, or if the ground truth has no place."""
        return None if self.record is None or self.score is None else locate(self.looks.at(self.record, self.score))


_Column = Column[SampleRow]


def sample_rows(run: Run, name: str, protocol: Protocol) -> Iterator[SampleRow]:
    """Yield a row for each sample of a run, in the order of the run; *name* is the run's name in the table."""
    scored = scored_one_by_one(run.each(), protocol)  # in the order of the samples, some of which are not finished
    record, score = next(scored, (None, None))
    with Looks(run, protocol) as looks:
        for sample in streamed(run.samples):
            if record is None or record.sample.id != sample.id:
                yield SampleRow(name, sample, None, None, looks)
            else:
                yield SampleRow(name, record.sample, record, score, looks)
                record, score = next(scored, (None, None))


def sample_columns(tools: Sequence[str]) -> list[_Column]:
    """Return all columns of the table of samples, for runs in which the *tools* were declared."""
    return [*KEYS, *_QUESTION, *_ENDING, *SCORES, *_PLACE, *_EFFORT, *call_columns(tools)]


def declared(run: Run) -> list[str]:
    """Return the names of all tools that the model of a run could call, the provider's code execution included."""
    return [*run.identity.tools, *([CODE_EXECUTION] if run.identity.provider_code else [])]


def column_of(measure: Measure) -> str:
    """Return the name of a measure's column, such as ``mae_mm`` or ``mre_below_0_1``."""
    if measure.name == "success_rate":
        return "success"
    name = measure.name.lower().replace(">=", "_at_least_").replace("<", "_below_")
    return re.sub(r"[^a-z0-9]+", "_", f"{name} {measure.unit}".strip())


def _asked(read: Callable[[Sample], Any]) -> Callable[[SampleRow], Any]:
    """Return a function that reads a value of a row's sample; None for an empty text."""
    return lambda row: None if (value := read(row.sample)) == "" else value


def _got(read: Callable[[Record], Any]) -> Callable[[SampleRow], Any]:
    """Return a function that reads a value of a row's record; None for an unfinished sample, and for an empty text."""
    return lambda row: None if row.record is None or (value := read(row.record)) == "" else value


def _scored(read: Callable[[Score], Any]) -> Callable[[SampleRow], Any]:
    """Return a function that reads a value of a row's score; None if the row has no score, and for an empty text."""
    return lambda row: None if row.score is None or (value := read(row.score)) == "" else value


def _wording(row: SampleRow) -> int:
    return row.run.identity.wording


def _words(row: SampleRow) -> str:
    return row.run.identity.worded_by


KEYS: tuple[_Column, ...] = (
    Column("run", "text", "Folder of the run, relative to the folder that was loaded", lambda row: row.run_name),
    Column("model", "text", "Name of the model", lambda row: row.run.identity.model_name),
    Column("condition", "text", "Tool condition of the run", lambda row: row.run.identity.condition),
    Column("arm", "text", "Arm of the study", lambda row: row.run.config.get("arm")),
    Column("epoch", "integer", "Epoch of the study, from 1", lambda row: row.run.config.get("epoch")),
    Column("wording", "integer", "The words of the question: 0 the usual ones, else a paraphrase", _wording),
    Column("words", "text", "Whose words they are: `shipped`, or the package that lent them, with its version", _words),
    Column("source", "text", "Source of the samples", lambda row: row.run.config["source"]["name"]),
    Column("id", "text", "Identifier of the sample, unique within its source", _asked(lambda one: one.id)),
    Column("task", "text", f"Task: {', '.join(TASKS)}", _asked(lambda one: one.task)),
    Column("subject", "text", "Dataset and person: the cluster of all statistics", _asked(lambda one: one.subject)),
    Column(
        "outcome", "text", "How the sample ended; missing if it is not finished", _got(lambda one: one.outcome.value)
    ),
)
"""Columns that identify a row and show what may be compared."""


def _target(at: int) -> _Column:
    about = f"Number {at + 1} of the ground truth, in the order of an answer and in `unit`"
    return Column(f"target_{at + 1}", "number", about, _asked(lambda one: _number(one.target, at)))


def _answer(at: int) -> _Column:
    about = f"Number {at + 1} of the answer as scored, in MedVision's coordinates and in `unit`"
    return Column(f"answer_{at + 1}", "number", about, _scored(lambda one: _number(one.values, at)))


def _number(values: Sequence[float], at: int) -> float | None:
    return values[at] if at < len(values) else None


_PLACES = range(max(len(task.numbers) for task in TASKS.values()))
_QUESTION: tuple[_Column, ...] = (
    Column("label", "text", "Structure to box or to size", _asked(lambda one: one.label)),
    Column("landmarks", "text", "Landmarks asked for, joined by ' | '", _asked(lambda one: " | ".join(one.landmarks))),
    Column("measurement", "text", "Name of the distance or angle", _asked(lambda one: one.measurement)),
    Column("dataset", "text", "Dataset of the sample", _asked(lambda one: one.dataset)),
    Column(
        "configuration",
        "text",
        "MedVision's configuration; missing for other data",
        _asked(lambda one: one.medvision.config if one.medvision else None),
    ),
    Column("modality", "text", "Imaging modality", _asked(lambda one: one.modality)),
    Column("plane", "text", "Plane of the slice", _asked(lambda one: one.plane)),
    Column("pixel_height_mm", "number", "Height of a native pixel", _asked(lambda one: one.pixel_size.height_mm)),
    Column("pixel_width_mm", "number", "Width of a native pixel", _asked(lambda one: one.pixel_size.width_mm)),
    Column("convention", "text", "Edges of target boxes: edge or inclusive-index", _asked(lambda one: one.convention)),
    Column("silver", "flag", "The ground truth is another model's output", _asked(lambda one: one.marks.silver)),
    Column("derived", "flag", "The ground truth was derived from a mask", _asked(lambda one: one.marks.derived)),
    Column("synthetic", "flag", "The image is synthetic", _asked(lambda one: one.marks.synthetic)),
    Column("unit", "text", "Unit of target and answer", _asked(lambda one: TASKS[one.task].quantity.unit)),
    *map(_target, _PLACES),
)

_ENDING: tuple[_Column, ...] = (
    Column("attempt", "integer", "Attempt that counts, from 1", _got(lambda one: one.attempt)),
    Column("draws", "integer", "Answers drawn of which this one was made; 0: none", _got(lambda one: one.draws)),
    Column("forced", "flag", "A limit was reached and one last turn was given", _got(lambda one: one.forced)),
    Column("detail", "text", "What happened, for a failure", _got(lambda one: one.detail)),
    Column("response", "text", "Final message of the model, in its own coordinates", _got(lambda one: one.response)),
    Column(
        "response_as_written",
        "text",
        "The same before a box by the names of marks was written out in coordinates; missing for all others",
        _got(lambda one: one.as_written),
    ),
)

_ABOUT = {
    "loss": "Loss from 0 to 1; a failure costs 1",
    "success_rate": "The answer has as many numbers as the task asks for",
    "MAE": "Mean absolute error",
    "MRE": "Mean relative error",
    "IoU": "Intersection over union of the boxes",
    "F1": "F1 of the boxes",
    "Precision": "Precision of the box",
    "Recall": "Recall of the box",
}


def _metric(measure: Measure) -> _Column:
    tasks = [task for task, own in MEASURES.items() if column_of(measure) in map(column_of, own)]
    about = _ABOUT.get(measure.name, f"1 where {measure.name}, else 0")
    about += f" ({measure.unit})" if measure.unit else ""
    about += f"; {' and '.join(tasks)} only" if len(tasks) < len(MEASURES) else ""

    def of(row: SampleRow) -> float | bool | None:
        if row.score is None or row.sample.task not in tasks:
            return None
        return row.score.success if measure.name == "success_rate" else measure.of(row.sample, row.score)

    return Column(column_of(measure), "flag" if measure.name == "success_rate" else "number", about, of)


SCORES: tuple[_Column, ...] = (
    Column("protocol", "text", "Protocol the sample is scored by", lambda row: row.looks.rules.name),
    Column("extracted", "text", "Numbers read from the response, joined by commas", _scored(lambda one: one.extracted)),
    *map(_answer, _PLACES),
    *map(_metric, {column_of(one): one for own in MEASURES.values() for one in own}.values()),
)
"""Columns of a protocol's scores; missing for infrastructure failures, which are not scored."""


def _located(read: Callable[[Located], Any]) -> Callable[[SampleRow], Any]:
    """Return a function that reads a value of the place where an answer was measured.

    It returns None if the answer is not scored, or the ground truth has no place.
    """
    return lambda row: None if row.located is None else read(row.located)


_PLACE: tuple[_Column, ...] = (
    Column(
        "place",
        "text",
        "Where the answer was measured: in the right place, elsewhere or not locatable; missing for a failure",
        _located(lambda one: one.place and one.place.value),
    ),
    Column(
        "place_unknown_because",
        "text",
        "Why the answer is not locatable",
        _located(lambda one: one.found if isinstance(one.found, str) else None),
    ),
    Column(
        "off_centre_mm",
        "number",
        "Distance of the centre of what was measured from the true centre; missing for boxes",
        _located(lambda one: one.apart_mm),
    ),
    Column(
        "grounded_loss",
        "number",
        "The loss, but 1 where the answer was measured elsewhere; its lower bound where it is not locatable",
        _located(lambda one: one.lowest_loss),
    ),
)
"""Columns on whether the number was measured in the right place (docs/why.md)."""

_EFFORT: tuple[_Column, ...] = (
    Column("model_calls", "integer", "Requests that were answered", _got(lambda one: one.usage.model_calls)),
    Column("model_calls_unreported", "integer", "Those without token counts", _got(lambda one: one.usage.unreported)),
    Column("input_tokens", "integer", "Tokens in, cached ones included", _got(lambda one: one.usage.input)),
    Column("cached_tokens", "integer", "Tokens in that were cached", _got(lambda one: one.usage.cached)),
    Column("output_tokens", "integer", "Tokens out, reasoning included", _got(lambda one: one.usage.output)),
    Column("reasoning_tokens", "integer", "Tokens of reasoning", _got(lambda one: one.usage.reasoning)),
    Column("cost_usd", "number", "US dollars by the model's prices", _got(lambda one: one.cost_usd)),
    Column("seconds", "number", "Time of the model and the tools, without failed tries", _got(lambda one: one.seconds)),
    Column(
        "waited_seconds", "number", "Time of failed tries and waits after them", _got(lambda one: one.waited_seconds)
    ),
    Column("failed_tries", "integer", "Requests that failed and were sent again", _got(lambda one: one.failed_tries)),
    Column(
        "finish_reasons", "text", "Reasons to stop, joined by ' | '", _got(lambda one: " | ".join(one.finish_reasons))
    ),
    Column(
        "unread_calls", "integer", "Replies with calls of tools that nobody read", _got(lambda one: one.unread_calls)
    ),
    Column(
        "model_versions",
        "text",
        "Versions that answered, joined by ' | '",
        _got(lambda one: " | ".join(one.model_versions)),
    ),
    Column(
        "fingerprints",
        "text",
        "The service's marks of its own version, joined by ' | '",
        _got(lambda one: " | ".join(one.fingerprints)),
    ),
    Column("asked_at", "text", "When the first request was sent, in UTC (ISO 8601)", _got(lambda one: one.asked_at)),
    Column("last_asked_at", "text", "When the last request was sent, in UTC", _got(lambda one: one.last_asked_at)),
    Column(
        "prompt_sha256", "text", "Hash of the prompt without its tool paragraph", _got(lambda one: one.prompt_sha256)
    ),
    Column("picture_sha256", "text", "Hash of the whole image as sent (v0)", _got(lambda one: one.v0_sha256)),
    Column(
        "pictures",
        "integer",
        "Images the model was shown: the image in every conversation, and those of tools",
        _got(lambda one: one.pictures),
    ),
    Column(
        "donor",
        "text",
        "The sample whose image was shown, where images were swapped",
        _got(lambda one: one.donor.sample if one.donor else ""),
    ),
    Column("tool_calls", "integer", "Tool calls", _got(lambda one: len(one.tool_uses))),
    Column(
        "tool_calls_failed",
        "integer",
        "Tool calls answered with an error",
        _got(lambda one: sum(not use.ok for use in one.tool_uses)),
    ),
    Column("tool_seconds", "number", "Time of the tools", _got(lambda one: sum(use.seconds for use in one.tool_uses))),
)


def call_columns(tools: Sequence[str]) -> list[_Column]:
    """Return a column for the number of calls of each tool, and one for names that are no tool of the run.

    Names invented by models never become column names.
    """
    return [
        *map(_calls, tools),
        Column("undeclared_calls", "integer", "Calls of tools the run did not declare", _undeclared),
    ]


def _calls(tool: str) -> _Column:
    def of(row: SampleRow) -> int | None:
        if row.record is None or tool not in declared(row.run):
            return None
        return sum(use.tool == tool for use in row.record.tool_uses)

    return Column(f"calls_{tool}", "integer", f"Calls of {tool}; missing if the run did not declare it", of)


def _undeclared(row: SampleRow) -> int | None:
    if row.record is None:
        return None
    known = declared(row.run)
    return sum(use.tool not in known for use in row.record.tool_uses)
