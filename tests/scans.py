"""Real files for tests of importing: DICOM written by pydicom, NIfTI by nibabel, and a lesion whose place is known."""

from itertools import permutations, product

import nibabel
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

ORDERS = [
    np.eye(3)[:, list(order)] * signs for order in permutations(range(3)) for signs in product((1.0, -1.0), repeat=3)
]
"""Every order and direction of three axes, as a matrix."""
CT, MR, CR, US = (f"1.2.840.10008.5.1.4.1.1.{kind}" for kind in ("2", "4", "1", "6.1"))


def dicom(pixels, kind=CT, **attributes):
    """Return a data set of stored *pixels* (h, w) with who it shows; *attributes* by keyword, None takes one away."""
    data, meta = Dataset(), FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, kind
    meta.MediaStorageSOPInstanceUID = generate_uid()
    data.file_meta = meta
    height, width = pixels.shape[-2:] if pixels.dtype.kind != "V" else pixels.shape[:2]
    given = {
        "SOPClassUID": kind,
        "SOPInstanceUID": meta.MediaStorageSOPInstanceUID,
        "SeriesInstanceUID": "1.2.3",
        "PatientName": "Doe^Jane",
        "PatientID": "MRN4711",
        "PatientBirthDate": "19700101",
        "StudyDescription": "Jane's CT",
        "Modality": "CT",
        "Rows": height,
        "Columns": width,
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": pixels.dtype.itemsize * 8,
        "BitsStored": pixels.dtype.itemsize * 8,
        "HighBit": pixels.dtype.itemsize * 8 - 1,
        "PixelRepresentation": int(pixels.dtype.kind == "i"),
        "PixelData": pixels.tobytes(),
        **attributes,
    }
    for name, value in given.items():
        if value is not None:
            setattr(data, name, value)
    block = data.private_block(0x0011, "MINE", create=True)
    block.add_new(1, "LO", "secret of Jane")
    return data


def series(folder, stack, *, spacing=(0.5, 2.0), turn=(1, 0, 0, 0, 1, 0), origin=(-10.0, -20.0, 30.0), gap=3.0, **more):
    """Write one file a slice of *stack* (k, h, w), and return the matrix from (column, row, slice) to mm in LPS."""
    folder.mkdir(parents=True, exist_ok=True)
    across, down = np.array(turn[:3], float), np.array(turn[3:], float)
    normal = np.cross(across, down)
    for k, pixels in enumerate(stack):
        at = [float(number) for number in np.round(np.array(origin) + k * gap * normal, 6)]
        placed = {"PixelSpacing": list(spacing), "ImageOrientationPatient": list(turn), "ImagePositionPatient": at}
        data = dicom(pixels, **{"SliceThickness": gap, "InstanceNumber": len(stack) - k, **placed, **more})
        data.save_as(folder / f"Doe_Jane_{len(stack) - k}.dcm", enforce_file_format=True)
    affine = np.eye(4)
    affine[:3] = np.column_stack((across * spacing[1], down * spacing[0], normal * gap, origin))
    return affine


def nifti(path, values, affine_ras, *, unit="mm", sform=True, qform=True):
    """Write a volume whose matrix to RAS stands in ``sform``, ``qform`` or both."""
    image = nibabel.Nifti1Image(values, affine_ras)
    image.header.set_xyzt_units(unit)
    image.set_sform(affine_ras, code=1 if sform else 0)
    image.set_qform(affine_ras, code=1 if qform else 0)
    image.header["descrip"] = b"Jane Doe"
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(image, path)
    return path


def inside_ellipse(affine, shape, center, arms):
    """Return which voxels lie in the ellipse of a slice, by their positions in mm: *arms* are its two semi-axes."""
    voxels = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    away = voxels @ affine[:3, :3].T + affine[:3, 3] - center
    parts = [away @ arm / (arm @ arm) for arm in map(np.asarray, arms)]
    normal = np.cross(*arms)
    normal = normal / np.linalg.norm(normal)
    return (parts[0] ** 2 + parts[1] ** 2 <= 1) & (np.abs(away @ normal) < 1e-6)
