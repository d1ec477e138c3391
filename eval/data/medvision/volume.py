"""Volumes: slices of NIfTI files, each volume unpacked once and kept within a bound of memory.

Contract: a slice has the values upstream computes (scaled as float64, then rounded to float32) and its orientation:
the array with one axis left out, nothing turned or flipped. Integers are kept as stored; a volume stored as 64-bit
floats is converted while it is read, so that no float64 copy of a whole volume is ever made. What is wrong is a
DataError naming the file and the header's field. Safe to use from several threads.
"""

import gzip
import math
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from threading import Lock
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from medvision_agent.errors import DataError
from medvision_agent.eval.data.medvision.bounded import readable
from medvision_agent.eval.data.source import NativeImage
from medvision_agent.tools.view.slice import FloatImage, Stack, Units

__all__ = ["Header", "VolumeCache", "read_header", "read_volume"]

CACHE_BYTES = 1 << 30
"""Bytes that the volumes kept in memory may take together. The latest one is kept even if it takes more."""
MAX_BYTES = 4 << 30
"""Largest volume that is read; far above any in MedVision."""
_MAX_SIDE = 65_535
_MAX_OFFSET = 16 << 20
_SLACK = 1 << 20
"""Bytes after the voxels that are tolerated."""
_BLOCK = 16 << 20
_DEFLATED = 1032
"""The largest expansion of a gzip file: the limit of its format."""
_HEAD = {348: "Nifti1Header", 540: "Nifti2Header"}


@dataclass(frozen=True)
class Header:
    """The header of a NIfTI volume, checked for plausibility."""

    shape: tuple[int, int, int]
    """Number of voxels along each axis of the array."""
    zooms: tuple[float, float, float]
    """Size of a voxel along each axis, in ``unit``."""
    dtype: np.dtype[Any]
    offset: int
    """The byte in the unpacked file at which the voxels begin."""
    slope: float
    inter: float
    """With ``slope``: native value = stored value x slope + inter."""
    unit: int = 0
    """The unit of ``zooms``, as NIfTI's ``xyzt_units`` codes it: 0 not stated, 1 metres, 2 mm, 3 micrometres."""
    sform_zooms: tuple[float, float, float] | None = None
    """The spacing that follows from the header's ``sform``; None where it has none."""
    forms: tuple[NDArray[np.float64] | None, NDArray[np.float64] | None] = None, None
    """``sform`` and ``qform``: each the 4 x 4 matrix from voxels to mm; None where the header has none."""

    @property
    def count(self) -> int:
        """The number of voxels."""
        return math.prod(self.shape)

    def scaled(self, stored: NDArray[Any]) -> FloatImage:
        """Return native values of stored ones, as MedVision does: computed in float64, then rounded to float32."""
        values = stored.astype(np.float64)
        if (self.slope, self.inter) != (1.0, 0.0):
            values = values * self.slope + self.inter
        with np.errstate(over="ignore"):
            return values.astype(np.float32)


def read_header(path: Path) -> Header:
    """Return the header of a ``.nii`` or ``.nii.gz`` file, without reading the voxels.

    Raises DataError for a file that cannot be read, or that is not one complete 3-D NIfTI volume of real numbers.
    """
    with _opened(path) as file, readable(path):
        data = file.read(540)
    import nibabel  # noqa: PLC0415 - slow to import, needed only here

    size = next((n for n in _HEAD if data[:4] in {n.to_bytes(4, "little"), n.to_bytes(4, "big")}), 0)
    if not size or len(data) < size:
        reason = "sizeof_hdr, its first number, is neither 348 nor 540"
        raise DataError(f"{path}: is not a NIfTI file ({reason}); save the volume as .nii or .nii.gz")
    header = getattr(nibabel, _HEAD[size])(data[:size], check=False)
    if bytes(header["magic"])[:3] not in {b"n+1", b"n+2"}:
        raise DataError(
            f"{path}: magic: expected 'n+1' or 'n+2', which mark a file with header and voxels; save the volume as one "
            ".nii or .nii.gz file"
        )
    try:
        slope, inter = header.get_slope_inter()
        dtype = header.get_data_dtype()
    except Exception as error:  # noqa: BLE001 - its own kinds, and KeyError for an unknown code
        raise DataError(
            f"{path}: datatype, scl_slope or scl_inter: not usable ({error}); save the volume again as NIfTI"
        ) from None
    return _checked(path, header, dtype, 1.0 if slope is None else float(slope), 0.0 if inter is None else float(inter))


