"""Generating cannot be cancelled, only told to stop: by a timeout, a cancellation and closing."""

import asyncio
import time

import pytest

pytest.importorskip("torch", reason="needs the `local` extra: pip install -e '.[local]'")
pytest.importorskip("transformers", reason="needs the `local` extra: pip install -e '.[local]'")

from fake.local import ask, engine_of, force, question

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.providers.factory import open_model
from medvision_agent.agent.providers.local.engine import Engine
from medvision_agent.agent.retry import RequestFailed

ENDLESS = 15_000
"""Tokens of a reply that would take minutes."""
SOON = 30.0
"""Seconds; the tests' machines are slow, and minutes are what must not pass."""


@pytest.fixture
def ends(monkeypatch):
    """Return the moments at which generating ended."""
    moments, run = [], Engine.run

    def timed(self, requests):
        result = run(self, requests)
        moments.append(time.monotonic())
        return result

    monkeypatch.setattr(Engine, "run", timed)
    return moments


async def test_a_timeout_ends_generating_and_the_next_one_is_answered(row, ends):
    async with open_model(row("gemma3-tools", max_output_tokens=ENDLESS, timeout_seconds=2)) as chat:
        force(chat, "...", "<answer>1</answer>")
        with pytest.raises(RequestFailed) as caught:
            await ask(chat, [question(chat)])
        assert caught.value.fault.outcome is Outcome.TIMEOUT
        gave_up = time.monotonic()
        patient = chat.model
        async with asyncio.timeout(SOON):
            reply = await patient.ainvoke([question(chat)])
        assert reply.text == "<answer>1</answer>"
        assert ends[0] - gave_up < SOON


async def test_in_a_batch_the_others_go_on(row, ends):
    async with open_model(row("gemma3-tools", max_output_tokens=60, batch_size=2)) as chat:
        engine = engine_of(chat)
        requests = [chat.model._request([question(chat)], {}) for _ in range(2)]
        force(chat, "...")
        requests[0].stop.set()
        stopped, other = engine.run(requests)
        padding, dot = 0, engine.processor.tokenizer.encode(".")[0]
        assert stopped.reply == [dot] + 59 * [padding]
        assert other.reply == 60 * [dot]


async def test_cancelling_and_closing_end_generating(row, ends):
    started = time.monotonic()
    async with open_model(row("gemma3-tools", max_output_tokens=ENDLESS)) as chat:
        force(chat, "...")
        tasks = [asyncio.create_task(ask(chat, [question(chat)]))]
        await asyncio.sleep(1)
        tasks.append(asyncio.create_task(ask(chat, [question(chat)])))
        await asyncio.sleep(0.5)
        tasks[0].cancel()
        with pytest.raises(asyncio.CancelledError):
            await tasks[0]
        await asyncio.sleep(2)  # the second one is at work; closing ends it
    assert (await asyncio.gather(*tasks, return_exceptions=True))[1] is not None
    assert len(ends) == 2
    assert time.monotonic() - started < SOON
