"""Planes of volumes whose axes lie in any way: where a pixel of a picture lies in the patient, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scans import ORDERS
from scipy.spatial.transform import Rotation

from medvision_agent.errors import DataError
from medvision_agent.eval.importing.grid import PLANES, Grid, ras_to_lps
from medvision_agent.tools.view.geometry import distance_mm

SHAPE = (5, 6, 7)
STEPS = st.floats(0.2, 6.0)
ACROSS_AND_DOWN = {"axial": ((0, 1), (1, 1)), "coronal": ((0, 1), (2, -1)), "sagittal": ((1, 1), (2, -1))}


@st.composite
def grids(draw, tilt=20.0):
    """Any order and direction of axes, any voxel sizes, turned a little."""
    turns = draw(st.tuples(*[st.floats(-tilt, tilt)] * 3))
    axes = Rotation.from_euler("xyz", turns, degrees=True).as_matrix() @ draw(st.sampled_from(ORDERS))
    affine = np.eye(4)
    affine[:3, :3] = axes * draw(st.tuples(STEPS, STEPS, STEPS))
    affine[:3, 3] = draw(st.tuples(*[st.floats(-200, 200)] * 3))
    return Grid(affine, SHAPE)


@given(grids(), st.sampled_from(PLANES), st.data())
def test_a_pixel_of_the_picture_is_the_voxel_at_its_place(grid, plane, data):
    cut = grid.cut(plane)
    voxel = np.array([data.draw(st.integers(0, side - 1)) for side in SHAPE])
    values = np.arange(np.prod(SHAPE)).reshape(SHAPE)
    picture = cut.picture(values, voxel[cut.axis])
    point = cut.point(voxel.astype(float), SHAPE)
    assert picture[int(point.y), int(point.x)] == values[tuple(voxel)]


@given(grids(), st.sampled_from(PLANES), st.data())
def test_lengths_in_the_picture_are_lengths_in_the_patient(grid, plane, data):
    cut = grid.cut(plane)
    ends = []
    for _ in range(2):
        voxel = np.array([data.draw(st.floats(0, side - 1)) for side in SHAPE])
        voxel[cut.axis] = 3
        ends.append((cut.point(voxel, SHAPE), (grid.affine @ np.append(voxel, 1))[:3]))
    (a, at_a), (b, at_b) = ends
    assert distance_mm(a, b, cut.spacing) == pytest.approx(np.linalg.norm(at_a - at_b), abs=1e-6)


@given(grids(), st.sampled_from(PLANES))
def test_pictures_are_upright_as_radiologists_have_them(grid, plane):
    cut = grid.cut(plane)
    steps = {}
    for name, at in (("across", cut.across), ("down", cut.down)):
        voxel = np.zeros(3)
        voxel[at] = 1
        one, other = cut.point(np.zeros(3), SHAPE), cut.point(voxel, SHAPE)
        sign = (other.x - one.x) if name == "across" else (other.y - one.y)
        steps[name] = grid.affine[:3, at] * sign
    for name, (axis, sign) in zip(("across", "down"), ACROSS_AND_DOWN[plane], strict=True):
        assert np.argmax(np.abs(steps[name])) == axis or abs(steps[name][axis]) > 0.5 * np.abs(steps[name]).max()
        assert steps[name][axis] * sign > 0


@given(grids(), st.sampled_from(PLANES), st.data())
def test_the_foot_of_a_position_lies_in_the_plane_and_straight_below_it(grid, plane, data):
    cut = grid.cut(plane)
    position = grid.affine[:3, 3] + np.array([data.draw(st.floats(-20, 20)) for _ in range(3)])
    foot = grid.foot(cut, position, 2)
    assert foot[cut.axis] == pytest.approx(2, abs=1e-6)
    way = position - (grid.affine @ np.append(foot, 1))[:3]
    for axis in (cut.down, cut.across):
        assert way @ grid.affine[:3, axis] == pytest.approx(0, abs=1e-6)


@given(grids(), st.sampled_from(ORDERS))
def test_a_grid_with_other_axes_is_the_same_grid(grid, order):
    columns = grid.affine[:3, :3] @ order
    origin = grid.affine[:3, 3].copy()
    shape = tuple(int(side) for side in np.abs(order.T) @ SHAPE)
    for axis in range(3):
        if order[:, axis].sum() < 0:  # turned round: its first voxel is the last one
            origin -= columns[:, axis] * (shape[axis] - 1)
    affine = np.eye(4)
    affine[:3] = np.column_stack((columns, origin))
    way = grid.like(Grid(affine, shape))
    assert way is not None
    own = np.arange(np.prod(SHAPE)).reshape(SHAPE)
    picked = np.argmax(np.abs(order), axis=0)
    stored = np.transpose(own, picked)[tuple(slice(None, None, int(order[:, axis].sum())) for axis in range(3))]
    again = np.transpose(stored, way[0])[tuple(slice(None, None, -1 if turn else 1) for turn in way[1])]
    assert (again == own).all()


def test_a_shifted_grid_is_another_one():
    affine = np.diag([1.0, 2.0, 3.0, 1.0])
    moved = affine.copy()
    moved[0, 3] = 0.5
    assert Grid(affine, SHAPE).like(Grid(moved, SHAPE)) is None
    assert Grid(affine, SHAPE).like(Grid(affine, (5, 6, 8))) is None


def test_what_cannot_be_measured_is_refused_by_name():
    sheared = np.diag([1.0, 1.0, 3.0, 1.0])
    sheared[0, 1] = 0.1
    with pytest.raises(DataError, match="sheared"):
        Grid(sheared, SHAPE).cut("axial")
    tilted = np.diag([1.0, 1.0, 3.0, 1.0])
    tilted[1, 2] = 1.0  # a tilted gantry: the pixels of an axial slice are rectangles all the same
    assert Grid(tilted, SHAPE).cut("axial").thickness_mm == pytest.approx(3)
    with pytest.raises(DataError, match="sheared"):
        Grid(tilted, SHAPE).cut("sagittal")
    half = np.eye(4)
    half[:3, :3] = Rotation.from_euler("x", 45, degrees=True).as_matrix()
    with pytest.raises(DataError, match="45 degrees"):
        Grid(half, SHAPE).cut("axial")
    with pytest.raises(DataError, match="finite"):
        Grid(np.zeros((4, 4)), SHAPE)


def test_the_usual_plane_lies_across_the_longest_step():
    assert Grid(np.diag([1.0, 1.0, 1.0, 1.0]), SHAPE).usual_plane() == "axial"
    assert Grid(np.diag([4.0, 1.0, 1.0, 1.0]), SHAPE).usual_plane() == "sagittal"
    assert Grid(np.diag([1.0, 4.0, 1.0, 1.0]), SHAPE).usual_plane() == "coronal"


def test_ras_and_lps_are_mirrored():
    assert (ras_to_lps(np.eye(4)) @ (1, 2, 3, 1)).tolist() == [-1, -2, 3, 1]
