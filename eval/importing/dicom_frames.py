"""The frames of a DICOM file (one, or several of an enhanced file), each with the attributes that apply to it.

In enhanced files an attribute stands in a functional group of the frame or in one shared by all, else at the top.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medvision_agent.errors import DataError
from medvision_agent.eval.data.medvision.volume import MAX_BYTES
from medvision_agent.eval.data.sources.picture import MAX_SIDE
from medvision_agent.text import plural

__all__ = ["Frame", "frames_of"]

_GROUPS: Mapping[str, str] = {
    "PixelSpacing": "PixelMeasuresSequence",
    "SliceThickness": "PixelMeasuresSequence",
    "ImagePositionPatient": "PlanePositionSequence",
    "ImageOrientationPatient": "PlaneOrientationSequence",
    "RescaleSlope": "PixelValueTransformationSequence",
    "RescaleIntercept": "PixelValueTransformationSequence",
    "RescaleType": "PixelValueTransformationSequence",
    "WindowCenter": "FrameVOILUTSequence",
    "WindowWidth": "FrameVOILUTSequence",
}
"""The functional group that holds each attribute."""
_PACKAGES = "pip install pylibjpeg pylibjpeg-libjpeg pylibjpeg-openjpeg"


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame of a DICOM file: its stored pixels, (h, w) or (h, w, 3), and its attributes."""

    dataset: Any
    stored: NDArray[Any]
    groups: tuple[Any, ...] = ()
    """Functional groups: those of the frame before the shared ones."""

    def get(self, name: str) -> Any:
        """Return the value of an attribute by its DICOM keyword; None where it is absent or empty."""
        for group in self.groups:
            items = group.get(_GROUPS.get(name, ""), None)
            if items and items[0].get(name) not in (None, ""):
                return items[0].get(name)
        value = self.dataset.get(name)
        return None if value is None or value == "" else value

    def numbers(self, name: str, count: int) -> tuple[float, ...] | None:
        """Return the value of the attribute *name* as *count* finite numbers; None where it is absent.

        Raises DataError if it is anything else.
        """
        value = self.get(name)
        if value is None:
            return None
        try:
            found = tuple(float(one) for one in (value if count > 1 else [value]))
        except (TypeError, ValueError):
            found = ()
        if len(found) != count or not np.isfinite(found).all():
            raise DataError(f"{name}: expected {plural(count, 'finite number')}; correct the header")
        return found


def frames_of(dataset: Any) -> list[Frame]:
    """Return the decoded frames of a DICOM data set.

    Raises DataError if they cannot be decoded or are too large, or if several frames state no position.
    """
    count = int(dataset.get("NumberOfFrames") or 1)
    rows, columns = int(dataset.get("Rows") or 0), int(dataset.get("Columns") or 0)
    size = rows * columns * count * int(dataset.get("SamplesPerPixel") or 1) * 4
    if not (0 < rows <= MAX_SIDE and 0 < columns <= MAX_SIDE) or size > MAX_BYTES:
        raise DataError(
            f"the header states {plural(count, 'frame')} of {columns} x {rows} px (NumberOfFrames, Columns, Rows); "
            f"expected 1 to {MAX_SIDE} px a side, and at most {MAX_BYTES >> 30} GB for all frames"
        )
    per_frame = dataset.get("PerFrameFunctionalGroupsSequence")
    if count > 1 and not per_frame:
        raise DataError(
            f"the file holds {count} frames without positions (a cine loop), so it is unclear which frame the ground "
            "truth is about; save that frame as a file of its own"
        )
    pixels = _decoded(dataset)
    if count == 1 and pixels.ndim == (3 if int(dataset.get("SamplesPerPixel") or 1) == 1 else 4):
        pixels = pixels[0]
    shared = tuple(dataset.get("SharedFunctionalGroupsSequence") or ())
    if not per_frame:
        return [Frame(dataset, pixels, shared)]
    if len(per_frame) != count:
        raise DataError(
            f"NumberOfFrames is {count}, but PerFrameFunctionalGroupsSequence describes {len(per_frame)}; correct the "
            "header"
        )
    stack = pixels if count > 1 else pixels[None]
    return [Frame(dataset, one, (own, *shared)) for own, one in zip(per_frame, stack, strict=True)]


def _decoded(dataset: Any) -> NDArray[Any]:
    """Return the pixels as stored, YBR colours as RGB; raises DataError if they cannot be decoded."""
    from pydicom.pixels.decoders.base import get_decoder  # noqa: PLC0415 - the extra `import`
    from pydicom.pixels.utils import pixel_array  # noqa: PLC0415 - the extra `import`

    syntax = getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", None)
    if syntax is None:
        raise DataError(
            "TransferSyntaxUID is missing, so the encoding of the pixels is unknown; export the file again with it"
        )
    if "PixelData" not in dataset:
        raise DataError("the file has no attribute PixelData, so it holds no image; export it again with its pixels")
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        raise DataError(
            f"the pixels are stored as {syntax.name}, which pydicom does not decode; decompress the file first"
        ) from None
    if not decoder.is_available:
        raise DataError(f"the pixels are compressed as {syntax.name}, which needs a decoder; install: {_PACKAGES}")
    try:
        return np.asarray(pixel_array(dataset))
    except Exception as error:  # noqa: BLE001 - decoders raise anything on damaged bytes
        said = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise DataError(
            f"the pixels ({syntax.name}) cannot be decoded: the file is cut short or damaged, or a decoder is missing "
            f"({said}); for compressed files, install: {_PACKAGES}"
        ) from None
