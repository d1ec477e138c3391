"""Answers of result files in parts: golden responses worked out by another route, steps, and what files do not hold."""

import copy
import json
import math
import random
import re
from collections import Counter
from pathlib import Path

import pytest
from golden import GOLDEN, VERSIONS, rows

from medvision_agent.api.explaining import explain_results
from medvision_agent.eval.parts.filed import filed_answers
from medvision_agent.eval.parts.replay import Cause, Kind
from medvision_agent.eval.results.load import ResultFiles, load_answers
from medvision_agent.eval.results.record import Prompted
from medvision_agent.eval.scorer.batch import score_batch
from medvision_agent.eval.scorer.protocol import PROTOCOLS
from medvision_agent.eval.why.filed import Lack
from medvision_agent.eval.why.scene import Missing

RULES = PROTOCOLS["medvision-1.2"]
DATA = Path(__file__).parents[2] / "data/medvision-mini/Data"
IN_PLANE = {0: (1, 2), 1: (0, 2), 2: (0, 1)}
FORMS = (1, 0.1, 0.001, 10, 1000)


def explained(path, rules=RULES):
    answers = [one for block in ResultFiles(path, kind=Prompted).answers() for one in block]
    left_out = Counter()
    return {one.question.id: one for one in filed_answers(answers, rules, left_out)}, left_out


def filed(tmp_path, row, name="20260101_000000_samples_Mine_TumorLesionSize_Task01_Axial-CoT.jsonl"):
    """Return the one answer of a file with one record."""
    path = tmp_path / name
    path.write_text(json.dumps(row) + "\n")
    found, left_out = explained(path)
    assert not left_out
    return next(iter(found.values()))


@pytest.mark.parametrize("protocol", VERSIONS)
@pytest.mark.parametrize("family", ["detection", "tl", "ad"])
def test_losses_are_those_of_score_and_parts_add_up_to_them(protocol, family):
    rules, path = PROTOCOLS[protocol], GOLDEN / VERSIONS[protocol] / family / "inputs.jsonl.gz"
    (answers,), _ = load_answers(path, rules)
    found, left_out = explained(path, rules)
    batch = score_batch(answers, rules)
    losses = dict(zip(answers.column("id"), batch.loss.tolist(), strict=True))
    assert not left_out
    assert {key: one.score.loss for key, one in found.items()} == losses
    for key, one in found.items():
        parts = one.loss()
        assert math.fsum(parts.parts.values()) == pytest.approx(losses[key], abs=1e-12)
        assert parts.decomposed == bool(parts.replays) or parts.kind is Kind.NO_ANSWER


def by_hand(row, answer):
    """Return the loss, its parts of seeing and arithmetic, and both replays of a distance, from the golden record."""
    text = row["response"].partition("<answer>")[0]
    (x0, y0), (x1, y1) = ((float(a), float(b)) for a, b in re.findall(r"\((\d\.\d+), (\d\.\d+)\)", text))
    (height, width), zooms = row["doc"]["image_size_2d"], row["image_header_zooms"]
    down, across = (zooms[axis] for axis in IN_PLANE[row["doc"]["slice_dim"]])
    scale = row.get("raw_pixel_size_scale") or {"s_h": 1, "s_w": 1}
    exact = abs(complex((x1 - x0) * width * across * scale["s_w"], (y1 - y0) * height * down * scale["s_h"]))
    target = float(row["target"])

    def loss(value):
        return min(abs(value - target) / target, 1)

    whole, lengths, points = loss(answer), loss(exact), loss(target * answer / exact)
    # Two causes, two orders: v(nothing) - v(one), and v(other) - v(both), which is 0.
    arithmetic, seeing = (whole - lengths + points) / 2, (whole - points + lengths) / 2
    near = any(abs(answer / (exact * form) - 1) < 0.021 for form in FORMS[1:])
    return whole, arithmetic, seeing, lengths, points, near


