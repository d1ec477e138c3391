"""Parsing one sample and refusing what cannot be right, with messages that name the place and the field."""

from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath

from pydantic import ValidationError

from medvision_agent.errors import DataError
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.source import NativeImage, SourceInfo
from medvision_agent.eval.data.sources.picture import decode_picture, from_levels
from medvision_agent.frozen import complaint

__all__ = ["FileSource", "check_points", "check_sample", "check_unique", "check_unmixed", "parse_sample"]


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


def check_unique(placed: Iterable[tuple[str, Sample]]) -> None:
    """Raise DataError naming both places if two samples (place, sample) have one id."""
    first: dict[str, str] = {}
    for place, sample in placed:
        if sample.id in first:
            raise DataError(f"{place}: id: {sample.id!r} is taken by {first[sample.id]}; every id must be unique")
        first[sample.id] = place


def check_unmixed(placed: Iterable[tuple[str, Sample]]) -> None:
    """Raise DataError naming two places if some samples (place, sample) are synthetic and others are not.

    All figures of a run are means over its samples: made and taken pictures must never meet in one.
    """
    first: dict[bool, str] = {}
    for place, sample in placed:
        first.setdefault(sample.marks.synthetic, place)
        if len(first) == 2:
            raise DataError(
                f"{place}: marks.synthetic: synthetic samples and others in one source ({first[True]} is marked, "
                f"{first[False]} is not); no mean may hold both, so keep each kind in a source of its own"
            )


class FileSource:
    """The samples of one file, checked, and their pictures."""

    def __init__(self, path: Path, placed: Sequence[tuple[str, Sample]], form: str) -> None:
        """Keep samples with their places in the file; DataError where there are none, or they cannot stand together.

        *form* says where one sample is expected.
        """
        if not placed:
            raise DataError(f"{path}: no samples in it; expected one {form} (docs/data.md)")
        check_unique(placed)
        check_unmixed(placed)
        self._path = path
        self._places = {sample.id: place for place, sample in placed}
        self.samples: Sequence[Sample] = tuple(sample for _, sample in placed)

    @property
    def info(self) -> SourceInfo:
        """Name the file, and say if its pictures are made."""
        return SourceInfo.of_file(self._path, self.samples)

    def _native(self, sample: Sample, png: bytes, field: str) -> NativeImage:
        """Return the pixels of a sample's picture, whose bytes are those of *field*."""
        place = self._places[sample.id]
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
