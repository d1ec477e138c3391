"""2-D images: PNG, JPEG and TIFF files of one plane each. Any spacing or plane that they state is not trusted.

Pixels are taken as they are stored: a JPEG's note which side is up is ignored, because annotations refer to the
stored pixels. Colours become grey. The resolution that a file names is that of a print, and is never used.
"""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from medvision_agent.errors import DataError
from medvision_agent.eval.data.sources.picture import MAX_SIDE, read_picture
from medvision_agent.eval.importing.choices import Choices
from medvision_agent.eval.importing.found import Ledger, Scan

__all__ = ["SUFFIXES", "numbered", "read_levels", "read_numbers", "read_picture_file"]

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")


def read_picture_file(path: Path, choices: Choices, ledger: Ledger) -> Scan:
    """Return a 2-D image; raises DataError with the reason, without the path."""
    pixels = _decoded(path)
    grey = pixels if pixels.ndim == 2 else _grey(pixels)
    if grey.dtype not in (np.uint8, np.uint16):
        raise DataError(f"its pixels are {grey.dtype}; expected 8-bit or 16-bit whole numbers, so convert the file")
    if pixels.ndim == 3:
        ledger.note("native values", "8-bit colour, turned to grey")
    elif grey.dtype == np.uint8:
        ledger.note("native values", "8-bit grey levels, as displayed")
    else:
        ledger.note("native values", "16-bit grey, as stored")
    return Scan(
        path=path,
        person="",
        values=grey[:, :, None],
        displayed=grey.dtype == np.uint8,
        hu=choices.units == "HU" and grey.dtype == np.uint16,
        spacing=choices.spacing,
        modality=choices.modality,
    )


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
    pixels = _decoded(path)
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


def _decoded(path: Path) -> NDArray[np.generic]:
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


def _grey(pixels: NDArray[np.generic]) -> NDArray[np.generic]:
    if pixels.dtype != np.uint8:
        raise DataError("it has 16-bit colour; expected 8-bit colour, or 8-bit or 16-bit grey")
    code = cv2.COLOR_BGRA2GRAY if pixels.shape[2] == 4 else cv2.COLOR_BGR2GRAY
    return np.asarray(cv2.cvtColor(np.asarray(pixels, np.uint8), code))
