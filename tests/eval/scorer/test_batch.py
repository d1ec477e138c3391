"""Scoring many answers at once is scoring each, to the last bit."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medvision_agent.eval.scorer.answer import COUNTS, Answer, Doc, Profile, Stored
from medvision_agent.eval.scorer.answers import Answers
from medvision_agent.eval.scorer.batch import score_batch
from medvision_agent.eval.scorer.labels import label_names
from medvision_agent.eval.scorer.protocol import PROTOCOLS, Protocol
from medvision_agent.eval.scorer.score import score
from medvision_agent.eval.tasks import Family, TaskName

protocols = pytest.mark.parametrize("rules", PROTOCOLS.values(), ids=PROTOCOLS)
NAMES = {"MAE": "mae", "MRE": "mre", "IoU": "iou", "F1": "f1", "Precision": "precision", "Recall": "recall"}
TASKS: dict[Family, TaskName] = {"Detection": "detection", "TL": "size", "AD": "angle"}
numbers = st.floats(-2, 200, width=32) | st.floats() | st.sampled_from([0.1, 0.25, 0.75, 1e30, 1e39, -1e-30])
texts = st.lists(numbers, min_size=0, max_size=5).map(lambda values: f"<answer>{', '.join(map(repr, values))}</answer>")
targets = st.floats(-1, 200) | st.sampled_from([0.0, 0.25, 0.75])


@protocols
@pytest.mark.parametrize("family", TASKS)
@settings(deadline=None)
@given(data=st.data())
def test_a_batch_is_its_answers(rules: Protocol, family: Family, data: st.DataObject) -> None:
    count = COUNTS[family]
    given_ = data.draw(st.lists(st.tuples(texts, st.tuples(*[targets] * count)), min_size=1, max_size=5))
    doc = Doc(profile=Profile("angle"))
    answers = [
        Answer(str(n), family, "", "", text, None, target, False, doc) for n, (text, target) in enumerate(given_)
    ]
    batch = score_batch(Answers.of(answers), rules)
    for row, answer in enumerate(answers):
        one = score(TASKS[family], answer.response, answer.target, rules)
        assert (batch.extracted[row], bool(batch.success[row])) == (one.extracted, one.success)
        names = [name for name in NAMES if name in batch.metrics]
        assert names
        ours = [batch.metrics[name][row] for name in names] + [batch.loss[row]]
        np.testing.assert_array_equal(ours, [getattr(one, NAMES[name]) for name in names] + [one.loss])


@pytest.mark.parametrize(
    ("text", "stored", "value", "success"),
    [
        ("none", Stored(0.5, True), math.nan, False),
        ("<answer>1, 1</answer>", Stored(0.5, True), 0.5, True),
        ("<answer>1, 1</answer>", Stored(0.5, False), 0.5, False),
        ("<answer>1, 1</answer>", Stored(math.inf, True), math.inf, False),
    ],
)
def test_a_stored_nmae_stays(text: str, stored: Stored, value: float, success: bool) -> None:
    answer = Answer("a", "TL", "", "", text, None, (1.0, 1.0), False, nmae=stored)
    batch = score_batch(Answers.of([answer]), PROTOCOLS["medvision-1.2"])
    assert batch.nmae is not None
    assert (batch.nmae.parsed[0], bool(batch.nmae.parsed_success[0])) == (stored.value, stored.success)
    np.testing.assert_equal(batch.metrics["nMAE"], [value])
    assert batch.nmae.success.tolist() == [success]


def test_label_tables() -> None:
    later, first = label_names("v1.2"), label_names("v1")
    assert (len(later), sum(names.short is not None for names in later.values()), len(first)) == (266, 265, 243)
    assert (later["femur"].group, first["femur"].group) == ("Knee Bone", "Knee")
    assert "lung nodule" in later.keys() - first.keys()
    assert later["prostate cancer lesion"].short is None
