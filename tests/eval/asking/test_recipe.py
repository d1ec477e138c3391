"""Recipes against golden vectors made by upstream's own code: pixels bit for bit, stated numbers to the digit."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from medvision_agent.agent.words.question import Question
from medvision_agent.errors import ConfigError
from medvision_agent.eval.asking.recipe import RECIPES, recipe_named
from medvision_agent.eval.data.facts import MedVisionFacts
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.source import NativeImage
from medvision_agent.tools.view.geometry import Size, Spacing
from medvision_agent.tools.view.perceived import Fixed, Grid, Kimi, LongestSide, Padded, Patches
from medvision_agent.tools.view.slice import grey_slice
from medvision_agent.tools.view.views import ViewSet

GOLDEN = Path(__file__).parents[2] / "data" / "golden"
VECTORS = {
    name: json.loads((GOLDEN / f"image_vectors_{file}.json").read_text())
    for name, file in (("medvision-1.2", "v1.2"), ("paper-v1", "paper-v1"))
}
SHOWN_AS = {"KiTS23": ("CT", "kidney"), "OAIZIB-CM": ("MRI", "femur"), "TotalSegmentator": ("MRI", "spleen")}
"""Modality and label of the vectors' stub plans."""
RULES = {
    "medgemma": Fixed(height=896, width=896),
    "meddr": Fixed(height=448, width=448),
    "internvl3": Grid(),
    "llava_med": Padded(),
    "gemini": LongestSide(limit=3072),
    "claude": Patches(patch=28, pixels=4784 * 750, longest=2576),
    "openai": Patches(pixels=2500 * 1024, longest=2048),
    "kimi": Kimi(),
}


def sample(spacing=(1.0, 1.0), *, dataset="d", modality="MR", label="liver", task_id="01", medvision=True):
    facts = MedVisionFacts(
        config="c", key=0, doc_id=0, annotation_version="1.0.0", dataset_name=dataset, task_id=task_id,
        task_type="Box-Size", image_file="Datasets/x.nii.gz", slice_dim=2, slice_idx=0, label=1,
        image_size_2d=(4, 5), pixel_size=spacing, image_size_3d=(4, 5, 6), voxel_size=(1, 1, 1),
    )  # fmt: skip
    return Sample(
        id="s", task="size", image="x", pixel_size={"height_mm": spacing[0], "width_mm": spacing[1]},
        modality=modality, plane="axial", label=label, target=(2.0, 1.0), convention="inclusive-index",
        dataset=dataset, subject="d/1", medvision=facts if medvision else None,
    )  # fmt: skip


CASES = [(name, number) for name in VECTORS for number in range(len(VECTORS[name]["slice_vectors"]["cases"]))]


@pytest.mark.parametrize(("name", "number"), CASES)
def test_pictures_are_upstreams(name, number):
    vectors = VECTORS[name]["slice_vectors"]
    case = vectors["cases"][number]
    native = np.take(np.array(vectors["volume"], np.float32), case["slice_idx"], axis=case["slice_dim"])
    height_mm, width_mm = (vectors["zooms"][axis] for axis in range(3) if axis != case["slice_dim"])
    modality, label = SHOWN_AS[case["dataset"]]
    reshape = Size(*case["reshape_hw"]) if case["reshape_hw"] else None
    recipe = recipe_named(name, reshape)
    asked = sample((height_mm, width_mm), dataset=case["dataset"], modality=modality, label=label)
    image = recipe.slice_of(NativeImage(native, displayed=False), asked)
    assert (image.values == np.array(case["slice"], np.float32)).all()
    assert (image.grey == np.array(case["uint8"], np.uint8)).all()
    # Upstream divides half-width floats.
    assert (image.spacing.height_mm, image.spacing.width_mm) == pytest.approx(case["pixel_size_hw"], rel=1e-7)


NUMBERS = [(name, row) for name in VECTORS for row in VECTORS[name]["prompt_numbers"]]


