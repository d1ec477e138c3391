"""NIfTI volumes with masks: targets of a lesion of known size, in any orientation; and headers that are refused."""

import gzip
import json

import nibabel
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scans import ORDERS, inside_ellipse, nifti
from scipy.spatial.transform import Rotation

from medvision_agent.errors import DataError, StorageError
from medvision_agent.eval.data.sources import open_source
from medvision_agent.eval.importing.choices import Choices
from medvision_agent.eval.importing.importer import import_images
from medvision_agent.eval.importing.targets import box_target
from medvision_agent.tools.view.geometry import Size

MAJOR, MINOR = 22.0, 13.0
AFFINE = np.diag([-0.8, -1.1, 4.0, 1.0])
SHAPE = (60, 50, 5)


def lesion(affine, shape, axis=2, index=2, turn=0.4, major=MAJOR, minor=MINOR):
    """Return a mask of one ellipse, in mm, in the middle of a slice of the array."""
    middle = (np.array(shape) - 1) / 2
    middle[axis] = index
    first, second = (affine[:3, one] / np.linalg.norm(affine[:3, one]) for one in range(3) if one != axis)
    along = np.cos(turn) * first + np.sin(turn) * second
    across = np.cos(turn) * second - np.sin(turn) * first
    center = affine[:3, :3] @ middle + affine[:3, 3]
    return inside_ellipse(affine, shape, center, (along * major / 2, across * minor / 2)).astype(np.uint8)


def take(folder, out="out", **choices):
    """Import the volume and its mask of a folder, and return the source and what was made."""
    given = {"masks": folder / "masks", "labels": {1: "lesion"}, **choices}
    made = import_images(Choices(images=folder / "images", **given), folder / out)
    return open_source(str(folder / out / "samples.jsonl")), made


def write(folder, affine=AFFINE, shape=SHAPE, mask=None, **header):
    mask = lesion(affine, shape) if mask is None else mask
    values = np.random.default_rng(1).integers(-500, 500, shape).astype(np.int16)
    nifti(folder / "images/case_Doe.nii.gz", values, affine, **header)
    nifti(folder / "masks/case_Doe_seg.nii.gz", mask, affine, **header)
    return values, mask


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=st.sampled_from(ORDERS),
    turns=st.tuples(*[st.floats(-15, 15)] * 3),
    steps=st.tuples(st.floats(0.4, 1.2), st.floats(0.4, 1.2)),
    turn=st.floats(0, 3),
)
def test_a_known_ellipse_is_measured_right_in_any_orientation(tmp_path_factory, order, turns, steps, turn):
    folder = tmp_path_factory.mktemp("any")
    affine = np.eye(4)
    axes = Rotation.from_euler("xyz", turns, degrees=True).as_matrix() @ order
    affine[:3, :3] = axes * (*steps, 5.0)
    affine[:3, 3] = (3, -40, 12)
    shape = (80, 70, 4)
    mask = lesion(affine, shape, turn=turn)
    write(folder, affine, shape, mask)
    source, _ = take(folder)
    box, size = source.samples
    step = max(steps)
    assert size.target == pytest.approx((MAJOR, MINOR), abs=step)  # fitted through the centres of border pixels
    # By another route: the moments of the voxels' positions in mm, in 3-D.
    at = np.argwhere(mask) @ affine[:3, :3].T
    values = np.sort(np.linalg.eigvalsh(np.cov(at.T, bias=True)))[::-1]
    assert size.target == pytest.approx(tuple(4 * np.sqrt(values[:2])), rel=0.04)
    picture = source.load(size).values
    ends = {point.name: point for point in size.truth_points}
    along = np.hypot(
        (ends["major 1"].x - ends["major 2"].x) * size.pixel_size.width_mm,
        (ends["major 1"].y - ends["major 2"].y) * size.pixel_size.height_mm,
    )
    assert along == pytest.approx(size.target[0], abs=1e-4)
    sides = sorted((picture.shape[0] * size.pixel_size.height_mm, picture.shape[1] * size.pixel_size.width_mm))
    assert sides == pytest.approx(sorted((shape[0] * steps[0], shape[1] * steps[1])), rel=1e-5)
    x1, y1, x2, y2 = box.target
    pixels = sorted((round((x2 - x1) * picture.shape[1]), round((y2 - y1) * picture.shape[0])))
    assert pixels == sorted(len(np.unique(one)) for one in np.nonzero(mask)[:2])


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_picture_is_the_slice_with_the_mask_where_the_box_says(tmp_path, axis):
    shape = tuple(4 if one == axis else side for one, side in enumerate((40, 44, 48)))
    affine = np.diag([*(4.0 if one == axis else 1.0 + one / 4 for one in range(3)), 1.0])
    mask = lesion(affine, shape, axis=axis, index=1)
    values = np.where(mask, 900, 100).astype(np.int16)
    nifti(tmp_path / "images/a.nii", values, affine)
    nifti(tmp_path / "masks/a.nii", mask, affine)
    source, _ = take(tmp_path)
    box = source.samples[0]
    picture = source.load(box).values
    bright = picture > 500
    height, width = picture.shape
    x1, y1, x2, y2 = box.target
    rows, columns = np.nonzero(bright)
    edges = (columns.min(), height - rows.max() - 1, columns.max() + 1, height - rows.min())
    assert np.array((x1 * width, y1 * height, x2 * width, y2 * height)) == pytest.approx(edges, abs=1e-3)
    assert box.plane == ("sagittal", "coronal", "axial")[axis]
    assert bright.sum() == mask.sum()


