"""Rows of models behind an interface: Google's, OpenAI's (also compatible servers), or any of LangChain."""

import re
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import packages_distributions, version
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from medvision_agent.agent.models.row import EnvName, FreeSettings, Model
from medvision_agent.tools.view.frames import MEDVISION

__all__ = ["Gemini", "LangChain", "OpenAI", "Replay"]


Replay = Literal["published-2025", "published-2025-matched"]
"""Replays: MedVision's published experiment, or the same with the output format of the tool arm in both arms."""


_HOST = re.compile(r"[\w.-]*\w\.?|[0-9a-f:.]*:[0-9a-f:.]*")
"""A name or an IPv4 address, or an IPv6 address without its brackets."""


def _names_a_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:  # the port is not a number, or a bracket is not closed
        return False
    return port != 0 and not parts.netloc.endswith(":") and _HOST.fullmatch(host) is not None


_MOST_MB = 32
"""Default limit of a reply's body in megabytes."""


class Remote(Model):
    """A row of a model behind an HTTP interface: the settings that Gemini's and OpenAI's rows share."""

    model: str = Field(min_length=1)
    """The provider's id of the model."""
    temperature: float | None = Field(default=None, ge=0, le=2)
    """Sampling temperature; not sent where not given."""
    top_p: float | None = Field(default=None, gt=0, le=1)
    """Nucleus sampling; not sent where not given."""
    max_output_tokens: int | None = Field(default=None, gt=0)
    """Limit of one reply, thinking included; the provider's own where not given."""
    seed: int | None = None
    """Sampling seed, where the service knows one; not sent where not given."""
    max_body_mb: float = Field(default=_MOST_MB, gt=0, le=1000)
    """Maximum size in megabytes (10^6 bytes) of one reply's body, also after decompression. A larger reply is
    discarded: its sample ends as `too_large`, which is an infrastructure failure."""

    @field_validator("base_url", check_fields=False)
    @classmethod
    def _plain_url(cls, url: str) -> str:
        if not url.startswith(("https://", "http://")) or re.search(r"[@?#]", url):
            raise ValueError(
                "must start with https:// or http:// and contain no user name, password (...@), query (?...) or "
                "fragment (#...)"
            )
        if re.fullmatch(r"[!-~]+", url) is None or "\\" in url:
            raise ValueError(
                "must consist of ASCII letters, digits and punctuation, without spaces, control characters and "
                "backslashes; write a host name with other letters in its ASCII form, xn--..."
            )
        if not _names_a_host(url):
            raise ValueError(
                "must contain a valid host name or address and, after a colon, a port from 1 to 65535 or none, such as "
                "http://127.0.0.1:8000/v1"
            )
        return url.rstrip("/")


class Gemini(Remote):
    """A model of Google's Gemini API (generateContent)."""

    provider: Literal["gemini"] = "gemini"
    base_url: str = "https://generativelanguage.googleapis.com"
    """Root URL of the interface. Always passed on, so that no environment variable sends images elsewhere."""
    api_key_env: EnvName | None = "GEMINI_API_KEY"
    """Name of the environment variable with the key; GOOGLE_API_KEY is read where GEMINI_API_KEY is not set."""
    thinking_budget: int | None = Field(default=None, ge=-1)
    """Thinking tokens (2.5 models): 0 off, -1 chosen by the model; not sent where not given."""
    thinking_level: Literal["minimal", "low", "medium", "high"] | None = None
    """Depth of thinking (3.x models); not sent where not given."""
    media_resolution: Literal["low", "medium", "high"] | None = "high"
    """Resolution of images, sent with every call. Without it 2.5 models see one thumbnail."""
    replay: Replay | None = None
    """Ask as MedVision's published Gemini experiment did, or with the output format of its tool arm in both arms."""

    @model_validator(mode="after")
    def _one_way_to_think(self) -> "Gemini":
        if self.thinking_budget is not None and self.thinking_level is not None:
            raise ValueError("give thinking_budget (2.5 models) or thinking_level (3.x models), not both")
        return self

    @model_validator(mode="after")
    def _sends_what_was_sent(self) -> "Gemini":
        fixed = {"thinking_budget": -1, "media_resolution": None, "frame": MEDVISION.name, "tool_calling": "native"}
        fixed |= dict.fromkeys(("thinking_level", "temperature", "top_p", "max_output_tokens", "seed"))
        changed = [name for name, value in fixed.items() if getattr(self, name) != value]
        if self.replay is not None and changed:
            wanted = ", ".join(f"{name}: {'null' if fixed[name] is None else fixed[name]}" for name in changed)
            raise ValueError(
                f"replay: {self.replay} repeats an experiment that was sent with {wanted}; set these keys to these "
                "values"
            )
        return self


