"""The image under the canvas: native values only where they give exactly the image that was sent."""

import io
import json
import shutil

import numpy as np
import pytest
from canvases import MINI, Asked
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from installed import plugged_in, written
from PIL import Image

from medvision_agent.eval.browse import shown as module
from medvision_agent.eval.browse.bundle import write_bundle
from medvision_agent.eval.browse.library import Library
from medvision_agent.eval.browse.scene import scene_of_sample
from medvision_agent.eval.browse.shown import UNREADABLE, packed
from medvision_agent.eval.store.damage import read_picture
from medvision_agent.eval.why.stored import tools_of
from medvision_agent.tools.view.png import decode_png, encode_png

SAY = ["<answer>1, 1</answer>"]


@pytest.fixture
def asked(tmp_path):
    return Asked(tmp_path / "asked")


@pytest.fixture(autouse=True)
def _fresh():
    module._source.cache_clear()


def pixels(png):
    """Return a PNG file as PIL reads it, a reader of its own."""
    return np.asarray(Image.open(io.BytesIO(png)))


def values_of(asked, scene):
    """Return the native values as a reader of the canvas works them out."""
    stored = pixels(asked.kept[scene.shown.name]).astype(np.int64)
    number = stored[..., 0] * 256 + stored[..., 1]
    return (number * scene.shown.slope + scene.shown.intercept).astype(np.float32)


def through(values, shown):
    """Return the greys of values through the window of the canvas, by the formula of its page."""
    low, high, extent = (np.float32(one) for one in (shown.low, shown.high, shown.high - shown.low))
    return ((np.clip(values, low, high) - low) / extent * np.float32(255)).astype(np.uint8)


def sent(asked):
    return decode_png(read_picture(asked.stored.folder, asked.record.v0_sha256))


@pytest.mark.parametrize("recipe", ["medvision-1.2", "paper-v1"])
def test_a_volume_is_shown_by_its_values_and_its_window_gives_what_was_sent(asked, recipe):
    scene = asked.run(SAY, recipe=recipe)
    assert scene.shown.storage == "packed16"
    assert scene.shown.about == "native values of the slice"
    assert np.array_equal(through(values_of(asked, scene), scene.shown), sent(asked))


def test_a_reshaped_volume_is_shown_as_it_was_resampled(asked):
    scene = asked.run(SAY, reshape=(50, 90))
    off = np.abs(through(values_of(asked, scene), scene.shown).astype(int) - sent(asked))
    assert off.max() <= 1  # numbers between stored steps: to within what `about` states
    assert "resampled to 50 x 90" in scene.shown.about
    assert "to within" in scene.shown.about


def test_hounsfield_units_of_a_file_are_exact(asked, tmp_path):
    dice = np.random.default_rng(3)
    hu = dice.integers(-1024, 3000, (40, 60)).astype(np.int32)
    Image.fromarray((hu + 1024).astype(np.uint16)).save(tmp_path / "ct.png")
    sample = {"id": "a", "task": "size", "image": "ct.png", "pixel_size": {"height_mm": 1.5, "width_mm": 0.5}}
    sample |= {"modality": "CT", "plane": "axial", "label": "lump", "target": [20, 10], "convention": "edge"}
    sample |= {"dataset": "own", "subject": "own/1", "values": {"units": "HU", "slope": 1, "intercept": -1024}}
    (tmp_path / "ct.jsonl").write_text(json.dumps(sample))
    scene = asked.run(SAY, data=str(tmp_path / "ct.jsonl"), selection={})
    assert (scene.shown.unit, scene.shown.slope) == ("HU", 1.0)
    assert np.array_equal(values_of(asked, scene), hu)
    assert np.array_equal(through(values_of(asked, scene), scene.shown), sent(asked))
    assert scene.missing[0] == "the ground truth is not drawn: its source states no points"


@pytest.mark.parametrize("data", ["demo", "phantom:1:4"])
def test_pictures_of_8_bits_are_shown_as_stored(asked, data):
    scene = asked.run(SAY, data=data, selection={"limit": 1, "tasks": ("size",)})
    assert (scene.shown.storage, scene.shown.unit) == ("grey8", "grey level")
    assert scene.shown.about == "values of the slice (grey levels, 8 bits)"
    assert scene.shown.name == asked.record.v0_sha256
    assert not asked.kept


def test_what_a_display_drew_is_not_on_the_canvas(asked):
    scene = asked.run(SAY, display="grid")
    plain = through(values_of(asked, scene), scene.shown)
    assert (plain != sent(asked)).any()
    other = Asked(asked.folder / "plain")
    assert other.run(SAY).shown.name == scene.shown.name
    assert np.array_equal(plain, sent(other))


