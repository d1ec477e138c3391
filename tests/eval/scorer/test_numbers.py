"""Reading numbers: what the golden vectors do not reach."""

import re
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medvision_agent.errors import ConfigError
from medvision_agent.eval.scorer.numbers import extract, find_numbers, parse, parse_numbers, written_out
from medvision_agent.eval.scorer.protocol import PROTOCOLS, Protocol, protocol

SIZE = 1_000_000
HOSTILE = {
    "digits": "9" * SIZE,
    "decimals": "0." + "1" * SIZE,
    "exponent": "1e" + "9" * SIZE,
    "open tags": "<answer>" * (SIZE // 8),
    "dots": "1." * (SIZE // 2),
    "signs": "+-" * (SIZE // 2),
    "thousands": "1" + ",111" * (SIZE // 4),
    "almost thousands": "1,11" * (SIZE // 4),
    "Arabic-Indic digits": "\u0663" * SIZE,
}
protocols = pytest.mark.parametrize("rules", PROTOCOLS.values(), ids=PROTOCOLS)


@protocols
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_megabyte_takes_linear_time(rules: Protocol, kind: str) -> None:
    started = time.process_time()
    for text in (HOSTILE[kind], f"<answer>{HOSTILE[kind]}</answer>"):
        parse(extract(text, 1, rules), 1)
    # A quadratic scan of this text takes minutes; a linear one about 0.2 s on a slow core.
    assert time.process_time() - started < 5


@protocols
@given(text=st.text(alphabet=st.sampled_from("0159,.-+eE <>/answer\u0663\u00b2\u2212\n")), count=st.integers(1, 4))
def test_what_is_extracted_parses(rules: Protocol, text: str, count: int) -> None:
    for wrapped in (text, f"<answer>{text}</answer>"):
        extracted = extract(wrapped, count, rules)
        values = parse(extracted, count)
        assert (values is None) == (extracted == "")
        if values is not None:
            assert values.dtype == np.float32
            assert values.shape == (count,)


@protocols
@given(
    texts=st.lists(
        st.text(alphabet=st.sampled_from("0159,.-+eE <>/answer\u0663\n")).map(lambda x: f"<answer>{x}</answer>")
    ),
    count=st.integers(1, 4),
)
def test_many_are_read_as_each_is(rules: Protocol, texts: list[str], count: int) -> None:
    assert written_out(find_numbers(texts, count, rules)) == [extract(text, count, rules) for text in texts]


@given(
    joined=st.lists(st.lists(st.sampled_from(["1", "2.5", "x", "", "1e400", " 3 "]), max_size=3).map(",".join)),
    count=st.integers(1, 3),
)
def test_many_strings_parse_as_each_does(joined: list[str], count: int) -> None:
    values, parsed = parse_numbers([one.split(",") for one in joined], count)
    each = [parse(one, count) for one in joined]
    assert parsed.tolist() == [one is not None for one in each]
    for row, one in zip(values, each, strict=True):
        np.testing.assert_array_equal(row, np.full(count, np.nan) if one is None else one)


def test_numbers_are_rounded_twice() -> None:
    # Just above the middle of two float32 neighbours, but in double exactly the middle: ties to even, downwards.
    values = parse("1.00000005960464477539062500000001", 1)
    assert values is not None
    assert values.tolist() == [1.0]


def test_beyond_float32_is_infinite() -> None:
    values = parse("3.5e38,-3.5e38,1e400,1e-60", 4)
    assert values is not None
    assert values.tolist() == [np.inf, -np.inf, np.inf, 0.0]


@pytest.mark.parametrize("joined", ["", "1", "1,2,3", "1,", "1,x"])
def test_a_wrong_string_does_not_parse(joined: str) -> None:
    assert parse(joined, 2) is None


def test_a_close_tag_before_the_open_one_is_not_its_end() -> None:
    rules = PROTOCOLS["medvision-1.2"]
    assert extract("</answer><answer>4</answer>", 1, rules) == "4"
    assert extract("</answer><answer>4", 1, rules) == ""


def test_an_unknown_protocol_names_the_nearest() -> None:
    assert protocol("paper-v1").name == "paper-v1"
    with pytest.raises(ConfigError, match=r"known: paper-v1, medvision-1\.2\. Did you mean 'medvision-1\.2'"):
        protocol("medvision-12")


UPSTREAMS = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?")


@settings(max_examples=1000, deadline=None)
@given(st.text(alphabet="0123456789,,..+-eE x\u0663\u00bd", max_size=24))
def test_a_number_is_what_upstreams_pattern_takes_for_one(text: str) -> None:
    assert PROTOCOLS["medvision-1.2"].number.findall(text) == UPSTREAMS.findall(text)