@pytest.mark.parametrize(("name", "row"), NUMBERS)
def test_stated_numbers_are_upstreams(name, row):
    axes = [axis for axis in range(3) if axis != row["slice_dim"]]
    height, width = (row["shape_3d"][axis] for axis in axes)
    # Headers hold floats of half width: 0.9 mm is a little less, and 1.6875 is stated as 1.687.
    spacing = Spacing(*(float(np.float32(row["zooms"][axis])) for axis in axes))
    recipe = RECIPES[name]
    image = grey_slice(np.zeros((height, width)), spacing)
    views = ViewSet(image, recipe.perceives(RULES[row["model"]]))
    text = Question("size", image, "", "x", (), wording=recipe.wording("direct")).prompt(views, ()).question
    width_mm, height_mm = row["stated_pixel_size_w_h"]
    assert f"width_mm_per_px = {width_mm}, height_mm_per_px = {height_mm}." in text
    assert f"one pixel in {row['unit_words'][0]}:" in text
    if row["stated_image_size_w_h"] is None:
        assert "width_px" not in text
    else:
        assert "width_px = {}, height_px = {}.".format(*row["stated_image_size_w_h"]) in text


RAMP = np.linspace(-2000, 2000, 20, dtype=np.float32).reshape(4, 5)


@pytest.mark.parametrize(
    ("shown", "low", "high"),
    [
        ({"modality": "CT", "label": "liver"}, -160, 240),
        ({"modality": "CT", "label": "left lung"}, -1350, 150),
        ({"modality": "CT", "label": "brain"}, 0, 80),
        ({"modality": "CT", "label": "sacrum"}, -500, 1300),
    ],
)
def test_ct_windows_by_what_is_asked(shown, low, high):
    image = RECIPES["medvision-1.2"].slice_of(NativeImage(RAMP, displayed=False), sample(**shown))
    expected = ((np.clip(RAMP, low, high) - low) / (high - low) * 255).astype(np.uint8)
    assert (image.grey == expected).all()


@pytest.mark.parametrize(
    "shown",
    [
        {"modality": "MRI", "label": "liver"},
        {"modality": "CT", "label": "no such label"},
        {"modality": "CT", "label": "liver", "medvision": False},
        {"modality": "CT", "label": "kidney", "dataset": "KiPA22"},
    ],
)
def test_everything_else_is_clipped_to_percentiles(shown):
    image = RECIPES["medvision-1.2"].slice_of(NativeImage(RAMP, displayed=False), sample(**shown))
    low, high = np.percentile(RAMP, (0.5, 99.5))
    assert (image.grey == ((np.clip(RAMP, low, high) - low) / (high - low) * 255).astype(np.uint8)).all()


@pytest.mark.parametrize("name", RECIPES)
def test_flat_pictures_are_black_and_pictures_stay_as_they_are(name):
    flat = RECIPES[name].slice_of(NativeImage(np.full((3, 3), 7, np.float32), displayed=False), sample())
    assert (flat.grey == 0).all()
    shown = np.arange(9, dtype=np.float32).reshape(3, 3)
    assert (RECIPES[name].slice_of(NativeImage(shown, displayed=True), sample()).grey == shown).all()


def test_two_valued_pictures_keep_their_values_in_the_newer_recipe_only():
    binary = np.kron([[0, 1], [1, 0]], np.ones((2, 2))).astype(np.float32)
    for name, kept in (("medvision-1.2", True), ("paper-v1", False)):
        image = recipe_named(name, Size(7, 7)).slice_of(NativeImage(binary, displayed=False), sample())
        assert image.size == Size(7, 7)
        assert (len(np.unique(image.values)) == 2) == kept


def test_unknown_names_are_said():
    with pytest.raises(ConfigError, match="Did you mean 'paper-v1'"):
        recipe_named("paper-v2")
    with pytest.raises(ConfigError, match="no prompt form 'cot'"):
        RECIPES["paper-v1"].wording("cot")


def test_perceived_sizes_of_the_first_generation():
    rules = {"gemma3": RULES["medgemma"], "huatuogpt_vision": Padded(), "healthgpt_l14": Padded()} | RULES
    with (GOLDEN / "resize_vectors_paper-v1.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 21
    for row in rows:
        sent = Size(int(row["height"]), int(row["width"]))
        perceives = RECIPES["paper-v1"].perceives(rules[row["model"]])
        assert perceives.perceived(sent) == Size(int(row["content_h"]), int(row["content_w"])), row
        assert perceives.canvas(sent) == Size(int(row["canvas_h"]), int(row["canvas_w"])), row
