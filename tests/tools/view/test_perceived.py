import csv
import re
from pathlib import Path
from typing import get_args

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from medvision_agent.tools.view.geometry import Size
from medvision_agent.tools.view.perceived import (
    AnyResolution,
    Fixed,
    Grid,
    Kimi,
    LlamaTiles,
    LongestSide,
    Multiples,
    Native,
    Padded,
    Patches,
    PerceivedRule,
    Tiles,
)

GOLDEN = Path(__file__).parents[2] / "data" / "golden" / "resize_vectors_v1.2.csv"
LARGE = Patches(pixels=2500 * 1024, longest=2048)
SMALL = Patches(pixels=1536 * 1024)
CLAUDE = Patches(patch=28, pixels=4784 * 750, longest=2576)
OLDER_CLAUDE = Patches(patch=28, pixels=1568 * 750, longest=1568)
KINDS = get_args(get_args(PerceivedRule)[0])
RULES = {
    "gemini-2.5-flash": LongestSide(limit=3072),
    "google/gemini-3.1-pro-preview": LongestSide(limit=3072),
    "gpt-4o": Tiles(),
    "o3": Tiles(),
    "gpt-5.5": LARGE,
    "openai/gpt-5.5-pro": LARGE,
    "gpt-5-mini-2025-08-07": SMALL,
    "o4-mini": SMALL,
    "claude-opus-4-8": CLAUDE,
    "anthropic/claude-opus-4.7": CLAUDE,
    "claude-haiku-4-5": OLDER_CLAUDE,
    "claude-sonnet-4-5-20250929": OLDER_CLAUDE,
    "moonshotai/kimi-k2.6": Kimi(),
    "llava_med": Padded(),
    "huatuogpt_vision": Padded(),
    "healthgpt": Padded(),
    "medgemma": Fixed(height=896, width=896),
    "gemma3": Fixed(height=896, width=896),
    "vllm_gemma3": Fixed(height=896, width=896),
    "meddr": Fixed(height=448, width=448),
}


def rows(model):
    with GOLDEN.open(newline="") as file:
        return [row for row in csv.DictReader(file) if (row["model_code"] or row["model"]) == model]


@pytest.mark.parametrize("model", RULES)
def test_rules_agree_with_medvisions_table(model):
    vectors = rows(model)
    assert len(vectors) == 23
    for row in vectors:
        sent = Size(int(row["height"]), int(row["width"]))
        expected = Size(int(row["content_h"]), int(row["content_w"]))
        canvas = Size(int(row["canvas_h"]), int(row["canvas_w"]))
        assert RULES[model].perceived(sent) == expected, row
        assert RULES[model].canvas(sent) == canvas, row


sides = st.integers(1, 20_000)


@given(st.sampled_from([Native(), LlamaTiles(), AnyResolution(), Grid(), Multiples(), *RULES.values()]), sides, sides)
def test_every_size_has_a_perceived_size(rule, height, width):
    seen = rule.perceived(Size(height, width))
    assert seen.height >= 1
    assert seen.width >= 1
    canvas = rule.canvas(Size(height, width))
    assert canvas.height >= seen.height
    assert canvas.width >= seen.width


@given(sides, sides)
def test_native_changes_nothing(height, width):
    assert Native().perceived(Size(height, width)) == Size(height, width)


def test_rules_are_told_apart_by_their_key():
    adapter = TypeAdapter(PerceivedRule)
    assert adapter.validate_python({"rule": "fixed", "height": 896, "width": 448}) == Fixed(height=896, width=448)
    assert adapter.validate_python({"rule": "longest_side", "limit": 3072}) == LongestSide(limit=3072)
    with pytest.raises(ValidationError):
        adapter.validate_python({"rule": "longest_side"})
    with pytest.raises(ValidationError):
        adapter.validate_python({"rule": "guess"})


