"""Parsing and checking one sample; error messages name the place and the field."""

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
"""How many errors of one sample a message names."""


def parse_sample(text: bytes | str, place: str) -> Sample:
    """Return the sample in one JSON object; raises DataError for a mistake in it.

    The message begins with *place* (file and line), then names the field.
    """
    try:
        sample = Sample.model_validate_json(text, strict=True)
    except ValidationError as error:
        raise DataError(f"{place}: {complaint(error, most=_MOST, of=Sample)}") from None
    beyond = path_fault(sample.mask.file, "mask.file") if sample.mask else ""
    wrong = path_fault(sample.image) or beyond or _target_fault(sample) or _blank(sample)
    if wrong:
        raise DataError(f"{place}: {wrong}")
    return sample


def check_sample(given: object, place: str) -> Sample:
    """Return *given*, a sample that other code made, after validating it.

    Raises DataError naming *place* and the field.
    """
    if not isinstance(given, Sample):
        expected = "expected an object of medvision_agent's class Sample"
        raise DataError(f"{place}: {expected}, found {type(given).__name__}; correct the package that makes it")
    try:
        sample = Sample.model_validate(given.model_dump(warnings=False))
    except ValidationError as error:
        raise DataError(f"{place}: {complaint(error, most=_MOST, of=Sample)}") from None
    wrong = _target_fault(sample) or _blank(sample)
    if wrong:
        raise DataError(f"{place}: {wrong}")
    return sample


class FileSource(ABC):
    """A source that is one file of samples, each checked. The file is read when its samples are first needed."""

    form: str
    """What holds one sample, in words for messages."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reading = Lock()

    @property
    def samples(self) -> Samples:
        """All samples, checked; raises DataError for the first mistake in the file, or where it has no sample."""
        return self._listing.samples

    @property
    def info(self) -> SourceInfo:
        """The name of the file, the number of its samples, and whether their images are synthetic."""
        return SourceInfo.of_file(self._path, len(self.samples), synthetic=self._listing.synthetic)

    def load(self, sample: Sample, number: int | None = None) -> NativeImage:
        """Return the native pixels of a sample; raises DataError naming the line or row in the file, and the field.

        *number* is that of the line or row, where known: with it, a sample of a partly broken file can be loaded.
        """
        return self._at(self._loaded, sample, number)

    def inspect(self, sample: Sample, number: int | None = None) -> Inspected:
        """Return the size of a sample's image and a hash of its file, without decoding it.

        *number* is that of the line or row, where known. Raises DataError if the image is missing, incomplete or not
        valid.
        """
        return self._at(self._inspected, sample, number)

    def size(self, sample: Sample) -> tuple[int, int]:
        """Return height and width of a sample's image in pixels; raises DataError where it cannot be read."""
        found = self.inspect(sample)
        return found.height, found.width

    def _at(self, look: Callable[[Sample, str, int | None], _T], sample: Sample, number: int | None) -> _T:
        if number is not None:
            return look(sample, self.place(number), number)
        try:
            return look(sample, str(self._path), None)
        except DataError:
            # Looking up the line takes time, and only a message needs it.
            return look(sample, self.place_of(sample), None)

    @property
    def _listing(self) -> Listing:
        with self._reading:  # pictures are loaded in threads, and all of them would read the file
            return self._read

    @cached_property
    def _read(self) -> Listing:
        listing = Listing(self._sound(), self.place)
        if not listing.samples:
            raise DataError(f"{self._path}: contains no samples; expected one {self.form} (docs/data.md)")
        return listing

    def _sound(self) -> Iterator[tuple[int, Sample]]:
        for number, found in self.read():
            if isinstance(found, DataError):
                raise DataError(f"{found} (to list every mistake: medvision-agent data check {self._path})")
            yield number, found

    @abstractmethod
    def read(self) -> Iterator[Read]:
        """Yield the number of each line or row with its sample or the error in it; continues after an error.

        Images are not read, except for their size where a sample's ``frame`` needs it.
        """

    @abstractmethod
    def place(self, number: int) -> str:
        """Return the words that messages use for the line or row with this number."""

    def place_of(self, sample: Sample) -> str:
        """Return the words that messages use for the line or row of a sample.

        Raises DataError if the file lacks the sample.
        """
        return self._listing.place(sample)

    @abstractmethod
    def _inspected(self, sample: Sample, place: str, number: int | None) -> Inspected:
        """Return the facts in the bytes of a sample's image, not decoded; raises DataError.

        *place* begins every message; *number* is that of the sample's line or row, where known.
        """

    @abstractmethod
    def _loaded(self, sample: Sample, place: str, number: int | None) -> NativeImage:
        """Return the native pixels of a sample; raises DataError.

        *place* begins every message; *number* is that of the sample's line or row, where known.
        """


