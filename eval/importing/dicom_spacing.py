"""Which attribute of a DICOM header states the pixel size, and whether that size holds in the patient.

``PixelSpacing`` of a tomogram holds in the patient. On a projection (a radiograph) a size at the detector is larger
than in the patient by the magnification, which nothing corrects: it is taken only where the user accepts it. Spacings
are (rows, columns): height first.
"""

from medvision_agent.errors import DataError
from medvision_agent.eval.importing.choices import Choices
from medvision_agent.eval.importing.dicom_frames import Frame
from medvision_agent.tools.view.geometry import Spacing

__all__ = ["spacing_of"]

_PROJECTIONS = {"CR", "DX", "MG", "RF", "XA", "RG", "IO", "PX", "OT"}
_CLOSE = 1e-3
_CENTIMETRES = 3
"""Code of the unit cm of the regions of an ultrasound image."""


def spacing_of(frame: Frame, choices: Choices) -> tuple[Spacing | None, str]:
    """Return the pixel size in mm and a text that names the attribute that states it.

    None and "" where neither the header nor the user states one. Raises DataError for a size at the detector that the
    user has not accepted, or where the user states another size than the header.
    """
    spacing, said, detector = _stated(frame)
    if detector and choices.spacing is None and not choices.accept_detector_spacing:
        raise DataError(
            f"the header states no pixel size in the patient ({said}), so every length would be too long by the "
            "magnification. Give the size in the patient with --spacing, or accept the stated one with "
            "--accept-detector-spacing"
        )
    if choices.spacing is None:
        return spacing, said
    if spacing is not None and not detector and not _alike(spacing, choices.spacing):
        raise DataError(
            f"--spacing states {choices.spacing.height_mm:g} x {choices.spacing.width_mm:g} mm, but {said} states "
            f"{spacing.height_mm:g} x {spacing.width_mm:g} mm; leave --spacing out"
        )
    return choices.spacing, "--spacing: the user's word"


def _stated(frame: Frame) -> tuple[Spacing | None, str, bool]:
    """Return the pixel size in mm (None: not stated), its origin in words, and whether it is a size at the detector."""
    pixel, imager = _pair(frame, "PixelSpacing"), _pair(frame, "ImagerPixelSpacing")
    if pixel is not None and imager is None and str(frame.get("Modality") or "") not in _PROJECTIONS:
        return pixel, "DICOM PixelSpacing", False
    if pixel is not None:
        return pixel, *_of_projection(frame, pixel, imager)
    if imager is not None:
        factor = frame.numbers("EstimatedRadiographicMagnificationFactor", 1)
        more = f"; a magnification of {factor[0]:g} is estimated, and not applied" if factor else ""
        return imager, f"DICOM ImagerPixelSpacing alone, a size at the detector, not corrected{more}", True
    if nominal := _pair(frame, "NominalScannedPixelSpacing"):
        return nominal, "DICOM NominalScannedPixelSpacing, a size on the scanned film, not corrected", True
    return _of_ultrasound(frame)


def _of_projection(frame: Frame, pixel: Spacing, imager: Spacing | None) -> tuple[str, bool]:
    """Return in words what a projection's PixelSpacing means, and whether it is a size at the detector.

    *imager* is its ImagerPixelSpacing, None where it states none.
    """
    how = str(frame.get("PixelSpacingCalibrationType") or "").strip().upper()
    if how:
        kind = how if how in {"GEOMETRY", "FIDUCIAL"} else "of an unknown type"
        return f"DICOM PixelSpacing, calibrated ({kind})", False
    if imager is None:
        return "DICOM PixelSpacing of a projection, not known to be corrected for magnification", True
    if _alike(pixel, imager):
        return "DICOM PixelSpacing equals ImagerPixelSpacing: a size at the detector, not corrected", True
    return "DICOM PixelSpacing, other than ImagerPixelSpacing: calibrated, the type is not stated", False


def _of_ultrasound(frame: Frame) -> tuple[Spacing | None, str, bool]:
    """Return the pixel size that the 2-D regions of an ultrasound image state, converted from cm to mm.

    Also its origin in words, and False: it is not at a detector. None and "" without such a region. Raises DataError if
    the regions state different sizes, or other units.
    """
    flat = [one for one in frame.get("SequenceOfUltrasoundRegions") or () if one.get("RegionSpatialFormat") == 1]
    units = {(one.get("PhysicalUnitsXDirection"), one.get("PhysicalUnitsYDirection")) for one in flat}
    sizes = {(one.get("PhysicalDeltaY"), one.get("PhysicalDeltaX")) for one in flat}
    if not flat:
        return None, "", False
    if units != {(_CENTIMETRES, _CENTIMETRES)} or len(sizes) != 1 or None in next(iter(sizes)):
        raise DataError(
            "SequenceOfUltrasoundRegions states different pixel sizes, or one that is not in cm; crop the image to "
            "one region, and give its pixel size with --spacing"
        )
    ((height, width),) = sizes
    return _checked((abs(height) * 10, abs(width) * 10), "PhysicalDeltaX"), "DICOM ultrasound region, from cm", False


def _pair(frame: Frame, name: str) -> Spacing | None:
    sides = frame.numbers(name, 2)
    return None if sides is None else _checked(sides, name)


def _checked(sides: tuple[float, ...], name: str) -> Spacing:
    try:
        return Spacing(*sides)
    except ValueError as error:
        raise DataError(f"{name}: {error}") from None


def _alike(one: Spacing, other: Spacing) -> bool:
    return all(
        abs(a - b) <= _CLOSE * b
        for a, b in ((one.height_mm, other.height_mm), (one.width_mm, other.width_mm))
    )  # fmt: skip
