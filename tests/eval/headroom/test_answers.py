"""Single answers: sizes in full chains of thought, hostile texts, and what keeps its loss."""

import json
import math

import pytest

from medvision_agent.api.counterfactuals import counterfactual
from medvision_agent.eval.headroom.steps import Step

NAME = "20260101_000000_samples_Mine_TumorLesionSize_Task01_Axial-CoT.jsonl"
ENDS = ("(0.25, 0.5), (0.75, 0.5)", "(0.5, 0.4), (0.5, 0.6)")
"""In a slice of 100 x 200 pixels of 0.5 x 1 mm: 100 mm across, 10 mm down."""
DOC = {
    "dataset_name": "Mine",
    "taskID": "01",
    "image_file": "Datasets/Mine/Images/a.nii.gz",
    "slice_dim": 2,
    "slice_idx": 4,
    "label": 1,
    "image_size_2d": [100, 200],
    "pixel_size": [0.5, 1.0],
}
TARGET = (80.0, 12.5)


def chain(major, minor, *answers):
    """Return a chain of thought in MedVision's form."""
    steps = (major, minor, *(str(one) for one in answers))
    inner = "".join(
        f"<step-{k}-reasoning> near (0.9, 0.9) </step-{k}-reasoning> <step-{k}-answer> {one} </step-{k}-answer> "
        for k, one in enumerate(steps, 1)
    )
    return f"<think> {inner}</think> <answer> {', '.join(str(one) for one in answers)} </answer>"


def written(tmp_path, *texts, **more):
    rows = [
        {"doc_id": k, "doc": DOC, "target": str(list(TARGET)), "resps": [[text]], **more}
        for k, text in enumerate(texts)
    ]
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / NAME).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def only(tmp_path, text, **more):
    (found,) = counterfactual(written(tmp_path, text, **more))
    ((one,),) = found.answers.values()
    return one


def loss(*values):
    return sum(min(abs(value - target) / target, 1.0) for value, target in zip(values, TARGET, strict=True)) / 2


def test_a_size_is_worked_out_axis_by_axis(tmp_path):
    one = only(tmp_path, chain(*ENDS, 90.0, 10.0))
    # Of 100 mm the model made 90, of 10 mm it made 10: its factors are 0.9 and 1.
    wanted = (loss(90, 10), loss(100, 10), loss(0.9 * 80, 12.5), 0.0)
    assert one.losses == pytest.approx(wanted)
    assert (one.success, one.states, one.decomposed, one.reason) == (True, True, True, None)
    assert one.sources == ("stated points",)


def test_ends_in_another_order_measure_the_same(tmp_path):
    turned = ("(0.75, 0.5), (0.25, 0.5)", "(0.5, 0.6), (0.5, 0.4)")
    assert only(tmp_path, chain(*turned, 90.0, 10.0)).losses == pytest.approx(
        (loss(90, 10), loss(100, 10), loss(72, 12.5), 0.0)
    )


def test_axes_that_are_swapped_keep_the_order_in_which_they_are_given(tmp_path):
    # The minor axis first, its length too: the numbers are not sorted for the model.
    one = only(tmp_path, chain(ENDS[1], ENDS[0], 10.0, 90.0))
    assert one.losses == pytest.approx((loss(10, 90), loss(10, 100), loss(80, 0.9 * 12.5), 0.0))


def test_centimetres_are_read_as_such_and_exact_tools_would_write_millimetres(tmp_path):
    one = only(tmp_path, chain(*ENDS, 10.0, 1.0))
    assert one.losses == pytest.approx((loss(10, 1), loss(100, 10), loss(8, 1.25), 0.0))


