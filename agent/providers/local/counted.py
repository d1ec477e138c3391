"""A model that other processes load: in this process its chat template only counts prompt tokens.

Contract: no weights are read or downloaded. The processes that ask load the model and check it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import HumanMessage

from medvision_agent.agent.chat.chat import Chat
from medvision_agent.agent.chat.unasked import Unasked
from medvision_agent.agent.models import Transformers
from medvision_agent.agent.providers.local.load import load_processor, without_warnings
from medvision_agent.agent.providers.local.template import ChatTemplate

__all__ = ["CountedChat", "open_counted"]


class _Unloaded(Unasked):
    """A chat model whose weights are not loaded: its chat template only counts prompt tokens."""

    unasked_because = "the model is loaded into the processes that ask"
    processor: Any
    template: Any

    @property
    def _llm_type(self) -> str:
        return "medvision-agent-unloaded"

    def prompt_tokens(self, message: str, tools: Sequence[Mapping[str, Any]]) -> int:
        """Return how many tokens the chat template makes of a message with *tools* declared."""
        tokens = self.processor.apply_chat_template(
            [self.template.conversation([HumanMessage(message)])],
            tools=[dict(tool) for tool in tools] or None,
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
        )
        return len(tokens["input_ids"][0])


class CountedChat(Chat):
    """A model that other processes ask; in this process it only counts prompt tokens."""

    async def prompt_tokens(self, message: str, tools: Sequence[Mapping[str, Any]]) -> int:
        """Return how many prompt tokens the chat template makes of a message with *tools* declared."""
        assert isinstance(self.model, _Unloaded)  # noqa: S101 - for the type checker
        return await asyncio.to_thread(self.model.prompt_tokens, message, tools)


def open_counted(config: Transformers) -> CountedChat:
    """Return the model of *config* without its weights.

    Raises ConfigError if the row or the chat template is to blame, and ProviderError if the hub is.
    """
    with without_warnings():
        processor = load_processor(config)
        native = config.tool_calling == "native"
        template = ChatTemplate(processor, name=config.model, native_tools=native)
    return CountedChat(config, _Unloaded(processor=processor, template=template))