def test_values_survive_exactly_and_a_scale_is_applied(tmp_path):
    values, _ = write(tmp_path)
    source, _ = take(tmp_path, units="HU", modality="CT")
    native = source.load(source.samples[0])
    # RAS axes that run left and backwards are the picture's own: columns are i, rows are j.
    assert (native.values == values[:, :, 2].T).all()
    assert native.units == "HU"


def test_names_in_capitals_are_taken(tmp_path):
    values, _ = write(tmp_path)
    for file in [*tmp_path.glob("images/*"), *tmp_path.glob("masks/*")]:
        file.rename(file.with_name(file.name.replace(".nii.gz", ".NII.GZ")))
    source, _ = take(tmp_path)
    assert (source.load(source.samples[0]).values == values[:, :, 2].T).all()


def test_units_of_micrometres_are_turned_to_mm(tmp_path):
    affine = np.diag([-800.0, -1100.0, 4000.0, 1.0])
    write(tmp_path, affine, mask=lesion(AFFINE, SHAPE), unit="micron")
    source, made = take(tmp_path)
    assert source.samples[1].target == pytest.approx((MAJOR, MINOR), abs=0.6)
    assert "micrometres, turned to mm" in str(made.ledger.facts())


def test_sform_against_qform(tmp_path):
    write(tmp_path)
    other = AFFINE.copy()
    other[:3, :3] = Rotation.from_euler("z", 30, degrees=True).as_matrix() @ AFFINE[:3, :3]
    path = tmp_path / "images/case_Doe.nii.gz"
    image = nibabel.load(path)
    image = nibabel.Nifti1Image(np.asanyarray(image.dataobj), None, image.header)
    image.set_sform(other, 1)
    nibabel.save(image, path)
    with pytest.raises(DataError, match="sform and qform disagree"):
        take(tmp_path)
    source, _ = take(tmp_path, affine="qform")
    assert source.samples[1].target == pytest.approx((MAJOR, MINOR), abs=0.6)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sform": False, "qform": False}, "neither sform nor qform"),
        ({"unit": "sec"}, ""),
    ],
)
def test_headers_that_say_too_little(tmp_path, change, words):
    write(tmp_path, **change)
    if not words:
        assert take(tmp_path)[1].samples == 2  # no unit of length named: mm, as is the custom, and the summary says so
        return
    with pytest.raises(DataError, match=words):
        take(tmp_path)
    assert take(tmp_path, affine="pixdim")[1].samples == 2


def broken(path, **fields):
    raw = gzip.decompress(path.read_bytes())
    header = nibabel.Nifti1Header(raw[:348], check=False)
    for name, value in fields.items():
        header[name] = value
    path.write_bytes(gzip.compress(header.binaryblock + raw[348:]))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"pixdim": [1, 3, 3, 3, 1, 1, 1, 1], "qform_code": 0}, "3 x 3 x 3 mm, but sform says 0.8 x 1.1 x 4 mm"),
        ({"xyzt_units": 7}, "xyzt_units: 7 is not the code"),
        ({"dim": [4, 60, 50, 5, 2, 1, 1, 1]}, "4 dimensions"),
        ({"srow_x": [0, 0, 0, 0], "qform_code": 0}, "linearly dependent"),
        ({"dim": [3, 60, 50, 50, 1, 1, 1, 1]}, "the file is incomplete"),
    ],
)
def test_damaged_headers_are_refused_by_name_and_others_go_on(tmp_path, fields, words):
    write(tmp_path)
    for kind, name in (("images", "b.nii.gz"), ("masks", "b_seg.nii.gz")):
        whole = next((tmp_path / kind).iterdir()).read_bytes()
        (tmp_path / kind / name).write_bytes(whole)
    broken(tmp_path / "images/b.nii.gz", **fields)
    _, made = take(tmp_path)
    assert made.samples == 2
    ((tag, path, reason),) = made.ledger.left
    assert (tag, path.name) == ("image-1", "b.nii.gz")
    assert words in reason
    summary = (tmp_path / "out/summary.md").read_text()
    assert "- image-1: " in summary
    assert "b.nii" not in summary


