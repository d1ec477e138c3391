import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from medvision_agent.tools.geometry import Size
from medvision_agent.tools.perceive import Fixed, LongestSide, Native, Patches, PerceivedRule, Tiles

GOLDEN = Path(__file__).parent.parent / "data" / "golden" / "resize_vectors_v1.2.csv"
LARGE = Patches(budget=2500, longest=2048)
SMALL = Patches(budget=1536)
RULES = {
    "gemini-2.5-flash": LongestSide(limit=3072),
    "google/gemini-3.1-pro-preview": LongestSide(limit=3072),
    "gpt-4o": Tiles(),
    "o3": Tiles(),
    "gpt-5.5": LARGE,
    "openai/gpt-5.5-pro": LARGE,
    "gpt-5-mini-2025-08-07": SMALL,
    "o4-mini": SMALL,
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
        assert RULES[model].perceived(sent) == expected, row


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
