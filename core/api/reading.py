"""Stored responses of one source or two runs, read both by the protocol's rule and by a second reader.

Contract: the reader is asked only for responses that it has not read before. No other model is asked, and no stored
run is changed. Readings are stored in a file beside the source, or in a given file. With *progress* the error
stream shows what is read; nothing else is printed.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from medvision_agent.agent.models import ModelConfig
from medvision_agent.agent.reader import Reader, Reading, prompt_sha256
from medvision_agent.api.comparing import refuse_unlike
from medvision_agent.api.found import forms_note
from medvision_agent.api.loaded import PathText
from medvision_agent.api.reader import ask_reader, reader_named
from medvision_agent.api.scoring import is_answers
from medvision_agent.errors import DataError
from medvision_agent.eval.findings.inputs import named, no_evidence
from medvision_agent.eval.reading.both import (
    ArmReading,
    BothRead,
    PairReading,
    compare_readings,
    summarise_readings,
)
from medvision_agent.eval.reading.kept import NAME
from medvision_agent.eval.reading.read import Asked
from medvision_agent.eval.reading.texts import Text, texts_of_answers, texts_of_run
from medvision_agent.eval.results.heading import form_of
from medvision_agent.eval.results.load import ResultFiles, without_collector
from medvision_agent.eval.results.plans import read_plans
from medvision_agent.eval.scorer.protocol import DEFAULT_PROTOCOL, Protocol
from medvision_agent.eval.scorer.protocol import protocol as protocol_named
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.summary.claims import no_claim_of_pair
from medvision_agent.eval.tasks import TaskName
from medvision_agent.frozen import strict
from medvision_agent.text import plural

__all__ = ["PairRead", "Read", "read_pair", "read_responses", "read_runs"]


@dataclass(frozen=True, eq=False)
class Read:
    """The responses of one run or of one model's result files, read by the protocol's rule and by the reader.

    A reading is the numbers that somebody finds in a response as its answer.
    """

    source: Path
    reader: str
    """Name of the reader in the catalogue."""
    model_versions: Sequence[str]
    """The versions of the reader that its provider stated."""
    tasks: Mapping[TaskName, ArmReading]
    """By task: the losses under both readings, and how often the readings agree."""
    samples: Sequence[BothRead]
    """The samples in the figures."""
    asked: Asked
    """What the reader was asked in this call, and what it cost."""
    left_out: Mapping[str, int]
    """Number of answers in result files that are in no figure, by reason; empty for a run."""
    notes: Sequence[str] = ()
    """Remarks about result files; empty for a run."""
    not_reached: int = 0
    """Number of responses without a reading, because they were not sent to the reader or got no reply."""

    @property
    def whole(self) -> bool:
        """Whether every response has a reading, from this call or an earlier one."""
        return not self.not_reached

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield a row for each sample in the figures, as strict JSON data (no NaN)."""
        for one in self.samples:
            asked = one.text.asked
            row = {
                "id": asked.id,
                "task": asked.task,
                "subject": asked.subject,
                "rule": list(one.rule.values),
                "reader": list(one.reader.values),
                "unread": one.unread,
                "agreement": one.agreement,
                "loss_rule": one.rule.loss,
                "loss_reader": one.reader.loss,
            }
            yield strict(row)

    def to_json(self) -> dict[str, Any]:
        """Return the figures, the costs and the remarks as strict JSON data (no NaN)."""
        asked = self.asked
        return {
            "source": str(self.source),
            "reader": self.reader,
            "reader_versions": list(self.model_versions),
            "prompt_sha256": prompt_sha256(),
            "tasks": {task: one.model_dump(mode="json") for task, one in self.tasks.items()},
            "read_now": asked.asked,
            "usage": asked.usage.model_dump(),
            "cost_usd": asked.cost_usd,
            "earlier_cost_usd": asked.before_usd,
            "no_reply": asked.failed,
            "left_out": dict(self.left_out),
            "notes": list(self.notes),
        }


@dataclass(frozen=True, eq=False)
class PairRead:
    """Two runs, the responses of each read by the protocol's rule and by the reader, and their difference by task."""

    a: Read
    b: Read
    names: tuple[str, str]
    pairs: Mapping[TaskName, PairReading]

    def to_json(self) -> dict[str, Any]:
        """Return both runs and their difference as strict JSON data (no NaN)."""
        pairs = {task: one.model_dump(mode="json") for task, one in self.pairs.items()}
        return {"a": self.a.to_json(), "b": self.b.to_json(), "names": list(self.names), "difference": pairs}


def read_responses(
    source: PathText,
    reader: str,
    *,
    protocol: str = DEFAULT_PROTOCOL,
    models_file: PathText | None = None,
    readings: PathText | None = None,
    plans: PathText | None = None,
    most_usd: float | None = None,
    progress: bool = False,
) -> Read:
    """Return how the protocol's rule and the model *reader* read the responses of a run or of result files.

    Args:
        source: The folder of a run, a result file, or a folder of such files of one model.
        reader: Name of a model of the catalogue, or of *models_file*.
        protocol: Name of the scoring rules.
        models_file: A YAML file of own models.
        readings: The file for readings; by default ``readings.sqlite`` in the folder, or beside the file.
        plans: MedVision's data folder, or a JSON file of tasks, for facts that result files lack; not used for a run.
        most_usd: Stop asking once this call has spent so much; the rest is left unread. Needs a reader with
            prices.
        progress: Show on the error stream what is read.

    Raises:
        ConfigError: The reader cannot be asked.
        DataError: There is no response, or the reader replied to none.
        ProviderError: The provider refuses to work; finished readings are stored.
        StorageError: The run or the readings cannot be read or written.
    """
    return _responses(
        source,
        reader,
        protocol=protocol,
        models_file=models_file,
        readings=readings,
        plans=plans,
        most_usd=most_usd,
        progress=progress,
    )


