"""Samples from a JSON Lines file: one sample per line, pictures in files beside it. Blank lines are skipped."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from medvision_agent.errors import DataError
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.source import NativeImage, SourceInfo
from medvision_agent.eval.data.sources.checks import check_points, check_unique, check_unmixed, parse_sample
from medvision_agent.eval.data.sources.picture import decode_picture, from_levels, read_inside

__all__ = ["JsonlSource"]


class JsonlSource:
    """The samples of one file; ``image`` is a path relative to that file's folder, and inside it."""

    def __init__(self, path: Path) -> None:
        """Read and check every line; raises DataError naming file, line and field."""
        self._path = path
        placed = list(_read(path))
        if not placed:
            raise DataError(f"{path}: no samples in it; expected one JSON object per line (docs/data.md)")
        check_unique(placed)
        check_unmixed(placed)
        self._place = {sample.id: place for place, sample in placed}
        self.samples: Sequence[Sample] = tuple(sample for _, sample in placed)

    @property
    def info(self) -> SourceInfo:
        """Name the file, and say if its pictures are made."""
        return SourceInfo.of_file(self._path, self.samples)

    def load(self, sample: Sample) -> NativeImage:
        """Return the pixels of a sample's picture file."""
        place = self._place[sample.id]
        data = read_inside(self._path.parent, sample.image, place)
        native = from_levels(decode_picture(data, f"{place}: image: {sample.image}"), sample)
        check_points(sample, native, place)
        return native


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
