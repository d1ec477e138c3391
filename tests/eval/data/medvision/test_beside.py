"""Slices beside an annotated one: those of the volume's file, read when they are asked for, within the bound."""

import nibabel
import numpy as np
import pytest

from medvision_agent.errors import DataError
from medvision_agent.eval.asking.recipe import RECIPES
from medvision_agent.eval.data.medvision.source import MedVisionSource, Reading
from medvision_agent.tools.neighbours import neighbours
from medvision_agent.tools.statistics import statistics
from medvision_agent.tools.view.perceived import Native
from medvision_agent.tools.view.slice import Units
from medvision_agent.tools.view.views import ViewSet
from medvision_agent.tools.window import window

WHOLE = {"x0": 0, "y0": 0, "x1": 1, "y1": 1}


@pytest.mark.parametrize("dim", [0, 1, 2])
def test_the_slices_of_the_mini_tree_are_those_of_its_files(tree, dim):
    source = MedVisionSource(tree[0], Reading())
    sample = next(one for one in source.samples if one.medvision.slice_dim == dim)
    facts = sample.medvision
    volume = nibabel.load(tree[0] / facts.image_file)
    views = ViewSet(RECIPES["medvision-1.2"].slice_of(source.load(sample), sample), Native())
    away = 1 if facts.slice_idx + 1 < volume.shape[dim] else -1
    result = neighbours.call(views, {"away": away}).result
    assert result["position_mm"] == pytest.approx(away * float(volume.header.get_zooms()[dim]), abs=1e-3)
    assert (result["first_away"], result["last_away"]) == (-facts.slice_idx, volume.shape[dim] - 1 - facts.slice_idx)
    expected = np.take(np.asarray(volume.dataobj, np.float64), facts.slice_idx + away, axis=dim)
    found = statistics.call(views, {"view": "v1", **WHOLE}).result
    assert [found[key] for key in ("mean", "standard_deviation", "minimum", "maximum")] == pytest.approx(
        [expected.mean(), expected.std(), expected.min(), expected.max()], rel=1e-5, abs=1e-3
    )
    assert neighbours.call(views, {"away": volume.shape[dim]}).text.startswith("Error: there is no slice")


def test_units_come_from_plan_and_dataset(toy):
    source, samples = toy.read()
    assert source.load(samples[0]).units is Units.UNKNOWN
    toy.dataset = toy.dataset.rename(toy.dataset.with_name("KiTS23"))
    source, samples = toy.read()
    views = ViewSet(RECIPES["medvision-1.2"].slice_of(source.load(samples[0]), samples[0]), Native())
    reply = window.call(views, {"by": "HU", "level": 1, "width": 2})
    assert reply.result["units"] == "HU"
    assert (reply.picture.pixels == 127).all()  # slice 1 holds ones


def test_a_broken_slice_beside_is_named(toy):
    values = np.zeros((20, 24, 6))
    values[0, 0, 2] = np.nan
    toy.volume("a", values)
    source, samples = toy.read()
    native = source.load(samples[0])
    with pytest.raises(DataError, match=r"a\.nii\.gz: some voxels of slice 2 along axis 2 are NaN"):
        native.stack.values(1)
    views = ViewSet(RECIPES["medvision-1.2"].slice_of(native, samples[0]), Native())
    reply = neighbours.call(views, {"away": 1})
    assert (reply.ok, reply.text) == (False, "Error: the tool failed (DataError)")
    assert "slice 2 along axis 2" in reply.failure
