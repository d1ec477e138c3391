"""Calls that stand in a text where nobody reads them: named, counted, never an answer."""

import asyncio

import numpy as np
import pytest
from fake.replies import calls, text
from fake.servers import FINAL, RULER, chat

from medvision_agent.agent.answer import answer
from medvision_agent.agent.condition import Condition
from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.grammars.calls import parse_calls
from medvision_agent.agent.grammars.grammar import Parsed
from medvision_agent.agent.grammars.plain import Plain
from medvision_agent.agent.grammars.protocol import Text
from medvision_agent.agent.limits import Limits
from medvision_agent.agent.providers.factory import open_model
from medvision_agent.agent.words.question import Question
from medvision_agent.tools.view.geometry import Spacing
from medvision_agent.tools.view.slice import grey_slice

KEYS = {"GEMINI_API_KEY": "a-test-key-of-google", "OPENAI_API_KEY": "a-test-key-of-openai"}
ON, OFF = Condition.parse("on"), Condition.parse("off")
QUESTION = Question("distance", grey_slice(np.zeros((60, 80)), Spacing(1.0, 1.0)), "A slice.", None, ("tip", "base"))
A = '{"view": "v0", "x0": 0.1, "y0": 0.2, "x1": 0.5, "y1": 0.2}'
RIGHT = {"view": "v0", "x0": 0.1, "y0": 0.2, "x1": 0.5, "y1": 0.2}
FORMS = {
    "Hermes": f'<tool_call>\n{{"name": "ruler", "arguments": {A}}}\n</tool_call>',
    "LFM2": "<|tool_call_start|>[ruler(view='v0', x0=0.1, y0=0.2, x1=0.5, y1=0.2)]<|tool_call_end|>",
    "harmony": f"<|channel|>commentary to=functions.ruler <|constrain|>json<|message|>{A}<|call|>",
    "Mistral": f'[TOOL_CALLS] [{{"name": "ruler", "arguments": {A}}}]',
    "Llama": f'<|python_tag|>{{"name": "ruler", "parameters": {A}}}<|eom_id|>',
    "JSON alone": f'{{"name": "ruler", "parameters": {A}}}',
    "Llama 4": "<|python_start|>[ruler(view='v0', x0=0.1, y0=0.2, x1=0.5, y1=0.2)]<|python_end|>",
    "GLM-4": f"ruler\n{A}",
    "Functionary": f">>>ruler\n{A}",
    "Qwen-Agent": f"✿FUNCTION✿: ruler\n✿ARGS✿: {A}",
    "Mistral without its marks": f"I measure.\nruler[ARGS]{A}",
    "Gemma 4 without its marks": f"call:ruler{A}",
    "Kimi without its marks": f"functions.ruler:0{A}",
    "function_call tags": f'<function_call>{{"name": "ruler", "arguments": {A}}}</function_call>',
}


UNKNOWN_FORMS = {
    "Cline": "<ruler>\n<view>v0</view>\n<x0>0.1</x0>\n</ruler>",
    "Cline without arguments": "I look first.\n<pixel_spacing>\n</pixel_spacing>",
    "Cline, an MCP tool": f"<use_mcp_tool>\n<server_name>s</server_name>\n<tool_name>ruler</tool_name>\n<arguments>{A}",
    "ReAct, no JSON": "Thought: I measure.\nAction: ruler\nAction Input: view=v0, x0=0.1\nObservation:",
    "ReAct, a fence": f"Thought: I measure.\n**Action:** `ruler`\n**Action Input:**\n```json\n{A}\n```",
    "ReAct, as a function": "Thought: I measure.\nAction: ruler(view='v0', x0=0.1)",
    "ReAct, cut off": "Action: ruler\nAction Input:",
    "ChatGLM3": "<|assistant|>ruler\n```python\ntool_call(view='v0', x0=0.1)\n```",
    "ChatGLM3 without its marks": "ruler\n ```python\ntool_call(view='v0', x0=0.1)\n```",
}
"""Forms that are not read, in any mode."""
PROSE = {
    "a plan": "Action: crop the image and use a ruler.\nAction Input is not needed.",
    "a heading": "Action: ruler\nThe lesion is about 20 mm wide.",
    "brackets": "Action: ruler (on the film) shows 20 mm.",
    "another action": "Action: follow-up MRI\nAction Input: none",
    "tags of an answer": "<findings>\n<size>20 mm</size>\n</findings> <ruler>20 mm</ruler> <b>ruler</b>",
    "a word alone": "ruler\nThe tumour measures 20 x 12 mm; the ruler at the side shows centimetres.",
    "a list": "1. Ruler: 20 mm\n2. Protractor: 45 degrees\n- crop: not needed",
    "a report": "FINDINGS: 2.1 cm hypodense lesion in segment 4a (arterial phase). IMPRESSION: <2 cm, LI-RADS 3.",
    "another tool": "<tool_name>scalpel</tool_name> <scalpel><x>1</x></scalpel>",
    "a comparison": "The ratio is <0.5 and the ruler reads >20 mm, so the tool_call (by hand) is not needed.",
    "code in words": "One could call ruler, then tool_call, but the distance is 20 mm.",
}
"""What a model may answer of an image, without calling anything."""


