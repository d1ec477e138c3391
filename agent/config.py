"""What one model is and how it is asked: the schema of a catalogue row.

A row is plain data: it never holds a key (only the *name* of an environment variable), an unknown field is an
error, and every default is written here. ``identity()`` holds the fields that define what is run; the rest
(patience, connections, prices, notes) may change between two sittings of one run.
"""

import re
from hashlib import sha256
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, field_validator, model_validator

from medvision_agent.agent.checkpoint import fingerprint, local_folder
from medvision_agent.agent.usage import Prices
from medvision_agent.tools.frames import FRAMES, MEDVISION
from medvision_agent.tools.perceive import Native, PerceivedRule, Rule

__all__ = ["MODEL_CONFIG", "Gemini", "LangChain", "ModelConfig", "Offline", "OpenAI", "Transformers"]


class _Model(BaseModel):
    """Fields of every model, remote or not."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)

    INCIDENTAL: ClassVar = frozenset(
        {
            "timeout_seconds",
            "max_tries",
            "max_connections",
            "requests_per_minute",
            "tokens_per_minute",
            "prices",
            "note",
            "exercised",
            "api_key_env",
        }
    )
    """Fields that do not change what is asked."""

    perceived: PerceivedRule | None = None
    """The size at which the model's encoder sees a picture; prompts and some tools state pixel sizes by it. Never
    guessed: without it, whatever states pixels is refused before the first request (eval/pixels.py)."""
    frame: str = MEDVISION.name
    """The coordinate convention of prompts, tools and answers."""
    tool_calling: Literal["native", "text"] = "native"
    """How tools are declared and called: by the service's own function calling, or in the text of the messages."""
    images_in_tool_result: bool = False
    """Put pictures into the tool message itself instead of one user message after all tool messages."""
    tool_choice_none: bool = True
    """The service understands "tools are declared, do not call them". If not, the last call leaves the tools out."""
    timeout_seconds: float = Field(default=300, gt=0)
    """Total time of one request, from its start to its last byte."""
    max_tries: int = Field(default=5, ge=1, le=20)
    """How often one request is sent at most."""
    max_connections: int = Field(default=8, ge=1, le=1000)
    """Connections kept to the service; samples in flight beyond it wait."""
    requests_per_minute: int | None = Field(default=None, gt=0)
    """Requests started within any minute at most; not bounded where not given."""
    tokens_per_minute: int | None = Field(default=None, gt=0)
    """Input and output tokens within any minute at most; not bounded where not given."""
    prices: Prices | None = None
    """US dollars per million tokens; without them no cost is stated."""
    note: str = ""
    """Free text for the reader of the catalogue."""
    exercised: str = ""
    """What of this row has been tried, and how; empty where nothing was."""

    @field_validator("frame")
    @classmethod
    def _known_frame(cls, name: str) -> str:
        if name not in FRAMES:
            raise ValueError(f"unknown frame; known: {', '.join(FRAMES)}")
        return name

    @property
    def sees(self) -> Rule:
        """Return the size rule; where none is stated, pixels as sent, of which then nothing is said to the model."""
        return self.perceived or Native()

    def identity(self) -> dict[str, Any]:
        """Return the fields that define what is run, as plain JSON data."""
        return self.model_dump(mode="json", exclude=set(self.INCIDENTAL))


class _Remote(_Model):
    """Fields of models behind an HTTP interface."""

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

    @field_validator("base_url", check_fields=False)
    @classmethod
    def _plain_url(cls, url: str) -> str:
        if not url.startswith(("https://", "http://")) or "@" in url or "?" in url:
            raise ValueError("must start with https:// or http:// and hold no user, password or query")
        return url.rstrip("/")


def _variable(name: str) -> str:
    if re.fullmatch(r"[A-Z][A-Z0-9_]*", name) is None:
        raise ValueError("must be the name of an environment variable, in capitals; the key itself never stands here")
    return name


_KEY_WORDS = re.compile(r"(api|access|secret).?(key|token)|password|authorization", re.IGNORECASE)
_EnvName = Annotated[str, AfterValidator(_variable)]


