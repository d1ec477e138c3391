"""The rules beside the real image processors of the transformers library, as arithmetic and on real pictures."""

import importlib.util
import sys

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from medvision_agent.errors import ConfigError
from medvision_agent.tools.view.geometry import Size
from medvision_agent.tools.view.perceived import (
    AnyResolution,
    Cropped,
    Fixed,
    Grid,
    LlamaTiles,
    Multiples,
    Patches,
    Processor,
    Splits,
)

HERE = importlib.util.find_spec("transformers") is not None and importlib.util.find_spec("PIL") is not None
needs_transformers = pytest.mark.skipif(not HERE, reason="transformers and pillow are not installed (extra: local)")
pytestmark = pytest.mark.filterwarnings("default")  # the library's own deprecations are not ours

sides = st.integers(1, 3000)
THIN = 200
"""The library refuses pictures longer than this many times their width."""


def at_most_thin(height, width):
    assume(max(height, width) <= THIN * min(height, width))


@needs_transformers
@settings(max_examples=1000, deadline=None)
@given(sides, sides)
@example(560, 560)
@example(561, 1)
@example(561, 1121)
@example(1, 3000)
@example(1120, 1120)
def test_llama_tiles(height, width):
    from transformers.models.mllama import image_processing_pil_mllama as mllama

    sent, rule = Size(height, width), LlamaTiles()
    canvas = mllama.get_optimal_tiled_canvas(height, width, 4, 560)
    content = mllama.get_image_size_fit_to_canvas(height, width, *canvas, 560)
    assert rule.perceived(sent) == rule.in_paper_v1(sent) == Size(*content)
    stated = rule.canvas(sent)
    assert stated == Size(*(-(-side // 560) * 560 for side in content))
    # MedVision states the content padded to whole tiles. In about one size of a thousand (561 x 1121) the content falls
    # a pixel short of another tile, which the processor then adds as padding alone.
    assert sorted((canvas[0] - stated.height, canvas[1] - stated.width)) in ([0, 0], [0, 560])


@needs_transformers
@settings(max_examples=1000, deadline=None)
@given(sides, sides)
@example(384, 384)
@example(2305, 2305)
@example(100, 2900)
def test_any_resolution(height, width):
    at_most_thin(height, width)
    from transformers.image_processing_utils import get_patch_output_size, select_best_resolution
    from transformers.models.llava_onevision.image_processing_pil_llava_onevision import LlavaOnevisionImageProcessorPil

    rule = AnyResolution()
    pinpoints = LlavaOnevisionImageProcessorPil.image_grid_pinpoints
    canvas = select_best_resolution((height, width), pinpoints)
    picture = np.broadcast_to(np.zeros((), np.uint8), (3, height, width))
    content = get_patch_output_size(picture, canvas, "channels_first")
    assert rule.canvas(Size(height, width)) == Size(*canvas)
    assert rule.perceived(Size(height, width)) == Size(*content)
    on_its_side = select_best_resolution((width, height), pinpoints)
    assert rule.in_paper_v1(Size(height, width)) == Size(*on_its_side)


@needs_transformers
@settings(max_examples=1000, deadline=None)
@given(sides, sides, st.sampled_from([(1, 12), (1, 6), (2, 8), (1, 1)]), st.booleans())
@example(400, 400, (1, 12), False)
@example(1000, 1000, (1, 12), True)
@example(500, 1000, (1, 12), True)
def test_grid(height, width, tiles, thumbnail):
    from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import get_optimal_tiled_canvas

    least, most = tiles
    rule = Grid(least_tiles=least, most_tiles=most, thumbnail=thumbnail)
    more = 1 if thumbnail and most != 1 else 0
    columns, rows = get_optimal_tiled_canvas((height, width), (448, 448), least, most + more)
    assert rule.perceived(Size(height, width)) == rule.canvas(Size(height, width)) == Size(448 * rows, 448 * columns)
    assert rule.in_paper_v1(Size(height, width)) == Size(448, 448)


@needs_transformers
@settings(max_examples=1000, deadline=None)
@given(sides, sides, st.sampled_from([(2048, 512), (1536, 384), (512, 512)]))
@example(1, 3000, (2048, 512))
def test_splits(height, width, numbers):
    from transformers.models.smolvlm.image_processing_pil_smolvlm import SmolVLMImageProcessorPil

    longest, tile = numbers
    processor = SmolVLMImageProcessorPil(size={"longest_edge": longest}, max_image_size={"longest_edge": tile})
    asked = []
    processor.resize = lambda image, size, **_: asked.append(Size(size.height, size.width))
    resized = smolvlm_size(height, width, longest)
    processor.resize_for_vision_encoder(np.broadcast_to(np.zeros((), np.uint8), (3, *resized)), tile)
    assert [Splits(longest=longest, tile=tile).perceived(Size(height, width))] == asked


def smolvlm_size(height, width, longest):
    from transformers.models.smolvlm.image_processing_pil_smolvlm import get_resize_output_image_size

    return get_resize_output_image_size(np.broadcast_to(np.zeros((), np.uint8), (3, height, width)), longest)


@needs_transformers
@settings(max_examples=1000, deadline=None)
@given(sides, sides, st.sampled_from([(28, 3_136, 12_845_056), (32, 65_536, 16_777_216), (28, 3_136, 451_584)]))
@example(10, 200, (28, 3_136, 12_845_056))
@example(42, 700, (28, 3_136, 12_845_056))
def test_multiples(height, width, numbers):
    at_most_thin(height, width)
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize

    multiple, least, most = numbers
    rule = Multiples(multiple=multiple, least=least, most=most)
    assert rule.perceived(Size(height, width)) == Size(*smart_resize(height, width, multiple, least, most))


@needs_transformers
@settings(max_examples=1000, deadline=None)
@given(sides, sides)
@example(10, 200)
def test_multiples_of_glm(height, width):
    at_most_thin(height, width)
    from transformers.models.glm4v.image_processing_pil_glm4v import smart_resize

    rule = Multiples(least=112 * 112 // 2, most=28 * 28 * 15000 // 2, enlarge=True)
    expected = smart_resize(2, height, width, 2, 28, 112 * 112, 28 * 28 * 15000)
    assert rule.perceived(Size(height, width)) == Size(*expected)


@needs_transformers
@settings(max_examples=1000, deadline=None)
@given(sides, sides)
def test_gemma_4(height, width):
    at_most_thin(height, width)
    from transformers.models.gemma4.image_processing_pil_gemma4 import get_aspect_ratio_preserving_size

    rule = Patches(patch=48, pixels=2520 * 256, grow=True)
    assert rule.perceived(Size(height, width)) == Size(*get_aspect_ratio_preserving_size(height, width, 16, 2520, 3))


def of_grid(seen, patch):
    _, rows, columns = (int(number) for number in seen["image_grid_thw"][0])
    return rows * patch, columns * patch


def of_positions(seen, patch):
    last_x, last_y = np.asarray(seen["image_position_ids"][0]).max(axis=0)
    return (int(last_y) + 1) * patch, (int(last_x) + 1) * patch


PROCESSORS = {
    "qwen2_vl.Qwen2VL": ({}, Multiples(most=28 * 28 * 1280), lambda seen: of_grid(seen, 14)),
    "qwen2_vl.Qwen2VL/3": (
        {"patch_size": 16, "size": {"shortest_edge": 65536, "longest_edge": 600_000}},
        Multiples(multiple=32, least=65536, most=600_000),
        lambda seen: of_grid(seen, 16),
    ),
    "glm4v.Glm4v": (
        {"size": {"shortest_edge": 12544, "longest_edge": 600_000}},
        Multiples(least=6272, most=300_000, enlarge=True),
        lambda seen: of_grid(seen, 14),
    ),
    "gemma3.Gemma3": (
        {"size": {"height": 896, "width": 896}},
        Fixed(height=896, width=896),
        lambda seen: np.shape(seen["pixel_values"])[-2:],
    ),
    "gemma4.Gemma4": ({}, Patches(patch=48, pixels=2520 * 256, grow=True), lambda seen: of_positions(seen, 16)),
    "mllama.Mllama": (
        {"size": {"height": 560, "width": 560}},
        LlamaTiles(),
        lambda seen: [560 * tiles for tiles in TILES[int(np.asarray(seen["aspect_ratio_ids"]).flat[0])]],
    ),
    "llava_onevision.LlavaOnevision": ({}, AnyResolution(), None),
    "glm46v.Glm46V": (
        {"size": {"shortest_edge": 12544, "longest_edge": 600_000}},
        Multiples(least=6272, most=300_000, enlarge=True),
        lambda seen: of_grid(seen, 14),
    ),
    # Tiles of the picture, and after them one of the whole picture.
    "got_ocr2.GotOcr2": (
        {"size": {"height": 64, "width": 64}, "crop_to_patches": True, "max_patches": 6},
        Grid(tile=64, most_tiles=6, thumbnail=False),
        None,
    ),
    "got_ocr2.GotOcr2/whole": (
        {"size": {"height": 64, "width": 64}},
        Fixed(height=64, width=64),
        lambda seen: np.shape(seen["pixel_values"])[-2:],
    ),
    "got_ocr2.GotOcr2/internvl": (
        {"size": {"height": 64, "width": 64}, "_processor_class": "InternVLProcessor"},
        Grid(tile=64, most_tiles=12, thumbnail=False),
        None,
    ),
    "clip.CLIP/whole": (
        {"size": {"height": 336, "width": 336}, "do_center_crop": False},
        Fixed(height=336, width=336),
        lambda seen: np.shape(seen["pixel_values"])[-2:],
    ),
    "smolvlm.SmolVLM": (
        {"size": {"longest_edge": 256}, "max_image_size": {"longest_edge": 64}, "return_row_col_info": True},
        Splits(longest=256, tile=64),
        lambda seen: (64 * seen["rows"][0][0], 64 * seen["cols"][0][0]),
    ),
    "idefics3.Idefics3": (
        {"size": {"longest_edge": 256}, "max_image_size": {"longest_edge": 64}, "return_row_col_info": True},
        Splits(longest=256, tile=64),
        lambda seen: (64 * seen["rows"][0][0], 64 * seen["cols"][0][0]),
    ),
    "smolvlm.SmolVLM/whole": (
        {"max_image_size": {"longest_edge": 64}, "do_image_splitting": False},
        Fixed(height=64, width=64),
        lambda seen: np.shape(seen["pixel_values"])[-2:],
    ),
}
"""Class: settings, the rule they amount to, and how to tell from what it returns what the encoder sees."""
# Rows and columns of tiles by the number under which the processor knows them.
TILES = {1: (1, 1), 2: (1, 2), 3: (1, 3), 4: (1, 4), 5: (2, 1), 6: (2, 2), 7: (3, 1), 8: (4, 1)}


def saved(name, folder, **settings):
    module, _, kind = name.split("/")[0].partition(".")
    source = importlib.import_module(f"transformers.models.{module}.image_processing_pil_{module}")
    processor = getattr(source, f"{kind}ImageProcessorPil")(**settings)
    processor.save_pretrained(folder)
    return processor


@needs_transformers
@pytest.mark.parametrize("name", PROCESSORS)
def test_rule_of_a_checkpoint_is_what_its_processor_does(tmp_path, name):
    from PIL import Image

    settings, expected, seen_by = PROCESSORS[name]
    processor = saved(name, tmp_path, **settings)
    rule = Processor(checkpoint=str(tmp_path))
    assert rule.resolved() == expected
    for height, width in [(512, 512), (300, 700), (1200, 500), (61, 83), (1935, 2400)]:
        sent = Size(height, width)
        assert rule.perceived(sent) == expected.perceived(sent)
        assert rule.canvas(sent) == expected.canvas(sent)
        assert rule.in_paper_v1(sent) == expected.in_paper_v1(sent)
        if seen_by is not None:
            seen = processor(Image.fromarray(np.zeros((height, width, 3), np.uint8)), return_tensors="np")
            assert expected.canvas(sent) == Size(*seen_by(seen))


@needs_transformers
@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        (
            "pixtral.Pixtral",
            {},
            "its image processor is PixtralImageProcessor, for which no size rule is known; known are",
        ),
        ("clip.CLIP", {"size": {"shortest_edge": 300}}, "crop_size"),
        ("got_ocr2.GotOcr2", {"size": {"height": 64, "width": 32}}, "tile is not square"),
        ("gemma3.Gemma3", {"do_pan_and_scan": True}, "do_pan_and_scan"),
        ("qwen2_vl.Qwen2VL", {"do_resize": False}, "do_resize"),
        ("llava_onevision.LlavaOnevision", {"image_grid_pinpoints": [[384, 768], [768, 384]]}, "image_grid_pinpoints"),
    ],
)
def test_other_processors_are_refused(tmp_path, name, settings, words):
    saved(name, tmp_path, **settings)
    with pytest.raises(ConfigError, match=words) as caught:
        Processor(checkpoint=str(tmp_path)).perceived(Size(512, 512))
    assert str(tmp_path) in str(caught.value)


@needs_transformers
def test_a_missing_or_broken_checkpoint_is_said_in_one_line(tmp_path):
    (tmp_path / "preprocessor_config.json").write_text("{")
    for checkpoint in (str(tmp_path), str(tmp_path / "none")):
        with pytest.raises(ConfigError, match="cannot be read") as caught:
            Processor(checkpoint=checkpoint).perceived(Size(512, 512))
        assert checkpoint in str(caught.value)
        assert "\n" not in str(caught.value)


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    rule = Processor(checkpoint="some/model")
    with pytest.raises(ConfigError, match=r"'some/model'.*medvision-agent\[local\]"):
        rule.perceived(Size(512, 512))


@needs_transformers
def test_a_processor_that_cuts_the_ends_off_sees_square_pictures_only(tmp_path):
    saved("clip.CLIP", tmp_path, size={"shortest_edge": 336}, crop_size={"height": 336, "width": 336})
    rule = Processor(checkpoint=str(tmp_path))
    assert rule.resolved() == Cropped(side=336)
    assert rule.perceived(Size(512, 512)) == Size(336, 336)
    with pytest.raises(ConfigError, match=r"would not see the ends of an image of 512 x 400 pixels"):
        rule.perceived(Size(400, 512))