HOSTILE = {
    "no points": (chain("I cannot see it", "nor that", 90.0, 10.0), loss(90, 10), False),
    "one point": (chain("(0.25, 0.5)", "(0.5, 0.4)", 90.0, 10.0), loss(90, 10), True),
    "three points": (chain(ENDS[0] + ", (0.3, 0.3)", ENDS[1], 90.0, 10.0), loss(90, 10), True),
    "points in pixels": (chain("(50, 50), (150, 50)", "(100, 40), (100, 60)", 90.0, 10.0), loss(90, 10), False),
    "points that coincide": (chain("(0.5, 0.5), (0.5, 0.5)", ENDS[1], 90.0, 10.0), loss(90, 10), True),
    "beyond any number": (chain(*ENDS, "9" * 400, 10.0), loss(1e300, 10), True),
    "points that are no numbers": (chain("(NaN, NaN), (inf, -inf)", "(1e999, 2)", 90.0, 10.0), loss(90, 10), False),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_cannot_be_decomposed_keeps_its_loss_and_is_within_the_bounds(tmp_path, what):
    text, own, states = HOSTILE[what]
    (found,) = counterfactual(written(tmp_path, text))
    ((one,),) = found.answers.values()
    assert one.losses == pytest.approx((own,) * 4)
    assert (one.success, one.states, one.decomposed) == (True, states, False)
    assert one.reason is not None
    group = found.tasks["size"]
    assert group.reasons == {str(one.reason): 1}
    assert group.steps[Step.ARITHMETIC].bounds == (0.0, 1.0)
    assert group.steps[Step.POINTS].bounds == (0.0, 1.0)
    assert group.steps[Step.BOTH].bounds == pytest.approx((0.0, own))
    assert group.steps[Step.BOTH].difference is None  # 0 would look like a finding
    assert "none of 1 answer could be decomposed" in found.headline[0]


@pytest.mark.parametrize(
    "text",
    [
        chain(*ENDS, "NaN", "NaN"),
        chain(*ENDS, "inf", 10.0),
        chain(*ENDS, 90.0, 10.0).replace("<answer>", "").replace("</answer>", ""),
        chain(*ENDS),
    ],
)
def test_a_failure_costs_1_in_every_step_and_says_whether_it_states_points(tmp_path, text):
    (found,) = counterfactual(written(tmp_path, text))
    ((one,),) = found.answers.values()
    assert one.losses == (1.0,) * 4
    assert (one.success, one.states, one.decomposed) == (False, True, False)
    group = found.tasks["size"]
    assert (group.failed, group.states, group.success_rate, group.reasons) == (1, 1, 0.0, {})
    assert group.steps[Step.ARITHMETIC].bounds is None


def test_an_empty_answer_states_nothing(tmp_path):
    one = only(tmp_path, "")
    assert (one.losses, one.states) == ((1.0,) * 4, False)


def test_a_number_of_a_thousand_million_is_capped_and_corrected(tmp_path):
    one = only(tmp_path, chain(*ENDS, 1e9, 10.0).replace("1000000000.0", "1000000000"))
    assert one.losses == pytest.approx((loss(1e9, 10), loss(100, 10), loss(1e9, 12.5), 0.0))


def test_of_two_answers_the_one_that_is_scored_is_corrected(tmp_path):
    text = chain(*ENDS, 90.0, 10.0)
    assert only(tmp_path, f"{text} <answer> 1.0, 2.0 </answer>").losses == pytest.approx(
        (loss(90, 10), loss(100, 10), loss(72, 12.5), 0.0)  # the first pair of tags
    )


def test_without_the_size_of_the_image_it_is_known_that_points_are_stated_but_not_what_they_give(tmp_path):
    one = only(tmp_path, chain(*ENDS, 90.0, 10.0), doc=DOC | {"image_size_2d": None})
    assert (one.states, one.decomposed) == (True, False)
    assert "size of the image" in str(one.reason)


def test_numbers_without_their_text_keep_their_loss(tmp_path):
    folder = written(tmp_path, "x")
    row = json.loads((folder / NAME).read_text())
    del row["resps"]
    (folder / NAME).write_text(json.dumps(row | {"filtered_resps": ["90,10"]}) + "\n")
    (found,) = counterfactual(folder)
    ((one,),) = found.answers.values()
    assert one.losses == pytest.approx((loss(90, 10),) * 4)
    assert (one.states, one.decomposed) == (False, False)


def test_the_ceiling_of_lengths_is_what_the_true_points_give(tmp_path):
    # 81 pixels of 1 mm across and 26 of 0.5 mm down, for targets of 80 and 12.5 mm.
    true = [[50, 50], [131, 50], [90, 30], [90, 56]]
    (found,) = counterfactual(written(tmp_path, chain(*ENDS, 90.0, 10.0), truth_points=true))
    assert found.tasks["size"].steps[Step.CEILING].loss.mean == pytest.approx(loss(81, 13), abs=1e-7)


ANGLE = "20260101_000000_samples_Mine_BiometricsFromLandmarks_Angle_Task01_Axial-CoT.jsonl"


def test_an_angle_keeps_the_difference_of_its_arithmetic(tmp_path):
    # In mm: (100, 0) and (50, 25), so that the angle is atan(1/2).
    lines = "(0.25, 0.5), (0.75, 0.5), (0.25, 0.25), (0.5, 0.75)"
    exact, target, answer = math.degrees(math.atan2(25, 50)), 30.0, 20.0
    doc = DOC | {"biometric_profile": {"metric_type": "angle", "metric_key": "A-1"}}
    row = {"doc_id": 0, "doc": doc, "target": str(target)}
    text = f"<think><step-1-answer>{lines}</step-1-answer></think><answer>{answer}</answer>"
    (tmp_path / ANGLE).write_text(json.dumps(row | {"resps": [[text]]}) + "\n")
    (found,) = counterfactual(tmp_path / ANGLE)
    ((one,),) = found.answers.values()
    off = answer - exact
    wanted = (abs(answer - target) / 90, abs(exact - target) / 90, abs(off) / 90, 0.0)
    assert one.losses == pytest.approx(wanted)
    assert list(found.labels["angle"]) == ["Mine A-1"]
