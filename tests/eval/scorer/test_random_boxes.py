"""Random boxes: their distribution against every possible box, their seed, and their figures by hand."""

from itertools import product

import numpy as np
import pytest

from medvision_agent.eval.scorer.metrics import mean_absolute_error, overlap
from medvision_agent.eval.scorer.protocol import PROTOCOLS
from medvision_agent.eval.scorer.random_boxes import BOXES, draw_boxes, random_boxes

TARGET = np.array([0.2, 0.25, 0.6, 1.0])
SIZE = (4, 5)
"""Height and width of an image small enough to try every box."""


def every_box(least):
    """Return every box of the small image, and its probability: sides first, then where they fit, all uniform."""
    height, width = SIZE
    boxes, chances = [], []
    for across, down in product(range(least, width + 1), range(least, height + 1)):
        places = list(product(range(width - across + 1), range(height - down + 1)))
        for left, low in places:
            boxes.append((left / width, low / height, (left + across) / width, (low + down) / height))
            chances.append(1 / (width - least + 1) / (height - least + 1) / len(places))
    assert sum(chances) == pytest.approx(1)
    return np.array(boxes, np.float32), np.array(chances)


@pytest.mark.parametrize("rules", PROTOCOLS.values(), ids=PROTOCOLS)
def test_figures_tend_to_the_mean_over_every_possible_box(rules):
    boxes, chances = every_box(rules.random_box_least)
    found = overlap(boxes, TARGET, rules)
    expected = {
        "loss": 1 - found.iou, "IoU": found.iou, "IoU>=0.5": found.iou >= 0.5, "Precision": found.precision,
        "Recall": found.recall, "F1": found.f1, "MAE": mean_absolute_error(boxes, TARGET),
    }  # fmt: skip
    ids = [f"s{number}" for number in range(3000)]
    figures = random_boxes(ids, np.tile(TARGET, (len(ids), 1)), [SIZE] * len(ids), rules)
    assert set(figures) == set(expected)
    for name, values in expected.items():
        mean = float((values * chances).sum())
        error = np.sqrt(float(((values - mean) ** 2 * chances).sum()) / (len(ids) * BOXES))
        assert len(figures[name]) == len(ids)
        assert float(figures[name].mean()) == pytest.approx(mean, abs=4 * error), name


@pytest.mark.parametrize("least", [1, 3])
def test_every_possible_box_is_drawn_as_often_as_it_should_be(least):
    boxes, chances = every_box(least)
    drawn = draw_boxes("s", SIZE, least, count=40_000)
    kinds, counts = np.unique(drawn, axis=0, return_counts=True)
    known = {tuple(box): chance for box, chance in zip(boxes.tolist(), chances, strict=True)}
    assert {tuple(kind) for kind in kinds.tolist()} == set(known)
    for kind, count in zip(kinds.tolist(), counts, strict=True):
        chance = known[tuple(kind)]
        assert count / len(drawn) == pytest.approx(chance, abs=5 * np.sqrt(chance / len(drawn)))


def test_the_least_side_is_the_protocols():
    assert (PROTOCOLS["paper-v1"].random_box_least, PROTOCOLS["medvision-1.2"].random_box_least) == (1, 3)
    for least in (1, 3):
        pixels = draw_boxes("s", (200, 100), least, count=20_000) * [100, 200, 100, 200]
        sides = np.rint(pixels[:, 2:] - pixels[:, :2])
        assert sides.min() == least
        assert sides.max(axis=0).tolist() == [100, 200]
        assert np.abs(pixels - np.rint(pixels)).max() < 1e-4


def test_an_image_smaller_than_the_least_side_is_one_box():
    assert np.unique(draw_boxes("s", (2, 1), 3), axis=0).tolist() == [[0, 0, 1, 1]]


def test_a_samples_boxes_depend_on_its_id_and_the_seed_alone():
    rules = PROTOCOLS["medvision-1.2"]
    targets, sizes = np.tile(TARGET, (3, 1)), [(40, 50), (30, 30), (512, 512)]
    figures = random_boxes(["a", "b", "c"], targets, sizes, rules)
    for row, one in enumerate("abc"):
        alone = random_boxes([one], targets[row : row + 1], sizes[row : row + 1], rules)
        assert {name: values[row] for name, values in figures.items()} == {name: v[0] for name, v in alone.items()}
    assert (draw_boxes("a", SIZE, 1) == draw_boxes("a", SIZE, 1)).all()
    assert (draw_boxes("a", SIZE, 1) != draw_boxes("b", SIZE, 1)).any()
    assert (draw_boxes("a", SIZE, 1) != draw_boxes("a", SIZE, 1, seed=1)).any()


def test_more_samples_than_are_scored_at_once():
    rules = PROTOCOLS["medvision-1.2"]
    ids = [f"s{number}" for number in range(1001)]
    figures = random_boxes(ids, np.tile(TARGET, (1001, 1)), [SIZE] * 1001, rules)
    last = random_boxes(ids[-1:], TARGET[None], [SIZE], rules)
    assert {name: values[-1] for name, values in figures.items()} == {name: values[0] for name, values in last.items()}
    assert random_boxes([], np.empty((0, 4)), [], rules) == {}


@pytest.mark.parametrize(
    ("name", "iou", "mae"), [("paper-v1", 0.237359765, 0.198834310), ("medvision-1.2", 0.238967686, 0.198339518)]
)
def test_figures_of_one_sample_stay_what_they_are(name, iou, mae):
    """Stored summaries can be made again: the figures change only if the draw does."""
    figures = random_boxes(["sample"], TARGET[None], [(512, 384)], PROTOCOLS[name])
    assert figures["IoU"][0] == pytest.approx(iou, rel=1e-6)
    assert figures["MAE"][0] == pytest.approx(mae, rel=1e-6)
