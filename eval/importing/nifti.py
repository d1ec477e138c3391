"""NIfTI volumes: their voxels and the position of these in the patient.

``sform`` and ``qform`` state the same thing twice. Where both are valid and disagree, or a matrix and ``pixdim``
disagree, the file is refused until the user chooses one. Units of micrometres and metres
are turned to mm. Nothing of the header but its geometry and its scale reaches a sample.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medvision_agent.errors import DataError
from medvision_agent.eval.data.medvision.volume import Header, read_header, read_volume
from medvision_agent.eval.data.sources.spacing import UNITS, in_mm, same_spacing, written
from medvision_agent.eval.importing.choices import AffineChoice, Choices
from medvision_agent.eval.importing.found import Scan
from medvision_agent.eval.importing.grid import Grid, ras_to_lps
from medvision_agent.eval.importing.ledger import Ledger

__all__ = ["SUFFIXES", "read_mask", "read_nifti"]

SUFFIXES = (".nii", ".nii.gz")
_APART, _AWAY = 2e-3, 0.1
"""Differences up to which two matrices agree: directions in radians, the first voxel in parts of a voxel."""
_CLOSE = 1e-3
"""Relative difference allowed between two statements of a voxel's size: files state them rounded."""


def read_nifti(path: Path, choices: Choices, ledger: Ledger) -> Scan:
    """Return the volume in a NIfTI file; raises DataError with the reason, without the path."""
    header, grid, said = _opened(path, choices.affine)
    voxels = _voxels(path, header)
    if not np.isfinite(voxels).all():
        raise DataError("the volume has voxels that are NaN or infinite; replace these values first")
    ledger.note("pixel_size", said)
    scale = "1 and 0" if (header.slope, header.inter) == (1.0, 0.0) else "applied"
    ledger.note("native values", f"NIfTI voxels, scl_slope and scl_inter {scale}")
    return Scan(
        path=path, person="", values=voxels, hu=choices.units == "HU", grid=grid, modality=choices.modality
    )  # fmt: skip


def read_mask(path: Path, affine: AffineChoice | None, grid: Grid) -> NDArray[np.int64]:
    """Return the numbers of structures at the voxels of *grid*, an array of its shape (i, j, k).

    *affine* is the matrix to use where those of the mask's header disagree. Nothing is resampled: raises DataError
    where the mask lies on other voxels, cannot be read, or has values that are not whole numbers from 0.
    """
    header, own, _ = _opened(path, affine)
    way = grid.like(own)
    if way is None:
        raise DataError(
            f"the mask (shape {own.shape}) does not lie on the voxels of the image (shape {grid.shape}): shape or "
            "affine matrix differ beyond an exchange of axes; resample the mask to the image first"
        )
    voxels = _voxels(path, header)
    whole = np.rint(voxels)
    if not np.isfinite(voxels).all() or (whole != voxels).any() or whole.min() < 0:
        raise DataError(
            "the mask has values that are negative, fractional or not finite; expected whole numbers: 0 outside the "
            "structures, and one number for each structure"
        )
    order, turns = way
    turned = np.transpose(whole, order)[tuple(slice(None, None, -1 if turn else 1) for turn in turns)]
    return np.asarray(turned, np.int64)


def _opened(path: Path, choice: AffineChoice | None) -> tuple[Header, Grid, str]:
    try:
        header = read_header(path)
    except DataError as error:
        raise DataError(str(error).removeprefix(f"{path}: ")) from None
    matrix, which = _matrix(_header(path), choice)
    stated = in_mm(header).zooms
    unit, factor = UNITS[header.unit]
    matrix[:3] *= factor
    grid = Grid(ras_to_lps(matrix), header.shape)
    steps = grid.steps.tolist()
    if which != "pixdim" and not same_spacing(steps, stated):
        raise DataError(
            f"pixdim says a spacing of {written(stated)} mm, but {which} says {written(steps)} mm; correct "
            "the one that is wrong, or use only the header's pixdim with --affine pixdim"
        )
    return header, grid, f"NIfTI {which}, {unit}"


def _header(path: Path) -> Any:
    import nibabel  # noqa: PLC0415 - slow to import, needed only here

    try:
        return nibabel.load(path).header
    except Exception as error:  # noqa: BLE001 - its own kinds
        raise DataError(f"nibabel cannot read the header ({type(error).__name__}); save the file again") from None


def _matrix(header: Any, choice: AffineChoice | None) -> tuple[NDArray[np.float64], str]:
    """Return the matrix from voxels to RAS, in the header's own unit, and the name of the form it comes from.

    *choice* is the user's. Raises DataError if no form is stated, or both are and disagree.
    """
    sform, s_code = header.get_sform(coded=True)
    try:
        qform, q_code = header.get_qform(coded=True)
    except Exception as error:  # noqa: BLE001 - its own kinds
        raise DataError(f"qform: not a rotation ({type(error).__name__}); correct the header") from None
    known = {name: matrix for name, matrix, code in (("sform", sform, s_code), ("qform", qform, q_code)) if code > 0}
    if choice == "pixdim":
        return np.diag([*(float(zoom) for zoom in header["pixdim"][1:4]), 1.0]), "pixdim"
    if choice is not None:
        if choice not in known:
            raise DataError(
                f"--affine {choice}: {choice}_code of the header is 0, so it states no {choice}; choose another "
                "--affine, or leave it out"
            )
        return np.array(known[choice], np.float64), choice
    if not known:
        raise DataError(
            "the header states neither sform nor qform, so the position in the patient is unknown; give --affine "
            "pixdim if the axes of the volume run to the patient's right, front and head"
        )
    if len(known) == 2:
        if not _agree(np.asarray(sform, np.float64), np.asarray(qform, np.float64)):
            raise DataError(
                "sform and qform disagree on where the voxels lie; choose one with --affine sform or --affine qform"
            )
        return np.array(sform, np.float64), "sform and qform, which agree"
    ((name, only),) = known.items()
    return np.array(only, np.float64), name


def _agree(sform: NDArray[np.float64], qform: NDArray[np.float64]) -> bool:
    """Return whether two matrices place voxels alike, within the precision of a header.

    ``qform`` stores a quaternion in 32 bits: for rotations by half a circle, which most scans have, directions are
    exact to 0.05 degrees only.
    """
    steps, others = (np.linalg.norm(matrix[:3, :3], axis=0) for matrix in (sform, qform))
    if not np.allclose(steps, others, rtol=_CLOSE, atol=0) or not steps.all():
        return False
    apart = np.linalg.norm(sform[:3, :3] / steps - qform[:3, :3] / others, axis=0).max()
    away = float(np.linalg.norm(sform[:3, 3] - qform[:3, 3]))
    return bool(apart < _APART and away < _AWAY * float(steps.min()) + 1e-3)


def _voxels(path: Path, header: Header) -> NDArray[np.float32]:
    try:
        voxels = read_volume(path, header)
    except DataError as error:
        raise DataError(str(error).removeprefix(f"{path}: ")) from None
    return voxels if voxels.dtype != header.dtype else header.scaled(voxels)
