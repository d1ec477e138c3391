"""OpenAI and compatible servers, by chat completions or responses: build a model and read its replies.

The interface is always the configured one; by default the adapter would pick it by model name. Nothing is stored at the
provider if this can be switched off (responses stores replies by default; these are medical images).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from httpx2 import AsyncClient, BaseTransport, Client
from langchain_core.language_models.base import LanguageModelInput
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable
from pydantic import SecretStr

from medvision_agent.agent.chat.chat import BRIEF, Chat, ToolChoice, data_url
from medvision_agent.agent.chat.code_run import CodeRun
from medvision_agent.agent.endings.finish import CHAT, RESPONSES, Finish, finish_of
from medvision_agent.agent.models import OpenAI
from medvision_agent.agent.providers.openai_model import CompatibleChat
from medvision_agent.agent.providers.openai_thin import ThinCompletions, thin
from medvision_agent.errors import ConfigError

__all__ = ["OpenAIChat", "build"]

_CODE_INTERPRETER = {"type": "code_interpreter", "container": {"type": "auto"}}
_CODE_OUTPUTS = "code_interpreter_call.outputs"
"""Requests the output of code, which a response leaves out by default."""
_SAYS_MORE = frozenset({Finish.LENGTH, Finish.BLOCKED, Finish.MALFORMED_CALL, Finish.BROKEN_OFF})
"""Reasons that a gateway's generic word may hide; OpenRouter also gives the word of the service behind it."""


class OpenAIChat(Chat):
    """A model ready to be asked by OpenAI's chat completions or responses interface."""

    def bind(
        self, tools: Sequence[Mapping[str, Any]], tool_choice: ToolChoice = "auto"
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Return the model with *tools* declared, asked without LangChain's overhead (``openai_thin.py``)."""
        return thin(super().bind(tools, tool_choice))

    def _with_tools(
        self, tools: list[dict[str, Any]], tool_choice: ToolChoice
    ) -> Runnable[LanguageModelInput, AIMessage]:
        assert isinstance(self.config, OpenAI)  # noqa: S101 - for the type checker
        if self.config.api == "responses":
            # Responses rewrites a schema into strict mode (every argument required) unless told not to.
            tools = [{**tool, "function": {**tool["function"], "strict": False}} for tool in tools]
        return super()._with_tools(tools, tool_choice)

    def code_runs(self, message: AIMessage) -> tuple[CodeRun, ...]:
        """Return the runs of code on the provider's machine, as the responses interface reports them."""
        blocks = message.content if isinstance(message.content, list) else []
        calls = [block for block in blocks if isinstance(block, dict) and block.get("type") == "code_interpreter_call"]
        return tuple(_code_run(call) for call in calls)

    def picture_block(self, png: bytes) -> dict[str, Any]:
        """Return a PNG file as a content block, in the only form that keeps the detail setting."""
        assert isinstance(self.config, OpenAI)  # noqa: S101 - for the type checker
        return {"type": "image_url", "image_url": {"url": data_url(png), "detail": self.config.detail}}

    def briefly(self) -> dict[str, Any]:
        """Return the setting that limits the output to a few tokens, under the key that the row's server knows."""
        assert isinstance(self.config, OpenAI)  # noqa: S101 - for the type checker
        if self.config.api == "chat" and self.config.output_limit_key == "max_tokens":
            return {"extra_body": {**self.config.extra_body, "max_tokens": BRIEF}}
        return {"max_completion_tokens": BRIEF}

    def finish(self, message: AIMessage) -> tuple[Finish, str]:
        """Return the finish reason of chat completions or the status of a response; a refusal takes precedence."""
        metadata = message.response_metadata
        if _refusal(message):
            return Finish.BLOCKED, "refusal"
        raw = metadata.get("finish_reason") or metadata.get("status")
        if raw == "incomplete":
            raw = (metadata.get("incomplete_details") or {}).get("reason")
        if metadata.get("error") or not raw:
            return Finish.BROKEN_OFF, str(raw or "")
        finish = finish_of(str(raw), CHAT if metadata.get("finish_reason") else RESPONSES)
        native = str(metadata.get("native_finish_reason") or "")
        if finish in (Finish.STOP, Finish.TOOL_CALLS, Finish.BROKEN_OFF) and finish_of(native, CHAT) in _SAYS_MORE:
            return finish_of(native, CHAT), native
        return finish, str(raw)


class OpenAICodeChat(OpenAIChat):
    """A model of the responses interface with OpenAI's code execution."""

    def bind(
        self, tools: Sequence[Mapping[str, Any]], tool_choice: ToolChoice = "auto"
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Return the model with only the provider's code tool; raises ConfigError if *tools* are given."""
        if tools:
            raise ConfigError(
                f"model {self.config.model}: the provider's code execution cannot be combined with other tools; use "
                "--tools code"
            )
        return self.model.bind_tools([_CODE_INTERPRETER], tool_choice=tool_choice)


def build(config: OpenAI, key: str, client: AsyncClient, *, code: bool = False) -> OpenAIChat:
    """Return the chat, with code execution if *code* (responses only); *client* is closed by the caller."""
    responses = config.api == "responses"
    settings: dict[str, Any] = {
        "temperature": config.temperature,
        "top_p": config.top_p,
        "max_completion_tokens": config.max_output_tokens,
        "reasoning_effort": config.reasoning_effort,
        "seed": config.seed,
        "extra_body": dict(config.extra_body) or None,
    }
    if not responses and config.output_limit_key == "max_tokens" and config.max_output_tokens is not None:
        # The adapter renames the limit; only the body's further fields are left as they are.
        settings |= {
            "max_completion_tokens": None,
            "extra_body": {**config.extra_body, "max_tokens": config.max_output_tokens},
        }
    if responses:
        # Reasoning comes back encrypted and is returned with the tool results: nothing has to be stored for it.
        settings |= {"store": False, "include": ["reasoning.encrypted_content", *([_CODE_OUTPUTS] if code else [])]}
    model = CompatibleChat(
        model=config.model,
        api_key=SecretStr(key),
        base_url=config.base_url,
        use_responses_api=responses,
        max_retries=0,
        timeout=config.timeout_seconds,
        http_async_client=client,
        http_client=Client(transport=BaseTransport()),  # never used: the default one would read all certificates
        openai_proxy="",
        return_reasoning=config.return_reasoning,
        empty_content="" if config.empty_content == "empty" else None,
        **{name: value for name, value in settings.items() if value is not None},
    )
    if not responses:
        model.thin = ThinCompletions(model.root_async_client, client)
    return (OpenAICodeChat if code else OpenAIChat)(config, model)


def _code_run(call: Mapping[str, Any]) -> CodeRun:
    outputs = call.get("outputs") or []
    status = str(call.get("status") or "")
    return CodeRun(
        id=str(call.get("id") or ""),
        code=call.get("code"),
        language="PYTHON",
        outcome=status,
        output="".join(str(output.get("logs") or "") for output in outputs if output.get("type") == "logs"),
        ok=status == "completed",
    )


def _refusal(message: AIMessage) -> bool:
    blocks = message.content if isinstance(message.content, list) else []
    refused = any(isinstance(block, dict) and block.get("type") == "refusal" for block in blocks)
    return refused or bool(message.additional_kwargs.get("refusal"))