@pytest.mark.parametrize("form", UNKNOWN_FORMS)
def test_a_call_in_a_form_that_is_not_read_is_one(form):
    names = [tool.name for tool in ON.tools]
    found = parse_calls(UNKNOWN_FORMS[form], names)
    assert (found.calls, len(found.invalid)) == ((), 1)
    assert found.invalid[0]["name"] in {"ruler", "pixel_spacing"}
    assert parse_calls(f"<think>{UNKNOWN_FORMS[form]}</think>20 mm", names).invalid == ()
    assert parse_calls(UNKNOWN_FORMS[form], ["other"]).invalid == ()


@pytest.mark.parametrize("words", PROSE)
def test_an_ordinary_answer_holds_no_call(words):
    found = parse_calls(PROSE[words], [tool.name for tool in ON.tools])
    assert (found.calls, found.invalid, found.prose) == ((), (), PROSE[words])


async def test_a_call_in_such_a_form_is_unread_natively_and_answered_in_text_mode(ask):
    given = await ask([text(UNKNOWN_FORMS["Cline"])])
    assert (given.outcome, given.unread) == (Outcome.TOOL_PROTOCOL, 1)
    given = await ask([text(UNKNOWN_FORMS["Cline"]), text(FINAL)], tool_calling="text")
    assert (given.outcome, given.response, given.unread) == (Outcome.ANSWERED, FINAL, 0)


@pytest.fixture
def ask(server, chat_completions, gemini, responses):
    """Return a function that has a conversation of scripted replies."""

    async def asked(replies, condition=ON, *, wire="chat", limits=None, **row):
        server.script(replies)
        config = {"chat": chat_completions, "gemini": gemini, "responses": responses}[wire].config(max_tries=1, **row)
        async with asyncio.timeout(60), open_model(config, environ=KEYS) as model:
            return await answer(QUESTION, condition, model, limits or Limits())

    return asked


@pytest.mark.parametrize("form", FORMS)
async def test_text_mode_reads_the_call(ask, form):
    given = await ask([text(FORMS[form]), text(FINAL)], tool_calling="text")
    assert (given.outcome, given.response, given.unread) == (Outcome.ANSWERED, FINAL, 0)
    assert [(use.tool, use.arguments, use.ok) for use in given.trace.tool_calls] == [("ruler", RIGHT, True)]


@pytest.mark.parametrize("form", FORMS)
async def test_native_mode_counts_it_and_says_what_to_do(ask, form):
    given = await ask([text(FORMS[form])])
    assert (given.outcome, given.unread) == (Outcome.TOOL_PROTOCOL, 1)
    assert "the text of the reply has 1 tool call that nobody read: set tool_calling: text" in given.detail


@pytest.mark.parametrize("wire", ["gemini", "responses"])
async def test_native_mode_counts_it_on_every_interface(ask, wire):
    assert (await ask([text(f"{FORMS['Hermes']}{FINAL}")], wire=wire)).unread == 1


@pytest.mark.parametrize(
    "reply",
    [
        FINAL,
        f"<think>Perhaps {FORMS['Hermes']}</think>{FINAL}",
        f'The ruler\n{{"length_mm": 3}} {FINAL}',
        f'ruler: {{"length_mm": 3}}\n{FINAL}',
        f'ruler {{"length_mm": 3}} said so. {FINAL}',
        f'lesion\n{{"length_mm": 3}}\n{FINAL}',
    ],
)
async def test_an_answer_is_no_call(ask, reply):
    given = await ask([text(reply)])
    assert (given.outcome, given.unread) == (Outcome.ANSWERED, 0)


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
async def test_a_call_that_the_servers_parser_of_reasoning_swallowed_is_unread(ask, field):
    given = await ask([chat({"content": None, field: f"I measure.\n{FORMS['Hermes']}"})])
    assert (given.outcome, given.unread) == (Outcome.TOOL_PROTOCOL, 1)
    given = await ask([chat({"content": FINAL, field: f"I could write {FORMS['Hermes']}"})])
    assert (given.outcome, given.unread) == (Outcome.ANSWERED, 0)


async def test_without_tools_nothing_is_unread(ask):
    assert (await ask([text(FORMS["Hermes"])], OFF)).unread == 0


async def test_a_call_in_the_turn_that_had_to_answer_is_the_models_own_fault(ask):
    given = await ask([calls(RULER), text(FORMS["Hermes"])], limits=Limits(model_calls=2))
    assert (given.outcome, given.forced, given.unread) == (Outcome.LIMIT_REACHED, True, 0)


async def test_a_grammar_that_speaks_another_form_leaves_it_unread(chat_completions):
    class Deaf(Plain):
        def read(self, text, names):
            return Parsed((), (), text)

    async with open_model(chat_completions.config(tool_calling="text"), environ=KEYS) as chat:
        chat_completions.server.script([text(FORMS["LFM2"])])
        message = await chat.bind([]).ainvoke("q")
        assert Text(chat, ["ruler"], Deaf()).read(message).unread_calls == 1
        assert Text(chat, ["ruler"], Plain()).read(message).unread_calls == 0
