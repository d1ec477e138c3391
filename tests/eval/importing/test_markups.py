"""Markups of 3D Slicer: real files in either frame, projected to the slice that holds them, or refused by name."""

import json

import numpy as np
import pytest
from scans import nifti
from scipy.spatial.transform import Rotation

from medvision_agent.errors import DataError
from medvision_agent.eval.data.sources import open_source
from medvision_agent.eval.importing.choices import Choices, Measure
from medvision_agent.eval.importing.grid import ras_to_lps
from medvision_agent.eval.importing.importer import import_images

SHAPE = (40, 50, 6)
AFFINE = np.eye(4)
AFFINE[:3, :3] = Rotation.from_euler("xyz", (4, -6, 9), degrees=True).as_matrix() * (0.7, 1.3, 4.0)
AFFINE[:3, 3] = (-20, 15, 60)
"""To RAS."""


def at(*voxel):
    """Return the position of voxel coordinates in mm, RAS."""
    return (AFFINE @ (*voxel, 1.0))[:3]


A, B, C = at(10, 10, 3), at(30, 25, 3), at(12, 40, 3)


def markup(kind, points, frame="LPS", **more):
    """Return a markup of 3D Slicer; *points* by name, in RAS."""
    signs = (-1, -1, 1) if frame == "LPS" else (1, 1, 1)
    controls = [
        {"id": str(number), "label": name, "description": "", "position": (np.array(point) * signs).tolist()}
        for number, (name, point) in enumerate(points.items(), start=1)
    ]
    return {"type": kind, "coordinateSystem": frame, "coordinateUnits": "mm", "controlPoints": controls, **more}


def described(one, text):
    """Return a markup whose first point has the description *text*."""
    one["controlPoints"][0]["description"] = text
    return one


def take(folder, *markups, text=None, name="scan.mrk.json", **choices):
    values = np.random.default_rng(2).integers(0, 900, SHAPE).astype(np.int16)
    nifti(folder / "images/scan.nii.gz", values, AFFINE)
    (folder / "markups").mkdir(exist_ok=True)
    said = json.dumps({"markups": list(markups)}) if text is None else text
    (folder / "markups" / name).write_text(said)
    given = Choices(images=folder / "images", markups=folder / "markups", **choices)
    out = folder / f"out{len(list(folder.iterdir()))}"
    made = import_images(given, out)
    return open_source(str(out / "samples.jsonl")).samples, made


@pytest.mark.parametrize("frame", ["LPS", "RAS"])
def test_a_line_and_an_angle_in_either_frame(tmp_path, frame):
    line = markup("Line", {"femur length-1": A, "femur length-2": B}, frame)
    corner = markup("Angle", {"p": A, "vertex": B, "q": C}, frame)
    (length, angle), made = take(tmp_path, line, corner)
    assert length.target[0] == pytest.approx(np.linalg.norm(A - B), abs=1e-5)
    assert length.measurement == "femur length"
    one, other = A - B, C - B
    cosine = abs(one @ other) / np.linalg.norm(one) / np.linalg.norm(other)
    assert angle.target[0] == pytest.approx(np.degrees(np.arccos(cosine)), abs=1e-4)
    assert angle.landmarks == ("vertex", "p", "vertex", "q")
    assert angle.id.startswith("image-1_s003")
    assert not made.ledger.left
    # Axial: the patient's left on the right, so the voxel axis i, which runs to the patient's right, is turned.
    first = next(point for point in length.truth_points if point.name == "femur length-1")
    assert (first.x, first.y) == pytest.approx((40 - 10.5, 50 - 10.5), abs=1e-4)


@pytest.mark.parametrize(("header", "frame"), [("LPS", "LPS"), ("RAS", "RAS"), ("0", "RAS"), ("1", "LPS")])
def test_fcsv_points_with_measures_of_the_user(tmp_path, header, frame):
    signs = np.array((-1, -1, 1) if frame == "LPS" else (1, 1, 1))
    rows = [
        f"vtk{number},{','.join(f'{value:.6f}' for value in point * signs)},0,0,0,1,1,1,0,{name},{text},"
        for number, (name, text, point) in enumerate(
            (("1", "AC", A), ("2", "PC", B), ("3", "x", C), ("4", "", at(2, 9, 3)))
        )
    ]
    text = "\n".join(
        [
            "# Markups fiducial file version = 4.11",
            f"# CoordinateSystem = {header}",
            "# columns = id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID",
            *rows,
        ]
    )
    measures = (Measure("distance", "AC-PC", ("AC", "PC")), Measure("angle", "two lines", ("1", "2", "3", "4")))
    (length, angle), _ = take(tmp_path, text=text, name="scan.fcsv", measures=measures)
    assert length.target[0] == pytest.approx(np.linalg.norm(A - B), abs=1e-4)
    assert length.landmarks == ("AC", "PC")
    assert angle.measurement == "two lines"
    with pytest.raises(DataError, match="no point of the markups has the name 'AD'"):
        take(tmp_path, text=text, name="scan.fcsv", measures=(Measure("distance", "x", ("AD", "PC")),))


