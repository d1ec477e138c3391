"""Open the model of a catalogue row.

``check_ready`` reports in one line what is missing before anything is opened. ``open_model`` keeps one connection
pool for the whole run and closes it; keys live in the provider's client only. Providers are imported here, when
one is used, because each costs more than a second.
"""

import asyncio
import logging
import os
import warnings
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from importlib.util import find_spec
from itertools import count
from typing import Any, TypeVar, cast

import httpx2

from medvision_agent.agent.chat.chat import Chat
from medvision_agent.agent.models import Gemini, LangChain, ModelConfig, Offline, OpenAI, Transformers
from medvision_agent.agent.models.checkpoint import local_folder
from medvision_agent.agent.providers.openai_repair import RepairingClient
from medvision_agent.agent.wire.body import MEGABYTE, BoundedClient
from medvision_agent.agent.wire.keys import key_names
from medvision_agent.agent.wire.notices import notices
from medvision_agent.agent.wire.spread import spread
from medvision_agent.errors import ConfigError
from medvision_agent.skipped import skipped

__all__ = ["check_ready", "open_model"]

_LOG = logging.getLogger(__name__)
_NUMBERS = count()
_NO_KEY = "none"
"""Sent to servers that need no API key, because their clients require one."""
_OTHER_CLIENT = "openai._vendor.httpx_aiohttp"
"""The SDK's optional client, which we never use: it takes 7 MB where aiohttp is installed."""
_SHORTEST_KEY = 12
"""Characters from which on a key is treated as a secret."""


def check_ready(config: ModelConfig, environ: Mapping[str, str] = os.environ) -> None:
    """Raise ConfigError if the model cannot be opened: a missing package or API key, or an unusable setting."""
    if isinstance(config, Transformers):
        _check_local(config)
    _key(config, environ)


@asynccontextmanager
async def open_model(
    config: ModelConfig,
    *,
    environ: Mapping[str, str] = os.environ,
    provider_code: bool = False,
    elsewhere: bool = False,
) -> AsyncIterator[Chat]:
    """Yield the open model of *config*, and close its connections afterwards. *provider_code*: the provider runs code.

    If other processes ask the samples (*elsewhere*), a local model is loaded there and not in this process. Raises
    ConfigError for a missing API key or package and for an unusable row, and ProviderError for a local model that
    cannot be downloaded or does not fit in memory. No request is sent.
    """
    check_ready(config, environ)
    key = _key(config, environ)
    for line in notices(config, environ):
        _LOG.warning(line)
    chat: Chat
    if isinstance(config, Offline):
        from medvision_agent.agent.policies.open import build as build_offline  # noqa: PLC0415

        yield Chat(config, build_offline(config))
        return
    if isinstance(config, Transformers) and elsewhere:
        from medvision_agent.agent.providers.local.counted import open_counted  # noqa: PLC0415

        yield await asyncio.to_thread(open_counted, config)
        return
    if isinstance(config, Transformers):
        from medvision_agent.agent.providers.local.chat import LocalChat, open_local  # noqa: PLC0415

        async with open_local(config) as model:
            yield LocalChat(config, model)
        return

    if isinstance(config, LangChain):
        from medvision_agent.agent.providers.langchain import build as build_langchain  # noqa: PLC0415

        async with _client(BoundedClient, config) as bounded:
            chat = build_langchain(config, None if key == _NO_KEY else key, bounded)
            yield replace(chat, redact=_without(key))
        return

    async with _client(RepairingClient, config) as client:
        if isinstance(config, Gemini):
            if provider_code or config.replay is not None:
                from medvision_agent.agent.providers.gemini.code import build as build_direct  # noqa: PLC0415

                chat, api = build_direct(config, key, client, code=provider_code)
            else:
                from medvision_agent.agent.providers.gemini.chat import build as build_gemini  # noqa: PLC0415

                chat, api = build_gemini(config, key, client)
            # The adapter logs each request, dropped tool and schema key, and empty reply (which is reported elsewhere).
            with api, _unprinted("langchain_google_genai"), _unwarned():
                yield replace(chat, redact=_without(key))
        else:
            with skipped(_OTHER_CLIENT):
                from medvision_agent.agent.providers.openai import build as build_openai  # noqa: PLC0415

            yield replace(build_openai(config, key, client, code=provider_code), redact=_without(key))


_Client = TypeVar("_Client", bound=BoundedClient)


def _client(kind: type[_Client], config: Gemini | OpenAI | LangChain) -> _Client:
    limits = httpx2.Limits(max_connections=config.max_connections, max_keepalive_connections=config.max_connections)
    return kind(
        most=round(config.max_body_mb * MEGABYTE),
        limits=limits,
        timeout=config.timeout_seconds,
        transport=spread(config.max_connections),
    )


def _check_local(config: Transformers) -> None:
    missing = [name for name in ("torch", "transformers", "PIL") if find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"model {config.model}: it runs in this process and needs {' and '.join(missing)}, which cannot be found; "
            "install them by: pip install 'medvision-agent[local]'"
        )
    if local_folder(config.model) is not None and config.revision is not None:
        raise ConfigError(f"model {config.model}: revision: a local folder has no revision; leave it out.")


def _without(key: str) -> Callable[[str], str]:
    """Return a function that redacts the API key: services may repeat it in any message, also with status 200.

    A key too short to be a secret is kept: local servers accept any word, and a "1" must not vanish from an answer.
    """
    return lambda text: text if len(key) < _SHORTEST_KEY else text.replace(key, "[key]")


def _key(config: ModelConfig, environ: Mapping[str, str]) -> str:
    names = key_names(config)
    if not names:
        return _NO_KEY
    name, key = next(((name, key) for name in names if (key := environ.get(name, "").strip())), (names[0], ""))
    if not key:
        raise ConfigError(f"No API key for {config.model}: set the environment variable {' or '.join(names)}.")
    if not key.isascii() or not key.isprintable():
        raise ConfigError(f"The API key in {name} has an invalid character, such as a line break; set it again.")
    return key


@contextmanager
def _unprinted(logger: str) -> Iterator[None]:
    """Within the block, print a library's log only if the user has set up logging, and then every line of it."""
    handler = logging.NullHandler()
    logging.getLogger(logger).addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger(logger).removeHandler(handler)


@contextmanager
def _unwarned() -> Iterator[None]:
    """Within the block, suppress warnings of Google's SDK about words that its enumerations lack.

    This package reads such words itself. Several models may be open at a time. Each adds and removes its own filter,
    which a number distinguishes from the others. (``warnings.catch_warnings`` would restore filters that another model
    removed meanwhile.)
    """
    own = rf"(?#{next(_NUMBERS)}).+ is not a valid \w+$"
    warnings.filterwarnings("ignore", own, UserWarning, r"google\.genai\.")
    added = warnings.filters[0]
    try:
        yield
    finally:
        with suppress(ValueError):  # somebody reset the filters meanwhile
            cast("list[Any]", warnings.filters).remove(added)