def test_every_row_of_the_table_has_a_rule():
    with GOLDEN.open(newline="") as file:
        assert {row["model_code"] or row["model"] for row in csv.DictReader(file)} == set(RULES)


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        ((512, 512), (504, 504)),  # 18.29 multiples of 28
        ((14, 28), (56, 84)),  # enlarged to the least: 39.6 and 79.2 px, then up to multiples
        ((42, 700), (56, 700)),  # half-way, 1.5, goes to the even multiple
        ((10, 200), (28, 252)),  # less than half a multiple is none, so the picture is enlarged to the least
        ((6000, 4000), (4368, 2912)),  # shrunk to the most
    ],
)
def test_multiples_of_qwen(sent, seen):
    assert Multiples().perceived(Size(*sent)) == Size(*seen)


def test_gemma_4_enlarges_small_pictures():
    rule = Patches(patch=48, pixels=2520 * 256, grow=True)
    assert rule.perceived(Size(100, 100)) == Size(768, 768)
    assert rule.perceived(Size(3000, 3000)) == Size(768, 768)


@pytest.mark.parametrize(
    ("sent", "content", "canvas"),
    [
        ((512, 512), (560, 560), (560, 560)),  # enlarged to one tile
        ((300, 700), (300, 700), (560, 1120)),  # sent size kept where it fits
        ((1935, 2400), (903, 1120), (1120, 1120)),
        ((3000, 10), (2240, 7), (2240, 560)),
        ((777, 1999), (560, 1440), (560, 1680)),
        ((2111, 2411), (980, 1120), (1120, 1120)),  # 980.7 rows are cut to 980
        ((561, 1121), (560, 1120), (560, 1120)),
    ],
)
def test_tiles_of_llama(sent, content, canvas):
    assert LlamaTiles().perceived(Size(*sent)) == LlamaTiles().in_paper_v1(Size(*sent)) == Size(*content)
    assert LlamaTiles().canvas(Size(*sent)) == Size(*canvas)


@pytest.mark.parametrize(
    ("sent", "content", "canvas", "first"),
    [
        ((512, 512), (768, 768), (768, 768), (768, 768)),
        ((300, 600), (384, 768), (384, 768), (768, 384)),
        ((1935, 2400), (1858, 2304), (1920, 2304), (2304, 1920)),
        ((100, 2900), (80, 2304), (384, 2304), (2304, 384)),
        ((777, 1999), (896, 2304), (1152, 2304), (2304, 1152)),  # 895.6 rows are made 896
        ((1999, 777), (2304, 896), (2304, 1152), (1152, 2304)),
    ],
)
def test_any_resolution_of_llava(sent, content, canvas, first):
    assert AnyResolution().perceived(Size(*sent)) == Size(*content)
    assert AnyResolution().canvas(Size(*sent)) == Size(*canvas)
    assert AnyResolution().in_paper_v1(Size(*sent)) == Size(*first)


@pytest.mark.parametrize(
    ("sent", "most", "thumbnail", "grid"),
    [
        ((300, 300), 12, True, (1, 1)),
        ((700, 700), 12, True, (2, 2)),  # more than half of the larger square is filled
        ((300, 600), 12, True, (1, 2)),
        ((700, 300), 12, True, (5, 2)),
        ((100, 1300), 12, True, (1, 13)),  # with a thumbnail, one tile more
        ((100, 1300), 12, False, (1, 12)),
        ((100, 1300), 1, True, (1, 1)),
    ],
)
def test_grid_of_internvl(sent, most, thumbnail, grid):
    rule = Grid(most_tiles=most, thumbnail=thumbnail)
    assert rule.perceived(Size(*sent)) == rule.canvas(Size(*sent)) == Size(448 * grid[0], 448 * grid[1])
    assert rule.in_paper_v1(Size(*sent)) == Size(448, 448)


def test_rules_of_the_page_are_rules():
    page = (Path(__file__).parents[3] / "docs" / "perceived-sizes.md").read_text(encoding="utf-8")
    stated = re.findall(r"\{rule: [^}]*\}", page)
    rules = [TypeAdapter(PerceivedRule).validate_python(yaml.safe_load(text)) for text in stated]
    assert {rule.rule for rule in rules} == {kind.model_fields["rule"].default for kind in KINDS}
    assert {rule for name, rule in RULES.items()} <= set(rules)
