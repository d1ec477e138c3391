"""Bringing in answers made elsewhere: a file of records, or a result folder of MedVision.

Contract: what is said about the files comes back with the answers, nothing is printed. No answer at all is a
DataError.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from medvision_agent.errors import DataError
from medvision_agent.eval.answers.folder import result_files
from medvision_agent.eval.answers.plans import read_plans
from medvision_agent.eval.answers.read import AnswerReader
from medvision_agent.eval.scorer.answers import Answers
from medvision_agent.eval.scorer.protocol import Protocol

__all__ = ["load_answers", "without_collector"]


def load_answers(path: Path, protocol: Protocol, plans: Path | None = None) -> tuple[Answers, list[str]]:
    """Return the answers in *path* and what is to be said about them; *plans* gives names that they do not carry."""
    reader = AnswerReader(None if plans is None else read_plans(plans))
    files = result_files(path, reader.notes) if path.is_dir() else [path]
    answers = Answers.joined([reader.read(file) for file in files])
    if not answers:
        raise DataError("\n".join([f"{path}: no answer could be read", *reader.notes.lines()]))
    nameless = _nameless(answers)
    if nameless:
        kind = "answers without a label's name or modality: in no group (give them with --plans)"
        reader.notes.add(kind, answers.column("id")[nameless[0]], len(nameless))
    return answers, reader.notes.lines() + _doubts(reader, protocol)


def _nameless(answers: Answers) -> list[int]:
    """Return the rows that lack a name, of the label or the modality, without which they have no group."""
    if set(answers.column("family")) == {"AD"}:
        return []
    rows = enumerate(zip(*map(answers.column, ("family", "label_name", "modality")), strict=True))
    return [row for row, (family, label, modality) in rows if family != "AD" and not (label and modality)]


def _doubts(reader: AnswerReader, protocol: Protocol) -> list[str]:
    seen = reader.generations
    listed = " and ".join(f"{name} ({place})" for name, place in seen.items())
    doubts = [f"answers of both generations of MedVision together: {listed}"] if len(seen) > 1 else []
    if len(seen) == 1 and protocol.version not in seen:
        doubts.append(f"scored by {protocol.name}, but the files look like those of {listed}")
    without = [file for file, tagged in reader.tagged.items() if not tagged]
    if protocol.answer_tags and without:
        doubts.append(
            f"{len(without)} of {len(reader.tagged)} files have no response with answer tags ({without[0]}): by "
            f"{protocol.name} every answer in them fails; were they asked by another recipe?"
        )
    return doubts


@contextmanager
def without_collector() -> Iterator[None]:
    """Pause the cycle collector: JSON has no cycles, and walking all of it takes longer than reading it."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.freeze()  # what was read lives on: the collector need not look at it again
            gc.enable()
