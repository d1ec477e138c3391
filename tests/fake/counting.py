"""A chat model of LangChain that answers at once and counts its prompt, with declarations or without."""

import json
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult


class Counting(BaseChatModel):
    """Where it *declares*, what is declared is a part of the prompt; else it is dropped."""

    declares: bool

    @property
    def _llm_type(self) -> str:
        return "fake-counting"

    def bind_tools(self, tools: Any, *, tool_choice: str | None = None, **kwargs: Any) -> Any:
        return self.bind(tools=list(tools), **kwargs)

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        tools = kwargs.get("tools", []) if self.declares else []
        count = len(json.dumps([message.model_dump(mode="json") for message in messages]) + json.dumps(tools)) // 4
        message = AIMessage(
            "<answer>11.5</answer>",
            response_metadata={"finish_reason": "stop", "model_name": "counting-1"},
            usage_metadata={"input_tokens": count, "output_tokens": 5, "total_tokens": count + 5},
        )
        return ChatResult(generations=[ChatGeneration(message=message)])
