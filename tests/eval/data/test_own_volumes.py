"""Samples of one's own that are slices of volumes: what is read, what is refused, and by which words."""

import gzip
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import cv2
import nibabel
import numpy as np
import pytest
from commands import COMMAND
from pyarrow import parquet

import medvision_agent as mva
from medvision_agent.errors import DataError, StorageError
from medvision_agent.eval.checking.headers import header_faults
from medvision_agent.eval.data.sample import StoredValues
from medvision_agent.eval.data.selection import Selection, select
from medvision_agent.eval.data.sources import open_source
from medvision_agent.eval.data.sources.export import export
from medvision_agent.tools.view.slice import Units

SHAPE, ZOOMS = (20, 30, 6), (0.5, 2.0, 4.0)
VALUES = np.random.default_rng(7).integers(-1000, 1000, SHAPE).astype(np.int16)
LINE: dict[str, Any] = {
    "id": "a",
    "task": "size",
    "image": "scans/ct.nii.gz",
    "volume": {"slice_dim": 2, "slice_idx": 2},
    "modality": "CT",
    "plane": "axial",
    "label": "lesion",
    "target": [20.0, 5.0],
    "convention": "edge",
    "truth_points": [
        {"name": "major 1", "x": 5, "y": 10},
        {"name": "major 2", "x": 15, "y": 10},
        {"name": "minor 1", "x": 10, "y": 5},
        {"name": "minor 2", "x": 10, "y": 15},
    ],
    "dataset": "lab",
    "subject": "lab/1",
}


class Lab:
    """A folder with a file of samples and one volume."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "samples.jsonl"
        self.volume = folder / "scans/ct.nii.gz"
        self.volume.parent.mkdir()
        self.save(VALUES)

    def save(self, values, zooms=ZOOMS, **header):
        """Write the volume, with these fields of the header as they are given."""
        image = nibabel.Nifti1Image(values, None)
        image.header["pixdim"][1 : 1 + len(zooms)] = zooms
        nibabel.save(image, self.volume)
        raw = gzip.decompress(self.volume.read_bytes())
        written = nibabel.Nifti1Header(raw[:348], check=False)
        for name, value in header.items():
            written[name] = value
        self.volume.write_bytes(gzip.compress(written.binaryblock + raw[348:]))

    def open(self, *lines):
        """Write lines and return their source."""
        self.file.write_text("".join(json.dumps(LINE | line) + "\n" for line in lines or ({},)))
        return open_source(str(self.file))


@pytest.fixture
def lab(tmp_path):
    return Lab(tmp_path)


@pytest.mark.parametrize("dim", [0, 1, 2])
def test_a_slice_is_the_array_with_one_axis_left_out(lab, dim):
    source = lab.open({"volume": {"slice_dim": dim, "slice_idx": 3}, "truth_points": []})
    (sample,) = source.samples
    down, across = (ZOOMS[axis] for axis in range(3) if axis != dim)
    assert (sample.pixel_size.height_mm, sample.pixel_size.width_mm) == (down, across)
    native = source.load(sample)
    assert np.array_equal(native.values, VALUES.take(3, axis=dim))
    assert (native.stack.first, native.stack.last, native.stack.step_mm) == (-3, SHAPE[dim] - 4, ZOOMS[dim])
    assert np.array_equal(native.stack.values(-2), VALUES.take(1, axis=dim))
    assert (native.displayed, native.units) == (False, Units.UNKNOWN)


def test_units_are_declared_and_scale_is_the_headers(lab):
    lab.save(VALUES, scl_slope=2.0, scl_inter=-24.0)
    source = lab.open({"values": {"units": "HU"}})
    native = source.load(source.samples[0])
    assert native.units is Units.HU
    assert np.array_equal(native.values, VALUES[:, :, 2] * 2.0 - 24)


def test_a_stated_pixel_size_that_agrees_becomes_the_headers(lab):
    lab.save(VALUES, (0.68359375, 2.0, 4.0))
    (sample,) = lab.open({"pixel_size": {"height_mm": 0.684, "width_mm": 2}}).samples
    assert sample.pixel_size.height_mm == 0.68359375


@pytest.mark.parametrize(("unit", "factor"), [(1, 1000.0), (3, 0.001)])
def test_metres_and_micrometres_are_turned_to_mm_as_in_an_import(lab, unit, factor):
    zooms = tuple(zoom / factor for zoom in ZOOMS)
    sform = {f"srow_{axis}": [zooms[at] * (at == column) for column in range(4)] for at, axis in enumerate("xyz")}
    lab.save(VALUES, zooms, xyzt_units=unit, sform_code=1, **sform)
    source = lab.open({}, {"id": "b", "pixel_size": {"height_mm": 0.5, "width_mm": 2.0}})
    for sample in source.samples:
        assert (sample.pixel_size.height_mm, sample.pixel_size.width_mm) == pytest.approx((0.5, 2.0))
    assert source.load(source.samples[0]).stack.step_mm == pytest.approx(4.0)
    assert not list(header_faults(source.volumes.header(LINE["image"], "")))


def test_a_pixel_size_is_told_by_its_key_and_not_by_a_word(lab):
    (sample,) = lab.open({"label": "pixel_size"}).samples
    assert (sample.label, sample.pixel_size.width_mm) == ("pixel_size", ZOOMS[1])
    lab.file.write_text(json.dumps(LINE)[:-1] + r', "pixel\u005fsize": {"height_mm": 0.5, "width_mm": 9}}')
    with pytest.raises(DataError, match=r"pixel_size: 0.5 mm down and 9 mm across, but the header"):
        open_source(str(lab.file))


def edited(name, **more):
    """Return a change of the volume's header."""
    return lambda lab: lab.save(VALUES, **{name: more["to"]})