@pytest.mark.parametrize("protocol", VERSIONS)
def test_golden_chains_of_thought_come_out_the_same_by_another_route(protocol):
    folder = GOLDEN / VERSIONS[protocol] / "ad"
    found, _ = explained(folder / "inputs.jsonl.gz", PROTOCOLS[protocol])
    expected = {row["id"]: row for row in rows(folder / "expected_samples.jsonl.gz")}
    seen = Counter()
    for row in rows(folder / "inputs.jsonl.gz"):
        chain = "<step-1-answer>" in row["response"]
        if not chain or row["doc"]["biometric_profile"]["metric_type"] != "distance":
            continue
        one = found[row["id"]].loss()
        if not expected[row["id"]]["success"]:
            assert one.parts == {Cause.NO_ANSWER: 1.0}
            seen["failed"] += 1
        elif "scaledPS" in row["task"] and "raw_pixel_size_scale" not in row:
            assert (one.kind, one.reason) == (Kind.UNKNOWN, Missing.NO_SCALE)
            seen["not scaled"] += 1
        else:
            answer = float(expected[row["id"]]["extracted"])
            whole, arithmetic, seeing, exact, points, near = by_hand(row, answer)
            assert not near
            assert one.loss == pytest.approx(whole, abs=1e-6)
            assert one.parts[Cause.ARITHMETIC] == pytest.approx(arithmetic, abs=1e-6)
            assert one.parts[Cause.SEEING] == pytest.approx(seeing, abs=1e-6)
            assert one.corrected({Cause.ARITHMETIC}) == pytest.approx(exact, abs=1e-9)
            assert one.corrected({Cause.SEEING, Cause.WRONG_OBJECT}) == pytest.approx(points, abs=1e-9)
            assert one.corrected({Cause.SEEING, Cause.ARITHMETIC}) == 0
            assert one.kind is (Kind.ARITHMETIC if arithmetic > seeing else Kind.IMPRECISE)
            assert Lack.LANDMARKS in found[row["id"]].lacks
            seen["by hand"] += 1
    assert seen["by hand"] >= 13
    assert seen["not scaled"] >= 1


def test_golden_boxes_are_in_the_part_that_their_overlap_says():
    folder = GOLDEN / "v1.2" / "detection"
    found, _ = explained(folder / "inputs.jsonl.gz")
    seen = Counter()
    for row in rows(folder / "expected_samples.jsonl.gz"):
        one = found[row["id"]].loss()
        values = [float(number) for number in row["extracted"].split(",")] if row["success"] else []
        if not row["success"]:
            expected = Cause.NO_ANSWER
        elif max(values) > 2:
            # Per cent, thousandths or pixels: of how many pixels, no file says.
            expected = Cause.NOT_DECOMPOSED if min(values) >= 0 or max(values) > 1e12 else Cause.WRONG_OBJECT
        else:
            expected = Cause.SEEING if row["IoU"] >= 0.25 else Cause.WRONG_OBJECT
        assert one.parts[expected] == pytest.approx(one.loss)
        assert sum(part != 0 for part in one.parts.values()) <= 1
        seen[expected] += 1
    assert len(seen) == 4


ENDS = ((0.25, 0.5), (0.75, 0.5), (0.5, 0.4), (0.5, 0.6))
"""In a slice of 100 x 200 pixels of 0.5 x 1 mm (rows 0.5): 100 mm across, 10 mm down."""
TL = {
    "doc_id": 3,
    "doc": {
        "dataset_name": "Mine",
        "taskID": "01",
        "image_file": "/somewhere/Data/Datasets/Mine/Images/a.nii.gz",
        "slice_dim": 2,
        "slice_idx": 4,
        "label": 1,
        "image_size_2d": [100, 200],
        "pixel_size": [0.5, 1.0],
    },
    "target": "[80.0, 12.5]",
}


def steps(*answers):
    inner = "".join(
        f"<step-{k}-reasoning> the size is (0.9, 0.9) </step-{k}-reasoning> <step-{k}-answer> {one} </step-{k}-answer> "
        for k, one in enumerate(answers, 1)
    )
    return f"<think> {inner}</think> "


def test_each_step_of_a_size_is_read_and_its_replay_is_that_by_hand(tmp_path):
    two = [f"The ends: ({a[0]}, {a[1]}), ({b[0]}, {b[1]})." for a, b in (ENDS[:2], ENDS[2:])]
    text = steps(*two, "The major axis: 90.", "The minor axis: 10.") + "<answer> (90.0, 10.0) </answer>"
    one = filed(tmp_path, TL | {"resps": [[text]]})
    found = one.loss()
    # 90 for 80 and 10 for 12.5; exact 100 and 10; true points keep the factors 0.9 and 1.
    assert found.loss == pytest.approx((0.125 + 0.2) / 2)
    assert found.corrected({Cause.ARITHMETIC}) == pytest.approx((0.25 + 0.2) / 2)
    assert found.corrected({Cause.SEEING}) == pytest.approx((0.1 + 0) / 2)
    seeing = (0.1625 - 0.05 + 0.225) / 2
    assert found.parts[Cause.SEEING] == pytest.approx(seeing)
    assert found.parts[Cause.ARITHMETIC] == pytest.approx(0.1625 - seeing)
    errors = one.errors().quantities
    assert [(part.seeing, part.arithmetic) for part in errors.values()] == [
        (pytest.approx(20), pytest.approx(-10)),
        (pytest.approx(-2.5), pytest.approx(0)),
    ]
    assert (one.question.subject, one.question.label) == ("Mine/Mine/Images/a.nii.gz", None)
    assert set(one.lacks) == {Lack.LANDMARKS, Lack.ROUNDED, Lack.PROMPT, Lack.SUBJECT}


