"""The volumes whose slices the samples of one file ask about: NIfTI files in the file's folder or below it.

Contract: everything that a header states is checked while the samples are read, and the pixel size of a sample is the
header's. What is wrong is a DataError that names the sample's place and the key. Slices are read, and their units
declared, as those of MedVision's volumes are (``eval/data/medvision/volume.py``).
"""

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from medvision_agent.errors import DataError
from medvision_agent.eval.data.medvision.volume import Header, VolumeCache, read_header
from medvision_agent.eval.data.sample import PixelSize, Sample, StoredValues, VolumeSlice
from medvision_agent.eval.data.source import NativeImage
from medvision_agent.eval.data.sources.checks import check_points, parse_sample
from medvision_agent.eval.data.sources.picture import MAX_SIDE, path_inside
from medvision_agent.eval.data.sources.spacing import in_mm, same_spacing, written
from medvision_agent.tools.view.slice import Units

__all__ = ["Volumes"]

_SUFFIXES = (".nii", ".nii.gz")
_KEYS = '"volume": {"slice_dim": 2, "slice_idx": 40}'


class Volumes:
    """The volumes that one file of samples names, with each header read once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._slices = VolumeCache()
        self._found: dict[str, tuple[Path, Header]] = {}
        self._hashes: dict[Path, str] = {}
        self._contents: dict[Path, int] = {}

    def sample(self, text: bytes, place: str) -> Sample:
        """Return the sample in one JSON object; if it names a slice of a volume, with the pixel size of the volume.

        Raises DataError, whose message begins with *place*, if sample or volume are wrong.
        """
        complete = _with_pixel_size(text)
        sample = parse_sample(complete, place)
        if sample.volume is not None:
            return self._checked(sample, sample.volume, place, stated=complete is text)
        if sample.image.lower().endswith(_SUFFIXES):
            example = f"for example: {_KEYS}"
            raise DataError(f"{place}: volume: is missing; {sample.image!r} is a volume, so name a slice, {example}")
        return sample

    def size(self, image: str, asked: VolumeSlice, place: str) -> tuple[int, int]:
        """Return height and width in pixels of the slice *asked* of the volume in the file *image*.

        Raises DataError, beginning with *place*, where the volume's header cannot be used.
        """
        header = self.header(image, place)
        height, width = (header.shape[axis] for axis in range(3) if axis != asked.slice_dim)
        return height, width

    def stated_size(self, image: str, stated: object, place: str) -> tuple[int, int] | None:
        """Return height and width in pixels of the slice that *stated* (the key ``volume``) names in the file *image*.

        None if *stated* does not have the documented form; the parser of samples then reports it. Raises DataError,
        beginning with *place*, where the volume's header cannot be used.
        """
        try:
            return self.size(image, VolumeSlice.model_validate(stated), place)
        except ValidationError:
            return None

    def header(self, image: str, place: str) -> Header:
        """Return the header of the volume in the file *image*, with its spacing in mm.

        Raises DataError, beginning with *place*, if the file cannot be read or its header states no clear spacing.
        """
        return self._opened(image, place)[1]

    def load(self, sample: Sample, asked: VolumeSlice, place: str) -> NativeImage:
        """Return the slice *asked* of a sample's volume in native values, with access to the neighbouring slices.

        Raises DataError, beginning with *place*, if the volume cannot be read.
        """
        path, header = self._opened(sample.image, place)
        try:
            units = Units.HU if sample.values else Units.UNKNOWN
            native = self._slices.native(path, asked.slice_dim, asked.slice_idx, units)
        except DataError as error:
            raise DataError(f"{place}: image: {error}") from None
        if native.stack is None:
            return native
        return replace(native, stack=replace(native.stack, step_mm=header.zooms[asked.slice_dim]))

    def content(self, image: str, place: str) -> int:
        """Return a hash of the shape and the values of a volume; the file's name and packing do not change it.

        Raises DataError, beginning with *place*, if the volume cannot be read.
        """
        path, header = self._opened(image, place)
        if path not in self._contents:
            digest = hashlib.blake2b(repr(header.shape).encode(), digest_size=8)
            try:
                for index in range(header.shape[2]):
                    digest.update(self._slices.slice(path, 2, index).tobytes())
            except DataError as error:
                raise DataError(f"{place}: image: {error}") from None
            self._contents[path] = int.from_bytes(digest.digest(), signed=True)
        return self._contents[path]

    def sha256(self, samples: Iterable[Sample]) -> str | None:
        """Return a SHA-256 over the files of all volumes, sample by sample; None where no sample names a volume."""
        digest, any_there = hashlib.sha256(), False
        for sample in samples:
            if sample.volume is not None:
                digest.update(self._hash(self._opened(sample.image, sample.id)[0]).encode())
                any_there = True
        return digest.hexdigest() if any_there else None

    def _hash(self, path: Path) -> str:
        if path not in self._hashes:
            try:
                with path.open("rb") as file:
                    self._hashes[path] = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError as error:
                raise DataError(f"{path}: this volume cannot be read ({error.strerror}); check the path") from None
        return self._hashes[path]

    def _opened(self, image: str, place: str) -> tuple[Path, Header]:
        """Return the path of a volume and its header, checked to state a spacing in mm; raises DataError."""
        if image not in self._found:
            path = path_inside(self._folder, image, place)
            try:
                header = read_header(path)
            except DataError as error:
                raise DataError(f"{place}: image: {error}") from None
            try:
                header = in_mm(header)
            except DataError as error:
                raise DataError(f"{place}: image: {path}: {error}") from None
            if wrong := _fault(header):
                raise DataError(f"{place}: image: {path}: {wrong}")
            self._found[image] = path, header
        return self._found[image]

    def _checked(self, sample: Sample, asked: VolumeSlice, place: str, *, stated: bool) -> Sample:
        """Return *sample* with its header's pixel size; raises DataError where sample and header do not agree.

        *stated*: the sample itself gives a pixel size, which must equal the header's.
        """
        path, header = self._opened(sample.image, place)
        count = header.shape[asked.slice_dim]
        if asked.slice_idx >= count:
            raise DataError(
                f"{place}: volume.slice_idx: there is no slice {asked.slice_idx}; {path}, of shape {header.shape}, has "
                f"the slices 0 to {count - 1} along axis {asked.slice_dim} (slice_dim)"
            )
        down, across = (axis for axis in range(3) if axis != asked.slice_dim)
        height, width = header.shape[down], header.shape[across]
        if max(height, width) > MAX_SIDE:
            raise DataError(
                f"{place}: image: the slice has {width} x {height} px; expected at most {MAX_SIDE} px on each side"
            )
        size, said = PixelSize(height_mm=header.zooms[down], width_mm=header.zooms[across]), sample.pixel_size
        if stated and not same_spacing((said.height_mm, said.width_mm), (size.height_mm, size.width_mm)):
            raise DataError(
                f"{place}: pixel_size: {said.height_mm:g} mm down and {said.width_mm:g} mm across, but the header of "
                f"{path} says {size.height_mm:g} and {size.width_mm:g}; leave pixel_size out, or correct one of them"
            )
        if sample.values is not None and sample.values != StoredValues(units=sample.values.units):
            raise DataError(
                f"{place}: values: slope and intercept are read from the volume's header; leave them out and give only "
                "units"
            )
        check_points(sample, (height, width), place)
        return sample.but(pixel_size=size)


def _with_pixel_size(text: bytes) -> bytes:
    """Return the JSON text with a placeholder pixel size where a volume's sample states none.

    Any other text unchanged.
    """
    with suppress(ValueError):  # not JSON: the parser of samples reports it
        fields = from_json(text) if b'"volume"' in text or b".nii" in text.lower() else None
        if not isinstance(fields, dict) or "pixel_size" in fields:
            return text
        if fields.get("volume") or str(fields.get("image")).lower().endswith(_SUFFIXES):
            return to_json(fields | {"pixel_size": {"height_mm": 1.0, "width_mm": 1.0}})
    return text


def _fault(header: Header) -> str:
    """Return the reason why a header does not state a clear spacing in mm, or an empty string."""
    if header.sform_zooms is not None and not same_spacing(header.sform_zooms, header.zooms):
        return (
            f"pixdim says a spacing of {written(header.zooms)} mm, but sform says {written(header.sform_zooms)} mm; "
            "correct the one that is wrong"
        )
    return ""
