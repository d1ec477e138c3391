"""Fields of a model's row that all providers share."""

import re
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from medvision_agent.agent.endings.usage import Prices
from medvision_agent.errors import nearest
from medvision_agent.plugins import Door
from medvision_agent.tools.view.frames import FRAMES, MEDVISION
from medvision_agent.tools.view.perceived import Native, PerceivedRule, Rule

__all__ = ["GRAMMARS", "EnvName", "FreeSettings", "Model"]

GRAMMARS = Door("medvision_agent.grammars", "grammar")
"""Where grammars of tool calls in text come from."""
_PLAIN = "plain"


class Model(BaseModel):
    """A row of the catalogue: one model and how it is asked. These settings are those of every provider."""

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
            "trained_frame",
            "api_key_env",
            "max_body_mb",
            "client_argument",
        }
    )
    """Fields that do not change what is asked."""
    LATER: ClassVar = frozenset(
        {"system_role", "user_after_tool", "pictures_per_request", "empty_content", "return_reasoning"}
    )
    """Fields that version 0.1.0 did not have. Their defaults are its behaviour, and are left out of identities."""

    perceived: PerceivedRule | None = None
    """The size at which the model's encoder sees an image; prompts and some tools state pixel sizes by it. Never
    guessed: without it, a run that must state pixels is refused before the first request (eval/asking/recipe.py)."""
    frame: str = MEDVISION.name
    """The coordinate convention of prompts, tools and answers."""
    trained_frame: str | None = None
    """The coordinate convention in which the model was trained to give boxes and points, where its makers state one.
    It changes nothing by itself: `--frame` or `frame` choose it for a run."""
    tool_calling: Literal["native", "text"] = "native"
    """How tools are declared and called: by the service's own function calling, or in the text of the messages."""
    grammar: str | None = None
    """How tools are declared, called and answered with `tool_calling: text`: `plain` (where not given), `hermes`,
    `medvision`, or the name of a grammar that an installed package offers."""
    images_in_tool_result: bool = False
    """Put images into the tool message itself instead of one user message after all tool messages."""
    tool_choice_none: bool = True
    """The service accepts tool choice "none" (tools declared, no call allowed). If not, the last turn declares none."""
    system_role: Literal["own", "fold"] = "own"
    """How the system text is sent: in a message of its own, or folded into the first question (for servers that say
    "System role not supported")."""
    user_after_tool: bool = True
    """The server accepts a user message right after tool messages. If not (Mistral), a short reply is put between."""
    pictures_per_request: int | None = Field(default=None, ge=1)
    """Maximum number of images in one request; no limit where not given. The question's image is always sent, with
    the newest images of tools that still fit, and words in place of the others."""
    timeout_seconds: float = Field(default=300, gt=0, le=604_800)
    """Total time of one request, from its start to its last byte."""
    max_tries: int = Field(default=5, ge=1, le=20)
    """Maximum number of tries of one request, the first included."""
    max_connections: int = Field(default=8, ge=1, le=1000)
    """Connections kept to the service; samples in flight beyond it wait."""
    requests_per_minute: int | None = Field(default=None, gt=0)
    """Rate limit: maximum number of requests started within any minute; no limit where not given."""
    tokens_per_minute: int | None = Field(default=None, gt=0)
    """Rate limit: maximum number of input and output tokens within any minute; no limit where not given."""
    prices: Prices | None = None
    """US dollars per million tokens; without them no cost is stated."""
    note: str = ""
    """Free text for the reader of the catalogue."""
    exercised: str = ""
    """Which parts of this row have been tested, and how; empty if untested."""

    @field_validator("frame", "trained_frame")
    @classmethod
    def _known_frame(cls, name: str | None) -> str | None:
        if name is not None and name not in FRAMES:
            raise ValueError(
                f"unknown frame (coordinate convention); known: {', '.join(FRAMES)}.{nearest(name, FRAMES)}"
            )
        return name

    @field_validator("grammar")
    @classmethod
    def _known_grammar(cls, name: str | None) -> str | None:
        if name is not None and name not in (known := GRAMMARS.names()):
            raise ValueError(f"unknown grammar; known: {', '.join(known)}.{nearest(name, known)}")
        return name

    @model_validator(mode="after")
    def _fits_tool_calling(self) -> Self:
        if self.grammar is not None and self.tool_calling != "text":
            raise ValueError(
                "grammar: needs tool_calling: text; with tool_calling: native the service uses its own form. "
                "Leave grammar out, or set tool_calling: text"
            )
        if self.images_in_tool_result and self.tool_calling == "text":
            raise ValueError("images_in_tool_result: with tool_calling: text there are no tool messages; leave it out")
        return self

    @property
    def sees(self) -> Rule:
        """The rule for the size at which the model sees an image. Without one in the row: the size as sent."""
        return self.perceived or Native()

    @property
    def text_grammar(self) -> str | None:
        """The name of the grammar of tool calls in text; None for native function calling."""
        return self.grammar or _PLAIN if self.tool_calling == "text" else None

    def identity(self) -> dict[str, Any]:
        """Return the settings that define what is run, as plain JSON data.

        ``grammar`` is among them where tools are called in text, and ``grammar_origin`` (package, version, hash of its
        code) where another package offers the grammar.
        """
        known = type(self).model_fields
        as_before = {name for name in self.LATER & known.keys() if getattr(self, name) == known[name].default}
        fields = self.model_dump(mode="json", exclude={*self.INCIDENTAL, "grammar", *as_before})
        if self.text_grammar is not None:
            fields["grammar"] = self.text_grammar
            offer = GRAMMARS.offer(self.text_grammar)
            fields |= {} if offer.shipped else {"grammar_origin": offer.origin()}
        return fields


def _variable(name: str) -> str:
    if re.fullmatch(r"[A-Z][A-Z0-9_]*", name) is None:
        raise ValueError(
            "must be the name of an environment variable: capital letters, digits and underscores; never write the API "
            "key itself here"
        )
    return name


def _without_keys(settings: dict[str, Any]) -> dict[str, Any]:
    if _holds_key(settings):
        raise ValueError(
            "contains a name or a value that looks like an API key; put the key into an environment variable, and give "
            "the name of this variable as api_key_env"
        )
    return settings


def _holds_key(value: Any) -> bool:
    """Return whether a setting, or one inside it (a header, say), has a name or a value that looks like an API key."""
    if isinstance(value, dict):
        return any(_KEY_WORDS.search(str(name)) or _holds_key(item) for name, item in value.items())
    if isinstance(value, list | tuple):
        return any(map(_holds_key, value))
    return isinstance(value, str) and _KEY_LIKE.search(value) is not None


_KEY_WORDS = re.compile(
    r"(api|access|auth|bearer).?(key|token)|secret|credential|password|authorization", re.IGNORECASE
)
_KEY_LIKE = re.compile(r"\bBearer\s+\S|\bsk-[\w-]{6}|\bAIza[\w-]{6}|://[^/\s]*@")
EnvName = Annotated[str, AfterValidator(_variable)]
"""The name of an environment variable."""
FreeSettings = Annotated[dict[str, Any], AfterValidator(_without_keys)]
"""Settings by name, with no fixed schema; names and values that look like an API key are refused at any depth."""