def test_axes_of_four_points(tmp_path):
    middle, along, across = at(20, 20, 2), at(21, 20, 2) - at(20, 20, 2), at(20, 21, 2) - at(20, 20, 2)
    ends = {"a": middle - 3 * along, "b": middle + 3 * along, "c": middle - 4 * across, "d": middle + 4 * across}
    measure = Measure("size", "lesion", ("a", "b", "c", "d"))
    (size,), _ = take(tmp_path, markup("Fiducial", ends), measures=(measure,))
    assert size.target == pytest.approx((8 * 1.3, 6 * 0.7), abs=1e-5)  # the longer line is the major axis
    assert size.truth_points[0].name == "major 1"
    bad = {**ends, "d": middle + 6 * along + across}
    with pytest.raises(DataError, match="a long and a short axis must be perpendicular"):
        take(tmp_path, markup("Fiducial", bad), measures=(measure,), name="scan.mrk.json")


def test_points_off_the_plane(tmp_path):
    near, far = at(30, 25, 3.45), at(30, 25, 3.55)
    (length,), _ = take(tmp_path, markup("Line", {"a": at(10, 10, 3.4), "b": near}))
    assert length.target[0] == pytest.approx(np.linalg.norm(A - B), abs=1e-5)  # projected straight down to slice 3
    with pytest.raises(
        DataError, match=r"no common slice \(axial: one is 2\.2 mm from slice 3, the limit \(half a slice\) is 2\.0 mm"
    ):
        take(tmp_path, markup("Line", {"a": A, "b": at(30, 25, 3.55)}), name="scan.mrk.json")
    assert np.linalg.norm(near - far) > 0


def test_points_of_another_plane_find_it(tmp_path):
    (length,), _ = take(tmp_path, markup("Line", {"a": at(10, 20, 1), "b": at(30, 20, 4)}))
    assert length.plane == "coronal"
    assert length.target[0] == pytest.approx(np.linalg.norm(at(10, 20, 1) - at(30, 20, 4)), abs=1e-5)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not valid JSON"),
        ("{}", "the key 'markups' is missing; expected a file"),
        (json.dumps({"markups": [markup("Line", {"a": A, "b": B}) | {"coordinateSystem": None}]}), "LPS or RAS"),
        (json.dumps({"markups": [markup("Line", {"a": A})]}), "expected 2"),
        (
            json.dumps({"markups": [markup("Curve", {"a": A})]}),
            "has the type 'Curve'; expected Fiducial .points., Line or Angle",
        ),
        (json.dumps({"markups": [markup("Line", {"a": A, "b": B}, coordinateUnits="um")]}), "coordinateUnits"),
        (json.dumps({"markups": [markup("Fiducial", {"a": A, "b": B})]}), "points without lines"),
        (json.dumps({"markups": [markup("Line", {"a": A, "b": (np.nan, 0, 0)})]}), "three finite numbers"),
        (json.dumps({"markups": [markup("Line", {"a": A, " ": B})]}), "point 2 .* neither a label nor a description"),
        (json.dumps({"markups": [markup("Line", {"a": A, "b" * 101: B})]}), "point 2 .* its label has over 100"),
        (json.dumps({"markups": [described(markup("Line", {"a": A, "b": B}), "two\nlines")]}), "its description"),
    ],
)
def test_what_says_too_little_is_refused_by_name(tmp_path, text, words):
    with pytest.raises(DataError, match=words):
        take(tmp_path, text=text)


def test_labels_that_slicer_made_are_asked_about(tmp_path):
    _, made = take(tmp_path, markup("Line", {"L-1": A, "L-2": B}))
    assert any("What are the points called" in question for question in made.ledger.unknown)
    assert (ras_to_lps(ras_to_lps(AFFINE)) == AFFINE).all()