def whole(read: Iterable[Read]) -> Iterator[tuple[int, Sample]]:
    """Yield samples with the numbers of their lines or rows; raises the first error that *read* contains."""
    for number, found in read:
        if isinstance(found, DataError):
            raise found
        yield number, found


def inspected(sample: Sample, png: bytes, place: str, field: str) -> Inspected:
    """Return the facts in *png*, the bytes of a sample's image, which come from *field*; the pixels are not decoded.

    Raises DataError, whose message begins with *place*, if the bytes are not a usable PNG, or do not fit the sample.
    """
    found = inspect_picture(png, f"{place}: {field}")
    if sample.values is not None and found.displayed:
        raise DataError(f"{place}: {EIGHT_BITS}")
    return found


def native_of(sample: Sample, png: bytes, place: str, field: str) -> NativeImage:
    """Return the native pixels of a sample's image from its PNG bytes, which *field* holds.

    Raises DataError, whose message begins with *place*, if the bytes are not a usable PNG, or do not fit the sample.
    """
    native = from_levels(decode_picture(png, f"{place}: {field}"), sample, place)
    check_points(sample, native.values.shape, place)
    return native


def check_points(sample: Sample, shape: tuple[int, ...], place: str) -> None:
    """Raise DataError if a ground truth point lies outside an image of *shape* (height, width).

    The message begins with *place*.
    """
    for wrong in outside(sample, shape):
        raise DataError(f"{place}: truth_points: {wrong}")


def outside(sample: Sample, shape: tuple[int, ...]) -> Iterator[str]:
    """Yield a message for every ground truth point that lies outside an image of *shape* (height, width)."""
    height, width = shape
    for point in sample.truth_points:
        if not (0 <= point.x <= width and 0 <= point.y <= height):
            yield (
                f"{point.name!r} ({point.x:g}, {point.y:g}) lies outside the image "
                f"of {width} x {height} px; correct the point (x to the right and y down, in pixels from the top left "
                "corner), or leave truth_points out"
            )


def _blank(sample: Sample) -> str:
    """Return a message if a required text contains only spaces, else an empty string."""
    if not sample.subject.strip():
        return "subject: is blank; name the person whom the image shows (statistics are clustered by person)"
    if sample.label is not None and not sample.label.strip():
        return "label: is blank; name the structure that is asked about"
    return ""


def path_fault(image: str, field: str = "image") -> str:
    """Return a message if *image* is not a path below the folder of its file, else an empty string."""
    path = PurePosixPath(image)
    if path.is_absolute() or PureWindowsPath(image).anchor or ".." in path.parts or "\\" in image or "\0" in image:
        expected = "a path below the folder of the file of samples, with forward slashes and without '..'"
        return f"{field}: {image!r} is not allowed; expected {expected}"
    return ""


def _target_fault(sample: Sample) -> str:
    if sample.asks.is_plausible(sample.target):
        return ""
    task = sample.task
    return f"target: {list(sample.target)} is not valid for the task {task!r}; expected {sample.asks.plausible}"
