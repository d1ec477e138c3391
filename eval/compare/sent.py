"""The image as sent, compared by its pixels: two versions or libraries may encode one image as different files.

Contract: records are compared by the hashes of files. If the hashes of a pair differ, the files are read. A file with
the same pixels is given the name that it has in the other run. A file that cannot be read keeps its own name.
"""

from functools import lru_cache
from pathlib import Path

from medvision_agent.errors import DataError, StorageError
from medvision_agent.eval.compare.joined import Pair
from medvision_agent.eval.store.damage import read_picture
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.run import Run
from medvision_agent.tools.view.png import pixels_sha256, png_names

__all__ = ["with_name_of"]


def with_name_of(a: Run, b: Run, pair: Pair) -> Pair:
    """Return the *pair*, with the image of B named like that of A if both show the same pixels.

    *a* and *b* are the runs of the two records, in whose folders the images are stored.
    """
    return pair[0], _renamed(a, pair[0], b, pair[1])


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
    """Return whether two file names that differ belong to images with the same pixels; False if a name is empty.

    The original of an enlarged image is stored only in the run that did not enlarge it, so one file stands for both.
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
    """Return every file name that a stored image gets in any version of this program; empty if it cannot be read."""
    try:
        return png_names(read_picture(folder, name))
    except (DataError, StorageError):
        return frozenset()
