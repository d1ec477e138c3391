"""Any LangChain chat model by its import path: build it and read its reasons to stop.

Providers name the reason in different words and places. Without a reason, a reply with text or calls counts
as finished, and an empty one as no reply.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage

from medvision_agent.agent.chat.chat import Chat, Turn, visible_text
from medvision_agent.agent.endings.finish import CHAT, Finish, finish_of
from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.models import LangChain
from medvision_agent.agent.wire.body import BoundedClient
from medvision_agent.agent.wire.failures import Fault, KnownFault
from medvision_agent.errors import ConfigError

__all__ = ["LangChainChat", "build"]

_UNUSED = (
    "the factory did not use the HTTP client that it was given by this argument; name the argument that takes a "
    "client, or leave client_argument out"
)
_PLACES = ("finish_reason", "stop_reason", "stopReason", "done_reason", "finishReason")


@dataclass(frozen=True, eq=False)
class LangChainChat(Chat):
    """A model of any LangChain integration, ready to be asked."""

    client: BoundedClient | None = None
    """The HTTP client that the factory was given."""

    def read(self, message: AIMessage) -> Turn:
        """Return the parsed reply.

        Raises KnownFault, which stops the run, if the HTTP client that the factory was given was not used for it.
        """
        if self.client is not None and not self.client.asked:
            raise KnownFault(Fault(Outcome.INTERNAL, f"client_argument: {_UNUSED}", stops_run=True))
        return super().read(message)

    def finish(self, message: AIMessage) -> tuple[Finish, str]:
        """Return the finish reason from any of the keys that integrations use.

        Without a reason, a reply with text or calls is complete (``STOP``), and an empty one is ``BROKEN_OFF``.
        """
        metadata = message.response_metadata
        raw = next((str(metadata[place]) for place in _PLACES if metadata.get(place)), "")
        if raw:
            return finish_of(raw, CHAT), raw
        said = visible_text(message).strip() or message.tool_calls or message.invalid_tool_calls
        return (Finish.STOP if said else Finish.BROKEN_OFF), ""


def build(config: LangChain, key: str | None, client: BoundedClient) -> LangChainChat:
    """Return the chat; raises ConfigError if the factory cannot be found, fails, or returns something else.

    *client* is passed to the factory if the row names an argument for it; the caller closes it.
    """
    module, _, name = config.factory.partition(":")
    try:
        factory = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"model {config.model}: factory: {config.factory} cannot be imported ({error}); install its package, or "
            "correct MODULE:NAME"
        ) from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever another package's code raises
        raise ConfigError(
            f"model {config.model}: factory: importing {config.factory} fails: {type(error).__name__}: {error}; "
            "correct the code of its module, or name another factory"
        ) from None
    settings: dict[str, Any] = dict(config.settings)
    if key is not None:
        settings[config.key_argument] = key
    if config.client_argument is not None:
        settings[config.client_argument] = client
    try:
        model = factory(**settings)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever another package's code raises
        reason = str(error) if key is None else str(error).replace(key, "[key]")
        raise ConfigError(
            f"model {config.model}: factory: {config.factory} fails with the row's arguments ({', '.join(settings)}): "
            f"{type(error).__name__}: {' '.join(reason.split())[:300]}"
        ) from None
    if not isinstance(model, BaseChatModel):
        raise ConfigError(
            f"model {config.model}: factory: {config.factory} returned {type(model).__name__}, not a LangChain chat "
            "model (BaseChatModel); name a class or function that returns one"
        )
    return LangChainChat(config, model, client=client if config.client_argument else None)