def _checked(path: Path, header: Any, dtype: np.dtype[Any], slope: float, inter: float) -> Header:
    dims, sizes = header["dim"].tolist(), header["pixdim"].tolist()
    shape, zooms = tuple(dims[1:4]), tuple(sizes[1:4])
    if dims[0] != 3:
        raise DataError(f"{path}: dim: the image has {dims[0]} dimensions; expected a 3-D volume, so save one of it")
    if not all(1 <= side <= _MAX_SIDE for side in shape):
        raise DataError(f"{path}: dim: the shape is {shape}; expected 1 to {_MAX_SIDE} voxels along each axis")
    if not all(math.isfinite(zoom) and zoom > 0 for zoom in zooms):
        expected = "expected finite numbers above 0, so correct the header"
        raise DataError(f"{path}: pixdim: the voxel spacing is {zooms}; {expected}")
    if dtype.kind not in "iuf":
        raise DataError(f"{path}: datatype: the voxels are of the type {dtype}; expected integers or floats")
    volume = f"a volume of the shape {shape} and the type {dtype}"
    if math.prod(shape) * dtype.itemsize > MAX_BYTES:
        raise DataError(f"{path}: dim: {volume} takes more than {MAX_BYTES >> 30} GB; save a smaller part of it")
    offset = int(header["vox_offset"]) if math.isfinite(header["vox_offset"]) else -1
    if not header.single_vox_offset <= offset <= _MAX_OFFSET:
        expected = f"expected {header.single_vox_offset} to {_MAX_OFFSET}, so save the volume again"
        raise DataError(f"{path}: vox_offset: the voxels begin at byte {offset}; {expected}")
    size = path.stat().st_size
    if size * (_DEFLATED if path.name.lower().endswith(".gz") else 1) < offset + math.prod(shape) * dtype.itemsize:
        raise DataError(
            f"{path}: the file is incomplete: its {size} bytes cannot hold {volume}; download or copy it again"
        )
    rows = np.array([header["srow_x"], header["srow_y"], header["srow_z"]], np.float64)[:, :3]
    sform = tuple(np.sqrt((rows**2).sum(axis=0)).tolist()) if header["sform_code"] > 0 else None
    unit = int(header["xyzt_units"]) & 7
    forms = _form(header.get_sform), _form(header.get_qform)
    return Header(cast("Any", shape), cast("Any", zooms), dtype, offset, slope, inter, unit, cast("Any", sform), forms)


def _form(given: Callable[..., Any]) -> NDArray[np.float64] | None:
    """Return the matrix that *given* reads from a header, from voxels to mm; None if it is absent or invalid."""
    try:
        matrix, code = given(coded=True)
    except Exception:  # noqa: BLE001 - its own kinds, for quaternions that turn nothing
        return None
    return None if matrix is None or not code or not np.isfinite(matrix).all() else matrix


@contextmanager
def _opened(path: Path) -> Iterator[BufferedReader]:
    with readable(path):
        opener = gzip.open if path.name.lower().endswith(".gz") else open
        file = cast("BufferedReader", opener(path, "rb"))
    with file:
        yield file


def read_volume(path: Path, header: Header) -> NDArray[Any]:
    """Return the voxels of the volume with this *header*, shape as in the header; the whole file is read.

    Values are as stored, or scaled float32 where the file stores 8 bytes a voxel. Never unpacks more than the header
    announces. Raises DataError for a damaged or truncated file.
    """
    wide = header.dtype.itemsize > 4
    voxels = np.empty(header.count, np.float32 if wide else header.dtype)
    step = _BLOCK // header.dtype.itemsize
    with _opened(path) as file, readable(path):
        if len(file.read(header.offset)) < header.offset:
            raise EOFError
        for start in range(0, header.count, step):
            block = voxels[start : start + step]
            target: Any = np.empty(len(block), header.dtype) if wide else block
            raw = memoryview(target.view(np.uint8))
            if _fill(file, raw) < len(raw):
                raise EOFError
            if wide:
                block[:] = header.scaled(target)
        if len(file.read(_SLACK + 1)) > _SLACK:
            raise DataError(
                f"{path}: dim: the file holds more voxels than the header's shape {header.shape}; save the volume again"
            )
    return voxels.reshape(header.shape, order="F")


def _fill(file: BufferedReader, target: memoryview) -> int:
    done = 0
    while done < len(target) and (got := file.readinto(target[done:])):
        done += got
    return done


class VolumeCache:
    """A cache of the volumes that were used last, unpacked, of at most *limit* bytes together.

    Safe in several threads.
    """

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self._limit = limit
        self._kept: OrderedDict[Path, tuple[Header, NDArray[Any]]] = OrderedDict()
        # One lock: two threads that need one volume must not unpack it twice.
        self._lock = Lock()

    def slice(self, path: Path, dim: int, index: int) -> FloatImage:
        """Return slice *index* (from 0) along axis *dim* of a volume, as (height, width) of native values.

        Raises DataError if the volume cannot be read or has no such slice.
        """
        with self._lock:
            header, voxels = self._volume(path)
        if not 0 <= index < header.shape[dim]:
            raise DataError(
                f"{path}: there is no slice {index} along axis {dim}; the volume, of shape {header.shape}, has the "
                f"slices 0 to {header.shape[dim] - 1}"
            )
        plane = voxels[(slice(None),) * dim + (index,)]
        values = plane if voxels.dtype != header.dtype else header.scaled(plane)
        return np.ascontiguousarray(values, np.float32)

    def native(self, path: Path, dim: int, index: int, declared: Units) -> NativeImage:
        """Return slice *index* (from 0) along axis *dim*, in the unit *declared*, with access to its neighbours.

        Neighbouring slices are read on request. A slice that cannot be read, or has NaN or infinity, is a DataError.
        """

        def values(away: int) -> FloatImage:
            found = self.slice(path, dim, index + away)
            if not np.isfinite(found).all():
                raise DataError(
                    f"{path}: some voxels of slice {index + away} along axis {dim} are NaN or infinite; correct the "
                    "file, or leave it out"
                )
            return found

        asked = values(0)
        with self._lock:
            header, _ = self._volume(path)
        stack = Stack(-index, header.shape[dim] - 1 - index, header.zooms[dim], values)
        return NativeImage(asked, False, declared, stack)

    def _volume(self, path: Path) -> tuple[Header, NDArray[Any]]:
        if path not in self._kept:
            header = read_header(path)
            size = header.count * min(header.dtype.itemsize, 4)
            while self._kept and size + sum(voxels.nbytes for _, voxels in self._kept.values()) > self._limit:
                self._kept.popitem(last=False)
            self._kept[path] = header, read_volume(path, header)
        self._kept.move_to_end(path)
        return self._kept[path]
