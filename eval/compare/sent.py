"""The image as sent, compared by its pixels: two versions, or two libraries, may write one picture as different files.

Contract: records are compared by the hashes of files. Where those of a pair differ, the files are looked at, and one
that shows the same pixels goes by the name that it has in the other run. What cannot be read keeps its own name.
"""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from medvision_agent.errors import DataError, StorageError
from medvision_agent.eval.store.damage import read_picture
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.run import Run
from medvision_agent.tools.view.png import pixels_sha256, png_names

__all__ = ["with_names_of"]


def with_names_of(a: Run, b: Run) -> Run:
    """Return run *b* with the image of each sample by its name in run *a*, where both show the same pixels."""
    there = {record.sample.id: record for record in a.records}
    records = [_renamed(a, there.get(record.sample.id, record), b, record) for record in b.records]
    return replace(b, records=records)


def _renamed(a: Run, there: Record, b: Run, record: Record) -> Record:
    changes: dict[str, object] = {}
    if _same(a, there.v0_sha256, b, record.v0_sha256):
        changes["v0_sha256"] = there.v0_sha256
    if record.enlarged and _same(a, there.own_v0_sha256, b, record.enlarged.v0_sha256):
        changes["enlarged"] = record.enlarged.model_copy(update={"v0_sha256": there.own_v0_sha256})
    if there.enlarged and not record.enlarged and _same(a, there.own_v0_sha256, b, record.v0_sha256):
        changes["v0_sha256"] = there.own_v0_sha256
    return record.model_copy(update=changes) if changes else record


def _same(a: Run, name_a: str, b: Run, name_b: str) -> bool:
    """Tell whether two names of files that differ are those of one picture.

    The image that was enlarged is stored in the run where it was not: there is one file, which has both names.
    """
    if not name_a or not name_b or name_a == name_b:
        return False
    try:
        return _shown(a.folder, name_a) == _shown(b.folder, name_b)
    except (DataError, StorageError):
        return name_a in _names(b.folder, name_b) or name_b in _names(a.folder, name_a)


@lru_cache(maxsize=100_000)
def _shown(folder: Path, name: str) -> str:
    return pixels_sha256(read_picture(folder, name))


@lru_cache(maxsize=10_000)
def _names(folder: Path, name: str) -> frozenset[str]:
    """Return the names of a stored picture as any version writes it; none where it is not stored."""
    try:
        return png_names(read_picture(folder, name))
    except (DataError, StorageError):
        return frozenset()
