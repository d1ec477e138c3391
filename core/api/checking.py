"""Check samples before a model is asked.

Contract: problems of samples are returned, not raised; only a source that cannot be opened raises.
"""

from collections.abc import Iterable
from pathlib import Path

from medvision_agent.api.loaded import PathText
from medvision_agent.errors import DataError
from medvision_agent.eval.checking.check import check_source
from medvision_agent.eval.checking.finding import Checked, check_unchecked
from medvision_agent.eval.data.medvision.source import Reading
from medvision_agent.eval.data.source import Source
from medvision_agent.eval.data.sources import open_source
from medvision_agent.eval.data.sources.other_forms import remedy_for

__all__ = ["check", "name_of", "opened"]


def check(data: PathText, *, unchecked: Iterable[str] = (), reading: Reading | None = None) -> Checked:
    """Return everything that is wrong with a source of samples: a file, a folder, or a name that ``run`` takes.

    The result has ``samples``, ``refused`` (each with rule, place, field and message), ``refusals`` (how many there
    are) and ``warnings`` (each with the number of samples and the first). Rules in *unchecked* are not applied:
    ``pixel-size``, ``shared-picture``. *reading* is for MedVision's data only. Raises DataError if the source cannot
    be opened.
    """
    return check_source(opened(name_of(str(data)), reading), check_unchecked(unchecked))


def opened(name: str, reading: Reading | None = None) -> Source:
    """Return the source called *name* without listing its samples.

    Raises ConfigError for an unknown name, or a package whose source fails, and DataError if the file or the folder
    that it names cannot be read.
    """
    return open_source(name, reading or Reading(), listing=False)


def name_of(data: str) -> str:
    """Return the source name for a folder of MedVision's data or with a list of samples; other names unchanged.

    Raises DataError for any other folder; the message says what to give instead.
    """
    path = Path(data)
    if not path.is_dir():
        return data
    if (path / "Datasets").is_dir():
        return f"medvision:{data}"
    for name in ("samples.jsonl", "samples.parquet"):
        if (path / name).is_file():
            return str(path / name)
    raise DataError(f"{data}: {remedy_for(path)}")
