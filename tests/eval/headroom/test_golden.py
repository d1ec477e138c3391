"""Golden chains of thought: every step of the headroom worked out from the texts in plain Python."""

import math
import re
from collections import Counter

import pytest
from golden import GOLDEN, VERSIONS, rows

from medvision_agent.api.counterfactuals import counterfactual
from medvision_agent.api.explaining import explain_results
from medvision_agent.eval.headroom.steps import Step

IN_PLANE = {0: (1, 2), 1: (0, 2), 2: (0, 1)}


def inputs(protocol, family):
    return GOLDEN / VERSIONS[protocol] / family / "inputs.jsonl.gz"


def expected(protocol, family):
    return {row["id"]: row for row in rows(GOLDEN / VERSIONS[protocol] / family / "expected_samples.jsonl.gz")}


def relative(value, target):
    return min(abs(value - target) / target, 1.0)


def steps_of(row, found):
    """Return the losses of a distance as answered, with exact arithmetic, the true points and both; None: unknown."""
    if not found["success"]:
        return (1.0,) * 4, "failed"
    answer, target = float(found["extracted"]), float(row["target"])
    own = relative(answer, target)
    kept = (own,) * 4
    text = row["response"].partition("<answer>")[0]
    points = [(float(a), float(b)) for a, b in re.findall(r"\((\d\.\d+), (\d\.\d+)\)", text)]
    scaled = "scaledPS" in row["task"] and "raw_pixel_size_scale" not in row
    if "<step-1-answer>" not in text or len(points) != 2 or scaled:
        return kept, "kept"
    scale = row.get("raw_pixel_size_scale") or {"s_h": 1, "s_w": 1}
    (height, width), zooms = row["doc"]["image_size_2d"], row["image_header_zooms"]
    down, across = (zooms[axis] for axis in IN_PLANE[row["doc"]["slice_dim"]])
    (x0, y0), (x1, y1) = points
    exact = math.hypot((x1 - x0) * width * across * scale["s_w"], (y1 - y0) * height * down * scale["s_h"])
    # The model's own arithmetic is its factor, which stays: the true length times it.
    return (own, relative(exact, target), relative(target * answer / exact, target), 0.0), "worked out"


@pytest.mark.parametrize("protocol", VERSIONS)
def test_the_steps_of_distances_are_those_of_the_texts(protocol):
    golden = expected(protocol, "ad")
    own = [row for row in rows(inputs(protocol, "ad")) if row["doc"]["biometric_profile"]["metric_type"] == "distance"]
    known = {row["id"]: steps_of(row, golden[row["id"]]) for row in own}
    seen = Counter(kind for _, kind in known.values())
    assert seen["worked out"] >= 13
    (found,) = counterfactual(inputs(protocol, "ad"), protocol)
    by_id = {one.question.id: one for one in found.answers["distance"]}
    assert by_id.keys() == known.keys()
    for key, (losses, kind) in known.items():
        assert by_id[key].losses == pytest.approx(losses, abs=1e-6)  # answers are float32
        assert by_id[key].decomposed == (kind == "worked out")
        assert by_id[key].success == (kind != "failed")
    group = found.tasks["distance"]
    assert (group.n, group.decomposed, group.failed) == (len(own), seen["worked out"], seen["failed"])
    for place, step in enumerate((Step.ANSWERED, Step.ARITHMETIC, Step.POINTS, Step.BOTH)):
        mean = math.fsum(losses[place] for losses, _ in known.values()) / len(known)
        assert group.steps[step].loss.mean == pytest.approx(mean, abs=1e-6)
    # What is kept costs nothing at best and 1 at worst; with both corrected at worst what it cost as answered.
    for place, step in ((1, Step.ARITHMETIC), (2, Step.POINTS)):
        low, high = (
            math.fsum(free if kind == "kept" else losses[place] for losses, kind in known.values()) / len(known)
            for free in (0.0, 1.0)
        )
        assert group.steps[step].bounds == pytest.approx((low, high), abs=1e-6)
    assert group.steps[Step.BOTH].bounds == pytest.approx(
        (seen["failed"] / len(known), group.steps[Step.BOTH].loss.mean), abs=1e-9
    )


@pytest.mark.parametrize("protocol", VERSIONS)
@pytest.mark.parametrize("family", ["detection", "tl", "ad"])
def test_losses_and_replays_are_those_of_why(protocol, family):
    (found,), (why,) = (
        counterfactual(inputs(protocol, family), protocol),
        explain_results(inputs(protocol, family), protocol),
    )
    assert found.tasks.keys() == why.parts.keys()
    assert found.facts == why.facts
    for task, group in found.tasks.items():
        parts = why.parts[task]
        assert group.n == parts.n
        assert group.subjects == parts.subjects
        assert group.steps[Step.ANSWERED].loss.mean == pytest.approx(parts.loss, abs=1e-12)
        assert group.reasons == {name: n for name, n in parts.reasons.items() if "no answer" not in name}
        if parts.replays is None:
            assert group.decomposed == 0 or task == "detection"
            continue
        assert group.decomposed == parts.replays.n
        replayed = parts.replays.losses["with the true points"].mean
        assert group.steps[Step.POINTS].decomposed == pytest.approx(replayed, abs=1e-12)
        own = parts.replays.losses["as answered"].mean
        assert group.steps[Step.ANSWERED].decomposed == pytest.approx(own, abs=1e-12)
        assert {name: one.n for name, one in found.labels[task].items()} == {
            name: one.n for name, one in why.labels[task].items()
        }


def iou(a, b):
    (ax0, ay0, ax1, ay1), (bx0, by0, bx1, by1) = a, b
    common = max(0.0, min(ax1, bx1) - max(ax0, bx0)) * max(0.0, min(ay1, by1) - max(ay0, by0))
    return common / ((ax1 - ax0) * (ay1 - ay0) + (bx1 - bx0) * (by1 - by0) - common)


def test_the_ceiling_of_boxes_is_the_box_one_pixel_longer():
    (found,) = counterfactual(inputs("medvision-1.2", "detection"))
    losses = {}
    for row in rows(inputs("medvision-1.2", "detection")):
        x0, y0, x1, y1 = target = [float(number) for number in row["target"].strip("[]").split(",")]
        height, width = row["doc"]["image_size_2d"]
        losses[row["id"]] = 1 - iou((x0, y0 - 1 / height, x1 + 1 / width, y1), target)
    own = found.losses["detection"][Step.CEILING].tolist()
    for one, loss in zip(found.answers["detection"], own, strict=True):
        assert loss == pytest.approx(losses[one.question.id], abs=1e-5)  # float32
    mean = math.fsum(losses.values()) / len(losses)
    assert found.tasks["detection"].steps[Step.CEILING].loss.mean == pytest.approx(mean, abs=1e-5)
