"""The best constant of the other subjects, against a direct search; a subject's own ground truth never enters."""

from itertools import product

import numpy as np
import pytest
from identities import a_sample

from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.scorer.constants import best_constants, mean_losses
from medvision_agent.eval.tasks import TaskName


def sample(name: str, subject: str, task: TaskName, target: tuple[float, ...], label: str = "liver") -> Sample:
    marks = {"distance": ("left", "right"), "angle": ("a", "b", "c", "d")}.get(task, ())
    named = {"landmarks": tuple(f"{label} {one}" for one in marks), "label": None if marks else label}
    return a_sample(name, subject=subject, task=task, target=target, **named)


def distances(count: int, label: str = "liver", scale: float = 40.0) -> list[Sample]:
    values = scale * np.exp(0.5 * np.random.default_rng(7).normal(size=count))
    return [sample(f"{label}{at}", f"p{at}", "distance", (value,), label) for at, value in enumerate(values.tolist())]


def test_the_constant_of_a_distance_is_the_best_of_all_numbers_for_the_other_subjects() -> None:
    every = distances(9)
    for one in every:
        others = np.array([other.target[0] for other in every if other is not one])
        grid = np.linspace(1, 150, 30_000)
        losses = np.minimum(np.abs(grid[:, None] - others) / others, 1).mean(axis=1)
        found = best_constants(every)[one.id]
        assert np.minimum(np.abs(found[0] - others) / others, 1).mean() <= losses.min() + 1e-6


def test_a_box_is_as_good_as_any_made_of_the_sides_of_the_others() -> None:
    rng = np.random.default_rng(7)
    corners = 0.3 + 0.15 * rng.random((7, 2))
    boxes = np.concatenate((corners, corners + 0.2 + 0.2 * rng.random((7, 2))), axis=1)
    every = [sample(f"s{at}", f"p{at}", "detection", tuple(box)) for at, box in enumerate(boxes.tolist())]
    found = best_constants(every)
    for at, one in enumerate(every):
        others = np.delete(boxes, at, axis=0)
        best = max(mean_iou(np.array(box), others) for box in product(*others.T))
        assert mean_iou(found[one.id], others) == pytest.approx(best, abs=0.005)
        x1, y1, x2, y2 = found[one.id]
        assert x1 < x2
        assert y1 < y2


def mean_iou(box: np.ndarray, others: np.ndarray) -> float:
    shared = np.prod(np.clip(np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2]), 0, None), axis=1)
    areas = np.prod(others[:, 2:] - others[:, :2], axis=1) + max(0.0, float(np.prod(box[2:] - box[:2])))
    return float((shared / (areas - shared)).mean())


def test_a_subject_never_enters_its_own_constant() -> None:
    every = distances(8)
    before = best_constants(every)
    moved = every[3].but(target=(500.0,))
    after = best_constants([*every[:3], moved, *every[4:]])
    assert after[moved.id] == before[moved.id]
    assert any(after[one.id] != before[one.id] for one in every if one.id != moved.id)


def test_a_label_needs_five_other_subjects_or_the_task_answers_for_it() -> None:
    many, few = distances(6, "liver", 40), distances(5, "spleen", 400)
    found = best_constants([*many, *few])
    assert found["liver0"] == best_constants(many)["liver0"]
    one_label = [one.but(landmarks=many[0].landmarks) for one in (*many, *few)]
    assert found["spleen0"] == best_constants(one_label)["spleen0"]
    assert found["spleen0"] != best_constants([*few, *distances(6, "spleen", 400)[5:]])["spleen0"]


def test_a_task_of_one_subject_has_no_constant() -> None:
    alone = [sample("s1", "p1", "angle", (30.0,)), sample("s2", "p1", "angle", (60.0,))]
    assert best_constants(alone) == {}
    assert mean_losses(alone) == {}


def test_the_mean_loss_is_that_of_the_constants_on_the_subjects_left_out() -> None:
    every = distances(12)
    found = best_constants(every)
    losses = [min(abs(found[one.id][0] - one.target[0]) / one.target[0], 1) for one in every]
    assert mean_losses(every) == {"distance": pytest.approx(np.mean(losses), abs=1e-6)}
