"""The convention ceiling: the score of the true edges against targets one pixel short."""

import math

import numpy as np
import pytest

from medvision_agent.eval.results.build import build_answer
from medvision_agent.eval.scorer.ceiling import answers_ceiling, ceiling, edge_boxes
from medvision_agent.eval.scorer.protocol import PROTOCOLS

protocols = pytest.mark.parametrize("rules", PROTOCOLS.values(), ids=PROTOCOLS)
# Rows 10..49 and columns 20..119 of an image 100 high and 200 wide.
TARGET = np.array([[0.1, 0.51, 0.595, 0.9]])
SIZE = np.array([[100.0, 200.0]])


def test_the_edges_lie_one_pixel_further() -> None:
    assert edge_boxes(TARGET, SIZE) == pytest.approx(np.array([[0.1, 0.5, 0.6, 0.9]]))


@protocols
def test_the_ceiling_by_hand(rules) -> None:
    found = ceiling(TARGET, SIZE, rules)
    assert found["IoU"] == pytest.approx(39 * 99 / (40 * 100), rel=1e-6)
    assert found["Recall"] == pytest.approx(1.0, rel=1e-6)
    assert found["Precision"] == pytest.approx(39 * 99 / (40 * 100), rel=1e-6)
    assert (found["IoU>=0.95"], found["IoU>=0.9"], found["n"]) == (1.0, 1.0, 1)


@protocols
def test_a_small_box_has_a_low_ceiling(rules) -> None:
    target = np.array([[0.1, 0.1, 0.1 + 9 / 100, 0.1 + 9 / 100]])
    assert ceiling(target, np.array([[100.0, 100.0]]), rules)["IoU"] == pytest.approx(0.81, rel=1e-5)


@protocols
@pytest.mark.parametrize("size", [None, [100], [0, 200], "large", [100.5, 200]])
def test_without_the_size_of_the_image_it_is_unknown(rules, size) -> None:
    row = {"task_type": "Detection", "target": TARGET[0].tolist(), "response": "", "doc": {"image_size_2d": [100, 200]}}
    known, unknown = build_answer(row, "f"), build_answer(row | {"doc": {"image_size_2d": size}}, "f")
    assert answers_ceiling(np.vstack([TARGET, TARGET]), [known.doc.size, unknown.doc.size], rules)["n"] == 1
    none = answers_ceiling(TARGET, [unknown.doc.size], rules)
    assert none["n"] == 0
    assert math.isnan(none["IoU"])
