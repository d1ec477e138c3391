"""Parsing one sample and refusing what cannot be right, with messages that name the place and the field."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath, PureWindowsPath
from threading import Lock
from typing import TypeVar

from pydantic import ValidationError

from medvision_agent.errors import DataError
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.samples import Samples
from medvision_agent.eval.data.source import Inspected, NativeImage, Read, SourceInfo
from medvision_agent.eval.data.sources.listing import Listing
from medvision_agent.eval.data.sources.picture import EIGHT_BITS, decode_picture, from_levels, inspect_picture
from medvision_agent.frozen import complaint

__all__ = ["FileSource", "check_points", "check_sample", "inspected", "native_of", "outside", "parse_sample"]
__all__ += ["path_fault", "whole"]

_T = TypeVar("_T")
_MOST = 8
"""Mistakes of one sample that a message names."""


def parse_sample(text: bytes | str, place: str) -> Sample:
    """Return the sample in one JSON object; DataError messages start with *place* (file and line) and the field."""
    try:
        sample = Sample.model_validate_json(text, strict=True)
    except ValidationError as error:
        raise DataError(f"{place}: {complaint(error, most=_MOST, of=Sample)}") from None
    wrong = path_fault(sample.image) or _target_fault(sample) or _blank(sample)
    if wrong:
        raise DataError(f"{place}: {wrong}")
    return sample


def check_sample(given: object, place: str) -> Sample:
    """Return a sample that other code made, validated again; raises DataError naming *place* and the field."""
    if not isinstance(given, Sample):
        raise DataError(f"{place}: expected a Sample, found {type(given).__name__}")
    try:
        sample = Sample.model_validate(given.model_dump(warnings=False))
    except ValidationError as error:
        raise DataError(f"{place}: {complaint(error, most=_MOST, of=Sample)}") from None
    wrong = _target_fault(sample) or _blank(sample)
    if wrong:
        raise DataError(f"{place}: {wrong}")
    return sample


class FileSource(ABC):
    """The samples of one file, checked, and their pictures. The file is read when its samples are first asked for."""

    form: str
    """Where one sample is expected, in words."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reading = Lock()

    @property
    def samples(self) -> Samples:
        """All samples, checked; raises DataError where there are none, or they cannot stand together."""
        return self._listing.samples

    @property
    def info(self) -> SourceInfo:
        """Name the file, and say if its pictures are made."""
        return SourceInfo.of_file(self._path, len(self.samples), synthetic=self._listing.synthetic)

    def load(self, sample: Sample, number: int | None = None) -> NativeImage:
        """Return the native pixels of a sample; raises DataError naming its place in the file, and the field.

        *number* is that of its place, where it is known: a file that is not sound as a whole can be looked at by it.
        """
        return self._at(self._loaded, sample, number)

    def inspect(self, sample: Sample, number: int | None = None) -> Inspected:
        """Return the size of a sample's picture, found to be whole, and a hash of its file; raises DataError."""
        return self._at(self._inspected, sample, number)

    def size(self, sample: Sample) -> tuple[int, int]:
        """Return height and width of a sample's picture in pixels; raises DataError."""
        found = self.inspect(sample)
        return found.height, found.width

    def _at(self, look: Callable[[Sample, str, int | None], _T], sample: Sample, number: int | None) -> _T:
        if number is not None:
            return look(sample, self.place(number), number)
        try:
            return look(sample, str(self._path), None)
        except DataError:
            # Which line it is has to be looked up, and only a message needs it.
            return look(sample, self.place_of(sample), None)

    @property
    def _listing(self) -> Listing:
        with self._reading:  # pictures are loaded in threads, and all of them would read the file
            return self._read

    @cached_property
    def _read(self) -> Listing:
        listing = Listing(whole(self.read()), self.place)
        if not listing.samples:
            raise DataError(f"{self._path}: no samples in it; expected one {self.form} (docs/data.md)")
        return listing

    @abstractmethod
    def read(self) -> Iterator[Read]:
        """Yield every sample, or the error of its place, with the number of the place; goes on after an error.

        Pictures are not read, but for their size where a sample's ``frame`` needs it.
        """

    @abstractmethod
    def place(self, number: int) -> str:
        """Return the words for the place with a number."""

    def place_of(self, sample: Sample) -> str:
        """Return the words for the place of a sample."""
        return self._listing.place(sample)

    @abstractmethod
    def _inspected(self, sample: Sample, place: str, number: int | None) -> Inspected:
        """Return what the bytes of a sample's picture say; *place* begins every message."""

    @abstractmethod
    def _loaded(self, sample: Sample, place: str, number: int | None) -> NativeImage:
        """Return the native pixels of a sample; *place* begins every message."""


def whole(read: Iterable[Read]) -> Iterator[tuple[int, Sample]]:
    """Yield samples with their numbers; raises the first error."""
    for number, found in read:
        if isinstance(found, DataError):
            raise found
        yield number, found


def inspected(sample: Sample, png: bytes, place: str, field: str) -> Inspected:
    """Return what the bytes of a sample's picture, those of *field*, say of it; the pixels are not decoded."""
    found = inspect_picture(png, f"{place}: {field}")
    if sample.values is not None and found.displayed:
        raise DataError(f"{place}: {EIGHT_BITS}")
    return found


def native_of(sample: Sample, png: bytes, place: str, field: str) -> NativeImage:
    """Return the pixels of a sample's picture, whose bytes are those of *field*."""
    native = from_levels(decode_picture(png, f"{place}: {field}"), sample, place)
    check_points(sample, native.values.shape, place)
    return native


def check_points(sample: Sample, shape: tuple[int, ...], place: str) -> None:
    """Raise DataError if a truth point lies outside a picture of *shape* (height, width)."""
    for wrong in outside(sample, shape):
        raise DataError(f"{place}: truth_points: {wrong}")


def outside(sample: Sample, shape: tuple[int, ...]) -> Iterator[str]:
    """Yield a message for every truth point that lies outside a picture of *shape* (height, width)."""
    height, width = shape
    for point in sample.truth_points:
        if not (0 <= point.x <= width and 0 <= point.y <= height):
            yield (
                f"{point.name!r} ({point.x:g}, {point.y:g}) lies outside the picture "
                f"of {width} x {height} px (x to the right, y down, in pixels from the outer corner)"
            )


def _blank(sample: Sample) -> str:
    """Say which text that must not be empty holds nothing but spaces, or return an empty string."""
    if not sample.subject.strip():
        return "subject: is blank; name the person behind the image, the cluster of all statistics"
    if sample.label is not None and not sample.label.strip():
        return "label: is blank; name the structure that is asked about"
    return ""


def path_fault(image: str) -> str:
    """Say why *image* is no path below the folder of its file, or return an empty string."""
    path = PurePosixPath(image)
    if path.is_absolute() or PureWindowsPath(image).anchor or ".." in path.parts or "\\" in image or "\0" in image:
        return f"image: {image!r} must be a path below the file's own folder, with forward slashes and without '..'"
    return ""


def _target_fault(sample: Sample) -> str:
    if sample.asks.is_plausible(sample.target):
        return ""
    return f"target: {list(sample.target)} is no {sample.task} target; expected {sample.asks.plausible}"
