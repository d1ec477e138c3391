"""DICOM: single images and series, each image with the geometry, values and person that its header states.

A series of images with positions becomes one volume; an image without a position stands alone. Nothing of a header is
copied: a sample depends only on the attributes that are read here by name, and private ones are never read.
"""

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from medvision_agent.errors import ConfigError, DataError
from medvision_agent.eval.data.medvision.volume import MAX_BYTES
from medvision_agent.eval.importing.choices import Choices
from medvision_agent.eval.importing.dicom_frames import Frame, frames_of
from medvision_agent.eval.importing.dicom_place import grid_of
from medvision_agent.eval.importing.dicom_spacing import spacing_of
from medvision_agent.eval.importing.dicom_values import Values, values_of
from medvision_agent.eval.importing.found import Scan
from medvision_agent.eval.importing.grid import PLANES
from medvision_agent.eval.importing.ledger import Ledger

__all__ = ["Series", "open_series"]

_OTHERS = {
    "1.2.840.10008.1.3.10": "",  # DICOMDIR: a list of the files beside it
    "1.2.840.10008.5.1.4.1.1.66.4": "a DICOM segmentation: convert it to NIfTI and give it with --masks",
    "1.2.840.10008.5.1.4.1.1.481.2": "a DICOM dose, which is not an image",
    "1.2.840.10008.5.1.4.1.1.481.3": "a DICOM structure set: convert it to NIfTI masks and give these with --masks",
}
_SURELY_CLEAN = {"CT", "MR", "PT", "NM"}
"""Modalities whose images have no text in their pixels as they come from the scanner."""
_USUAL = "DICOM PixelSpacing"
_MODALITY = re.compile(r"[A-Z0-9]{1,16}")


@dataclass(frozen=True)
class Series:
    """A DICOM series of several files, or a single DICOM file."""

    paths: tuple[Path, ...]

    @property
    def path(self) -> Path:
        """The first file of the series."""
        return self.paths[0]

    def read(self, choices: Choices, ledger: Ledger) -> Scan:
        """Return the image with its values, geometry and person; raises DataError with the reason, without a path."""
        with _quiet(), _sound():
            return self._read(choices, ledger)

    def _read(self, choices: Choices, ledger: Ledger) -> Scan:
        frames: list[tuple[Frame, Path]] = []
        size = 0
        for at, path in enumerate(self.paths, start=1):
            try:
                dataset = _read(path, header=False)
                _check_people(dataset, choices)
                found_here = frames_of(dataset)
                size += sum(frame.stored.nbytes for frame in found_here)
                if size > MAX_BYTES:
                    raise DataError(
                        f"up to this file, the series takes more than {MAX_BYTES >> 30} GB of memory; move some of "
                        "its files to another folder, and import one folder at a time"
                    )
                frames += [(frame, path) for frame in found_here]
            except DataError as error:
                which = (
                    f"file {at} of {len(self.paths)} of this series, sorted by name: " if len(self.paths) > 1 else ""
                )
                raise DataError(f"{which}{error}") from None
        first = frames[0][0]
        people = {str(frame.get("PatientID") or "").strip() for frame, _ in frames}
        if len(people) > 1:
            raise DataError(
                "the files of this series have different values of PatientID; move those of each person to a folder "
                "of their own, and import one folder at a time"
            )
        placed = grid_of([frame for frame, _ in frames])
        spacing, said = spacing_of(first, choices)
        order = placed.order if placed else [0]
        found = [values_of(frames[at][0]) for at in order]
        _check_alike(found)
        modality = _modality(first)
        scan = Scan(
            path=self.path,
            person=people.pop(),
            values=np.stack([one.values.T if placed else one.values for one in found], axis=-1),
            displayed=found[0].displayed,
            hu=found[0].hu,
            grid=placed.grid if placed else None,
            spacing=None if placed else spacing,
            usual=PLANES[2 - placed.grid.names.index(2)] if placed else "",
            thickness_mm=placed.thickness_mm if placed else 0.0,
            modality=modality,
            notes=(*found[0].notes, *([said] if said not in {"", _USUAL} else [])),
            slices={} if len(self.paths) == 1 else {frames[at][1]: row for row, at in enumerate(order)},
        )
        _account(scan, first, said, found, ledger)
        return scan