class OpenAI(Remote):
    """A model of OpenAI, or of any server with OpenAI's chat completions or responses interface."""

    provider: Literal["openai"] = "openai"
    base_url: str = "https://api.openai.com/v1"
    """Root of the interface, usually ending in /v1. Always passed on: no environment variable redirects requests."""
    api_key_env: EnvName | None = "OPENAI_API_KEY"
    """Name of the environment variable with the key; null for local servers that ask for none."""
    api: Literal["chat", "responses"] = "chat"
    """Chat completions (every compatible server) or OpenAI's responses interface."""
    detail: Literal["low", "high", "original", "auto"] = "high"
    """Detail at which the model processes an image (OpenAI's ``detail``), sent with every image."""
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = None
    """Depth of reasoning; the provider's default where not given."""
    output_limit_key: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens"
    """Key under which ``max_output_tokens`` is sent (chat completions); older servers know ``max_tokens`` only."""
    empty_content: Literal["null", "empty"] = "null"
    """What is sent back as the text of a turn that only called tools: null, or an empty text for
    servers that refuse null (chat completions)."""
    return_reasoning: bool = True
    """Send back the reasoning of a turn that called tools, in the field in which the server sent it (chat completions).
    Servers that think between calls need it; set `false` for a server that refuses the field."""
    extra_body: FreeSettings = Field(default={})
    """Further fields of a request's body, for a server's additions to OpenAI's interface. Never an API key."""

    @model_validator(mode="after")
    def _sent_by_this_interface(self) -> "OpenAI":
        if self.api == "responses" and self.seed is not None:
            raise ValueError("seed: the responses interface has no seed; use api: chat or leave seed out")
        return self


class LangChain(Model):
    """Any other chat model of LangChain, built by a function or class that is given by its import path.

    Its own retries and timeouts are set in ``settings``: turn retries off there, so that only this package decides
    what is asked again. The factory also decides where requests go: no base URL is passed on.
    """

    provider: Literal["langchain"] = "langchain"
    model: str = Field(min_length=1)
    """The id under which the model appears beside others; not passed on (give it in ``settings``)."""
    factory: str = Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")
    """MODULE:NAME of a class or function that returns a LangChain chat model."""
    settings: FreeSettings = Field(default={})
    """Keyword arguments of the factory. Never an API key: use ``api_key_env``."""
    api_key_env: EnvName | None = None
    """Name of the environment variable with the key; null where none is needed."""
    key_argument: str = Field(default="api_key", pattern=r"^[A-Za-z_]\w*$")
    """The factory's keyword argument that takes the key."""
    client_argument: str | None = Field(default=None, pattern=r"^[A-Za-z_]\w*$")
    """The factory's keyword argument that takes an `httpx2.AsyncClient`: `http_async_client` of ChatOpenAI and of the
    classes made from it. It gets our client, which keeps `max_body_mb` and `max_connections`, follows no redirect, and
    reads replies whole: turn streaming off. Without this key the integration uses its own client, which reads replies
    of any size; the run says so."""
    max_body_mb: float = Field(default=_MOST_MB, gt=0, le=1000)
    """Maximum size in megabytes (10^6 bytes) of one reply's body, as for other providers; needs `client_argument`."""

    @model_validator(mode="after")
    def _one_value_for_an_argument(self) -> "LangChain":
        if self.client_argument is not None and self.client_argument in {self.key_argument, *self.settings}:
            raise ValueError(
                f"client_argument: the factory's argument {self.client_argument} is already given by settings or by "
                "key_argument; name another argument"
            )
        return self

    @model_validator(mode="after")
    def _bound_that_can_be_kept(self) -> "LangChain":
        if self.client_argument is None and self.max_body_mb != _MOST_MB:
            raise ValueError(
                "max_body_mb: this limit is kept only with client_argument, the name of the factory's argument that "
                "takes an HTTP client; give client_argument, or leave max_body_mb out"
            )
        return self

    def identity(self) -> dict[str, Any]:
        """Return the settings that define what is run, and the version of the factory's package."""
        package = self.factory.partition(".")[0].partition(":")[0]
        owners = _owners(tuple(sys.path)).get(package, [])
        return super().identity() | {"factory_version": [f"{owner} {version(owner)}" for owner in sorted(set(owners))]}


@cache
def _owners(path: tuple[str, ...]) -> Mapping[str, Sequence[str]]:  # noqa: ARG001 - the key of the cache
    """Return the names of the distributions that provide each package installed on *path*.

    Cached, because reading them takes a third of a second.
    """
    return packages_distributions()
