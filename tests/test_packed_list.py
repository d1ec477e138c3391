"""Long lists in little memory: packed lists and blocks, and streams joined side by side."""

import math
import tempfile
import tracemalloc
from dataclasses import FrozenInstanceError, dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medvision_agent.blocks import Blocks
from medvision_agent.errors import StorageError
from medvision_agent.eval.data.sample import Asked, Landmark
from medvision_agent.eval.scorer.score import Score
from medvision_agent.packed_list import PackedList, Slotted
from medvision_agent.side_by_side import joined, paired

MANY = 1500
"""More than five blocks."""


@dataclass(frozen=True, slots=True)
class Pixel(Slotted):
    """A class as those that are packed."""

    name: str
    value: float

    def __post_init__(self) -> None:
        if self.value < 0:
            raise ValueError("below 0")


def test_a_packed_list_reads_as_the_list_of_its_items():
    items = [Pixel(f"p{k}", k / 2) for k in range(MANY)]
    packed = PackedList(items)
    assert list(packed) == list(packed) == items
    assert len(packed) == MANY
    assert [packed[0], packed[700], packed[-1], packed[255], packed[256]] == [items[k] for k in (0, 700, -1, 255, 256)]
    assert packed[250:260] == items[250:260]
    assert packed[::-500] == items[::-500]
    with pytest.raises(IndexError):
        packed[MANY]
    assert list(PackedList()) == []


def test_two_readers_of_a_packed_list_do_not_disturb_each_other():
    packed = PackedList(range(MANY))
    assert all(a == b == packed[a] for a, b in zip(packed, packed, strict=True))


def test_a_packed_list_takes_little_memory_for_each_further_item():
    def taken(count: int) -> int:
        tracemalloc.start()
        packed = PackedList(Score(f"{k}.5", True, (k + 0.5,), loss=k / count) for k in range(count))
        now = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        assert len(packed) == count
        return now

    taken(1000)
    assert taken(60_000) - taken(20_000) < 40_000 * 10  # bytes; a list of scores takes 350 each


def test_what_is_packed_comes_back_as_it_was():
    point, score = Landmark("left", 1.25, 7.5), Score("7.5", True, (7.5,), mae=0.5, loss=0.25)
    asked = Asked("s", "distance", None, ("a", "b"), "", "d/1", (7.0,), None, (), None)
    again, scored, question = PackedList([point, score, asked])
    assert again == point
    assert (scored.extracted, scored.values, scored.mae, scored.loss) == ("7.5", (7.5,), 0.5, 0.25)
    assert math.isnan(scored.iou)
    assert (question.id, question.landmarks, question.target) == ("s", ("a", "b"), (7.0,))
    with pytest.raises(FrozenInstanceError):
        again.x = 2.0


def test_values_are_set_as_they_were_without_init():
    one = Pixel("p", 1.0)
    object.__setattr__(one, "value", -1.0)
    assert PackedList([one] * MANY)[0].value == -1.0


def test_blocks_that_find_no_room_name_the_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    blocks = Blocks("scores", in_memory=30)
    blocks.add(b"first")
    with pytest.raises(StorageError, match=r"gone: scores cannot be stored in this temporary folder .*TMPDIR"):
        blocks.add(bytes(range(256)))
    assert (len(blocks), blocks[0]) == (1, b"first")


keys = st.lists(st.integers(0, 30), unique=True)


@given(keys, keys)
def test_every_item_is_joined_once_with_its_partner_or_with_none(a, b):
    found = list(joined(a, b, lambda one: -one))
    assert sorted(one for one, _ in found if one is not None) == sorted(a)
    assert sorted(two for _, two in found if two is not None) == sorted(b)
    common = set(a) & set(b)
    assert all(one == two if {one, two} & common else None in {one, two} for one, two in found)
    assert sorted(paired(a, b, lambda one: one)) == [(one, one) for one in sorted(common)]


@given(keys.map(sorted), keys.map(sorted))
def test_inputs_in_one_order_stay_in_it(a, b):
    found = list(joined(a, b, lambda one: one))
    pairs = [one for one, two in found if one is not None and two is not None]
    assert pairs == sorted(pairs)
    for side in (0, 1):
        alone = [pair[side] for pair in found if pair[1 - side] is None]
        assert alone == sorted(alone)


def test_few_items_are_held_where_both_inputs_have_one_order():
    alive = 0

    class Item:
        def __init__(self, key: int) -> None:
            nonlocal alive
            alive += 1
            self.key = key

        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    most = 0
    for _ in paired((Item(k) for k in range(500) if k % 100), (Item(k) for k in range(500)), lambda one: one.key):
        most = max(most, alive)
    assert most < 25
