"""A conversation as the viewer shows it: calls in their turns, texts bounded, nothing that a model wrote in the way."""

import json

import pytest
from browsed import HOSTILE, RESULT, a_run, add, conversation, create, samples

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.trace import ToolCallTrace, Trace
from medvision_agent.errors import DamageError, StorageError
from medvision_agent.eval.browse.library import Library
from medvision_agent.eval.browse.talk import LONGEST, MOST, turns_of
from medvision_agent.eval.browse.turns import last_turn
from medvision_agent.eval.store.files import picture_path
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.store.record import Record


def stored(trace):
    return json.loads(trace.to_json())


def test_turns_calls_results_and_times_stand_where_they_belong():
    system, question, calling, told, answer = turns_of(stored(conversation("It is <answer>10.0</answer>")))
    assert [turn.number for turn in (system, question, calling, told, answer)] == [1, 2, 3, 4, 5]
    assert [turn.role for turn in (system, question, calling, told, answer)] == [
        "system",
        "user",
        "assistant",
        "user",
        "assistant",
    ]
    assert (question.text, len(question.pictures)) == ("How long?", 1)
    (call,) = calling.calls
    assert (call.number, call.tool, call.ok, call.result, call.seconds) == (1, "ruler", True, RESULT, 0.25)
    assert json.loads(call.arguments)["x1"] == 0.4
    assert (call.shown, call.picture_shown, call.picture in question.pictures) == (True, True, False)
    assert (calling.seconds, answer.seconds, question.seconds) == (0.5, 0.75, None)
    assert (calling.tokens_in, calling.finish, calling.version) == (50, "stop", "m-1")
    assert (answer.thoughts, answer.text) == ("Hm.", "It is <answer>10.0</answer>")


def test_a_call_that_came_too_late_is_shown():
    trace = conversation("")
    trace.messages[-1] |= {"tool_calls": [{"id": "c9", "name": "ruler", "args": {"view": "v0"}}]}
    *_, last = turns_of(stored(trace))
    (call,) = last.calls
    assert (call.number, call.tool, call.ok, call.result) == (2, "ruler", False, "")
    assert "not run" in call.failure


def test_texts_are_bounded_and_say_so():
    trace = conversation("x" * (LONGEST + 1))
    *others, last = turns_of(stored(trace))
    assert (len(last.text), last.cut) == (LONGEST, True)
    assert not any(turn.cut for turn in others)
    many = Trace([{"type": "ai", "content": "y" * LONGEST} for _ in range(100)])
    turns = list(turns_of(stored(many)))
    assert len(turns) == 100
    assert sum(len(turn.text) for turn in turns) == MOST
    assert (turns[-1].text, turns[-1].cut) == ("", True)


def test_whatever_a_trace_holds_is_data():
    odd = {"type": "ai", "content": [3, None, {"text": 5}, {"text": "half \ud800"}, {"picture": "../x"}]}
    odd |= {"usage_metadata": {"input_tokens": "many"}, "response_metadata": "none", "tool_calls": None}
    trace = Trace(
        [odd, {"type": 7, "content": 8}], [ToolCallTrace(HOSTILE, "c", HOSTILE, False, HOSTILE, "../../x", 0.0)]
    )
    found, _ = turns_of(stored(trace))
    assert found.text == "half \ufffd"
    assert (found.pictures, found.tokens_in) == ((), None)
    (call,) = found.calls
    assert (call.result, call.picture, json.loads(call.arguments)) == (HOSTILE, None, HOSTILE)
    assert list(turns_of({})) == []


