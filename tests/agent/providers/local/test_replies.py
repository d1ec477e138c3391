"""Prompts and replies of models in this process: tools, pictures, ends and counts, through the real generate()."""

import json
import shutil

import pytest

pytest.importorskip("torch", reason="needs the `local` extra: pip install -e '.[local]'")
pytest.importorskip("transformers", reason="needs the `local` extra: pip install -e '.[local]'")

import torch
import transformers
from fake.local import TOOLS, ask, engine_of, force, picture, prompt_of, question
from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from medvision_agent.agent.chat.chat import Finish
from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.providers.factory import open_model
from medvision_agent.agent.retry import RequestFailed

KINDS = ["gemma3-tools", "idefics3-tools", "llava-tools"]
CALL = '<tool_call>{"name": "ruler", "arguments": {"view": "v0", "x0": 0.25}}</tool_call>'


@pytest.mark.parametrize("kind", KINDS)
async def test_a_call_comes_out_and_its_result_goes_back_in(row, kind):
    async with open_model(row(kind)) as chat:
        force(chat, f"<think>hm</think>I measure.{CALL}{CALL.replace('ruler', 'crop')}", "<answer>3.5</answer>")
        opening = [SystemMessage("You measure."), question(chat)]
        turn = await ask(chat, opening, TOOLS)
        assert [(call["name"], call["args"]) for call in turn.tool_calls] == [
            ("ruler", {"view": "v0", "x0": 0.25}),
            ("crop", {"view": "v0", "x0": 0.25}),
        ]
        assert (turn.text, turn.finish, turn.invalid_tool_calls) == ("I measure.", Finish.TOOL_CALLS, ())
        first, second = turn.tool_calls
        assert first["id"] != second["id"]
        shown = HumanMessage([{"type": "text", "text": "Tool output"}, picture(chat, 90)])
        messages = [
            *opening,
            AIMessage(turn.text, tool_calls=list(turn.tool_calls)),
            ToolMessage("4.25 mm", tool_call_id=first["id"], name="ruler"),
            ToolMessage("done", tool_call_id=second["id"], name="crop"),
            shown,
        ]
        prompt = prompt_of(chat, messages, TOOLS)
        places = [
            prompt.index(text) for text in ("You measure.", "How wide?", "I measure.", '"crop"', "4.25 mm", "done")
        ]
        assert prompt.index("4.25 mm") < prompt.index("Tool output")
        assert sorted(places[:3]) == places[:3]
        # Calls stand in the model's own turn, and both are there.
        assert prompt.count("<tool_call>") == 2
        turn = await ask(chat, messages, TOOLS)
        assert (turn.text, turn.finish) == ("<answer>3.5</answer>", Finish.STOP)


@pytest.mark.parametrize(
    "reply",
    [
        '<tool_call>{"name": "ruler", "arguments": {"x0": </tool_call>',
        '<tool_call>{"name": "ruler", "arguments": [1, 2]}</tool_call>',
        '<tool_call>{"arguments": {"x0": 1}}</tool_call>',
        "<tool_call>[1, 2]</tool_call>",
    ],
)
async def test_calls_that_cannot_be_read_are_invalid_calls(row, reply):
    async with open_model(row("gemma3-tools")) as chat:
        force(chat, reply)
        turn = await ask(chat, [question(chat)], TOOLS)
        assert turn.tool_calls == ()
        assert len(turn.invalid_tool_calls) == 1
        assert turn.calls_a_tool
        # The model is shown its own call again, and what was wrong with it.
        call = turn.invalid_tool_calls[0]
        again = [
            question(chat),
            AIMessage(turn.text, invalid_tool_calls=[call]),
            ToolMessage("Error: unreadable", tool_call_id=call["id"], name=""),
        ]
        assert "Error: unreadable" in prompt_of(chat, again, TOOLS)


async def test_thoughts_are_kept_for_the_trace_and_the_tool_loop(row):
    async with open_model(row("gemma3-tools")) as chat:
        force(chat, f"<think>I need the ruler.</think>{CALL}")
        message = await chat.bind(TOOLS).ainvoke([question(chat)])
        assert (message.content, message.additional_kwargs) == ("", {"reasoning_content": "I need the ruler."})
        entry = engine_of(chat).template.conversation([question(chat), message])[1]
        assert entry["reasoning_content"] == "I need the ruler."


async def test_numbers_written_as_text_are_read_by_the_tools_schema(row):
    async with open_model(row("gemma3-tools")) as chat:
        force(chat, CALL)
        assert (await ask(chat, [question(chat)], TOOLS)).tool_calls[0]["args"]["x0"] == 0.25


