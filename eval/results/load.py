"""Reads answers made elsewhere: a file of records, or a result folder of MedVision.

Contract: remarks about the files are returned with the answers, nothing is printed. Files without any answer are a
DataError. In a result folder, files are named ``<stamp>_samples_<task>.jsonl``, in the model's folder or, by the first
generation, one folder deeper. A file's parsed copy (in ``parsed``) is read only if the file itself is missing. Results
of several models are never combined: give the folder of one model.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from medvision_agent.errors import DataError
from medvision_agent.eval.results.notes import Notes
from medvision_agent.eval.results.plans import Plans, read_plans
from medvision_agent.eval.results.read import AnswerReader
from medvision_agent.eval.results.record import Record, Scored
from medvision_agent.eval.scorer.answers import Answers
from medvision_agent.eval.scorer.batch import Batch, score_blocks
from medvision_agent.eval.scorer.protocol import Protocol

__all__ = ["ResultFiles", "has_results", "load_answers", "load_batches", "models_in", "result_files"]
__all__ += ["without_collector"]


class ResultFiles:
    """The result files of one model, read one after the other: first use ``answers``, then ``remarks``.

    *plans* supplies facts that the files lack; *kind* is the type of record to read, which determines its fields.
    """

    def __init__(self, path: Path, plans: Plans | None = None, kind: type[Scored] = Record) -> None:
        """Find the files to read in *path*, which is one file or a folder.

        Raises DataError if it is a folder without result files, or with those of several models.
        """
        self.path = path
        self._reader = AnswerReader(plans, kind)
        self.files = result_files(path, self._reader.notes) if path.is_dir() else [path]

    def answers(self) -> Iterator[Answers]:
        """Yield the answers in the files, block by block; each block has one family."""
        for file in self.files:
            yield from self._reader.blocks(file)

    def remarks(self, protocol: Protocol) -> list[str]:
        """Return remarks about the files that were read; DataError if they contained no answer."""
        reader, nameless = self._reader, self._reader.nameless
        if not reader.count:
            expected = "expected the lines of MedVision's result files (docs/why.md)"
            raise DataError("\n".join([f"{self.path}: no answer could be read; {expected}", *reader.notes.lines()]))
        if nameless:
            kind = "answers without the label's name or the modality: they are in no group (give both with --plans)"
            reader.notes.add(kind, nameless[0], len(nameless), (len(self.files) + 1,))
        return reader.notes.lines() + _doubts(reader, protocol)


def load_answers(path: Path, protocol: Protocol, plans: Path | None = None) -> tuple[list[Answers], list[str]]:
    """Return the answers in *path*, a table for each family, and remarks on the files for the reader.

    *path* is a file of records or the folder of one model; *plans* is a data folder or JSON file with names that the
    files lack. Raises DataError if no answer can be read.
    """
    files = ResultFiles(path, None if plans is None else read_plans(plans))
    return Answers.by_family(files.answers()), files.remarks(protocol)


def load_batches(path: Path, protocol: Protocol, plans: Path | None = None) -> tuple[list[Batch], list[str]]:
    """Return the scores of the answers in *path*, a batch for each family, and remarks on the files for the reader.

    Arguments and errors are those of ``load_answers``.
    """
    files = ResultFiles(path, None if plans is None else read_plans(plans), Scored)
    return score_blocks(files.answers(), protocol), files.remarks(protocol)


def _doubts(reader: AnswerReader, protocol: Protocol) -> list[str]:
    seen, files = reader.signs.first(), reader.files.first()
    listed = " and ".join(f"{name} ({place})" for name, place in seen.items())
    doubts = [f"answers of two generations of MedVision's package are together: {listed}"] if len(seen) > 1 else []
    if len(seen) == 1 and protocol.version not in seen:
        doubts.append(
            f"scored by {protocol.name}, but the files look like those of {listed}; choose with --protocol by which "
            "rules they are scored"
        )
    without = [file for file in files if file not in reader.tagged]
    if protocol.answer_tags and without:
        doubts.append(
            f"{len(without)} of {len(files)} files have no response with answer tags ({without[0]}): by "
            f"{protocol.name} every answer in them fails; were they asked by another recipe?"
        )
    return doubts


@contextmanager
def without_collector() -> Iterator[None]:
    """Pause the garbage collector as long as the context lasts.

    JSON has no reference cycles, and searching for them takes longer than reading.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


_PATTERNS = ("*_samples_*.jsonl", "*_samples_*.jsonl.gz")
_PARSED = "parsed"


def has_results(folder: Path) -> bool:
    """Return whether a folder holds MedVision's result files (``<stamp>_samples_<task>.jsonl``), at any depth."""
    return any(next(folder.rglob(pattern), None) for pattern in _PATTERNS)


def result_files(folder: Path, notes: Notes) -> list[Path]:
    """Return the files to read in the folder of one model's results, and add remarks on them to *notes*.

    Raises DataError if the folder holds none, or those of several models.
    """
    found = _sample_files(folder)
    raw = [path for path in found if path.parent.name != _PARSED]
    parsed = [path for path in found if path.parent.name == _PARSED and not _has_raw(path, raw)]
    if not raw and not parsed:
        raise DataError(
            f"{folder}: there are no result files of MedVision (<stamp>_samples_<task>.jsonl) in this folder or below "
            "it; give the folder of a model's results"
        )
    files = raw + parsed
    _check_one_model(folder, files)
    if raw and parsed:
        kind = "files whose raw file is missing: the parsed copy (in parsed/) is read instead"
        notes.add(kind, parsed[0].name, len(parsed))
    stamps = [(path, path.name.rpartition("_samples_")[0]) for path in files]
    missing = [path for path, stamp in stamps if not path.with_name(f"{stamp}_results.json").is_file()]
    if missing:
        kind = "sample files without <stamp>_results.json beside them (MedVision's own package refuses such files)"
        notes.add(kind, missing[0].name, len(missing))
    return files


def models_in(folder: Path) -> list[Path]:
    """Return the folders of models with results: those below *folder* if there are several, else *folder* alone."""
    inner = sorted(_homes(_sample_files(folder)) - {folder})
    return inner if len(inner) > 1 else [folder]


def _sample_files(folder: Path) -> list[Path]:
    return sorted(path for pattern in _PATTERNS for path in folder.rglob(pattern))


def _homes(files: list[Path]) -> set[Path]:
    """Return the folders of the models whose result files these are."""
    return {path.parent.parent if path.parent.name == _PARSED else path.parent for path in files}


def _has_raw(parsed: Path, raw: list[Path]) -> bool:
    model = parsed.parent.parent
    return any(path.name == parsed.name and path.is_relative_to(model) for path in raw)


def _check_one_model(folder: Path, files: list[Path]) -> None:
    inner = _homes(files) - {folder}
    if len(inner) > 1:
        listed = ", ".join(sorted(str(home.relative_to(folder)) for home in inner if home.is_relative_to(folder)))
        raise DataError(f"{folder}: holds the results of several models ({listed}); give the folder of one model")
