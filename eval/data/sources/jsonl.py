"""Samples from a JSON Lines file: one sample per line, pictures in files beside it. Blank lines are skipped."""

from collections.abc import Iterator
from pathlib import Path

from medvision_agent.errors import DataError
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.source import NativeImage
from medvision_agent.eval.data.sources.checks import FileSource, parse_sample
from medvision_agent.eval.data.sources.picture import read_inside

__all__ = ["JsonlSource"]


class JsonlSource(FileSource):
    """The samples of one file; ``image`` is a path relative to that file's folder, and inside it."""

    def __init__(self, path: Path) -> None:
        """Read and check every line; raises DataError naming file, line and field."""
        super().__init__(path, list(_read(path)), "JSON object per line")

    def load(self, sample: Sample) -> NativeImage:
        """Return the pixels of a sample's picture file."""
        data = read_inside(self._path.parent, sample.image, self._places[sample.id])
        return self._native(sample, data, f"image: {sample.image}")


def _read(path: Path) -> Iterator[tuple[str, Sample]]:
    try:
        # Bytes split at \n only: str.splitlines would also split at line separators inside JSON strings.
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                text = line.removeprefix(b"\xef\xbb\xbf").strip()
                if text:
                    place = f"{path}:{number}"
                    yield place, parse_sample(text, place)
    except OSError as error:
        raise DataError(f"{path}: cannot read it ({error.strerror})") from None