def test_masks_on_another_grid_are_refused_and_with_other_axes_taken(tmp_path):
    _, mask = write(tmp_path)
    path = tmp_path / "masks/case_Doe_seg.nii.gz"
    nibabel.save(nibabel.as_closest_canonical(nibabel.load(path)), path)
    source, _ = take(tmp_path)
    assert source.samples[1].target == pytest.approx((MAJOR, MINOR), abs=0.6)
    moved = AFFINE.copy()
    moved[0, 3] = 3
    nifti(path, mask, moved)
    with pytest.raises(DataError, match="does not lie on the voxels"):
        take(tmp_path, out="other")
    nifti(path, mask.astype(np.float32) / 2, AFFINE)
    with pytest.raises(DataError, match="expected whole numbers: 0 outside"):
        take(tmp_path, out="other")


def test_rules_for_slices_and_pieces(tmp_path):
    mask = np.zeros(SHAPE, np.uint8)
    mask[10:30, 10:30, 1] = 1
    mask[10:20, 10:20, 3] = 1
    mask[40:45, 40:45, 3] = 1
    mask[5, 5, 2] = 7
    write(tmp_path, mask=mask)
    source, _ = take(tmp_path, out="largest")
    assert [sample.id for sample in source.samples] == [
        "image-1_s001_detection_lesion",
        "image-1_s001_size_lesion",
    ]
    _, made = take(tmp_path, out="all", slices="all", tasks=("detection",))
    assert made.samples == 1
    assert "slice 3: in 2 pieces" in made.ledger.left[0][2]
    source, _ = take(tmp_path, out="three", slices=3, pieces="largest", tasks=("detection",))
    x1, y1, x2, y2 = source.samples[0].target
    assert (x2 - x1, y2 - y1) == pytest.approx((10 / 60, 10 / 50), abs=1e-5)
    source, made = take(tmp_path, out="areas", slices=3, tasks=("area", "size"))
    (area,) = source.samples
    assert (area.task, area.truth_points) == ("area", ())
    assert area.target == pytest.approx((125 * 0.8 * 1.1,))
    assert "slice 3: in 2 pieces, so there is no single answer to size; " in made.ledger.left[0][2]
    with pytest.raises(DataError, match="not on axial slice 4"):
        take(tmp_path, out="four", slices=4)
    _, made = take(tmp_path, out="unnamed", labels={})
    assert {sample for sample in made.ledger.unknown if "number 7" in sample}


def test_boxes_in_the_convention_that_is_stated():
    edge, _ = box_target((2, 3, 6, 5), Size(10, 20), "edge")
    assert edge == pytest.approx((0.1, 0.5, 0.3, 0.7))
    short, _ = box_target((2, 3, 6, 5), Size(10, 20), "inclusive-index")
    assert short == pytest.approx((2 / 20, (10 - 4) / 10, 5 / 20, (10 - 3) / 10))  # as MedVision: c0/W, (H-r1)/H, ...
    with pytest.raises(DataError, match="one pixel wide"):
        box_target((2, 3, 3, 5), Size(10, 20), "inclusive-index")


def test_nothing_of_a_name_or_header_is_written_and_nothing_is_replaced(tmp_path):
    write(tmp_path)
    take(tmp_path)
    for path in (tmp_path / "out").rglob("*"):
        assert "doe" not in path.name.lower()
        assert path.is_dir() or b"doe" not in path.read_bytes().lower()
    before = (tmp_path / "out/samples.jsonl").read_bytes()
    with pytest.raises(StorageError, match="exists already"):
        take(tmp_path, labels={1: "other"})
    assert (tmp_path / "out/samples.jsonl").read_bytes() == before
    choices = Choices(images=tmp_path / "images", masks=tmp_path / "masks", labels={1: "other"})
    import_images(choices, tmp_path / "out", force=True)
    assert json.loads((tmp_path / "out/samples.jsonl").read_text().splitlines()[0])["label"] == "other"
    (tmp_path / "out/mine.txt").write_text("mine")
    with pytest.raises(StorageError, match="not an earlier import"):
        import_images(choices, tmp_path / "out", force=True)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".import")]


def test_an_import_of_nothing_leaves_nothing(tmp_path):
    write(tmp_path, mask=np.zeros(SHAPE, np.uint8))
    with pytest.raises(DataError, match=r"nothing was imported:\n.*has no structure 1"):
        take(tmp_path)
    assert not (tmp_path / "out").exists()
    with pytest.raises(DataError, match="images alone have no ground truth"):
        import_images(Choices(images=tmp_path / "images"), tmp_path / "out")
