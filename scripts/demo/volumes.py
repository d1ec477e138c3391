"""Volumes of published packages, and 2-D slices of them as radiologists see them.

Every volume is turned to RAS axes (from the patient's left to right, back to front, feet to head), so that an index
means the same in each source. A slice is turned so that its first row is the top of the picture:
axial, front up; coronal and sagittal, head up; the patient's right is on the left of axial and coronal pictures, the
front on the left of sagittal ones.
"""

import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import nibabel
import nrrd  # pyright: ignore[reportMissingImports] - only for making the demo set
import numpy as np
import pydicom  # pyright: ignore[reportMissingImports] - likewise
from nibabel.orientations import apply_orientation, inv_ornt_aff, io_orientation
from numpy.typing import NDArray

from medvision_agent.tools.view.geometry import Point, Spacing

Plane = Literal["axial", "coronal", "sagittal"]
AXIS: dict[Plane, int] = {"sagittal": 0, "coronal": 1, "axial": 2}


@dataclass(frozen=True, eq=False)
class Volume:
    """Values in RAS order, and the affine from index to RAS mm."""

    values: NDArray[Any]
    affine: NDArray[np.float64]

    def cut(self, plane: Plane, index: int) -> NDArray[Any]:
        """Return one slice (height, width), turned as the module says."""
        turned = self.values[:, ::-1, ::-1] if plane == "sagittal" else self.values[::-1, :, ::-1]
        if plane == "axial":
            turned = self.values[::-1, ::-1, :]
        return np.take(turned, index, axis=AXIS[plane]).T

    def spacing(self, plane: Plane) -> Spacing:
        """Return the pixel size of slices of *plane*."""
        across, down = (axis for axis in range(3) if axis != AXIS[plane])
        return Spacing(float(self.affine[down, down]), float(self.affine[across, across]))

    def place(self, plane: Plane, ras_mm: NDArray[np.float64]) -> tuple[Point, float]:
        """Return where a RAS point in mm lies in the slice frame, and its index across the slices."""
        index = np.linalg.solve(self.affine[:3, :3], ras_mm - self.affine[:3, 3])
        # An integer index is a voxel's centre: half a voxel from the outer edge the slice frame counts from.
        edge = index + 0.5
        if plane == "sagittal":
            x, y = self.values.shape[1] - edge[1], self.values.shape[2] - edge[2]
        else:
            down = 1 if plane == "axial" else 2
            x, y = self.values.shape[0] - edge[0], self.values.shape[down] - edge[down]
        return Point(float(x), float(y)), float(index[AXIS[plane]])

    def widest(self, plane: Plane) -> int:
        """Return the slice of *plane* with the most pixels that are not zero."""
        return int(np.argmax(np.count_nonzero(self.values, axis=tuple({0, 1, 2} - {AXIS[plane]}))))


def unpack(downloads: Path, to: Path) -> None:
    """Unpack every wheel and sdist of a folder, each into a folder named after its package in lower case."""
    for path in sorted(downloads.iterdir()):
        folder = to / path.name.split("-")[0].lower()
        if path.suffix == ".whl":
            with zipfile.ZipFile(path) as wheel:
                wheel.extractall(folder)
        elif path.name.endswith(".tar.gz"):
            shutil.unpack_archive(path, folder, filter="data")
            (top,) = folder.iterdir()
            for item in top.iterdir():
                item.rename(folder / item.name)


def read_nifti(path: Path) -> Volume:
    """Read a NIfTI file."""
    image = nibabel.load(path)
    return _ras(np.asanyarray(image.dataobj), image.affine)


def read_nrrd(path: Path) -> Volume:
    """Read an NRRD file in left-posterior-superior space."""
    values, header = nrrd.read(str(path))
    affine = np.eye(4)
    affine[:3, :3] = np.array(header["space directions"]).T
    affine[:3, 3] = header["space origin"]
    return _ras(values, np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine)


def read_dicom(folder: Path) -> Volume:
    """Read a folder of axial CT slices (rows to the patient's left, columns to the back), in Hounsfield units."""
    slices = sorted(map(pydicom.dcmread, folder.iterdir()), key=lambda item: float(item.ImagePositionPatient[2]))
    first, second = slices[:2]
    values = np.stack([item.pixel_array * item.RescaleSlope + item.RescaleIntercept for item in slices], axis=-1)
    down, across = map(float, first.PixelSpacing)
    x, y, z = map(float, first.ImagePositionPatient)
    affine = np.diag([-across, -down, float(second.ImagePositionPatient[2]) - z, 1.0])
    affine[:3, 3] = -x, -y, z
    return _ras(values.transpose(1, 0, 2), affine)


def _ras(values: NDArray[Any], affine: NDArray[np.float64]) -> Volume:
    orientation = io_orientation(affine)
    to_old = inv_ornt_aff(orientation, values.shape)
    return Volume(apply_orientation(values, orientation), np.asarray(affine @ to_old))