def test_a_size_in_another_unit_with_true_points_on_file_is_explained_in_full(tmp_path):
    two = [f"({a[0]}, {a[1]}), ({b[0]}, {b[1]})" for a, b in (ENDS[:2], ENDS[2:])]
    own = {"truth_points": [[50, 50], [130, 50], [90, 37.5], [90, 62.5]], "subject": "Mine/a"}
    one = filed(tmp_path, TL | own | {"resps": [[steps(*two) + "<answer>10.0, 1.0</answer>"]]})
    assert (one.loss().kind, one.located().place) == (Kind.UNIT, "in the right place")
    assert (one.question.subject, set(one.lacks)) == ("Mine/a", {Lack.ROUNDED, Lack.PROMPT})
    # The same points, with the ground truth far away: another object.
    far = own | {"truth_points": [[10, 10], [20, 10], [15, 5], [15, 15]]}
    one = filed(tmp_path, TL | far | {"resps": [[steps(*two) + "<answer>100.0, 10.0</answer>"]]})
    assert (one.loss().kind, one.located().place) == (Kind.WRONG_OBJECT, "elsewhere")
    assert one.loss().parts[Cause.WRONG_OBJECT] == pytest.approx(one.score.loss)


def test_a_number_of_the_prompt_is_copied_where_the_file_has_the_prompt(tmp_path):
    prompt = {"input": "The image size is 448 pixels (width) x 448 pixels (height)."}
    said = {"resps": [["<answer>448, 100.5</answer>"]]}
    one = filed(tmp_path, TL | said | prompt)
    assert (one.loss().kind, one.loss().reason) == (Kind.COPIED, Missing.COPIED)
    assert Lack.PROMPT not in one.lacks
    assert filed(tmp_path, TL | said).loss().kind is Kind.NOWHERE


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"image_size_2d": None}, Missing.NO_IMAGE_SIZE),
        ({"image_size_2d": [100]}, Missing.NO_IMAGE_SIZE),
        ({"image_size_2d": [100, 10**9]}, Missing.NO_IMAGE_SIZE),
        ({"image_size_2d": ["a", {}]}, Missing.NO_IMAGE_SIZE),
        ({"image_size_2d": [0.5, 200]}, Missing.NO_IMAGE_SIZE),
        ({"pixel_size": None}, Missing.NO_SPACING),
        ({"pixel_size": [0.0, 1.0]}, Missing.NO_SPACING),
        ({"pixel_size": [-1, 1.0]}, Missing.NO_SPACING),
        ({"pixel_size": [math.nan, math.inf]}, Missing.NO_SPACING),
        ({"pixel_size": "0.5, 1"}, Missing.NO_SPACING),
    ],
)
def test_what_is_not_in_the_file_is_a_reason_and_never_guessed(tmp_path, change, reason):
    two = [f"({a[0]}, {a[1]}), ({b[0]}, {b[1]})" for a, b in (ENDS[:2], ENDS[2:])]
    row = TL | {"doc": TL["doc"] | change, "resps": [[steps(*two) + "<answer>90.0, 10.0</answer>"]]}
    found = filed(tmp_path, row).loss()
    assert (found.kind, found.reason) == (Kind.UNKNOWN, reason)
    assert found.parts == {Cause.NOT_DECOMPOSED: pytest.approx(0.1625)}
    zooms = {"image_header_zooms": [0.5, 1.0, 3.0]}
    assert filed(tmp_path, row | zooms).loss().decomposed == (reason is Missing.NO_SPACING)


