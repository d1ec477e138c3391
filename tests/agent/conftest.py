"""A fake provider, and models of every interface pointed at it. No waiting is real: waits are recorded."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
from fake.replies import Reply
from fake.server import FakeServer, Request
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from medvision_agent.agent.answer import answer
from medvision_agent.agent.chat.chat import Chat, Turn
from medvision_agent.agent.condition import Condition
from medvision_agent.agent.limits import Limits
from medvision_agent.agent.models import MODEL_CONFIG, ModelConfig
from medvision_agent.agent.providers.factory import open_model
from medvision_agent.agent.retry import call_model
from medvision_agent.agent.wire.failures import Fault
from medvision_agent.agent.words.question import Question
from medvision_agent.tools.view.geometry import Spacing
from medvision_agent.tools.view.slice import grey_slice

GEMINI_KEY, OPENAI_KEY = "AIzaSy-fake-0123456789", "plain-fake-key-0123456789"
PNG = bytes(range(256))
"""Any bytes will do; all of them, so that both alphabets of base64 differ."""
OFF = Condition.parse("off")
QUESTION = Question("distance", grey_slice(np.zeros((20, 20)), Spacing(1.0, 1.0)), "A slice.", None, ("tip", "base"))


class Provider:
    """One interface of the fake server, and what went on there."""

    def __init__(self, server: FakeServer, wire: str) -> None:
        self.server = server
        self.wire = wire
        self.waits: list[float] = []
        self.faults: list[tuple[Fault, int]] = []
        self.environ = {"GEMINI_API_KEY": GEMINI_KEY, "OPENAI_API_KEY": OPENAI_KEY}

    @property
    def requests(self) -> list[Request]:
        return self.server.requests

    def config(self, **settings: Any) -> ModelConfig:
        """Return the configuration of a model behind this interface."""
        common = {"model": "gemini-2.5-flash" if self.wire == "gemini" else "gpt-fake", "perceived": {"rule": "native"}}
        if self.wire == "gemini":
            own = {"provider": "gemini", "base_url": self.server.url, "thinking_budget": -1}
        else:
            own = {"provider": "openai", "base_url": self.server.openai_url, "api": self.wire}
        return MODEL_CONFIG.validate_python(common | own | {"timeout_seconds": 20} | settings)

    async def call(
        self,
        chat: Chat,
        messages: list[BaseMessage],
        tools: list[dict[str, Any]] | None = None,
        choice: Any = "auto",
    ) -> tuple[AIMessage, Turn]:
        """Ask once, as the agent does."""

        async def sleep(seconds: float) -> None:
            self.waits.append(seconds)

        def heard(fault: Fault, number: int) -> None:
            self.faults.append((fault, number))

        runnable = chat.bind(tools or [], choice)
        async with asyncio.timeout(20):
            reply = await call_model(
                runnable,
                messages,
                config=chat.config,
                read=chat.read,
                sleep=sleep,
                on_fault=heard,
                redact=chat.redact,
                pace=chat.pace,
            )
            return reply.message, reply.turn

    async def turn(self, *replies: Reply, **settings: Any) -> Turn:
        """Open a model, script the replies, ask one question and return what was read."""
        self.server.script(list(replies))
        async with open_model(self.config(**settings), environ=self.environ) as chat:
            return (await self.call(chat, [HumanMessage("How wide?")]))[1]


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    async with FakeServer() as server:
        yield server


@pytest.fixture(params=["gemini", "chat", "responses"])
def provider(request: pytest.FixtureRequest, server: FakeServer) -> Provider:
    """Every interface in turn."""
    return Provider(server, request.param)


@pytest.fixture
def gemini(server: FakeServer) -> Provider:
    return Provider(server, "gemini")


@pytest.fixture
def chat_completions(server: FakeServer) -> Provider:
    return Provider(server, "chat")


@pytest.fixture
def responses(server: FakeServer) -> Provider:
    return Provider(server, "responses")


@pytest.fixture
def ask(server, chat_completions, gemini, responses):
    """Return a function that has a conversation with a server that gives one reply, or follows a rule."""

    async def asked(reply, condition=OFF, *, wire="chat"):
        server.behave(reply if callable(reply) else lambda request: reply)
        provider = {"chat": chat_completions, "gemini": gemini, "responses": responses}[wire]
        config = provider.config(max_tries=1)
        async with asyncio.timeout(60), open_model(config, environ=provider.environ) as model:
            return await answer(QUESTION, condition, model, Limits())

    return asked