SPOKEN = [{"type": "human", "content": "How long?"}, {"type": "ai", "content": "10 mm"}]
FOREIGN = {
    "messages that are no objects": [{"messages": [1, "x", None, *SPOKEN, {"type": ["ai"]}]}, [0, 1, 0]],
    "calls of a reply that are no list": [{"messages": [SPOKEN[0], SPOKEN[1] | {"tool_calls": "abc"}]}, [0, 1]],
    "calls of a reply that are no objects": [
        {"messages": [SPOKEN[0], SPOKEN[1] | {"tool_calls": [3, {"id": [1]}], "invalid_tool_calls": 7}]},
        [0, 1],
    ],
    "turns that are no numbers": [{"messages": SPOKEN, "tool_calls": [{"tool": "ruler", "turn": "x"}]}, [0, 1]],
    "a turn that is not there": [{"messages": SPOKEN, "tool_calls": [{"tool": "ruler", "turn": 7}]}, [0, 1]],
    "calls that are no objects": [{"messages": SPOKEN, "tool_calls": [3, {"tool": "ruler"}]}, [0, 1]],
    "calls that are no list": [{"messages": SPOKEN, "tool_calls": 5}, [0, 0]],
    "messages that are no list": [{"messages": {"a": 1}}, []],
}


@pytest.mark.parametrize("form", FOREIGN)
def test_a_trace_of_foreign_form_shows_all_that_can_be_read(form):
    trace, calls = FOREIGN[form]
    found = list(turns_of({"tool_calls": [{"tool": "ruler"}], **trace}))
    assert [len(turn.calls) for turn in found] == calls
    assert [turn.text for turn in found][:2] == ["How long?", "10 mm"][: len(calls)]
    assert last_turn(trace) == (2 if calls else None)


@pytest.fixture
def library(tmp_path):
    a_run(tmp_path / "run", ["10.0", "13.0", None], more=1)
    library = Library([tmp_path])
    library.read_on()
    return library


def test_a_talk_has_its_score_its_origin_and_its_place(library):
    right, long, failed = (library.talk("r1", row) for row in range(3))
    assert (right.numbers[0].name, right.numbers[0].value, right.place) == ("loss", 0.0, "right")
    assert right.made_of == ("distance: 10 from ruler (10)",)
    assert {one.name: one.value for one in long.numbers}["MAE"] == pytest.approx(3.0)
    assert (failed.answer, failed.place, failed.outcome) == ("", "", "no_answer")
    assert failed.numbers[0].value == 1.0
    assert bool(right.scene) != bool(right.no_scene)


def test_what_is_not_there_or_damaged_is_refused(library, tmp_path):
    with pytest.raises(StorageError, match="no record of sample 's3'"):
        library.talk("r1", 3)
    for key, row in (("r1", 4), ("r1", -1), ("r2", 0), ("../run", 0)):
        with pytest.raises(StorageError):
            library.talk(key, row)
    name = open_run(tmp_path / "run").records[0].v0_sha256
    assert library.picture(name).startswith(b"\x89PNG")
    picture_path(tmp_path / "run", name).write_bytes(b"something else")
    with pytest.raises(DamageError):
        library.picture(name)
    for wrong in ("../run.sqlite", "0" * 64, "0" * 63 + "g", ""):
        with pytest.raises(StorageError):
            library.picture(wrong)


def test_a_sample_lost_to_infrastructure_has_no_numbers(tmp_path):
    (sample,) = samples(1)
    with create(tmp_path / "run", [sample]) as store:
        store.add(Record(sample=sample, outcome=Outcome.TIMEOUT, detail="nothing came"), Trace())
    library = Library([tmp_path])
    library.read_on()
    talk = library.talk("r1", 0)
    assert (talk.outcome, talk.detail, talk.numbers, talk.turns, talk.place) == ("timeout", "nothing came", (), (), "")


def test_calls_in_text_stand_with_the_reply_that_made_them(tmp_path):
    sample = samples(1)[0]
    with create(tmp_path / "run", [sample]) as store:
        add(store, sample)
    trace = Trace([{"type": "system", "content": ""}, {"type": "human", "content": "?"}])
    trace.messages += [{"type": "ai", "content": "CALL"}, {"type": "human", "content": "RESULT"}]
    trace.messages += [{"type": "ai", "content": "CALL"}, {"type": "human", "content": "RESULT"}]
    trace.messages += [{"type": "ai", "content": "<answer>1</answer>"}]
    trace.tool_calls += [ToolCallTrace("ruler", f"x{at}", {}, True, "{}", None, 0.1) for at in range(2)]
    assert [len(turn.calls) for turn in turns_of(stored(trace))] == [0, 0, 1, 0, 1, 0, 0]
