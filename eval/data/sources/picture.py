"""Reading images: from PNG bytes to native values, and only from files inside their folder.

Native values are stored in 16-bit images: value = stored x slope + intercept, as the sample's ``values`` say, with
their unit. An export stores integers that span at most 65,535 exactly, shifted. It rounds other values to 65,536 levels
of the slice's own range.
"""

import errno
import os
import stat
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from medvision_agent.errors import DataError
from medvision_agent.eval.data.sample import Sample, StoredValues
from medvision_agent.eval.data.source import Inspected, NativeImage
from medvision_agent.tools.view.slice import Units

__all__ = ["EIGHT_BITS", "MAX_SIDE", "decode_picture", "from_levels", "inspect_picture", "path_inside", "picture_size"]
__all__ += ["read_inside", "read_picture", "size_in", "to_levels"]


MAX_SIDE = 8192
"""Longest side in pixels; far above any slice, and low enough that a forged header cannot exhaust the memory."""
MAX_BYTES = 2**29
"""Largest image file in bytes: four channels of 16 bits at the longest sides take no more."""
EIGHT_BITS = (
    "values: cannot be given for an 8-bit image, whose numbers are grey levels as displayed; leave values out, or give "
    "a 16-bit grey image"
)
_NOT_REGULAR = "it is not a regular file but, for instance, a folder"
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def path_inside(folder: Path, image: str, place: str) -> Path:
    """Return the path of the regular file *image* below *folder*.

    Raises DataError, beginning with *place*, for a missing file and for a link that leads out of the folder.
    """
    with _named(folder, image, place):
        path = (folder / image).resolve(strict=True)
        if not path.is_relative_to(folder.resolve()):
            raise DataError(f"{place}: image: {image!r} leads out of {folder}; copy the file into this folder")
        if not path.is_file():
            raise OSError(errno.EINVAL, _NOT_REGULAR)
    return path


def read_inside(folder: Path, image: str, place: str) -> bytes:
    """Return the bytes of the file *image* below *folder*.

    Raises DataError, beginning with *place*, if it is missing, unreadable, too large or outside the folder.
    """
    path = path_inside(folder, image, place)
    with _named(folder, image, place):
        return read_picture(path)


@contextmanager
def _named(folder: Path, image: str, place: str) -> Iterator[None]:
    """Run a ``with`` block in which the operating system's errors become a DataError that begins with *place*."""
    try:
        yield
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links
        reason = getattr(error, "strerror", None) or "a loop of links"
        raise DataError(f"{place}: image: {folder / image} cannot be read ({reason}); check the path") from None


def read_picture(path: Path, most: int = MAX_BYTES) -> bytes:
    """Return the bytes of a regular file of at most ``MAX_BYTES``; with *most*, only that many from its beginning.

    Raises OSError for a larger file, and for a pipe or a device, which would never end.
    """
    # Opening a pipe waits for its writer, unless O_NONBLOCK is set.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(handle, "rb") as file:  # noqa: PTH123 - of a handle
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, _NOT_REGULAR)
        data = file.read(MAX_BYTES + 1 if most == MAX_BYTES else most)
    if len(data) > MAX_BYTES:
        raise OSError(errno.EFBIG, f"it is larger than {MAX_BYTES // 2**20} MiB")
    return data


def decode_picture(data: bytes, place: str) -> NativeImage:
    """Return the pixel values of a PNG file; an 8-bit colour image becomes grey.

    Raises DataError, beginning with *place*, for a damaged file, another format and 16-bit colours.
    """
    import cv2  # noqa: PLC0415 - listing samples must not wait for OpenCV

    _check_png(data, place)
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise DataError(f"{place}: the PNG image cannot be decoded; save it again")
    if pixels.ndim == 3 and pixels.dtype == np.uint8:
        code = cv2.COLOR_BGRA2GRAY if pixels.shape[2] == 4 else cv2.COLOR_BGR2GRAY
        pixels = cv2.cvtColor(pixels, code)
    if pixels.ndim != 2:
        raise DataError(f"{place}: {_WIDE_COLOUR}")
    return NativeImage(pixels.astype(np.float32), displayed=pixels.dtype == np.uint8)


def inspect_picture(data: bytes, place: str) -> Inspected:
    """Return the facts that a PNG file states, after its checksums show that it is complete.

    Raises DataError, beginning with *place*, for a damaged file, another format and 16-bit colours.
    """
    width, height, depth, colour = _check_png(data, place)
    if depth == 16 and colour not in {0, 4}:
        raise DataError(f"{place}: {_WIDE_COLOUR}")
    content = int.from_bytes(blake2b(data, digest_size=8).digest(), "big", signed=True)
    return Inspected(height, width, displayed=depth <= 8, content=content)


def picture_size(folder: Path, image: str, place: str) -> tuple[int, int]:
    """Return height and width of the PNG *image* below *folder*, from its first bytes; raises DataError."""
    path = path_inside(folder, image, place)
    with _named(folder, image, place):
        head = read_picture(path, 33)
    return size_in(head, f"{place}: image: {image}")


