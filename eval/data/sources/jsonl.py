"""Samples from a JSON Lines file: one sample per line, images and volumes in files beside it.

Blank lines are skipped.
"""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from medvision_agent.errors import DataError
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.source import Inspected, NativeImage, Read
from medvision_agent.eval.data.sources.checks import FileSource, inspected, native_of, path_fault
from medvision_agent.eval.data.sources.fields import fields_of, without_nulls
from medvision_agent.eval.data.sources.framed import FRAME, read_frame
from medvision_agent.eval.data.sources.picture import picture_size, read_inside
from medvision_agent.eval.data.sources.volumes import Volumes

__all__ = ["JsonlSource"]


class JsonlSource(FileSource):
    """The samples of one JSON Lines file; ``image`` is a path below that file's folder."""

    form = "JSON object per line"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._volumes = Volumes(path.parent)

    def volumes_sha256(self, samples: Iterable[Sample]) -> str | None:
        """Return a hash over the volume files of *samples*; None where no sample has a volume."""
        return self._volumes.sha256(samples)

    def fingerprint(self) -> str | None:
        """Return the SHA-256 of the file; None if it cannot be read.

        Volumes are not part of it; ``volumes_sha256`` is their hash.
        """
        try:
            with self._path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            return None

    @property
    def folder(self) -> Path:
        """The folder of the file, below which images and masks lie."""
        return self._path.parent

    @property
    def volumes(self) -> Volumes:
        """The volumes whose slices the samples ask about."""
        return self._volumes

    def read(self) -> Iterator[Read]:
        """Yield every line as a sample, checked against the header of its volume, or as the error in it."""
        return _read(self._path, self._volumes)

    def place(self, number: int) -> str:
        """Return the file and the line, as ``FILE:LINE``."""
        return f"{self._path}:{number}"

    def _inspected(self, sample: Sample, place: str, number: int | None) -> Inspected:  # noqa: ARG002
        if sample.volume is not None:
            return Inspected(*self._volumes.size(sample.image, sample.volume, place), displayed=False)
        return inspected(sample, read_inside(self._path.parent, sample.image, place), place, f"image: {sample.image}")

    def _loaded(self, sample: Sample, place: str, number: int | None) -> NativeImage:  # noqa: ARG002
        if sample.volume is not None:
            return self._volumes.load(sample, sample.volume, place)
        data = read_inside(self._path.parent, sample.image, place)
        return native_of(sample, data, place, f"image: {sample.image}")


def _read(path: Path, volumes: Volumes) -> Iterator[Read]:
    try:
        # Bytes split at \n only: str.splitlines would also split at line separators inside JSON strings.
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                text = line.removeprefix(b"\xef\xbb\xbf").strip()
                if text:
                    yield number, _sample(text, path.parent, volumes, f"{path}:{number}")
    except OSError as error:
        raise DataError(f"{path}: this file of samples cannot be read ({error.strerror}); check the path") from None


def _sample(text: bytes, folder: Path, volumes: Volumes, place: str) -> Sample | DataError:
    try:
        fields = fields_of(text, place)
        if fields is not None and (FRAME in fields or b"null" in text):
            given = without_nulls(fields)
            given = read_frame(given, lambda: _size(given, folder, volumes, place), place)
            text = to_json(given, inf_nan_mode="constants")
        return volumes.sample(text, place)
    except DataError as error:
        return error


def _size(fields: dict[str, Any], folder: Path, volumes: Volumes, place: str) -> tuple[int, int] | None:
    """Return height and width of the image named by *fields*; None where they do not name an image correctly."""
    image = fields.get("image")
    if not isinstance(image, str) or path_fault(image):
        return None
    if "volume" in fields:
        return volumes.stated_size(image, fields["volume"], place)
    return picture_size(folder, image, place)
