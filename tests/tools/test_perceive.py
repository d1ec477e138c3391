import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from medvision_agent.tools.geometry import Size
from medvision_agent.tools.perceive import (
    Fixed,
    Kimi,
    LongestSide,
    Multiples,
    Native,
    Padded,
    Patches,
    PerceivedRule,
    Tiles,
)

GOLDEN = Path(__file__).parent.parent / "data" / "golden" / "resize_vectors_v1.2.csv"
LARGE = Patches(pixels=2500 * 1024, longest=2048)
SMALL = Patches(pixels=1536 * 1024)
CLAUDE = Patches(patch=28, pixels=4784 * 750, longest=2576)
OLDER_CLAUDE = Patches(patch=28, pixels=1568 * 750, longest=1568)
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


@given(st.sampled_from([Native(), *RULES.values()]), sides, sides)
def test_every_size_has_a_perceived_size(rule, height, width):
    seen = rule.perceived(Size(height, width))
    assert seen.height >= 1
    assert seen.width >= 1


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
        ((6000, 4000), (4368, 2912)),  # shrunk to the most
    ],
)
def test_multiples_of_qwen(sent, seen):
    assert Multiples().perceived(Size(*sent)) == Size(*seen)


def test_gemma_4_enlarges_small_pictures():
    rule = Patches(patch=48, pixels=2520 * 256, grow=True)
    assert rule.perceived(Size(100, 100)) == Size(768, 768)
    assert rule.perceived(Size(3000, 3000)) == Size(768, 768)
