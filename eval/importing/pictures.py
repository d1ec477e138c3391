"""2-D images: PNG, JPEG and TIFF files of one plane each. Any spacing or plane that they state is not trusted.

Pixels are taken as they are stored: the orientation tag of a JPEG is ignored, because annotations refer to the
stored pixels. Colours become grey. The resolution that a file names is that of a print, and is never used.
"""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from medvision_agent.errors import DataError
from medvision_agent.eval.data.sources.masks import decoded
from medvision_agent.eval.importing.choices import Choices
from medvision_agent.eval.importing.found import Scan
from medvision_agent.eval.importing.ledger import Ledger

__all__ = ["SUFFIXES", "read_picture_file"]

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")


def read_picture_file(path: Path, choices: Choices, ledger: Ledger) -> Scan:
    """Return the image in a PNG, JPEG or TIFF file; raises DataError with the reason, without the path."""
    pixels = decoded(path)
    grey = pixels if pixels.ndim == 2 else _grey(pixels)
    if grey.dtype not in (np.uint8, np.uint16):
        raise DataError(f"the pixels are {grey.dtype}; expected whole numbers of 8 or 16 bits, so convert the file")
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


def _grey(pixels: NDArray[np.generic]) -> NDArray[np.generic]:
    if pixels.dtype != np.uint8:
        raise DataError(
            "the image has 16-bit colour; expected 8-bit colour, or 8-bit or 16-bit grey, so convert the file"
        )
    code = cv2.COLOR_BGRA2GRAY if pixels.shape[2] == 4 else cv2.COLOR_BGR2GRAY
    return np.asarray(cv2.cvtColor(np.asarray(pixels, np.uint8), code))
