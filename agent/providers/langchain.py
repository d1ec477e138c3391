"""Any LangChain chat model by its import path: how it is made, and how its reasons to stop read.

Providers name the reason in their own way and place. The words of the common ones are known here; where a reply names
none, one that says or calls something counts as done and an empty one as no reply at all.
"""

from importlib import import_module
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage

from medvision_agent.agent.chat.chat import Chat, Finish, visible_text
from medvision_agent.agent.models import LangChain
from medvision_agent.errors import ConfigError

__all__ = ["LangChainChat", "build"]

_PLACES = ("finish_reason", "stop_reason", "stopReason", "done_reason", "finishReason")
_FINISH = {
    "tool_calls": Finish.TOOL_CALLS,
    "tool_use": Finish.TOOL_CALLS,
    "function_call": Finish.TOOL_CALLS,
    "length": Finish.LENGTH,
    "max_tokens": Finish.LENGTH,
    "model_length": Finish.LENGTH,
    "model_context_window_exceeded": Finish.LENGTH,
    "content_filter": Finish.BLOCKED,
    "content_filtered": Finish.BLOCKED,
    "guardrail_intervened": Finish.BLOCKED,
    "refusal": Finish.BLOCKED,
    "safety": Finish.BLOCKED,
    "error": Finish.NONE,
}
"""In lower case; any other reason counts as done."""


class LangChainChat(Chat):
    """A model of any LangChain integration, ready to be asked."""

    def finish(self, message: AIMessage) -> tuple[Finish, str]:
        """Return the reason to stop, wherever the integration put it."""
        metadata = message.response_metadata
        raw = next((str(metadata[place]) for place in _PLACES if metadata.get(place)), "")
        if raw:
            return _FINISH.get(raw.lower(), Finish.STOP), raw
        said = visible_text(message).strip() or message.tool_calls or message.invalid_tool_calls
        return (Finish.STOP if said else Finish.NONE), ""


def build(config: LangChain, key: str | None) -> LangChainChat:
    """Make the model; raises ConfigError where the factory cannot be found, fails, or returns something else."""
    module, _, name = config.factory.partition(":")
    try:
        factory = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"model {config.model}: factory: {config.factory} cannot be imported ({error}); is its package installed?"
        ) from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever another package's code raises
        raise ConfigError(
            f"model {config.model}: factory: importing {config.factory} fails: {type(error).__name__}: {error}"
        ) from None
    settings: dict[str, Any] = dict(config.settings)
    if key is not None:
        settings[config.key_argument] = key
    try:
        model = factory(**settings)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever another package's code raises
        reason = str(error) if key is None else str(error).replace(key, "[key]")
        raise ConfigError(
            f"model {config.model}: factory: {config.factory} fails with these settings: "
            f"{type(error).__name__}: {' '.join(reason.split())[:300]}"
        ) from None
    if not isinstance(model, BaseChatModel):
        raise ConfigError(f"model {config.model}: factory: {config.factory} made no LangChain chat model")
    return LangChainChat(config, model)
