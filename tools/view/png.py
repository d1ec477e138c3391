"""PNG bytes of pictures and back. The same pixels always give the same bytes."""

from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256
from threading import Lock

import cv2
import numpy as np
from numpy.typing import NDArray

from medvision_agent.errors import DataError
from medvision_agent.tools.view.slice import Grey

__all__ = ["Picture", "decode_png", "encode_png", "pixels_sha256", "png_names", "reduced", "rgb_png"]

# Bytes name pictures in the store, and a library's default may change: everything is fixed. How the settings were
# chosen: ``benchmarks/pictures.py``.
_GREY = (
    *(cv2.IMWRITE_PNG_COMPRESSION, 1),
    *(cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE),
    *(cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_AVG),
)
_COLOUR = (
    *(cv2.IMWRITE_PNG_COMPRESSION, 2),
    *(cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_DEFAULT),
    *(cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_AVG),
)
_EARLIER = (cv2.IMWRITE_PNG_COMPRESSION, 6)
"""OpenCV's settings in earlier versions: they made other bytes of the same pixels, which stored runs still hold."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture that is sent to the model: pixels, grey (h, w) or RGB (h, w, 3), and the caption sent with it."""

    pixels: NDArray[np.uint8]
    caption: str


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Return the PNG file of a grey (h, w) or RGB (h, w, 3) image; recent results are cached."""
    return _recent.file(pixels)


def png_names(data: bytes) -> frozenset[str]:
    """Return the SHA-256 of every PNG file that this or an earlier version would make of a PNG file's pixels.

    Raises DataError if it is broken.
    """
    pixels = _decoded(data, cv2.IMREAD_UNCHANGED)
    if pixels.ndim == 3:
        pixels = pixels[:, :, 2::-1]
    return frozenset(sha256(_encoded(pixels, way)).hexdigest() for way in (_settings(pixels), _EARLIER))


def _settings(pixels: NDArray[np.uint8]) -> tuple[int, ...]:
    """Return OpenCV's PNG settings for a grey (h, w) or RGB (h, w, 3) image."""
    return _GREY if pixels.ndim == 2 else _COLOUR


def _encoded(pixels: NDArray[np.uint8], settings: tuple[int, ...]) -> bytes:
    """Return the PNG file of an image by OpenCV's *settings*; raises ValueError for pixels that cannot be encoded."""
    stored = pixels if pixels.ndim == 2 else cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2BGR)
    ok, data = cv2.imencode(".png", stored, settings)
    if not ok:
        raise ValueError(
            f"a picture of shape {pixels.shape} and type {pixels.dtype} cannot be encoded as PNG; expected uint8 of "
            "shape (h, w) or (h, w, 3)"
        )
    return data.tobytes()


class _Recent:
    """A cache of the latest PNG files, of at most *most* bytes: arms of a study and questions share images."""

    def __init__(self, most: int) -> None:
        self._most, self._size = most, 0
        self._files: OrderedDict[tuple[tuple[int, ...], bytes], bytes] = OrderedDict()
        self._lock = Lock()

    def file(self, pixels: NDArray[np.uint8]) -> bytes:
        """Return the PNG file of an image, from the cache if it is there."""
        key = pixels.shape, sha256(np.ascontiguousarray(pixels).data).digest()
        with self._lock:
            if key in self._files:
                self._files.move_to_end(key)
                return self._files[key]
        file = _encoded(pixels, _settings(pixels))
        with self._lock:
            self._size += len(file) - len(self._files.get(key, b""))
            self._files[key] = file
            while self._size > self._most:
                self._size -= len(self._files.popitem(last=False)[1])
        return file


_recent = _Recent(32 * 2**20)


def reduced(data: bytes, longest: int) -> bytes:
    """Return a PNG file whose longer side has at most *longest* pixels.

    Returns *data* itself where it is small enough already, has more than 8 bits per channel, or cannot be read.
    """
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) if data else None
    if pixels is None or pixels.dtype != np.uint8 or max(pixels.shape[:2]) <= longest:
        return data
    share = longest / max(pixels.shape[:2])
    height, width = (max(1, round(side * share)) for side in pixels.shape[:2])
    small = np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    return encode_png(small if small.ndim == 2 else small[:, :, 2::-1])


def pixels_sha256(data: bytes) -> str:
    """Return the SHA-256 of a PNG file's pixels, independent of its encoder. Raises DataError if it is broken."""
    pixels = _decoded(data, cv2.IMREAD_UNCHANGED)
    return sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest()


def decode_png(data: bytes) -> Grey:
    """Return the grey values (h, w) of a PNG file; colours are turned to grey. Raises DataError if it is broken."""
    return _decoded(data, cv2.IMREAD_GRAYSCALE)


def rgb_png(data: bytes) -> bytes:
    """Return a PNG file with three channels, equal ones where it was grey. Raises DataError if it is broken."""
    return encode_png(_decoded(data, cv2.IMREAD_COLOR)[:, :, ::-1])


def _decoded(data: bytes, way: int) -> NDArray[np.uint8]:
    """Return the pixels of a PNG file, read by the OpenCV flag *way*, colours as BGR; raises DataError if broken."""
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), way) if data else None
    if pixels is None:
        raise DataError("not a readable PNG picture")
    return np.asarray(pixels, np.uint8)