def size_in(data: bytes, place: str) -> tuple[int, int]:
    """Return the height and width stated in the first bytes of a PNG file; raises DataError for any other file."""
    if not data.startswith(_SIGNATURE) or len(data) < 24:
        raise DataError(f"{place}: {_NO_PNG}")
    width, height = struct.unpack(">II", data[16:24])
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        raise DataError(f"{place}: {_sides(width, height)}")
    return height, width


def _check_png(data: bytes, place: str) -> tuple[int, int, int, int]:
    """Return width, height, bits of a channel and PNG's code of the colour type, without decoding the pixels.

    Raises DataError, beginning with *place*, for a truncated or damaged file, another format and sides beyond MAX_SIDE.
    """
    if not data.startswith(_SIGNATURE):
        raise DataError(f"{place}: {_NO_PNG}")
    at, kind, found = len(_SIGNATURE), b"", (0, 0, 0, 0)
    while kind != b"IEND":
        head = data[at : at + 8]
        length = int.from_bytes(head[:4], "big")
        kind, body, crc = head[4:], data[at + 8 : at + 8 + length], data[at + 8 + length : at + 12 + length]
        if len(crc) < 4 or zlib.crc32(kind + body) != int.from_bytes(crc, "big"):
            raise DataError(f"{place}: {_DAMAGED}")
        if kind == b"IHDR":
            if len(body) < 10:
                raise DataError(f"{place}: {_DAMAGED}")
            found = width, height, _, _ = struct.unpack(">IIBB", body[:10])
            if max(width, height) > MAX_SIDE or min(width, height) < 1:
                raise DataError(f"{place}: {_sides(width, height)}")
        at += 12 + length
    return found


def _sides(width: int, height: int) -> str:
    return f"the image has {width} x {height} px; expected 1 to {MAX_SIDE} px on each side"


_FORMS = "expected a PNG image in 8-bit or 16-bit grey, or in 8-bit colour"
_NO_PNG = f"the file is not a PNG image; {_FORMS}"
_WIDE_COLOUR = f"the image is a 16-bit colour PNG; {_FORMS}"
_DAMAGED = "the PNG image is incomplete or damaged; copy or save it again"
_TOP = 65_535
_HUGE = 1e30
_HU: Literal["HU"] = "HU"


def to_levels(native: NativeImage, sample: Sample) -> tuple[NDArray[Any], Sample]:
    """Return the levels to store in a PNG, (height, width), and *sample* with the scale by which they are read back.

    ``from_levels`` reads them. Levels have 8 bits for an image as displayed, 16 bits for native values. Raises
    DataError where displayed grey levels are not whole numbers from 0 to 255, and where native values are beyond 1e30.
    """
    values = native.values.astype(np.float64)
    low, high = float(values.min()), float(values.max())
    whole = bool((values == np.rint(values)).all())
    units = _HU if native.units == Units.HU else ""
    slope, intercept = 1.0, 0.0
    if not (whole and low >= 0 and high <= (255 if native.displayed else _TOP)):
        slope, intercept = 1.0 if whole and high - low <= _TOP else (high - low) / _TOP, low
        if native.displayed or not (0 < slope < _HUGE and abs(low) < _HUGE):
            expected = "whole grey levels from 0 to 255" if native.displayed else f"values below {_HUGE:g}"
            raise DataError(
                f"{sample.id}: cannot be exported, because a PNG image cannot hold its values ({low:g} to {high:g}; "
                f"expected {expected}); select other samples"
            )
    stored = np.clip(np.rint((values - intercept) / slope), 0, _TOP).astype(np.uint8 if native.displayed else np.uint16)
    facts = sample.medvision and sample.medvision.model_copy(update={"stored_slope": 1.0, "stored_offset": 0.0})
    said = StoredValues(units=units, slope=slope, intercept=intercept)
    return stored, sample.but(values=said, volume=None, mask=None, medvision=facts)


def from_levels(native: NativeImage, sample: Sample, place: str) -> NativeImage:
    """Return the image with the native values that its stored levels (*native*, as decoded) stand for.

    The scale and the unit are those that the sample states. Raises DataError, beginning with *place*, if the sample
    states a scale for an 8-bit image.
    """
    facts, said = sample.medvision, sample.values or StoredValues()
    if sample.values is not None and native.displayed:
        raise DataError(f"{place}: {EIGHT_BITS}")
    slope, intercept = said.slope, said.intercept
    if sample.values is None and facts is not None:
        slope, intercept = facts.stored_slope, facts.stored_offset
    values = native.values
    if (slope, intercept) != (1.0, 0.0):
        values = (values.astype(np.float64) * slope + intercept).astype(np.float32)
    return NativeImage(values, native.displayed, Units.HU if said.units else Units.UNKNOWN)
