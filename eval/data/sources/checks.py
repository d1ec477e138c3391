"""Parsing one sample and refusing what cannot be right, with messages that name the place and the field."""

from abc import ABC, abstractmethod
from functools import cached_property
from pathlib import Path, PurePosixPath, PureWindowsPath
from threading import Lock

from pydantic import ValidationError

from medvision_agent.errors import DataError
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.samples import Samples
from medvision_agent.eval.data.source import NativeImage, SourceInfo
from medvision_agent.eval.data.sources.listing import Listing
from medvision_agent.eval.data.sources.picture import decode_picture, from_levels
from medvision_agent.frozen import complaint

__all__ = ["FileSource", "check_points", "check_sample", "native_of", "parse_sample"]


def parse_sample(text: bytes | str, place: str) -> Sample:
    """Return the sample in one JSON object; DataError messages start with *place* (file and line) and the field."""
    try:
        sample = Sample.model_validate_json(text, strict=True)
    except ValidationError as error:
        raise DataError(f"{place}: {complaint(error, most=3, of=Sample)}") from None
    wrong = _path_fault(sample.image) or _target_fault(sample)
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
        raise DataError(f"{place}: {complaint(error, most=3, of=Sample)}") from None
    wrong = _target_fault(sample)
    if not sample.subject.strip():
        wrong = "subject: is blank; name the person behind the image, the cluster of all statistics"
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

    def load(self, sample: Sample) -> NativeImage:
        """Return the native pixels of a sample; raises DataError naming its place in the file, and the field."""
        try:
            return self._loaded(sample, str(self._path))
        except DataError:
            # Which line it is has to be looked up, and only a message needs it.
            return self._loaded(sample, self._listing.place(sample))

    @property
    def _listing(self) -> Listing:
        with self._reading:  # pictures are loaded in threads, and all of them would read the file
            return self._read

    @cached_property
    def _read(self) -> Listing:
        listing = self._listed(self._path)
        if not listing.samples:
            raise DataError(f"{self._path}: no samples in it; expected one {self.form} (docs/data.md)")
        return listing

    @abstractmethod
    def _listed(self, path: Path) -> Listing:
        """Read and check every sample, but no picture."""

    @abstractmethod
    def _loaded(self, sample: Sample, place: str) -> NativeImage:
        """Return the native pixels of a sample; *place* begins every message."""


def native_of(sample: Sample, png: bytes, place: str, field: str) -> NativeImage:
    """Return the pixels of a sample's picture, whose bytes are those of *field*."""
    native = from_levels(decode_picture(png, f"{place}: {field}"), sample, place)
    check_points(sample, native.values.shape, place)
    return native


def check_points(sample: Sample, shape: tuple[int, ...], place: str) -> None:
    """Raise DataError if a truth point lies outside a picture of *shape* (height, width)."""
    height, width = shape
    for point in sample.truth_points:
        if not (0 <= point.x <= width and 0 <= point.y <= height):
            raise DataError(
                f"{place}: truth_points: {point.name!r} ({point.x:g}, {point.y:g}) lies outside the picture "
                f"of {width} x {height} px (x to the right, y down, in pixels from the outer corner)"
            )


def _path_fault(image: str) -> str:
    path = PurePosixPath(image)
    if path.is_absolute() or PureWindowsPath(image).anchor or ".." in path.parts or "\\" in image or "\0" in image:
        return f"image: {image!r} must be a path below the file's own folder, with forward slashes and without '..'"
    return ""


def _target_fault(sample: Sample) -> str:
    if sample.asks.is_plausible(sample.target):
        return ""
    return f"target: {list(sample.target)} is no {sample.task} target; expected {sample.asks.plausible}"
