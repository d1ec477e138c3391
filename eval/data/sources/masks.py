"""Masks of 2-D images: PNG and TIFF files whose grey levels number the structures."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from medvision_agent.errors import DataError
from medvision_agent.eval.data.sources.picture import MAX_SIDE, read_picture

__all__ = ["decoded", "numbered", "read_levels", "read_numbers"]


def read_numbers(path: Path, size: tuple[int, int]) -> NDArray[np.int64]:
    """Return a mask's numbers, (h, w, 1); DataError where it has another size (height, width) or colours.

    A mask with only the levels 0 and 255 is read as 0 and 1.
    """
    return numbered(read_levels(path, size))[:, :, None]


def numbered(levels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the numbers of structures in the grey levels of a mask: of 0 and 255 alone, 0 and 1."""
    return levels // 255 if set(np.unique(levels).tolist()) <= {0, 255} else levels


def read_levels(path: Path, size: tuple[int, int]) -> NDArray[np.int64]:
    """Return a mask's grey levels, (h, w); DataError where it has another size (height, width) or colours."""
    pixels = decoded(path)
    if pixels.ndim == 3:
        levels = pixels[:, :, :3]
        if (levels != levels[:, :, :1]).any():
            raise DataError("the mask is a colour image; give one whose grey levels number the structures")
        pixels = levels[:, :, 0]
    if pixels.shape != size:
        raise DataError(
            f"the mask has {pixels.shape[1]} x {pixels.shape[0]} px, the image {size[1]} x {size[0]}; make them equal"
        )
    if pixels.dtype.kind != "u":
        raise DataError(f"the mask holds {pixels.dtype}; expected whole numbers from 0")
    if path.suffix.lower() in {".jpg", ".jpeg"}:
        raise DataError("the mask is a JPEG file, which blurs its edges; save it as PNG")
    return pixels.astype(np.int64)


def decoded(path: Path) -> NDArray[np.generic]:
    """Return the stored pixels of a PNG, JPEG or TIFF file of one plane; raises DataError without the path."""
    try:
        data = read_picture(path)
    except OSError as error:
        raise DataError(f"cannot read it ({error.strerror})") from None
    buffer = np.frombuffer(data, np.uint8)
    try:
        if path.suffix.lower() in {".tif", ".tiff"} and data:
            ok, pages = cv2.imdecodemulti(buffer, cv2.IMREAD_UNCHANGED)
            if ok and len(pages) > 1:
                raise DataError(f"the TIFF file has {len(pages)} pages; save each page as a file")
        pixels = cv2.imdecode(buffer, cv2.IMREAD_UNCHANGED) if data else None
    except cv2.error:
        pixels = None
    if pixels is None:
        raise DataError("not a readable PNG, JPEG or TIFF image")
    if max(pixels.shape[:2]) > MAX_SIDE:
        raise DataError(f"{pixels.shape[1]} x {pixels.shape[0]} px; at most {MAX_SIDE} px a side are accepted")
    return np.asarray(pixels)