def read_pair(
    a: PathText,
    b: PathText,
    reader: str,
    *,
    protocol: str = DEFAULT_PROTOCOL,
    models_file: PathText | None = None,
    most_usd: float | None = None,
    progress: bool = False,
) -> PairRead:
    """Return both readings of two stored runs, and the difference of the runs in loss under each reading.

    The runs must differ only in their tools: otherwise ConfigError. Further arguments and errors are those of
    ``read_responses``; *most_usd* is the limit for both runs together.
    """
    one, two = open_run(Path(a)), open_run(Path(b))
    refuse_unlike(one, two, (a, b))
    first, second = (arm.name for arm in named([one, two]))
    given: dict[str, Any] = {"protocol": protocol, "models_file": models_file, "progress": progress}
    read_a = _responses(a, reader, most_usd=most_usd, **given)
    left = None if most_usd is None else max(most_usd - (read_a.asked.cost_usd or 0.0), 0.0)
    read_b = _responses(b, reader, most_usd=left, known=read_a.asked.found, **given)
    reasons = [*no_evidence(one), *no_claim_of_pair([one], [two], (first, second))]
    pairs = compare_readings(read_a.samples, read_b.samples, reasons)
    return PairRead(read_a, read_b, (first, second), pairs)


def read_runs(
    folders: Sequence[Path],
    reader: str,
    *,
    protocol: str = DEFAULT_PROTOCOL,
    models_file: PathText | None = None,
    most_usd: float | None = None,
    progress: bool = False,
) -> list[Read]:
    """Return both readings of each stored run, one run after the other; equal responses are asked once.

    The arguments are those of ``read_responses``; *most_usd* is the limit for all runs. Runs without a response are
    left out. A run for which the reader never replied has no figures.
    """
    found, known, spent = list[Read](), dict[str, Reading](), 0.0
    for folder in folders:
        if not open_run(folder).records:
            continue
        left = None if most_usd is None else max(most_usd - spent, 0.0)
        given: dict[str, Any] = {"protocol": protocol, "models_file": models_file, "progress": progress}
        one = _responses(folder, reader, most_usd=left, known=dict(known), some=False, **given)
        known |= one.asked.found
        spent += one.asked.cost_usd or 0.0
        found.append(one)
    return found


def _responses(
    source: PathText,
    reader: str,
    *,
    protocol: str,
    models_file: PathText | None,
    progress: bool,
    readings: PathText | None = None,
    plans: PathText | None = None,
    most_usd: float | None = None,
    known: Mapping[str, Reading] = MappingProxyType({}),
    some: bool = True,
) -> Read:
    """Return the result of ``read_responses``; *known* are earlier readings by key, which are not asked again.

    *some*: raise DataError if there is no response, or the reader never replied.
    """
    path, rules, config = Path(source), protocol_named(protocol), reader_named(reader, models_file, most_usd)
    left_out, notes, reasons = Counter[str](), list[str](), list[str]()
    if is_answers(path):
        texts, notes = _of_files(path, rules, plans, left_out)
    else:
        run = open_run(path)
        texts, reasons = list(texts_of_run(run, rules)), no_evidence(run)
    if not texts and some:
        raise DataError(
            f"{path}: no sample has a response that a reader could read; finish the run first, or give result files "
            "that have the texts of the responses"
        )
    file = Path(readings) if readings is not None else (path / NAME if path.is_dir() else Path(f"{path}.{NAME}"))
    asked = ask_reader(config, texts, file, known, most_usd, progress=progress, name=reader)
    return _read(path, reader, config, texts, asked, left_out=left_out, notes=notes, reasons=reasons, some=some)


def _of_files(
    path: Path, rules: Protocol, plans: PathText | None, left_out: Counter[str]
) -> tuple[list[Text], list[str]]:
    """Return the texts of result files, and remarks about the files; answers in no figure are counted in *left_out*."""
    known = None if plans is None else read_plans(Path(plans))
    files, lacks, forms, texts = ResultFiles(path, known), Counter[str](), Counter[str](), list[Text]()
    with without_collector():
        for answers in files.answers():
            forms.update(map(form_of, answers.column("task")))
            texts += texts_of_answers(answers, rules, known, left_out, lacks)
    notes = [f"not in the files, {plural(count, 'answer')}: {what}" for what, count in lacks.items()]
    return texts, [*files.remarks(rules), *forms_note(forms), *notes]


def _read(path: Path, reader: str, config: ModelConfig, texts: Sequence[Text], asked: Asked, **more: Any) -> Read:
    """Return both readings of all texts; raises DataError if *some* is true and none was read.

    *more* has the fields *left_out*, *notes*, *reasons* (why intervals are left out) and *some*.
    """
    both, missed, versions, who = list[BothRead](), Counter[TaskName](), dict[str, None](), Reader.of(reader, config)
    for text in texts:
        found = None
        if text.response is not None:
            found = asked.found.get(who.key(text.response, text.wanted))
            if found is None:
                missed[text.asked.task] += 1
                continue
            versions |= {found.model_version: None} if found.model_version else {}
        both.append(BothRead.of(text, found))
    if not both and more["some"]:
        why = "the limit of costs was reached" if asked.used_up else asked.first_failure or "it was sent no response"
        raise DataError(f"{path}: the reader {reader} read no response: {why}")
    tasks = summarise_readings(both, missed, more["reasons"])
    missing = sum(missed.values())
    return Read(path, reader, tuple(versions), tasks, both, asked, more["left_out"], more["notes"], missing)
