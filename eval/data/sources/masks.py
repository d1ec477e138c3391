"""Masks of 2-D images: PNG and TIFF files whose grey levels number the structures."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from medvision_agent.errors import DataError
from medvision_agent.eval.data.sources.picture import MAX_SIDE, read_picture

__all__ = ["decoded", "numbered", "read_levels", "read_numbers"]


def read_numbers(path: Path, size: tuple[int, int]) -> NDArray[np.int64]:
    """Return the structure's number at each pixel of a mask file, (h, w, 1).

    *size* is the height and width of its image. A mask with only the levels 0 and 255 is read as 0 and 1. Raises
    DataError for an unreadable mask, another size, colours, numbers that are not whole, or a JPEG file.
    """
    return numbered(read_levels(path, size))[:, :, None]


def numbered(levels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the numbers of structures from a mask's grey levels; 255 becomes 1 where only 0 and 255 occur."""
    return levels // 255 if set(np.unique(levels).tolist()) <= {0, 255} else levels


def read_levels(path: Path, size: tuple[int, int]) -> NDArray[np.int64]:
    """Return a mask's grey levels, (h, w); *size* is the height and width of its image.

    Raises DataError for an unreadable mask, another size, colours, levels that are not whole numbers, or a JPEG file.
    """
    pixels = decoded(path)
    if pixels.ndim == 3:
        levels = pixels[:, :, :3]
        if (levels != levels[:, :, :1]).any():
            raise DataError("the mask is a colour image; give one whose grey levels number the structures")
        pixels = levels[:, :, 0]
    if pixels.shape != size:
        raise DataError(
            f"the mask has {pixels.shape[1]} x {pixels.shape[0]} px, but the image has {size[1]} x {size[0]} px; give "
            "a mask of the image's size"
        )
    if pixels.dtype.kind != "u":
        raise DataError(
            f"the mask has pixels of the type {pixels.dtype}; expected whole numbers from 0, so save it in 8 or 16 bits"
        )
    if path.suffix.lower() in {".jpg", ".jpeg"}:
        raise DataError("the mask is a JPEG file, which blurs its edges; save it as PNG")
    return pixels.astype(np.int64)


def decoded(path: Path) -> NDArray[np.generic]:
    """Return the stored pixels of a PNG, JPEG or TIFF file, (h, w) or (h, w, channels).

    Raises DataError, whose message does not name the path, for any other file, and for a TIFF file of several pages.
    """
    try:
        data = read_picture(path)
    except OSError as error:
        raise DataError(f"this file cannot be read ({error.strerror}); check the path") from None
    buffer = np.frombuffer(data, np.uint8)
    try:
        if path.suffix.lower() in {".tif", ".tiff"} and data:
            ok, pages = cv2.imdecodemulti(buffer, cv2.IMREAD_UNCHANGED)
            if ok and len(pages) > 1:
                raise DataError(f"the TIFF file has {len(pages)} pages; save each page as a file of its own")
        pixels = cv2.imdecode(buffer, cv2.IMREAD_UNCHANGED) if data else None
    except cv2.error:
        pixels = None
    if pixels is None:
        raise DataError("the file is not a readable PNG, JPEG or TIFF image; save the image again as PNG")
    if max(pixels.shape[:2]) > MAX_SIDE:
        raise DataError(
            f"the image has {pixels.shape[1]} x {pixels.shape[0]} px; at most {MAX_SIDE} px are accepted on each side, "
            "so cut it to the part that is needed"
        )
    return np.asarray(pixels)
