"""Behaviour figures of traces made by hand."""

import json

import pytest

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.endings.usage import Usage
from medvision_agent.eval.scorer.protocol import protocol
from medvision_agent.eval.scorer.spoken import spoken_in
from medvision_agent.eval.store.record import ToolUse
from medvision_agent.eval.summary.summary import Mean
from medvision_agent.eval.why.behaviour import Conversation, behaviour, conduct_of, is_last_result
from medvision_agent.eval.why.calls import calls_of, spoken_texts
from medvision_agent.tools.registry import TOOLS
from medvision_agent.tools.view.geometry import Size

RULES = protocol("medvision-1.2")
OVER = "Error: not run: the limit of 2 tool calls is reached"
SHIPPED = {name: tool.measuring for name, tool in TOOLS.items()}


THOUGHT = {"type": "reasoning", "text": "<answer>1</answer>"}


def call(tool, result, seconds=0.0, **arguments):
    text = result if isinstance(result, str) else json.dumps(result)
    return {
        "tool": tool, "call_id": "c", "arguments": arguments, "ok": not isinstance(result, str), "text": text,
        "picture": None, "seconds": seconds,
    }  # fmt: skip


def ai(*texts):
    return [{"type": "ai", "content": text} for text in texts]


@pytest.fixture
def talk(make_record):
    """Return a function that makes a conversation of a trace."""

    def made(task, response, calls, texts=(), **fields):
        final = "" if response is None else f"<answer>{response}</answer>"
        trace = {
            "messages": [{"type": "human", "content": "<answer>1</answer>"}, *ai(*texts, final)],
            "tool_calls": calls,
        }
        uses = tuple(ToolUse(tool=one["tool"], ok=one["ok"], seconds=one["seconds"]) for one in calls)
        record = make_record("s", task, response, tool_uses=uses, **fields)
        return Conversation(record, calls_of(trace, SHIPPED), spoken_texts(trace))

    return made


def figures(*conversations):
    return behaviour([conduct_of(one, RULES) for one in conversations])


def test_figures_by_hand(talk):
    ruler = call("ruler", {"distance_mm": 12.3456}, 0.5, x0=0.1)
    one = talk(
        "distance",
        "12.3",
        [call("crop", {"view": "v1"}, 1.0), call("ruler", "Error: x0 missing", 0.25), ruler, ruler],
        [
            "I guess <answer>30</answer>",
            [{"type": "text", "text": "again"}, {"type": "reasoning", "text": "<answer>1</answer>"}],
        ],
        usage=Usage(model_calls=4, input=400, output=40),
        seconds=10.25,
    )
    two = talk(
        "distance",
        "25.0",
        [ruler, call("zoom", OVER), call("ruler", OVER)],
        ["<answer>22</answer>"],
        usage=Usage(model_calls=2, unreported=1, input=7, output=7),
        seconds=2.5,
    )
    three = talk("distance", None, [], usage=Usage(model_calls=1, input=100, output=60), seconds=1.0)
    found = figures(one, two, three)
    assert found.n == 3
    assert found.calls == Mean(mean=7 / 3, n=3)
    assert (found.invalid, found.over_limit, found.repeated) == (1, 2, 1)
    rulers = found.tools["ruler"]
    assert (rulers.calls, rulers.per_sample, rulers.samples) == (5, 5 / 3, 2)
    assert (rulers.invalid, rulers.over_limit, rulers.repeated) == (1, 1, 1)
    assert rulers.seconds == Mean(mean=(0.25 + 0.5 + 0.5 + 0.5) / 4, n=4)
    assert found.tools["zoom"].seconds == Mean(mean=None, n=0)
    assert found.steps == {
        "ruler > ruler": 2, "ruler > end": 2, "start > crop": 1, "crop > ruler": 1, "start > ruler": 1,
        "ruler > zoom": 1, "zoom > ruler": 1, "start > end": 1,
    }  # fmt: skip
    assert found.orders == {"crop > ruler": 1, "ruler > zoom > ruler": 1, "no tool": 1}
    assert found.last_result_is_answer == Mean(mean=0.5, n=2)
    assert found.answered_before == 2
    assert found.changed == Mean(mean=1.0, n=2)
    assert found.closer == Mean(mean=0.5, n=2)  # the target is 20: 30 to 12.3 is closer, 22 to 25 is not
    assert found.input_tokens == Mean(mean=100.0, n=5)
    assert found.output_tokens == Mean(mean=20.0, n=5)
    assert found.model_seconds == Mean(mean=(10.25 - 2.25 + 2.0 + 1.0) / 7, n=7)


