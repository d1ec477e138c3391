"""Gemini through google-genai: build the model, set what each call sends, read why a reply stopped.

Known behaviour of the adapter that shapes this file: it sends temperature 0.7 unless given None, ignores
``media_resolution`` in its constructor, retries by itself unless stopped, and never raises because of a finish reason.
"""

from typing import Any

from google import genai
from google.genai import types
from httpx2 import AsyncClient
from langchain_core.messages import AIMessage
from pydantic import SecretStr

from medvision_agent.agent.chat.chat import BRIEF, Chat
from medvision_agent.agent.endings.finish import GEMINI, Finish, finish_of
from medvision_agent.agent.models import Gemini
from medvision_agent.agent.providers.gemini.model import GeminiModel

__all__ = ["GeminiChat", "build", "open_api"]


class GeminiChat(Chat):
    """A Gemini model ready to be asked."""

    def call_settings(self) -> dict[str, Any]:
        """Return image resolution and seed, which the adapter accepts only with each call, and the thinking budget.

        An arm of a study may have a different thinking budget.
        """
        assert isinstance(self.config, Gemini)  # noqa: S101 - for the type checker
        level = self.config.media_resolution
        settings = {
            "media_resolution": f"MEDIA_RESOLUTION_{level.upper()}" if level else None,
            "seed": self.config.seed,
            "thinking_budget": self.config.thinking_budget,
        }
        return {name: value for name, value in settings.items() if value is not None}

    def briefly(self) -> dict[str, Any]:
        """Return the setting that limits the output to a few tokens."""
        return {"max_output_tokens": BRIEF}

    def finish(self, message: AIMessage) -> tuple[Finish, str]:
        """Return the candidate's finish reason, or why the prompt was blocked; without either, ``BROKEN_OFF``."""
        metadata = message.response_metadata
        if raw := str(metadata.get("finish_reason") or ""):
            return finish_of(raw, GEMINI), raw
        reason = (metadata.get("prompt_feedback") or {}).get("block_reason")
        if reason is not None:
            return Finish.BLOCKED, str(getattr(reason, "name", reason))
        return Finish.BROKEN_OFF, ""


def build(config: Gemini, key: str, client: AsyncClient) -> tuple[GeminiChat, genai.Client]:
    """Return the chat, and the API client behind it, which the caller closes; *client* sends all requests."""
    model = GeminiModel(
        api_key=SecretStr(key),
        vertexai=False,
        model=config.model,
        base_url=config.base_url,
        temperature=config.temperature,
        top_p=config.top_p,
        max_output_tokens=config.max_output_tokens,
        thinking_budget=config.thinking_budget,
        thinking_level=config.thinking_level,
        max_retries=1,
        timeout=config.timeout_seconds,
    )
    # The shared client replaces the adapter's own, so that there is one pool per run and no aiohttp by surprise.
    model.client = open_api(config, key, client)
    return GeminiChat(config, model), model.client


def open_api(config: Gemini, key: str, client: AsyncClient) -> genai.Client:
    """Return the API client for the model of *config*; *client* sends all its requests."""
    # The SDK's default moved to v1 with its version 3; requests and replies here are those of v1beta.
    options = types.HttpOptions(base_url=config.base_url, api_version="v1beta", httpx_async_client=client)
    return genai.Client(api_key=key, vertexai=False, http_options=options)