@pytest.mark.parametrize("kind", ["gemma3", "llava", "gemma3-tools"])
async def test_calls_in_text_stay_text(row, kind):
    async with open_model(row(kind, tool_calling="text")) as chat:
        force(chat, f"I measure.{CALL}")
        turn = await ask(chat, [SystemMessage("You measure."), question(chat)])
        assert turn.text == f"I measure.{CALL}"
        assert (turn.tool_calls, turn.invalid_tool_calls, turn.finish) == ((), (), Finish.STOP)


async def test_thoughts_are_no_text(row):
    async with open_model(row("gemma3-tools", tool_calling="text")) as chat:
        force(chat, "<think>seven, no, 8</think><answer>8</answer>")
        assert (await ask(chat, [question(chat)])).text == "<answer>8</answer>"


async def test_counts_and_the_version_of_what_answered(row, checkpoint):
    async with open_model(row("gemma3-tools")) as chat:
        force(chat, "12345")
        turn = await ask(chat, [question(chat)])
        tokens = engine_of(chat).encode([chat.model._request([question(chat)], {})])["input_ids"].shape[1]
        assert (turn.usage.input, turn.usage.output, turn.usage.unreported) == (tokens, 6, 0)
        assert turn.model_version.startswith("gemma3-tools@sha256:")


async def test_a_reply_at_the_limit_is_cut_off(row):
    async with open_model(row("gemma3-tools", max_output_tokens=7)) as chat:
        force(chat, "1234567890")
        turn = await ask(chat, [question(chat)])
        assert (turn.text, turn.finish, turn.usage.output) == ("1234567", Finish.LENGTH, 7)
        force(chat, "123456")  # with its end, as long as the limit
        assert (await ask(chat, [question(chat)])).finish is Finish.STOP


async def test_a_conversation_that_fills_the_context_is_an_overflow(row, checkpoint, tmp_path):
    folder = shutil.copytree(checkpoint("gemma3-tools"), tmp_path / "short")
    settings = json.loads((folder / "config.json").read_text())
    settings["text_config"]["max_position_embeddings"] = 256
    (folder / "config.json").write_text(json.dumps(settings))
    async with open_model(row("gemma3-tools", model=str(folder))) as chat:
        force(chat, "1")
        with pytest.raises(RequestFailed) as caught:
            await ask(chat, [question(chat, "x" * 300)])
        assert caught.value.fault.outcome is Outcome.CONTEXT_OVERFLOW
        force(chat, "...")
        turn = await ask(chat, [question(chat, "x" * 200)])  # a little room is left, less than the limit of a reply
        assert turn.finish is Finish.LENGTH
        assert turn.usage.input + turn.usage.output == 256


@pytest.mark.parametrize("kind", ["gemma3", "idefics3-tools", "llava"])
async def test_a_picture_arrives(row, kind):
    async with open_model(row(kind, tool_calling="text")) as chat:
        engine = engine_of(chat)

        def pixels(*messages):
            return engine.encode([chat.model._request(list(messages), {})])["pixel_values"]

        one, other = pixels(question(chat, grey=10)), pixels(question(chat, grey=11))
        assert one.shape == other.shape
        assert not one.equal(other)
        assert one.equal(pixels(question(chat, "Another text", grey=10)))
        both = pixels(question(chat, grey=10), AIMessage("So."), question(chat, grey=11))
        assert both.flatten(0, -4).shape[0] == 2 * one.flatten(0, -4).shape[0]
        assert both.flatten(0, -4)[0].equal(one.flatten(0, -4)[0])
        assert both.flatten(0, -4)[-1].equal(other.flatten(0, -4)[-1])


async def test_what_a_model_says_depends_on_the_picture(row):
    async with open_model(row("idefics3-tools", max_output_tokens=24)) as chat:
        texts = {(await ask(chat, [question(chat, "?", grey)])).text for grey in (0, 25, 50)}
        assert len(texts) > 1


async def test_sampling_repeats_with_its_seed(row):
    texts = {}
    for seed in (1, 1, 2):
        async with open_model(row("gemma3-tools", temperature=1.5, seed=seed, max_output_tokens=24)) as chat:
            texts.setdefault(seed, []).append([(await ask(chat, [question(chat)])).text for _ in range(2)])
    assert texts[1][0] == texts[1][1]
    assert texts[1][0][0] == texts[1][0][1]
    assert texts[1][0] != texts[2][0]


@pytest.mark.parametrize("shown", [True, False])
async def test_what_others_use_of_the_libraries_is_as_it_was(row, shown):
    def state():
        bars = transformers.logging.is_progress_bar_enabled(), are_progress_bars_disabled()
        return (
            transformers.logging.get_verbosity(),
            bars,
            torch.get_rng_state().tolist(),
            torch.is_inference_mode_enabled(),
        )

    (enable_progress_bars if shown else disable_progress_bars)()
    try:
        before = state()
        async with open_model(row("gemma3-tools", temperature=1.5, seed=1, max_output_tokens=4)) as chat:
            await ask(chat, [question(chat)])
        assert state() == before
    finally:
        enable_progress_bars()