def test_an_answer_that_stays_is_not_changed(talk):
    ruler = call("ruler", {"distance_mm": 22.0})
    found = figures(talk("distance", "22.0", [ruler], ["<answer>22</answer>"]))
    assert (found.changed, found.closer) == (Mean(mean=0.0, n=1), Mean(mean=None, n=0))
    # An earlier message without a tool between is no answer before a tool.
    assert figures(talk("distance", "22.0", [], ["<answer>21</answer>"])).answered_before == 0
    assert figures(talk("distance", None, [ruler], ["<answer>21</answer>"])).answered_before == 0


BOX = {"v0_box_x0": 0.1, "v0_box_y0": 0.2, "v0_box_x1": 0.3, "v0_box_y1": 0.4, "major_mm": 20.004, "minor_mm": 9.996}
RULER_20, RULER_10 = call("ruler", {"distance_mm": 20.004}), call("ruler", {"distance_mm": 9.996})


@pytest.mark.parametrize(
    ("task", "answer", "calls", "expected"),
    [
        ("detection", "0.1000, 0.2000, 0.3000, 0.4000", [call("fit_contour", BOX)], True),
        ("detection", "0.1000, 0.2000, 0.3000, 0.5000", [call("fit_contour", BOX)], False),
        ("size", "20.00, 10.00", [call("fit_contour", BOX)], True),
        ("size", "20.00, 10.00", [RULER_10, RULER_20], True),
        ("size", "20.00, 20.00", [RULER_10, RULER_20], False),  # one result is not two
        ("size", "20.00, 10.00", [RULER_10, call("crop", {"view": "v1"}), RULER_20], False),
        ("size", "20.00, 10.00", [RULER_10, call("ruler", "Error: no"), RULER_20], True),
        ("distance", "20.0", [RULER_20, RULER_10], False),
        ("distance", "20.0", [RULER_10, call("python", {"value": 19.96, "printed": ""})], True),
        ("distance", "20.0", [RULER_20, call("python", {"value": "20.0", "printed": ""})], False),
        ("angle", "30.0", [call("protractor", {"acute_angle_deg": 30.04, "obtuse_angle_deg": 149.96})], True),
        ("angle", "150.0", [call("protractor", {"acute_angle_deg": 30.04, "obtuse_angle_deg": 149.96})], False),
        ("distance", "20.0", [call("ruler", "Error: no")], None),
        ("distance", "20.0", [], None),
        ("distance", None, [RULER_20], None),
    ],
)
def test_whether_the_last_result_is_the_answer(talk, task, answer, calls, expected):
    one = talk(task, answer, calls)
    assert is_last_result(one.record, one.calls, RULES) is expected


def test_a_box_of_another_convention_is_compared_in_it(talk):
    """The model wrote what the tool said, in the same convention and in a form of its own."""
    said = {"v0_box_x0": 100.4, "v0_box_y0": 200, "v0_box_x1": 300, "v0_box_y1": 400}
    spoken = spoken_in("norm1000", Size(height=384, width=512))
    first = ["<answer>[100,200,300,401]</answer>"]
    one = talk("detection", '{"bbox_2d": [100,200,300,400]}', [call("fit_contour", said)], first, spoken=spoken)
    found = figures(one)
    assert found.last_result_is_answer == Mean(mean=1.0, n=1)
    assert (found.answered_before, found.changed) == (1, Mean(mean=1.0, n=1))


def test_reading_a_trace_never_fails(talk):
    broken = {"tool": None, "arguments": '{"x', "ok": True, "text": "[1]", "seconds": None}
    nothing = {"tool": "ruler", "arguments": ["a"], "ok": False, "text": "Error"}
    calls = calls_of({"tool_calls": [broken, nothing]}, SHIPPED)
    read = [(one.tool, dict(one.arguments), dict(one.result)) for one in calls]
    assert read == [("None", {}, {}), ("ruler", {}, {})]
    said = [{"type": "ai", "content": None}, {"type": "ai", "content": ["a", {"type": "x"}]}]
    assert spoken_texts({"messages": said}) == ["", "a"]
    refused = talk("distance", "20.0", [RULER_20], outcome=Outcome.REFUSED)
    assert is_last_result(refused.record, refused.calls, RULES) is None
