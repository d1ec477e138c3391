"""Native values of a DICOM frame: rescaled grey values, with inverted images corrected and padding replaced.

* HU only where ``RescaleType`` says so, or a CT image has a rescale and no type, as its definition has it.
* MONOCHROME1 (the least value is white) is inverted, unless values are HU.
* Padding is no tissue: it takes the least value of the rest of its slice.
* Colours become grey. Overlays are not drawn. A window in the header is kept as a note; values are not clipped to it.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from medvision_agent.errors import DataError
from medvision_agent.eval.importing.dicom_frames import Frame
from medvision_agent.tools.view.slice import FloatImage

__all__ = ["Values", "values_of"]


@dataclass(frozen=True, eq=False)
class Values:
    """The native values (h, w) of one frame, and how they follow from the stored pixels."""

    values: FloatImage
    hu: bool
    """Whether the values are Hounsfield units."""
    displayed: bool
    """Whether the values are grey levels 0 to 255, as displayed."""
    padded: int
    """How many pixels are padding."""
    said: str
    """How the values follow from the stored pixels, in words."""
    notes: tuple[str, ...]
    """The window in the header, in words; empty if it states none."""


def values_of(frame: Frame) -> Values:
    """Return the native values of a frame, rescaled where its header says so, and colours turned to grey.

    Inverted images (MONOCHROME1) are corrected unless values are HU, and padding gets the least value of the rest of
    its slice. Raises DataError if its colours, its rescale or its padding are not as DICOM defines them.
    """
    kind = str(frame.get("PhotometricInterpretation") or "")
    if kind == "PALETTE COLOR" or frame.stored.ndim == 3:
        return _colour(frame, kind)
    if kind not in {"MONOCHROME1", "MONOCHROME2"}:
        raise DataError(
            f"PhotometricInterpretation: {kind or 'missing'}; expected MONOCHROME1 or 2, RGB, YBR or PALETTE COLOR"
        )
    stored = frame.stored.astype(np.float64)
    padding = _padding(frame, stored)
    slope, inter, rescaled = _scale(frame)
    hu = rescaled and _is_hu(frame)
    bits = int(frame.get("BitsStored") or 16)
    said = [f"DICOM pixels, rescale {slope:g} and {inter:g}" if rescaled else "DICOM pixels, as stored (no rescale)"]
    if frame.get("ModalityLUTSequence"):
        from pydicom.pixels.processing import apply_modality_lut  # noqa: PLC0415 - the extra `import`

        values, said = np.asarray(apply_modality_lut(frame.stored, frame.dataset), np.float64), ["DICOM modality LUT"]
    else:
        values = stored * slope + inter
    if kind == "MONOCHROME1" and not hu:
        low = -(2 ** (bits - 1)) if int(frame.get("PixelRepresentation") or 0) else 0
        ends = (2 * low + 2**bits - 1) * slope + 2 * inter
        values = (values.min() + values.max() if frame.get("ModalityLUTSequence") else ends) - values
        said.append("MONOCHROME1 inverted")
    if hu:
        said.append("HU")
    if padding.any() and not padding.all():
        values[padding] = values[~padding].min()
    plain = bits <= 8 and not rescaled and values.min() >= 0 and values.max() <= 255
    return Values(
        np.asarray(values, np.float32), hu, bool(plain), int(padding.sum()), ", ".join(said), _window(frame)
    )  # fmt: skip


def _colour(frame: Frame, kind: str) -> Values:
    pixels = frame.stored
    if kind == "PALETTE COLOR":
        from pydicom.pixels.processing import apply_color_lut  # noqa: PLC0415 - the extra `import`

        pixels = np.asarray(apply_color_lut(pixels, frame.dataset))
        if pixels.dtype == np.uint16:
            pixels = (pixels >> 8).astype(np.uint8)
    if pixels.dtype != np.uint8 or pixels.shape[2] < 3:
        raise DataError(f"the colour channels are {pixels.dtype}; expected three channels of 8 bits")
    grey = cv2.cvtColor(np.ascontiguousarray(pixels[:, :, :3]), cv2.COLOR_RGB2GRAY)
    return Values(np.asarray(grey, np.float32), False, True, 0, "DICOM colours, turned to grey", ())


def _scale(frame: Frame) -> tuple[float, float, bool]:
    """Return slope and intercept of the rescale, and whether the header states them (else 1, 0 and False)."""
    slope, inter = frame.numbers("RescaleSlope", 1), frame.numbers("RescaleIntercept", 1)
    if slope is None and inter is None:
        return 1.0, 0.0, False
    if slope is None or inter is None or slope[0] == 0:
        raise DataError(
            "RescaleSlope and RescaleIntercept: expected both, and a slope other than 0; correct the header"
        )
    return slope[0], inter[0], True


def _is_hu(frame: Frame) -> bool:
    kind = str(frame.get("RescaleType") or "").strip().upper()
    return kind == "HU" or (not kind and str(frame.get("Modality") or "") == "CT")


def _padding(frame: Frame, stored: NDArray[np.float64]) -> NDArray[np.bool_]:
    value: Any = frame.get("PixelPaddingValue")
    if value is None:
        return np.zeros(stored.shape, np.bool_)
    limit: Any = frame.get("PixelPaddingRangeLimit")
    try:
        low, high = sorted((float(value), float(value if limit is None else limit)))
    except (TypeError, ValueError):
        raise DataError("PixelPaddingValue, PixelPaddingRangeLimit: expected numbers; correct the header") from None
    return np.asarray((stored >= low) & (stored <= high), np.bool_)


def _window(frame: Frame) -> tuple[str, ...]:
    pairs = [frame.get(name) for name in ("WindowCenter", "WindowWidth")]
    try:
        centre, width = (float(one if isinstance(one, int | float | str) else one[0]) for one in pairs)
    except (TypeError, ValueError, IndexError):
        return ()
    return (f"window in the header: level {centre:g}, width {width:g}",)
