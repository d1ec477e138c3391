"""Bringing in answers made elsewhere: a file of records, or a result folder of MedVision.

Contract: what is said about the files comes back with the answers, nothing is printed. No answer at all is a
DataError.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from medvision_agent.errors import DataError
from medvision_agent.eval.results.folder import result_files
from medvision_agent.eval.results.parallel import process_count, read_parts
from medvision_agent.eval.results.plans import Plans, read_plans
from medvision_agent.eval.results.read import AnswerReader, nameless
from medvision_agent.eval.scorer.answer import FAMILIES
from medvision_agent.eval.scorer.answers import Answers
from medvision_agent.eval.scorer.batch import Batch, join_batches, score_batch
from medvision_agent.eval.scorer.protocol import Protocol

__all__ = ["load_answers", "load_batches", "without_collector"]


def load_answers(path: Path, protocol: Protocol, plans: Path | None = None) -> tuple[Answers, list[str]]:
    """Return the answers in *path* and what is to be said about them; *plans* gives names that they do not carry."""
    return _load(path, protocol, None if plans is None else read_plans(plans))


def _load(path: Path, protocol: Protocol, plans: Plans | None) -> tuple[Answers, list[str]]:
    reader = AnswerReader(plans)
    files = result_files(path, reader.notes) if path.is_dir() else [path]
    answers = Answers.joined([reader.read(file) for file in files])
    return answers, _remarks(path, reader, protocol, len(answers), nameless(answers))


def load_batches(path: Path, protocol: Protocol, plans: Path | None = None) -> tuple[list[Batch], list[str]]:
    """Return the scores of the answers in *path*, a batch for each family, and what ``load_answers`` says.

    Where it is worth it several processes read; then the batches hold what a summary needs, and not the answers.
    """
    known = None if plans is None else read_plans(plans)
    reader = AnswerReader(known)
    files = result_files(path, reader.notes) if path.is_dir() else [path]
    processes = process_count(files)
    parts = read_parts(files, known, protocol, processes) if processes > 1 else None
    if parts is None:
        answers, notes = _load(path, protocol, known)
        return [score_batch(family, own, protocol) for family, own in answers.by_family().items()], notes
    for part in parts:
        reader.add(part.file)
    batches = [batch for part in parts for batch in part.batches]
    families = {family: [batch for batch in batches if batch.family == family] for family in FAMILIES}
    without = [one for part in parts for one in part.nameless]
    notes = _remarks(path, reader, protocol, sum(map(len, batches)), without)
    return [join_batches(own) for own in families.values() if own], notes


def _remarks(path: Path, reader: AnswerReader, protocol: Protocol, count: int, without: list[str]) -> list[str]:
    if not count:
        raise DataError("\n".join([f"{path}: no answer could be read", *reader.notes.lines()]))
    if without:
        kind = "answers without a label's name or modality: in no group (give them with --plans)"
        reader.notes.add(kind, without[0], len(without))
    return reader.notes.lines() + _doubts(reader, protocol)


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
            gc.enable()
