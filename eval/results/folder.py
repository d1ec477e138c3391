"""MedVision's result folders: which sample files of one model to read.

Contract: files are named ``<stamp>_samples_<task>.jsonl``, in the model's folder or, by the first generation, one
folder deeper. A file's parsed copy (in ``parsed``) is read only where the file itself is not there. Results of
several models are never put together: the folder of one is to be given.
"""

from pathlib import Path

from medvision_agent.errors import DataError
from medvision_agent.eval.results.notes import Notes

__all__ = ["has_results", "result_files"]

_PATTERNS = ("*_samples_*.jsonl", "*_samples_*.jsonl.gz")
_PARSED = "parsed"


def has_results(folder: Path) -> bool:
    """Return whether a folder holds sample files, at any depth."""
    return any(next(folder.rglob(pattern), None) for pattern in _PATTERNS)


def result_files(folder: Path, notes: Notes) -> list[Path]:
    """Return the sample files of the one model in *folder*."""
    found = sorted(path for pattern in _PATTERNS for path in folder.rglob(pattern))
    raw = [path for path in found if path.parent.name != _PARSED]
    parsed = [path for path in found if path.parent.name == _PARSED and not _has_raw(path, raw)]
    if not raw and not parsed:
        raise DataError(f"{folder}: no result files (<stamp>_samples_<task>.jsonl) in it or below")
    files = raw + parsed
    _check_one_model(folder, files)
    if raw and parsed:
        notes.add("parsed files without their raw file: read as they were parsed", parsed[0].name, len(parsed))
    missing = [path for path in files if not path.with_name(_results_name(path)).is_file()]
    if missing:
        notes.add("sample files without their results file (upstream refuses them)", missing[0].name, len(missing))
    return files


def _has_raw(parsed: Path, raw: list[Path]) -> bool:
    model = parsed.parent.parent
    return any(path.name == parsed.name and path.is_relative_to(model) for path in raw)


def _check_one_model(folder: Path, files: list[Path]) -> None:
    homes = {path.parent.parent if path.parent.name == _PARSED else path.parent for path in files}
    inner = homes - {folder}
    if len(inner) > 1:
        listed = ", ".join(sorted(str(home.relative_to(folder)) for home in inner if home.is_relative_to(folder)))
        raise DataError(f"{folder}: holds the results of several models ({listed}); give the folder of one")


def _results_name(path: Path) -> str:
    return f"{path.name.rpartition('_samples_')[0]}_results.json"