def test_the_factors_of_scaled_pixel_sizes_are_taken_from_the_record_alone(tmp_path):
    two = [f"({a[0]}, {a[1]}), ({b[0]}, {b[1]})" for a, b in (ENDS[:2], ENDS[2:])]
    row = TL | {"resps": [[steps(*two) + "<answer>200.0, 20.0</answer>"]], "target": "[200.0, 20.0]"}
    name = "20260101_000000_samples_Mine_TumorLesionSize_Task01_Axial-CoT-scaledPS.jsonl"
    assert filed(tmp_path, row, name).loss().reason is Missing.NO_SCALE
    scaled = row | {"pixel_size_scale": {"s_h": 2.0, "s_w": 2.0, "mode": "isotropic"}}
    assert filed(tmp_path, scaled, name).loss().kind is Kind.RIGHT
    flat = filed(tmp_path, scaled | {"pixel_size_scale": {"s_h": 1.0, "s_w": 2.0}}, name).loss()
    assert flat.corrected({Cause.ARITHMETIC}) == pytest.approx(0.25)  # 10 mm down, for 20


def test_numbers_without_their_text_are_scored_and_not_explained(tmp_path):
    one = filed(tmp_path, TL | {"filtered_resps": ["90,1234"]})  # one number, were it read as a text
    assert one.score.values == (90.0, 1234.0)
    assert (one.loss().kind, one.loss().reason) == (Kind.UNKNOWN, Missing.NO_TEXT)
    assert filed(tmp_path, TL | {"filtered_resps": [""]}).loss().kind is Kind.NO_ANSWER


def test_whether_an_angle_or_a_distance_was_asked_is_not_guessed(tmp_path):
    row = {"doc_id": 1, "doc": {"dataset_name": "Mine"}, "target": "30.0", "resps": [["<answer>30</answer>"]]}
    path = tmp_path / "x_samples_Mine_BiometricsFromLandmarks_Task01_Axial.jsonl"
    path.write_text(json.dumps(row) + "\n")
    found, left_out = explained(path)
    assert not found
    assert left_out == {"whose task does not say whether an angle or a distance was asked": 1}
    for kind in ("Angle", "Distance"):
        one = filed(tmp_path, row, f"x_samples_Mine_BiometricsFromLandmarks_{kind}_Task01_Axial.jsonl")
        assert one.question.task == kind.lower()
        assert Lack.IMAGE in one.lacks


HOSTILE = [None, True, 0, -1, 1e308, math.nan, math.inf, "", "1e999", [], {}, [1, 2], [0.5, 0.6, 0.7], [1e308] * 2]
HOSTILE += [
    [1e-320, 1e-320],
    "Datasets/../../x",
    [math.nan] * 3,
    10**400,
    "\ud800",
    [["a", "b"]],
    [[1e308, -1e308]] * 4,
]
HOSTILE += [[[10, 10], [20, 20], [30, 30], [40, 40]], {"s_h": 0, "s_w": -1}, {"s_h": 1e308, "s_w": 1e308}]
OURS = ("subject", "truth_points", "input", "pixel_size_scale", "image_header_zooms", "label_name")
SAID = ("10, 20", "1e30, 5", "-4, 0", "0.1,0.2,0.3,0.4", "1 2 3 4", "45", "1e-30", "99999999999999 3", "")


@pytest.mark.parametrize("seed", range(3))
def test_no_value_of_a_record_makes_the_rest_fail(tmp_path, seed):
    chance = random.Random(seed)  # noqa: S311
    chain = steps(*(f"({a[0]}, {a[1]}), ({b[0]}, {b[1]})" for a, b in (ENDS[:2], ENDS[2:])))
    lines = []
    for family in ("detection", "tl", "ad"):
        for row in rows(GOLDEN / "v1.2" / family / "inputs.jsonl.gz")[::3]:
            row["resps"] = chance.choice([row["resps"], [[f"{chain}<answer>{chance.choice(SAID)}</answer>"]]])
            for _ in range(chance.randrange(4)):
                place = chance.choice([row, row["doc"]]) if isinstance(row["doc"], dict) else row
                place[chance.choice([*place, *OURS])] = copy.deepcopy(chance.choice(HOSTILE))
            lines.append(json.dumps(row) + "\n")
    path = tmp_path / "20260101_000000_samples_Mine_TumorLesionSize_Task01_Axial.jsonl"
    path.write_text("".join(lines))
    for rules in PROTOCOLS:
        (found,) = explain_results(path, rules, None if seed else DATA)
        assert found.summary.n > 200
        json.dumps(found.to_json(), allow_nan=False)
        for parts in found.parts.values():
            assert sum(part.mean for part in parts.parts.values()) == pytest.approx(parts.loss, abs=1e-9)
