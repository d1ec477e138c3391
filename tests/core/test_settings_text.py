"""YAML and JSON that people write: what is refused, and that the words say where."""

import pytest

from medvision_agent.settings_text import read_json, read_yaml

BOMB = "a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{below}'] * 10)}]\n" for below, name in zip("abcdefg", "bcdefgh", strict=True)
)


@pytest.mark.parametrize(
    "number", ["9" * 40, "9" * 5000, "0x" + "f" * 9000, "-" + "9" * 30, "1.0e+999", ".inf", ".nan"]
)
def test_numbers_of_yaml_are_bounded(number):
    with pytest.raises(ValueError, match=r"^row\.prices\.1: expected a finite number of at most 64 bits$"):
        read_yaml(f"row: {{prices: [1, {number}]}}")


@pytest.mark.parametrize("number", ["9" * 40, "9" * 5000, "1e999", "-1e999", "NaN", "Infinity"])
def test_numbers_of_json_are_bounded(number):
    with pytest.raises(ValueError, match=r"^a\.0: expected a finite number"):
        read_json(f'{{"a": [{number}]}}')


def test_numbers_that_settings_have():
    assert read_yaml(f"[{2**63 - 1}, {-(2**63)}, 1.5e+300, 0x10]") == [2**63 - 1, -(2**63), 1.5e300, 16]
    assert read_json(f"[{2**63 - 1}, 1e300]") == [2**63 - 1, 1e300]


@pytest.mark.parametrize("text", ["a: 1\nb:\n  c: 1\n  c: 2", "{c: 1, c: 2}"])
def test_a_key_of_yaml_given_twice(text):
    with pytest.raises(ValueError, match=r"line \d: not valid YAML: the key 'c' is given twice"):
        read_yaml(text)


def test_a_key_of_json_given_twice():
    with pytest.raises(ValueError, match="'c' is given twice"):
        read_json('{"a": [{"c": 1, "c": 1}]}')


@pytest.mark.parametrize("text", [BOMB, "a: &a [*a]", "a: &a {b: *a}"], ids=["bomb", "circle", "circle of mappings"])
def test_texts_that_refer_to_their_own_parts(text):
    with pytest.raises(ValueError, match="referenced several times counts each time"):
        read_yaml(text)


@pytest.mark.parametrize("text", ["!!bool 5", "!!int ''", "!!float x", "!!python/name:os.system x", "\x00", "\udcff"])
@pytest.mark.parametrize("place", ["a: {}", "{}"])
def test_values_that_are_not_of_their_tag(text, place):
    with pytest.raises(ValueError, match="not valid YAML"):
        read_yaml(place.format(text))


@pytest.mark.parametrize("text", ["[" * 100_000, "[" * 100_000 + "]" * 100_000, "- " * 100_000])
def test_texts_that_nest_too_deep(text):
    with pytest.raises(ValueError, match="not valid YAML"):
        read_yaml(text)
    with pytest.raises(ValueError, match="not valid JSON"):
        read_json(text)


def test_dates_are_texts_and_merges_go_on():
    assert read_yaml("note: 2026-02-31\nbase: &b {x: 1}\nrow: {<<: *b, y: 2}") == {
        "note": "2026-02-31", "base": {"x": 1}, "row": {"x": 1, "y": 2},
    }  # fmt: skip


def test_on_and_off_are_words_where_no_switches_are_read():
    assert read_yaml("[on, off, yes, True, true, false]", switches=False) == ["on", "off", "yes", "True", True, False]
    assert read_yaml("[on, off]") == [True, False]
