"""A transformers model as a chat model, with opening and closing."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.base import LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool

from medvision_agent.agent.chat.chat import Chat
from medvision_agent.agent.models import Transformers
from medvision_agent.agent.providers.local.batches import Batches
from medvision_agent.agent.providers.local.engine import Engine, Request
from medvision_agent.agent.providers.local.load import load, without_warnings
from medvision_agent.agent.providers.local.reading import check_reading, message_of

__all__ = ["LocalChat", "LocalModel", "open_local"]


class LocalModel(BaseChatModel):
    """A chat model whose replies are generated in this process."""

    engine: Any
    batches: Any

    @property
    def _llm_type(self) -> str:
        return "medvision-agent-transformers"

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,  # noqa: ARG002 - a chat template knows no choice
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Return the model with *tools* (mappings) declared."""
        return self.bind(tools=list(tools), **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 - LangChain's signature
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **kwargs: Any,
    ) -> ChatResult:
        request = self._request(messages, kwargs)
        return self._result(request, self.batches.ask_now(request))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002
        run_manager: AsyncCallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **kwargs: Any,
    ) -> ChatResult:
        request = await asyncio.to_thread(self._request, messages, kwargs)
        return self._result(request, await self.batches.ask(request))

    def prompt_tokens(self, message: str, tools: Sequence[Mapping[str, Any]]) -> int:
        """Return the number of prompt tokens of a message with *tools* declared; nothing is generated."""
        request = self._request([HumanMessage(message)], {"tools": [dict(tool) for tool in tools]})
        return int(self.engine.encode([request])["input_ids"].shape[1])

    def _request(self, messages: list[BaseMessage], settings: dict[str, Any]) -> Request:
        return Request(self.engine.template.conversation(messages), settings.get("tools") or [])

    def _result(self, request: Request, generated: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=message_of(self.engine, request, generated))])


class LocalChat(Chat):
    """A model whose weights are loaded in this process, ready to be asked; no server is involved."""

    async def prompt_tokens(self, message: str, tools: Sequence[Mapping[str, Any]]) -> int:
        """Return the number of prompt tokens of a message with *tools* declared; nothing is generated."""
        assert isinstance(self.model, LocalModel)  # noqa: S101 - for the type checker
        return await asyncio.to_thread(self.model.prompt_tokens, message, tools)


@asynccontextmanager
async def open_local(config: Transformers) -> AsyncIterator[LocalModel]:
    """Yield the loaded model of *config*, and free its memory afterwards; raises ConfigError and ProviderError."""
    with without_warnings():
        engine = await asyncio.to_thread(_engine, config)
        batches = Batches(engine.run, config.batch_size)
        try:
            yield LocalModel(engine=engine, batches=batches)
        finally:
            await batches.close()
            del engine, batches
            gc.collect()


def _engine(config: Transformers) -> Engine:
    engine = Engine(config, load(config))
    check_reading(engine)
    return engine