def link_out(lab):
    outside = lab.file.parent.parent / f"{lab.file.parent.name}-outside.nii.gz"
    lab.volume.rename(outside)
    lab.volume.symlink_to(outside)


def pipe(lab):
    lab.volume.unlink()
    os.mkfifo(lab.volume)


def as_written(data):
    return lambda lab: lab.volume.write_bytes(data)


def fine(lab):
    pass


SFORM = {"sform_code": 1, "srow_x": [0.5, 0, 0, 0], "srow_y": [0, 2, 0, 0], "srow_z": [0, 0, 5, 0]}
REFUSED = {
    "missing": (lambda lab: lab.volume.unlink(), {}, "image: .*ct.nii.gz cannot be read .No such file"),
    "pipe": (pipe, {}, "image: .* cannot be read .it is not a regular file"),
    "folder": (fine, {"image": "scans"}, "image: .* cannot be read .it is not a regular file"),
    "link": (link_out, {}, "image: 'scans/ct.nii.gz' leads out of"),
    "path": (fine, {"image": "../ct.nii.gz"}, "image: .* below the folder of the file of samples"),
    "no gzip": (as_written(b"no"), {}, "image: .*the gzip file is damaged"),
    "no NIfTI": (as_written(gzip.compress(b"x" * 600)), {}, "image: .*not a NIfTI file"),
    "4-D": (lambda lab: lab.save(np.zeros((4, 4, 4, 2), np.int16)), {}, "image: .*dim: the image has 4 dimensions"),
    "2-D": (lambda lab: lab.save(np.zeros((4, 4), np.int16), (1, 1)), {}, "image: .*dim: the image has 2 dimensions"),
    "absurd": (edited("dim", to=[3, 30000, 30000, 30000, 1, 1, 1, 1]), {}, "image: .*dim: .*more than 4 GB"),
    "too large for its bytes": (
        edited("dim", to=[3, 1000, 1000, 1000, 1, 1, 1, 1]),
        {},
        "image: .*the file is incomplete",
    ),
    "large sides": (
        lambda lab: lab.save(np.zeros((8193, 1, 3), np.uint8)),
        {},
        "image: .*1 x 8193 px; expected at most 8192",
    ),
    "spacing": (edited("pixdim", to=[1, 1, np.nan, 3, 0, 0, 0, 0]), {}, "image: .*pixdim"),
    "no length": (
        edited("xyzt_units", to=5),
        {},
        "image: .*ct.nii.gz: xyzt_units: 5 is not the code of a unit of length",
    ),
    "sform": (lambda lab: lab.save(VALUES, **SFORM), {}, "image: .*pixdim says .*0.5 x 2 x 4 mm, but sform says.*5 mm"),
    "axis": (fine, {"volume": {"slice_dim": 3, "slice_idx": 2}}, "volume.slice_dim: Input should be less"),
    "true": (fine, {"volume": {"slice_dim": True, "slice_idx": 2}}, "volume.slice_dim: Input should be a valid int"),
    "far": (fine, {"volume": {"slice_dim": 2, "slice_idx": 10**400}}, "volume.slice_idx: Input should be less"),
    "no axis": (fine, {"volume": {"slice_idx": 2}}, "volume.slice_dim: Field required"),
    "outside": (
        fine,
        {"volume": {"slice_dim": 2, "slice_idx": 6}},
        "volume.slice_idx: there is no slice 6; .* has the slices 0 to 5",
    ),
    "negative": (fine, {"volume": {"slice_dim": 2, "slice_idx": -1}}, "volume.slice_idx: Input should be greater"),
    "half": (fine, {"volume": {"slice_dim": 2, "slice_idx": 2.5}}, "volume.slice_idx: Input should be a valid integer"),
    "no slice": (fine, {"volume": None}, "volume: is missing; 'scans/ct.nii.gz' is a volume"),
    "no slice, but a size": (
        fine,
        {"volume": None, "pixel_size": {"height_mm": 0.5, "width_mm": 2}},
        "volume: is missing",
    ),
    "text": (fine, {"volume": "ct.nii.gz"}, "volume: "),
    "turned spacing": (
        fine,
        {"pixel_size": {"height_mm": 2, "width_mm": 0.5}},
        "pixel_size: 2 mm down .* says 0.5 and 2",
    ),
    "scale": (fine, {"values": {"units": "HU", "slope": 2}}, "values: slope and intercept are read"),
    "point": (fine, {"truth_points": [{"name": "p", "x": 31, "y": 1}]}, "truth_points: 'p' .31, 1. lies outside"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_header_tells_is_refused_as_samples_are_read(lab, name):
    breaks, line, said = REFUSED[name]
    if breaks is pipe and not hasattr(os, "mkfifo"):
        pytest.skip("no pipes in the file system")
    breaks(lab)
    with pytest.raises(DataError, match=rf"samples\.jsonl:2: .*{said}") as caught:
        lab.open({"id": "first", "image": "x.png", "volume": None, "pixel_size": {"height_mm": 1, "width_mm": 1}}, line)
    assert str(caught.value).count("\n") == 0


def test_a_picture_is_no_volume(lab):
    (lab.file.parent / "a.png").write_bytes(cv2.imencode(".png", np.zeros((20, 30), np.uint8))[1].tobytes())
    with pytest.raises(DataError, match=r"samples\.jsonl:1: image: .*a\.png: is not a NIfTI file"):
        lab.open({"image": "a.png"})


def test_what_only_voxels_tell_fails_its_own_slice(lab):
    values = VALUES.astype(np.float32)
    values[0, 0, 3] = np.nan
    lab.save(values)
    source = lab.open({}, {"id": "b", "volume": {"slice_dim": 2, "slice_idx": 3}})
    good, bad = source.samples
    native = source.load(good)
    for read in (lambda: source.load(bad), lambda: native.stack.values(1)):
        with pytest.raises(DataError, match=r"ct\.nii\.gz: some voxels of slice 3 along axis 2 are NaN"):
            read()
    with pytest.raises(DataError, match=r"^.*samples\.jsonl:2: image: "):
        source.load(bad)


def test_a_file_that_was_cut_after_it_was_opened_is_named(lab):
    source = lab.open()
    lab.volume.write_bytes(lab.volume.read_bytes()[:-40])
    with pytest.raises(DataError, match=r"samples\.jsonl:1: image: .*the file is incomplete"):
        source.load(source.samples[0])


def test_slices_of_one_volume_are_asked_together(lab):
    other = lab.volume.with_name("mr.nii")
    nibabel.save(nibabel.load(lab.volume), other)
    names = ["scans/ct.nii.gz", "scans/mr.nii", "scans/ct.nii.gz"]
    source = lab.open(*({"id": str(number), "image": name} for number, name in enumerate(names)))
    assert [sample.id for sample in select(source, Selection())] == ["0", "2", "1"]


@pytest.mark.parametrize("out", ["out", "out.parquet"])
def test_an_export_holds_single_slices(lab, tmp_path, out):
    source = lab.open({"values": {"units": "HU"}})
    export(source, source.samples, tmp_path / out)
    again = open_source(str(tmp_path / out if out.endswith("parquet") else tmp_path / out / "samples.jsonl"))
    (sample,) = again.samples
    native = again.load(sample)
    assert np.array_equal(native.values, VALUES[:, :, 2])
    assert (sample.volume, sample.values.units, native.units, native.stack) == (None, "HU", Units.HU, None)
    assert sample.but(image=LINE["image"], values=StoredValues(units="HU"), volume=LINE["volume"]) == source.samples[0]


def test_a_parquet_file_names_no_slice(lab, tmp_path):
    export(lab.open(), lab.open().samples, tmp_path / "one.parquet")
    table = parquet.read_table(tmp_path / "one.parquet")
    assert "volume" not in table.column_names
    parquet.write_table(table.append_column("volume", [[LINE["volume"]]]), tmp_path / "one.parquet")
    with pytest.raises(DataError, match=r"one\.parquet: row 1: volume: cannot be given in a Parquet file"):
        open_source(str(tmp_path / "one.parquet"))


def test_show_says_which_slice_it_is(lab, tmp_path):
    lab.open()
    command = [COMMAND, "data", "show", "a", "--data", lab.file, "--out", tmp_path / "a.png"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "slice        2 along axis 2 of scans/ct.nii.gz\n" in shown
    assert "picture      30 x 20 px; one pixel is 2 mm wide and 0.5 mm high\n" in shown


SCRIPT = [
    [{"name": "neighbours", "args": {"away": 2}}, {"name": "neighbours", "args": {"away": 9}}],
    [{"name": "window", "args": {"view": "v1", "by": "HU", "level": 0, "width": 2000}}],
    [{"name": "ruler", "args": {"x0": 1 / 6, "y0": 0.5, "x1": 0.5, "y1": 0.5}}],
    "<answer>20, 5</answer>",
]


def test_a_run_looks_at_neighbours_and_is_scored_explained_and_reported(lab, tmp_path):
    lab.open({"values": {"units": "HU"}})
    (tmp_path / "script.json").write_text(json.dumps(SCRIPT))
    asked = {
        "model": "scripted",
        "script": str(tmp_path / "script.json"),
        "data": str(lab.file),
        "tools": "on,neighbours",
        "progress": False,
        "out": tmp_path / "run",
    }
    ran = mva.run(**asked)
    near, far, window, ruler = ran.tool_calls().to_dict("records")
    result = json.loads(near["result"]) if isinstance(near["result"], str) else near["result"]
    assert (result["position_mm"], result["first_away"], result["last_away"]) == (8.0, -2, 3)
    assert [one["ok"] for one in (near, far, window, ruler)] == [True, False, True, True]
    (row,) = mva.load(tmp_path / "run").samples().to_dict("records")
    assert (row["outcome"], row["loss"]) == ("answered", 0.0)
    mva.report(tmp_path / "run", tmp_path / "page.html")
    assert "<svg" in (tmp_path / "page.html").read_text()
    assert mva.run(**asked, resume=True).run.identity == ran.run.identity
    # Another slice of the volume changes: no picture that was sent does.
    values = VALUES.copy()
    values[0, 0, 5] += 1
    lab.save(values)
    with pytest.raises(StorageError, match="volumes_sha256: the run has"):
        mva.run(**asked, resume=True)


def test_pictures_have_no_hash_of_volumes(tmp_path):
    ran = mva.run(model="baseline-cv", tools="off", selection={"limit": 1}, progress=False, out=tmp_path / "run")
    assert ran.run.identity.volumes_sha256 is None


def test_a_volume_that_was_moved_after_a_run_began_is_named(lab):
    before = lab.open().samples[0]
    lab.volume.rename(lab.volume.with_name("moved.nii.gz"))
    source = lab.open({"image": "scans/moved.nii.gz"})
    with pytest.raises(DataError, match=r"samples\.jsonl:1: image: .*ct\.nii\.gz cannot be read"):
        source.load(before)
