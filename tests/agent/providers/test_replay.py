"""The published Gemini experiment, replayed: all four arms on the wire, and the text stored of a reply."""

import json

import numpy as np
import pytest
from fake.replies import came, ran, said, steps, text
from pydantic import ValidationError

from medvision_agent.agent.answer import answer
from medvision_agent.agent.condition import Condition
from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.limits import Limits
from medvision_agent.agent.providers.factory import open_model
from medvision_agent.agent.words.question import Question, Wording
from medvision_agent.tools.view.geometry import Spacing
from medvision_agent.tools.view.png import rgb_png
from medvision_agent.tools.view.slice import grey_slice

LITERAL, MATCHED = "published-2025", "published-2025-matched"
SUFFIX = "\n\\Please put the final answer after 'Answer:'\n\n"
PIXELS = np.add.outer(np.arange(60), np.arange(80)).astype(np.uint8)
SCHEMA = {
    "type": "OBJECT",
    "title": "JSON_format",
    "properties": {"Thought": {"title": "Thought", "type": "STRING"}, "Answer": {"title": "Answer", "type": "STRING"}},
    "required": ["Thought", "Answer"],
    "property_ordering": ["Thought", "Answer"],
}
OBJECT = text('{"Thought": "so", "Answer": "0.1, 0.2, 0.3, 0.4"}')


async def replayed(gemini, replay, arm, reply, own=None):
    wording = Wording(tagged=False, own=own or {})
    question = Question("detection", grey_slice(PIXELS, Spacing(1.0, 1.0)), "A slice", "liver", (), wording=wording)
    condition = Condition.parse(arm)
    gemini.server.script([reply])
    config = gemini.config(replay=replay, media_resolution=None)
    async with open_model(config, environ=gemini.environ, provider_code=condition.provider_code) as chat:
        return await answer(question, condition, chat, Limits())


@pytest.mark.parametrize(
    ("replay", "arm", "form"),
    [(LITERAL, "off", "json"), (LITERAL, "code", "text"), (MATCHED, "off", "text"), (MATCHED, "code", "text")],
)
async def test_what_is_on_the_wire(gemini, replay, arm, form):
    await replayed(gemini, replay, arm, OBJECT, own={"detection": "Find the {{ label }}."})
    (request,) = gemini.requests
    body = request.body
    wanted = {"contents", "generationConfig"} | ({"tools"} if arm == "code" else set())
    assert set(body) == wanted, "no system instruction, no safety settings, no tool config"
    assert body.get("tools", [{"codeExecution": {}}]) == [{"codeExecution": {}}]
    thinking = {"thinkingConfig": {"thinking_budget": -1}}
    if form == "json":
        assert body["generationConfig"] == thinking | {"responseMimeType": "application/json", "responseSchema": SCHEMA}
    else:
        assert body["generationConfig"] == thinking | {"responseMimeType": "text/plain"}
    (content,) = body["contents"]
    assert content["role"] == "user"
    picture, words = content["parts"]
    assert set(picture) == {"inlineData"}
    assert words == {"text": "Find the liver." + (SUFFIX if form == "text" else "")}


async def test_the_picture_has_three_equal_channels(gemini):
    import cv2

    await replayed(gemini, LITERAL, "off", OBJECT)
    (png,) = gemini.requests[0].pictures
    pixels = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    assert pixels.shape == (60, 80, 3)
    assert all((pixels[:, :, channel] == PIXELS).all() for channel in range(3))
    assert rgb_png(png) == png


async def test_the_matched_pair_differs_in_the_tool_alone(gemini):
    off = await replayed(gemini, MATCHED, "off", text("Answer: 1"))
    code = await replayed(gemini, MATCHED, "code", text("Answer: 1"))
    literal = await replayed(gemini, LITERAL, "code", text("Answer: 1"))
    bodies = [request.body for request in gemini.requests]
    assert bodies[1] == bodies[2], "the arm with the tool is the published one"
    assert bodies[1].pop("tools") == [{"codeExecution": {}}]
    assert bodies[0] == bodies[1]
    assert off.prompt_sha256 == code.prompt_sha256 == literal.prompt_sha256
    assert off.prompt_sha256 == off.prompt_with_tools_sha256


async def test_our_own_words_are_one_text_that_holds_the_convention(gemini):
    await replayed(gemini, LITERAL, "off", OBJECT)
    words = gemini.requests[0].body["contents"][0]["parts"][1]["text"]
    assert "liver" in words
    assert "origin at the lower left" in words


async def test_an_object_is_stored_as_two_fields(gemini):
    given = await replayed(gemini, LITERAL, "off", OBJECT)
    assert given.outcome is Outcome.ANSWERED
    assert given.response == "Thought\n: so\nAnswer\n: 0.1, 0.2, 0.3, 0.4\n"


@pytest.mark.parametrize("words", ["no JSON", '{"Thought": "so"}', '{"Thought": "so", "Answer": 5}', "[1]"])
async def test_what_is_no_such_object_is_stored_as_not_provided(gemini, words):
    given = await replayed(gemini, LITERAL, "off", text(words))
    assert given.response == "Thought\n: <not provided>\nAnswer\n: <not provided>\n"


async def test_texts_and_results_are_stored_numbered_and_code_is_left_out(gemini):
    taken = [said("First."), ran("secret()"), came("12\n"), ran("b"), came(None, "FAILED"), said("Answer: 12")]
    for replay in (LITERAL, MATCHED):
        given = await replayed(gemini, replay, "code", steps(*taken))
        assert given.response == (
            "Text Block 1:\nFirst.\nCode Block 1:\n<code block ignored>\nCode Result Block 1:\n12\n\n"
            "Code Block 2:\n<code block ignored>\nCode Result Block 2:\nNone\nText Block 2:\nAnswer: 12\n"
        )
        assert [(call.tool, call.ok) for call in given.trace.tool_calls] == [
            ("code_execution", True),
            ("code_execution", False),
        ]
        assert "secret()" in json.dumps(json.loads(given.trace.to_json())["messages"])


async def test_a_text_without_code_is_stored_as_a_block_in_both_matched_arms(gemini):
    for arm in ("off", "code"):
        given = await replayed(gemini, MATCHED, arm, text("Answer: 5"))
        assert given.response == "Text Block 1:\nAnswer: 5\n"


async def test_no_content_is_no_answer(gemini):
    for arm, replay in (("off", LITERAL), ("code", LITERAL), ("off", MATCHED)):
        given = await replayed(gemini, replay, arm, text())
        assert (given.outcome, given.response) == (Outcome.NO_ANSWER, "")


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"media_resolution": "high"}, "media_resolution: null"),
        ({"thinking_budget": 0}, "thinking_budget: -1"),
        ({"temperature": 0}, "temperature: null"),
        ({"frame": "top-left"}, "frame: medvision"),
        ({"seed": 1, "max_output_tokens": 5}, "max_output_tokens: null, seed: null"),
    ],
)
def test_a_row_that_would_send_something_else_is_refused(gemini, changed, named):
    with pytest.raises(ValidationError, match=named):
        gemini.config(**{"replay": LITERAL, "media_resolution": None} | changed)
