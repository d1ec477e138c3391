"""Slices of volumes: the values nibabel gives, each volume unpacked once, memory within its bound."""

import gzip
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import nibabel
import numpy as np
import pytest

from medvision_agent.errors import DataError
from medvision_agent.eval.data.medvision.volume import VolumeCache, read_header, read_volume

SHAPE = (7, 9, 11)
RANDOM = np.random.default_rng(0)


def save(path, values, *, kind=nibabel.Nifti1Image, slope=None, inter=None):
    image = kind(values, np.diag([1.0, 1.5, 3.0, 1.0]))
    if slope is not None:
        image.header.set_slope_inter(slope, inter)
    nibabel.save(image, path)
    return path


@pytest.mark.parametrize("dtype", ["i1", "u1", "<i2", ">i2", "u2", "i4", "<f4", ">f4", "<f8", "i8"])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_slices_are_upstreams(tmp_path, dtype, name):
    values = (RANDOM.normal(size=SHAPE) * 100).astype(dtype)
    header = nibabel.Nifti1Header(endianness=dtype[0] if dtype[0] in "<>" else "<")
    header.set_data_dtype(values.dtype)
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4), header), tmp_path / name)
    # The way upstream reads: the whole volume as float64, then float32.
    expected = nibabel.load(tmp_path / name).get_fdata().astype("float32")
    cache = VolumeCache()
    for dim in range(3):
        for index in (0, SHAPE[dim] - 1):
            found = cache.slice(tmp_path / name, dim, index)
            assert found.dtype == np.float32
            assert np.array_equal(found, expected.take(index, axis=dim))


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.float64])
def test_scaled_values_are_nibabels(tmp_path, dtype, kind):
    path = save(tmp_path / "a.nii.gz", (RANDOM.normal(size=SHAPE) * 1000).astype(dtype), kind=kind)
    raw = bytearray(gzip.decompress(path.read_bytes()))
    header = kind.header_class(bytes(raw[: 348 if kind is nibabel.Nifti1Image else 540]))
    header["scl_slope"], header["scl_inter"] = 0.1, -1024.3
    path.write_bytes(gzip.compress(header.binaryblock + bytes(raw[len(header.binaryblock) :])))
    expected = nibabel.load(path).get_fdata().astype("float32")
    assert np.array_equal(VolumeCache().slice(path, 1, 4), expected[:, 4, :])


def test_a_volume_is_unpacked_once_even_by_many_threads(tmp_path, monkeypatch):
    path = save(tmp_path / "a.nii.gz", np.zeros(SHAPE, np.int16))
    cache = VolumeCache()
    with ThreadPoolExecutor(8) as pool:
        slices = list(pool.map(lambda index: cache.slice(path, 2, index % 11), range(200)))
    assert len(slices) == 200
    # What is no longer there can only come from memory.
    path.unlink()
    assert cache.slice(path, 0, 0).shape == (9, 11)


def test_the_cache_keeps_its_bound_and_the_latest(tmp_path):
    paths = [save(tmp_path / f"{number}.nii.gz", np.full(SHAPE, number, np.int16)) for number in range(3)]
    cache = VolumeCache(limit=2 * 2 * 7 * 9 * 11)
    for path in (*paths[:2], paths[0], paths[2]):
        cache.slice(path, 0, 0)
    for path in paths:
        path.unlink()
    # 1 was used longest ago.
    assert cache.slice(paths[0], 0, 0)[0, 0] == 0
    assert cache.slice(paths[2], 0, 0)[0, 0] == 2
    with pytest.raises(DataError, match="No such file"):
        cache.slice(paths[1], 0, 0)
    small = VolumeCache(limit=1)
    again = save(tmp_path / "x.nii.gz", np.full(SHAPE, 7, np.int16))
    small.slice(again, 0, 0)
    again.unlink()
    assert small.slice(again, 0, 0)[0, 0] == 7


def test_no_float64_copy_is_made(tmp_path):
    shape = (200, 200, 200)
    path = save(tmp_path / "a.nii.gz", np.zeros(shape))
    header = read_header(path)
    read_volume(path, header)
    tracemalloc.start()
    try:
        read_volume(path, header)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    count = 200**3
    # float32 for the whole, and a block of 16 MB in three forms (stored, float64, float32).
    assert peak < count * 4 + 3 * (16 << 20) + (1 << 20) < count * 8 + (50 << 20)
    assert peak < count * 8 * 2


def test_a_missing_slice_is_named(tmp_path):
    path = save(tmp_path / "a.nii.gz", np.zeros(SHAPE, np.int16))
    for index in (-1, 7):
        with pytest.raises(DataError, match=rf"no slice {index} along axis 0"):
            VolumeCache().slice(path, 0, index)