class Gemini(_Remote):
    """A model of Google's Gemini API (generateContent)."""

    provider: Literal["gemini"] = "gemini"
    base_url: str = "https://generativelanguage.googleapis.com"
    """Always passed on, so that no environment variable sends pictures elsewhere."""
    api_key_env: _EnvName | None = "GEMINI_API_KEY"
    """Name of the environment variable with the key; GOOGLE_API_KEY is read where GEMINI_API_KEY is not set."""
    thinking_budget: int | None = Field(default=None, ge=-1)
    """Thinking tokens (2.5 models): 0 off, -1 as the model sees fit; not sent where not given."""
    thinking_level: Literal["minimal", "low", "medium", "high"] | None = None
    """Depth of thinking (3.x models); not sent where not given."""
    media_resolution: Literal["low", "medium", "high"] | None = "high"
    """Resolution of pictures, sent with every call. Without it 2.5 models see one thumbnail."""
    replay: Literal["published-2025", "published-2025-matched"] | None = None
    """Ask as MedVision's published Gemini experiment did (agent/published.py), or as its arm with the tool in both."""

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
            raise ValueError(f"replay: {self.replay} goes with {wanted}: what is replayed was sent like this")
        return self


class OpenAI(_Remote):
    """A model of OpenAI, or of any server that speaks its chat completions or responses interface."""

    provider: Literal["openai"] = "openai"
    base_url: str = "https://api.openai.com/v1"
    """Root of the interface, usually ending in /v1. Always passed on: no environment variable redirects requests."""
    api_key_env: _EnvName | None = "OPENAI_API_KEY"
    """Name of the environment variable with the key; null for local servers that ask for none."""
    api: Literal["chat", "responses"] = "chat"
    """Chat completions (every compatible server) or OpenAI's responses interface."""
    detail: Literal["low", "high", "original", "auto"] = "high"
    """How closely a picture is looked at, sent with every picture."""
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = None
    """Depth of reasoning; the provider's default where not given."""
    output_limit_key: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens"
    """The name under which chat completions is sent ``max_output_tokens``; older servers know ``max_tokens`` only."""
    extra_body: dict[str, Any] = {}
    """Further fields of a request's body, for what a server knows beyond OpenAI's interface. Never a key."""

    @field_validator("extra_body")
    @classmethod
    def _no_key(cls, body: dict[str, Any]) -> dict[str, Any]:
        if any(_KEY_WORDS.search(str(name)) for name in body):
            raise ValueError("holds what looks like a key; name its environment variable in api_key_env instead")
        return body

    @model_validator(mode="after")
    def _sent_by_this_interface(self) -> "OpenAI":
        if self.api == "responses" and self.seed is not None:
            raise ValueError("seed: the responses interface knows none; use api: chat or leave it out")
        return self


class Offline(_Model):
    """A policy shipped with the package: needs no network, no key, and is the same everywhere."""

    provider: Literal["offline"] = "offline"
    name: Literal["prior", "cv", "oracle", "scripted"]
    """Which policy answers."""
    perceived: Native = Native()
    """The policies look at the pixels sent."""
    script: str | None = None
    """File of replies for the scripted policy."""

    def identity(self) -> dict[str, Any]:
        """Return the fields that define what is run; of a script, what it says and not where it lies."""
        fields = super().identity()
        if self.script is not None:
            fields["script"] = sha256(Path(self.script).read_bytes()).hexdigest()
        return fields

    @property
    def model(self) -> str:
        """Return the id under which the policy appears beside other models."""
        return f"offline/{self.name}"


class LangChain(_Model):
    """Any other chat model of LangChain, made by a function or class named by its import path.

    Its own retries and timeouts are its settings' business: turn retries off there, so that this package alone decides
    what is asked again. Where its requests go is the factory's business too: no base URL is passed on.
    """

    provider: Literal["langchain"] = "langchain"
    model: str = Field(min_length=1)
    """The id under which the model appears beside others; not passed on (give it in ``settings``)."""
    factory: str = Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")
    """What makes the model: MODULE:NAME of a class or function that returns a LangChain chat model."""
    settings: dict[str, Any] = {}
    """Keyword arguments of the factory. Never a key: that is what ``api_key_env`` is for."""
    api_key_env: _EnvName | None = None
    """Name of the environment variable with the key; null where none is needed."""
    key_argument: str = Field(default="api_key", pattern=r"^[A-Za-z_]\w*$")
    """The factory's keyword argument that takes the key."""

    @field_validator("settings")
    @classmethod
    def _no_key(cls, settings: dict[str, Any]) -> dict[str, Any]:
        if any(_KEY_WORDS.search(str(name)) for name in settings):
            raise ValueError("holds what looks like a key; name its environment variable in api_key_env instead")
        return settings

    def identity(self) -> dict[str, Any]:
        """Return the fields that define what is run, and the version of the package the factory is from."""
        package = self.factory.partition(".")[0].partition(":")[0]
        owners = packages_distributions().get(package, [])
        return super().identity() | {"factory_version": [f"{owner} {version(owner)}" for owner in sorted(set(owners))]}


