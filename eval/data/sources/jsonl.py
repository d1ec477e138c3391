"""Samples from a JSON Lines file: one sample per line, pictures and volumes in files beside it.

Blank lines are skipped.
"""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from medvision_agent.errors import DataError
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.source import NativeImage
from medvision_agent.eval.data.sources.checks import FileSource, native_of
from medvision_agent.eval.data.sources.listing import Listing
from medvision_agent.eval.data.sources.picture import read_inside
from medvision_agent.eval.data.sources.volumes import Volumes

__all__ = ["JsonlSource"]


class JsonlSource(FileSource):
    """The samples of one file; ``image`` is a path relative to that file's folder, and inside it."""

    form = "JSON object per line"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._volumes = Volumes(path.parent)

    def volumes_sha256(self, samples: Iterable[Sample]) -> str | None:
        """Return a hash over the files of the volumes of *samples*; None where they are pictures."""
        return self._volumes.sha256(samples)

    def fingerprint(self) -> str | None:
        """Return the hash of the file; headers of volumes are no part of it, but of ``volumes_sha256``."""
        try:
            with self._path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            return None

    def _listed(self, path: Path) -> Listing:
        """Read and check every line, and the headers of volumes; raises DataError naming file, line and field."""
        return Listing(_read(path, self._volumes), lambda number: f"{path}:{number}")

    def _loaded(self, sample: Sample, place: str) -> NativeImage:
        if sample.volume is not None:
            return self._volumes.load(sample, sample.volume, place)
        data = read_inside(self._path.parent, sample.image, place)
        return native_of(sample, data, place, f"image: {sample.image}")


def _read(path: Path, volumes: Volumes) -> Iterator[tuple[int, Sample]]:
    try:
        # Bytes split at \n only: str.splitlines would also split at line separators inside JSON strings.
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                text = line.removeprefix(b"\xef\xbb\xbf").strip()
                if text:
                    yield number, volumes.sample(text, f"{path}:{number}")
    except OSError as error:
        raise DataError(f"{path}: cannot read it ({error.strerror})") from None
