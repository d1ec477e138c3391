"""Final boxes in other conventions: scored as the same box in MedVision's, and nothing else touched."""

import math
from dataclasses import asdict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.eval.scorer.protocol import PROTOCOLS
from medvision_agent.eval.scorer.score import score_record
from medvision_agent.eval.scorer.spoken import scored_text, spoken_in
from medvision_agent.eval.store.record import Record, Spoken
from medvision_agent.eval.summary.rows import sample_row
from medvision_agent.eval.summary.summary import summarise
from medvision_agent.tools.view.frames import FRAMES
from medvision_agent.tools.view.geometry import Size

V0 = Size(height=384, width=512)
OTHERS = [name for name in FRAMES if name != "medvision"]
BOX, TARGET = (0.25, 0.2, 0.5, 0.9), (0.2, 0.25, 0.55, 0.8)
SAID = {
    "medvision": "0.25, 0.2, 0.5, 0.9",
    "top-left": "0.25, 0.1, 0.5, 0.8",
    "norm1000": "250, 100, 500, 800",
    "norm1000-yx": "100, 250, 800, 500",
    "pixel": "128, 38.4, 256, 307.2",
}
share = st.floats(-0.5, 1.5)


def spoken(make_record, name, text, **fields):
    record = make_record("b", "detection", "", target=TARGET, **fields)
    return record.model_copy(update={"response": text, "spoken": spoken_in(name, V0)})


def stated(score):
    """Return the fields of a score, with None for what is undefined: NaN equals nothing, not even itself."""
    return {name: None if value != value else value for name, value in asdict(score).items()}  # noqa: PLR0124


@pytest.mark.parametrize("rules", PROTOCOLS.values(), ids=PROTOCOLS)
@pytest.mark.parametrize("name", FRAMES)
def test_the_same_box_has_the_same_score(make_record, name, rules):
    expected = score_record(spoken(make_record, "medvision", f"<answer>{SAID['medvision']}</answer>"), rules)
    record = spoken(make_record, name, f"<think>12 and 3.5</think>\n<answer>{SAID[name]}</answer>")
    assert stated(score_record(record, rules)) == stated(expected)
    assert expected.extracted == "0.25,0.2,0.5,0.9"
    assert summarise([record], rules).tasks["detection"].metrics["IoU"].mean == expected.iou > 0.5
    assert sample_row(record, score_record(record, rules))["extracted"] == expected.extracted


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(box=st.tuples(share, share, share, share), size=st.builds(Size, st.integers(32, 4096), st.integers(32, 4096)))
@pytest.mark.parametrize("name", OTHERS)
def test_any_box_scores_as_in_medvisions_convention(make_record, name, box, size):
    """Swapped corners and boxes beyond the picture included."""
    numbers = FRAMES[name].box_from_medvision(box, size)
    plain = make_record("b", "detection", ", ".join(f"{value:.12f}" for value in box), target=TARGET)
    text = "<answer>" + ", ".join(f"{value:.12f}" for value in numbers) + "</answer>"
    record = plain.model_copy(update={"response": text, "spoken": spoken_in(name, size)})
    for rules in PROTOCOLS.values():
        expected, found = score_record(plain, rules), score_record(record, rules)
        assert found.values == pytest.approx(expected.values, abs=2e-7)
        assert found.mae == pytest.approx(expected.mae, abs=1e-6)
        x1, y1, x2, y2 = box
        if min(abs(x2 - x1), abs(y2 - y1)) > 1e-3:  # a sliver's overlap is float32 noise
            assert found.iou == pytest.approx(expected.iou, abs=1e-4)


def test_each_protocol_reads_what_it_would_have_read(make_record):
    """The first pair of tags for one, the last four numbers of the text for the other."""
    text = f"<answer>{SAID['norm1000-yx']}</answer> or rather <answer>0, 0, 1000, 1000</answer>"
    record = spoken(make_record, "norm1000-yx", text)
    assert score_record(record, PROTOCOLS["medvision-1.2"]).values == pytest.approx(BOX)
    assert score_record(record, PROTOCOLS["paper-v1"]).values == (0, 0, 1, 1)
    untagged = spoken(make_record, "norm1000-yx", f"In step 1 I see it. {SAID['norm1000-yx']}")
    assert not score_record(untagged, PROTOCOLS["medvision-1.2"]).success
    assert score_record(untagged, PROTOCOLS["paper-v1"]).values == pytest.approx(BOX)
    few = spoken(make_record, "norm1000-yx", "<answer>100, 250, 800</answer>")
    for rules in PROTOCOLS.values():
        assert (score_record(few, rules).success, score_record(few, rules).iou) == (False, 0.0)


@pytest.mark.parametrize("number", ["1e999", "-1e999", "9" * 400, "1e-300"])
def test_numbers_of_any_size_are_read(make_record, number):
    record = spoken(make_record, "top-left", f"<answer>{number}, 0.1, 0.5, 0.8</answer>")
    found = score_record(record, PROTOCOLS["medvision-1.2"])
    assert found.success
    assert math.isinf(found.values[0]) == (number != "1e-300")
    assert found.values[1:] == pytest.approx((0.2, 0.5, 0.9))


@pytest.mark.parametrize("task", ["size", "distance", "angle"])
def test_lengths_and_angles_are_no_coordinates(make_record, task):
    record = make_record("a", task, "20, 10", spoken=spoken_in("norm1000-yx", V0))
    assert scored_text(record) == record.response


def test_words_are_kept_and_failures_have_none(make_record):
    record = spoken(make_record, "pixel", f"<answer>{SAID['pixel']}</answer>")
    assert record.response == f"<answer>{SAID['pixel']}</answer>"
    assert Record.model_validate_json(record.model_dump_json()) == record
    assert scored_text(record.model_copy(update={"outcome": Outcome.REFUSED})) is None


def test_a_record_says_nothing_of_medvisions_own_convention(make_record):
    assert spoken_in("medvision", V0) is None
    record = make_record("a", "detection", SAID["medvision"])
    old = record.model_dump(mode="json", exclude={"spoken"})
    assert Record.model_validate(old) == record
    assert scored_text(record) == record.response
    with pytest.raises(ValidationError, match="unknown frame"):
        Spoken(frame="polar", width_px=1, height_px=1)
