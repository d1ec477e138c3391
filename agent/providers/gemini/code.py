"""Gemini through google-genai without LangChain: for code execution, and for the published experiment's replay.

LangChain's adapter drops empty results, the ids of code and the outcome of a timed-out run, and cannot send
what the published experiment sent. A conversation here is one turn: there are no tool calls to answer. Without a
replay, a request differs from that of ``chat.py`` only in the tool.
"""

from typing import Any

from google import genai
from google.genai import types
from httpx2 import AsyncClient
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.language_models.base import LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails, UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable

from medvision_agent.agent.chat.chat import ToolChoice, Turn, png_of
from medvision_agent.agent.chat.code_run import CodeRun
from medvision_agent.agent.chat.unasked import Unasked
from medvision_agent.agent.models import Gemini
from medvision_agent.agent.providers.gemini import replay as published
from medvision_agent.agent.providers.gemini.chat import GeminiChat, open_api
from medvision_agent.agent.providers.gemini.parts import block_of, code_runs
from medvision_agent.errors import ConfigError
from medvision_agent.tools.view.png import rgb_png

__all__ = ["GeminiCodeChat", "build"]


class GeminiDirect(Unasked):
    """A chat model that sends a question by google-genai and returns the reply with all of its parts."""

    unasked_because = "asked asynchronously only"
    client: Any
    config: Any
    """The catalogue row, a ``Gemini``."""
    request: Any
    """A request without its conversation, a ``GenerateContentConfig``."""

    @property
    def _llm_type(self) -> str:
        return "medvision-agent-gemini"

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 - LangChain's signature
        run_manager: AsyncCallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> ChatResult:
        system = [message.text for message in messages if isinstance(message, SystemMessage)]
        said = [message for message in messages if not isinstance(message, SystemMessage)]
        request: types.GenerateContentConfig = self.request
        if system:
            instruction = types.Content(parts=[types.Part(text=text) for text in system])
            request = request.model_copy(update={"system_instruction": instruction})
        response = await self.client.aio.models.generate_content(
            model=self.config.model, contents=[self._content(message) for message in said], config=request
        )
        return ChatResult(generations=[ChatGeneration(message=_message(response))])

    def _content(self, message: BaseMessage) -> types.Content:
        if not isinstance(message, HumanMessage):
            raise TypeError(
                f"a conversation with a {type(message).__name__} cannot be sent with code execution or in a replay: "
                "only questions can"
            )
        blocks = [message.content] if isinstance(message.content, str) else message.content
        return types.Content(role="user", parts=[self._part(block) for block in blocks])

    def _part(self, block: str | dict[str, Any]) -> types.Part:
        if isinstance(block, str) or block["type"] == "text":
            return types.Part(text=block if isinstance(block, str) else block["text"])
        png = png_of(block["image_url"]["url"])
        # The published experiment sent grey images as three equal channels.
        return types.Part.from_bytes(data=rgb_png(png) if self.config.replay else png, mime_type="image/png")


class GeminiCodeChat(GeminiChat):
    """A Gemini model ready to be asked, with its own code execution or as the published experiment asked it."""

    def bind(self, tools: Any, tool_choice: ToolChoice = "auto") -> Runnable[LanguageModelInput, AIMessage]:  # noqa: ARG002
        """Return the model, which holds its settings; raises ConfigError if *tools* are given."""
        if tools:
            raise ConfigError(
                f"model {self.config.model}: Gemini's code execution, and a row with `replay`, cannot be combined with "
                "other tools; use --tools code or --tools off"
            )
        return self.model

    def read(self, message: AIMessage) -> Turn:
        """Return the parsed reply; for a replay, with the text that the published experiment stored."""
        turn = super().read(message)
        if not isinstance(self.config, Gemini) or self.config.replay is None:
            return turn
        assert isinstance(self.model, GeminiDirect)  # noqa: S101 - for the type checker
        as_json = self.model.request.response_schema is not None
        return published.stored(turn, message, as_json=as_json)

    def code_runs(self, message: AIMessage) -> tuple[CodeRun, ...]:
        """Return the runs of code on Google's servers that belong to a reply, in their order."""
        return code_runs(message.content) if isinstance(message.content, list) else ()


def build(config: Gemini, key: str, client: AsyncClient, *, code: bool) -> tuple[GeminiCodeChat, genai.Client]:
    """Return the chat, with code execution if *code*, and the API client behind it, which the caller closes."""
    api = open_api(config, key, client)
    settings = _settings(config) if config.replay is None else published.settings(config.replay, code=code)
    tools: Any = [types.Tool(code_execution=types.ToolCodeExecution())] if code else None
    request = types.GenerateContentConfig(**settings, tools=tools)
    return GeminiCodeChat(config, GeminiDirect(client=api, config=config, request=request)), api


def _settings(config: Gemini) -> dict[str, Any]:
    """Return the request settings that other conditions send, including LangChain's additions (service defaults)."""
    thinking: dict[str, Any] = {"thinking_budget": config.thinking_budget, "thinking_level": config.thinking_level}
    thinking = {name: value for name, value in thinking.items() if value is not None}
    level = config.media_resolution
    return {
        "candidate_count": 1,
        "safety_settings": [],
        "temperature": config.temperature,
        "top_p": config.top_p,
        "max_output_tokens": config.max_output_tokens,
        "seed": config.seed,
        "thinking_config": types.ThinkingConfig(**thinking) if thinking else None,
        "media_resolution": f"MEDIA_RESOLUTION_{level.upper()}" if level else None,
    }


def _message(response: types.GenerateContentResponse) -> AIMessage:
    """Return a reply with all its parts; without a candidate, it has no finish reason and counts as no reply."""
    candidate = response.candidates[0] if response.candidates else None
    parts = (candidate.content.parts if candidate and candidate.content else None) or []
    metadata: dict[str, Any] = {"model_name": response.model_version or ""}
    if candidate and candidate.finish_reason is not None:
        metadata["finish_reason"] = candidate.finish_reason.value
    if response.prompt_feedback and response.prompt_feedback.block_reason is not None:
        metadata["prompt_feedback"] = {"block_reason": response.prompt_feedback.block_reason.value}
    calls = [
        {"name": call.name or "", "args": call.args or {}, "id": call.id or f"call_{number}", "type": "tool_call"}
        for number, part in enumerate(parts)
        if (call := part.function_call) is not None
    ]
    return AIMessage(
        content=[block_of(part) for part in parts],
        response_metadata=metadata,
        tool_calls=calls,
        usage_metadata=_usage(response.usage_metadata),
    )


def _usage(counts: types.GenerateContentResponseUsageMetadata | None) -> UsageMetadata | None:
    """Return the token counts: prompt tokens from code runs count as input, thoughts as output; None without counts."""
    if counts is None:
        return None
    read = (counts.prompt_token_count or 0) + (counts.tool_use_prompt_token_count or 0)
    thoughts = counts.thoughts_token_count or 0
    written = (counts.candidates_token_count or 0) + thoughts
    return UsageMetadata(
        input_tokens=read,
        output_tokens=written,
        total_tokens=read + written,
        input_token_details=InputTokenDetails(cache_read=counts.cached_content_token_count or 0),
        output_token_details=OutputTokenDetails(reasoning=thoughts),
    )
