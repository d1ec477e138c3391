"""Several samples at a time: equal to one at a time, gathered, independent, and refused where they are not equal."""

import asyncio
import json
import shutil

import pytest

pytest.importorskip("torch", reason="needs the `local` extra: pip install -e '.[local]'")
pytest.importorskip("transformers", reason="needs the `local` extra: pip install -e '.[local]'")

from fake.local import TOOLS, ask, engine_of, force, question
from langchain_core.messages import AIMessage, HumanMessage

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.providers.factory import open_model
from medvision_agent.agent.providers.local.engine import Engine
from medvision_agent.agent.retry import RequestFailed
from medvision_agent.errors import ConfigError


@pytest.mark.parametrize("kind", ["gemma3", "idefics3-tools", "llava"])
async def test_a_batch_says_what_each_would_say_alone(row, kind):
    async with open_model(row(kind, tool_calling="text", batch_size=4, max_output_tokens=32)) as chat:
        conversations = [
            [question(chat, "How wide?")],
            [question(chat, "How wide is what you see in this picture, " * 4, 40)],
            [question(chat, "And now?", 25), AIMessage("Wide."), question(chat, "And this one?", 55)],
            [question(chat, "?", 3), AIMessage("!"), HumanMessage("No picture in this one.")],
        ]
        engine = engine_of(chat)
        requests = [chat.model._request(messages, {}) for messages in conversations]
        alone = [engine.run([request])[0] for request in requests]
        together = engine.run(requests)
        assert [one.reply for one in together] == [one.reply for one in alone]
        assert [one.prompt for one in together] == [one.prompt for one in alone]
        assert len({tuple(one.reply) for one in alone}) > 1


async def test_those_who_wait_are_asked_together_and_each_gets_its_own(row, monkeypatch):
    sizes = []
    run = Engine.run

    def counted(self, requests):
        sizes.append(len(requests))
        return run(self, requests)

    monkeypatch.setattr(Engine, "run", counted)
    async with open_model(row("gemma3-tools", batch_size=3, max_output_tokens=16)) as chat:
        questions = [[question(chat, f"Question {number}", number)] for number in range(5)]
        alone = [(await ask(chat, messages)).text for messages in questions]
        sizes.clear()
        replies = await asyncio.gather(*(ask(chat, messages) for messages in questions))
        assert sizes == [3, 2]
        assert [reply.text for reply in replies] == alone
        sizes.clear()  # those who declare other tools are not asked together
        await asyncio.gather(ask(chat, questions[0]), ask(chat, questions[1], TOOLS), ask(chat, questions[2], TOOLS))
        assert sorted(sizes) == [1, 2]


async def test_one_that_fails_does_not_fail_its_neighbours(row, checkpoint, tmp_path):
    folder = shutil.copytree(checkpoint("gemma3-tools"), tmp_path / "short")
    settings = json.loads((folder / "config.json").read_text())
    settings["text_config"]["max_position_embeddings"] = 512
    (folder / "config.json").write_text(json.dumps(settings))
    async with open_model(row("gemma3-tools", model=str(folder), batch_size=2)) as chat:
        force(chat, "<answer>1</answer>")
        good, bad = await asyncio.gather(
            ask(chat, [question(chat)]), ask(chat, [question(chat, "x" * 600)]), return_exceptions=True
        )
        assert good.text == "<answer>1</answer>"
        assert isinstance(bad, RequestFailed)
        assert bad.fault.outcome is Outcome.CONTEXT_OVERFLOW


@pytest.mark.parametrize("kind", ["gemma3-tools", "idefics3-tools", "llava-tools"])
async def test_a_model_whose_batched_scores_differ_is_refused(row, kind, monkeypatch):
    encode = Engine.encode

    def without_mask(self, requests):
        """Encode as a processor would that lets a model look at the padding."""
        inputs = encode(self, requests)
        inputs["attention_mask"] = inputs["attention_mask"].new_ones(inputs["attention_mask"].shape)
        return inputs

    monkeypatch.setattr(Engine, "encode", without_mask)
    with pytest.raises(ConfigError, match="batch_size 2: the model does not score a batch"):
        async with open_model(row(kind, batch_size=2)):
            pytest.fail("opened")
    async with open_model(row(kind)):  # one at a time it is as good as any
        pass