class Transformers(_Model):
    """A model of the transformers library, run in this process (the extra ``local``).

    Code that comes with a checkpoint is never run (``trust_remote_code`` is not offered: it would be a stranger's code
    beside the data), and weights are read from safetensors files only, which cannot hold code.
    """

    provider: Literal["transformers"] = "transformers"
    model: str = Field(min_length=1)
    """An id of the Hugging Face hub (OWNER/NAME), or a folder with a checkpoint."""
    revision: str | None = None
    """Branch, tag or commit on the hub; its default branch where not given. Records hold the commit that answered."""
    device: str = Field(default="auto", pattern=r"^(auto|cpu|mps|cuda(:[0-9]+)?)$")
    """Where the model runs; auto: the first GPU if there is one, else the CPU."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Type of the weights in memory; auto: the type they were saved in."""
    max_output_tokens: int = Field(default=4096, gt=0)
    """Limit of one reply, thinking included; shorter where the model's context ends."""
    temperature: float | None = Field(default=None, ge=0, le=2)
    """Sampling temperature; where it is not given, or 0, the likeliest token is taken (greedy), whatever the
    checkpoint's own sampling settings say."""
    top_p: float | None = Field(default=None, gt=0, le=1)
    """Nucleus sampling; only with a temperature."""
    seed: int | None = Field(default=None, ge=0)
    """Sampling seed, set anew before every batch; only with a temperature."""
    batch_size: int = Field(default=1, ge=1, le=256)
    """How many samples are generated together at most. A model whose batched scores differ is refused."""
    response_template: dict[str, Any] | None = None
    """How tool calls and thoughts are read from a reply (transformers' response template), for checkpoints whose
    tokenizer holds none."""
    tool_choice_none: bool = False
    """A chat template cannot forbid a call: the last turn leaves the tools out."""
    timeout_seconds: float = Field(default=1800, gt=0)
    """Total time of one reply, the wait for other replies of the same model included."""
    max_tries: int = Field(default=1, ge=1, le=20)
    """A model in this process that failed once fails again."""
    max_connections: int = Field(default=1, ge=1, le=1000)
    """Samples in flight; ``batch_size`` where not given. More of them only wait for each other."""

    @model_validator(mode="before")
    @classmethod
    def _in_flight_as_in_a_batch(cls, row: Any) -> Any:
        if isinstance(row, dict) and "max_connections" not in row and isinstance(row.get("batch_size"), int):
            return row | {"max_connections": row["batch_size"]}
        return row

    @model_validator(mode="after")
    def _has_an_effect(self) -> "Transformers":
        if not self.temperature and (self.top_p is not None or self.seed is not None):
            raise ValueError("top_p and seed: have no effect without a temperature above 0")
        if self.images_in_tool_result:
            raise ValueError("images_in_tool_result: chat templates take text only from a tool")
        return self

    def identity(self) -> dict[str, Any]:
        """Return the fields that define what is run; of a folder, what it holds and not where it lies."""
        fields = super().identity()
        folder = local_folder(self.model)
        if folder is not None:
            fields["model"] = f"sha256:{fingerprint(folder)}"
        return fields


ModelConfig = Gemini | OpenAI | LangChain | Offline | Transformers
"""One model, whatever its provider."""

MODEL_CONFIG: TypeAdapter[ModelConfig] = TypeAdapter(Annotated[ModelConfig, Field(discriminator="provider")])
"""Validates a mapping into the right class by its ``provider`` key."""