def open_series(paths: list[Path], ledger: Ledger) -> Iterator[Series]:
    """Yield the series of these files in the order of their first files.

    Files without an image are noted in *ledger* as left out. Raises ConfigError if pydicom is not installed.
    """
    with _quiet():
        groups = _grouped(paths, ledger)
    yield from (Series(tuple(group)) for group in groups.values())


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence pydicom's warnings during a ``with`` block: they may contain values of attributes that are not read."""
    logger = logging.getLogger("pydicom")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)  # the loggers of its modules use this level
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)


def _grouped(paths: list[Path], ledger: Ledger) -> dict[str, list[Path]]:
    groups: dict[str, list[Path]] = {}
    for path in paths:
        try:
            with _sound():
                key = _key(path)
        except DataError as error:
            if str(error):
                ledger.leave("DICOM", path, str(error))
            continue
        groups.setdefault(key, []).append(path)
    return groups


def _key(path: Path) -> str:
    """Return a key that only the files of one series share.

    Raises DataError if the file has no image; its message is empty for a file to be ignored without notice.
    """
    header = _read(path, header=True)
    kind = str(header.get("SOPClassUID") or "")
    if "Rows" not in header or kind in _OTHERS:
        raise DataError(_OTHERS.get(kind, "a DICOM file without an image"))
    several = "ImagePositionPatient" in header and int(header.get("NumberOfFrames") or 1) == 1
    return (str(header.get("SeriesInstanceUID") or "") if several else "") or f"file {path}"


@contextmanager
def _sound() -> Iterator[None]:
    """Run a ``with`` block in which errors from header values of a wrong type become a DataError."""
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, NotImplementedError, EOFError) as error:
        raise DataError(
            f"an attribute of the DICOM header has a value of the wrong type ({type(error).__name__}); correct the "
            "header"
        ) from None


def _read(path: Path, *, header: bool) -> Any:
    try:
        import pydicom  # noqa: PLC0415 - the extra `import`
    except ImportError:
        raise ConfigError(
            "DICOM files need the package pydicom; install it with: pip install 'medvision-agent[import]'"
        ) from None
    try:
        return pydicom.dcmread(path, stop_before_pixels=header)
    except OSError as error:
        raise DataError(f"cannot read the file ({error.strerror})") from None
    except Exception as error:  # noqa: BLE001 - a parser may raise anything on damaged bytes
        raise DataError(
            f"not a readable DICOM file, or a damaged one ({type(error).__name__}); export it again"
        ) from None


def _check_people(dataset: Any, choices: Choices) -> None:
    burned = str(dataset.get("BurnedInAnnotation") or "").upper() == "YES"
    if burned and not (choices.accept_burned_in or choices.redact):
        raise DataError(
            "BurnedInAnnotation is YES: the pixels show text that may name the patient; blacken the text with "
            "--redact, or look at the image and accept it with --accept-burned-in"
        )


def _check_alike(found: list[Values]) -> None:
    if len({one.values.shape for one in found}) > 1:
        raise DataError("the images of this series differ in Rows or Columns; import them one file at a time")
    if len({(one.hu, one.displayed) for one in found}) > 1:
        raise DataError("the images of this series differ in the unit of their values; import them one file at a time")


def _modality(frame: Frame) -> str:
    text = str(frame.get("Modality") or "").strip().upper()
    return text if _MODALITY.fullmatch(text) else ""


def _account(scan: Scan, first: Frame, said: str, found: list[Values], ledger: Ledger) -> None:
    if said and not said.startswith("--spacing"):  # noted where the options are applied
        ledger.note("pixel_size", said)
    ledger.note("native values", found[0].said)
    if scan.modality:
        ledger.note("modality", "DICOM Modality")
    if padded := sum(one.padded for one in found):
        ledger.note("native values", "padding, set to the least value of its slice (pixels)", padded)
    burned = str(first.get("BurnedInAnnotation") or "").upper()
    if burned == "YES":
        ledger.ask("The headers say that text is burned into the pixels. Look at each one in the contact sheet.", "")
    elif burned != "NO" and scan.modality not in _SURELY_CLEAN:
        ledger.ask("Do the pixels show names or dates? The headers do not say; look at the contact sheet.", "")
    if str(first.get("RecognizableVisualFeatures") or "").upper() == "YES":
        ledger.ask("Can people be recognised in the images? RecognizableVisualFeatures is YES.", "")