def test_a_source_that_is_gone_leaves_the_image_as_sent(asked, tmp_path):
    shutil.copytree(MINI, tmp_path / "Data")
    scene = asked.run(SAY, data=f"medvision:{tmp_path / 'Data'}")
    assert scene.shown.storage == "packed16"
    shutil.rmtree(tmp_path / "Data")
    module._source.cache_clear()
    scene = asked.read()
    assert scene.shown.name == asked.record.v0_sha256
    assert str(tmp_path / "Data") in scene.shown.about
    write_bundle(Library([asked.folder]), {}, tmp_path / "bundle")  # which may be published
    scripts = [file.read_text(encoding="utf-8") for file in (tmp_path / "bundle/data/talks").rglob("*.js")]
    assert any(f'{UNREADABLE}"' in text for text in scripts)
    assert not any(str(tmp_path) in text for text in scripts)
    assert scene.shown.about.startswith("grey levels of the image as sent: its source cannot be read here: ")
    assert (scene.shown.storage, scene.shown.unit, scene.shown.low, scene.shown.high) == ("grey8", "grey level", 0, 255)


def test_an_image_that_is_another_by_now_is_not_shown(asked, tmp_path):
    sample = {"id": "a", "task": "size", "image": "one.png", "pixel_size": {"height_mm": 1, "width_mm": 1}}
    sample |= {"modality": "CT", "plane": "axial", "label": "lump", "target": [20, 10], "convention": "edge"}
    (tmp_path / "own.jsonl").write_text(json.dumps(sample | {"dataset": "own", "subject": "own/1"}))
    grey = np.arange(2400, dtype=np.uint8).reshape(40, 60)
    (tmp_path / "one.png").write_bytes(encode_png(grey))
    asked.run(SAY, data=str(tmp_path / "own.jsonl"), selection={})
    (tmp_path / "one.png").write_bytes(encode_png(grey[::-1].copy()))
    scene = asked.read()
    assert (
        scene.shown.about == "grey levels of the image as sent: the source here gives another image than the one sent"
    )


def test_a_source_of_another_package_is_not_opened(asked, tmp_path):
    code = "def opened(argument):\n    raise SystemExit('the code of a package was run')\n"
    site = written(
        tmp_path / "site", "other", "medvision_agent.sources", {"other": "other_source:opened"}, other_source=code
    )
    asked.run(SAY)
    with plugged_in(site):
        asked.stored.config["data"] = "other:here"
        scene = scene_of_sample(asked.stored, asked.record, tools_of(asked.stored))
    assert "other is a source of another package" in scene.shown.about


@pytest.mark.parametrize("picture", ["none", "blank", "swapped"])
def test_another_picture_than_the_samples_own(asked, picture):
    scenes = asked.run_all(
        ["<answer>0.1, 0.1, 0.5, 0.5</answer>"],
        data="demo",
        selection={"tasks": ("detection",)},
        picture=picture,
    )
    assert len(scenes) > 2
    for scene in scenes:
        if picture == "none":
            assert scene == "the model was shown no image"
            continue
        assert not [one for one in scene.marks if one.layer == "truth"]
        assert scene.missing[0].startswith("the ground truth is not drawn: the image")
        about = {"blank": "the uniform image that was sent", "swapped": "values of the image that stood in its place"}
        assert scene.shown.about.startswith(about[picture])


@settings(max_examples=200, deadline=None)
@given(
    arrays(np.int32, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 4000)),
    st.sampled_from([1.0, 0.5, 2.0, 0.1, 0.0317, 1e-4, 37.5]),
    st.sampled_from([0.0, -1024.0, 0.25, 1e3]),
)
def test_values_of_one_step_are_packed_exactly(numbers, slope, intercept):
    values = (numbers * slope + intercept).astype(np.float32)
    picture, slope_now, intercept_now, off = packed(values)
    stored = picture[..., 0].astype(np.int64) * 256 + picture[..., 1]
    back = (stored * slope_now + intercept_now).astype(np.float32)
    assert np.abs(back.astype(np.float64) - values.astype(np.float64)).max() == off
    assert off <= np.ptp(values.astype(np.float64)) / 65535 / 2 + abs(float(np.abs(values).max())) * 1e-7
    if slope in {1.0, 0.5, 2.0, 37.5}:
        assert off == 0


@settings(max_examples=100, deadline=None)
@given(arrays(np.float32, (4, 5), elements=st.floats(-1e6, 1e6, width=32)))
def test_any_values_are_packed_to_within_what_is_stated(values):
    picture, slope, intercept, off = packed(values)
    back = ((picture[..., 0].astype(np.int64) * 256 + picture[..., 1]) * slope + intercept).astype(np.float32)
    assert np.abs(back.astype(np.float64) - values.astype(np.float64)).max() == off
    assert off <= np.ptp(values.astype(np.float64)) / 65535 + 0.1
