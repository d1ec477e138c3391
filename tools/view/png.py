"""PNG bytes of pictures and back. The same pixels always give the same bytes."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from medvision_agent.errors import DataError
from medvision_agent.tools.view.slice import Grey

__all__ = ["Picture", "decode_png", "encode_png", "reduced", "rgb_png"]


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture for the model: grey (h, w) or RGB (h, w, 3) bytes, and the caption sent with it."""

    pixels: NDArray[np.uint8]
    caption: str


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Return the PNG file of a grey (h, w) or RGB (h, w, 3) picture."""
    stored: NDArray[Any] = pixels if pixels.ndim == 2 else np.ascontiguousarray(pixels[:, :, ::-1])  # cv2 wants BGR
    # Fixed settings: bytes name pictures in the store, a library default may change.
    ok, data = cv2.imencode(".png", stored, [cv2.IMWRITE_PNG_COMPRESSION, 6])
    if not ok:
        raise ValueError(f"cannot encode a picture of shape {pixels.shape} as PNG")
    return data.tobytes()


def reduced(data: bytes, longest: int) -> bytes:
    """Return a PNG file whose longer side has at most so many pixels; *data* itself where it has, or cannot be read."""
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) if data else None
    if pixels is None or pixels.dtype != np.uint8 or max(pixels.shape[:2]) <= longest:
        return data
    share = longest / max(pixels.shape[:2])
    height, width = (max(1, round(side * share)) for side in pixels.shape[:2])
    small = np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    return encode_png(small if small.ndim == 2 else small[:, :, 2::-1])


def decode_png(data: bytes) -> Grey:
    """Return the grey values (h, w) of a PNG file; colours are turned to grey. Raises DataError if it is broken."""
    return _decoded(data, cv2.IMREAD_GRAYSCALE)


def rgb_png(data: bytes) -> bytes:
    """Return a PNG file with three channels, equal ones where it was grey. Raises DataError if it is broken."""
    return encode_png(_decoded(data, cv2.IMREAD_COLOR)[:, :, ::-1])


def _decoded(data: bytes, way: int) -> NDArray[np.uint8]:
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), way) if data else None
    if pixels is None:
        raise DataError("not a readable PNG picture")
    return np.asarray(pixels, np.uint8)
