"""Samples from a JSON Lines file: one sample per line, pictures and volumes in files beside it.

Blank lines are skipped.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from medvision_agent.errors import DataError
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.source import NativeImage
from medvision_agent.eval.data.sources.checks import FileSource
from medvision_agent.eval.data.sources.picture import read_inside
from medvision_agent.eval.data.sources.volumes import Volumes

__all__ = ["JsonlSource"]


class JsonlSource(FileSource):
    """The samples of one file; ``image`` is a path relative to that file's folder, and inside it."""

    def __init__(self, path: Path) -> None:
        """Read and check every line, and the headers of volumes; raises DataError naming file, line and field."""
        self._volumes = Volumes(path.parent)
        super().__init__(path, list(_read(path, self._volumes)), "JSON object per line")

    def load(self, sample: Sample) -> NativeImage:
        """Return the pixels of a sample's picture file, or of its slice of a volume."""
        place = self._places[sample.id]
        if sample.volume is not None:
            return self._volumes.load(sample, sample.volume, place)
        data = read_inside(self._path.parent, sample.image, place)
        return self._native(sample, data, f"image: {sample.image}")

    def volumes_sha256(self, samples: Iterable[Sample]) -> str | None:
        """Return a hash over the files of the volumes of *samples*; None where they are pictures."""
        return self._volumes.sha256(samples)


def _read(path: Path, volumes: Volumes) -> Iterator[tuple[str, Sample]]:
    try:
        # Bytes split at \n only: str.splitlines would also split at line separators inside JSON strings.
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                text = line.removeprefix(b"\xef\xbb\xbf").strip()
                if text:
                    place = f"{path}:{number}"
                    yield place, volumes.sample(text, place)
    except OSError as error:
        raise DataError(f"{path}: cannot read it ({error.strerror})") from None
