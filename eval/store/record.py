"""A record: the result for one sample, with everything a scorer, a summary or a comparison needs, without images.

Contract: a field that has its default is not stored, so that the default of a field never changes.

The full message history is the trace, stored beside the record.
"""

from pydantic import ConfigDict, Field, field_validator

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.endings.usage import Usage
from medvision_agent.eval.data.sample import Sample
from medvision_agent.frozen import Lean
from medvision_agent.tools.view.frames import FRAMES

__all__ = ["Donor", "Enlarged", "Record", "Spoken", "ToolUse"]


class _Frozen(Lean):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Spoken(_Frozen):
    """The coordinate frame of an answer, where it is not MedVision's, and the numbers needed to convert it."""

    frame: str
    """The name of the frame, one of ``FRAMES``."""
    width_px: int = Field(gt=0)
    """Width and height of the whole image (v0) as the model perceived it."""
    height_px: int = Field(gt=0)

    @field_validator("frame")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in FRAMES:
            raise ValueError(f"unknown frame; known: {', '.join(FRAMES)}")
        return name


class ToolUse(_Frozen):
    """One tool call of the model and how it ended; ``seconds`` is its wall time."""

    tool: str
    """The name that the model wrote; it may be unknown."""
    ok: bool
    """Whether the tool answered without an error."""
    seconds: float
    shown: bool | None = None
    """The result was in the messages of the model's next turn. None: there was an error, the provider ran it, or it
    was not recorded (0.1.0)."""
    picture_shown: bool | None = None
    """The image was in them, too; None without an image, or where it was not recorded (0.1.0)."""


class Donor(_Frozen):
    """Another sample, whose image was shown instead of the sample's own."""

    sample: str
    """The id of a sample of another subject."""
    target: tuple[float, ...] | None
    """The donor's ground truth in the image as shown, in millimetres as the prompt states them; None if unknown."""


class Enlarged(_Frozen):
    """Facts about a sample's own image that was shown enlarged; all pixel counts are as the model sees them.

    The hashes are those that the image would have had if not enlarged, so they equal those of the arm it is compared
    with.
    """

    allowed: int = Field(ge=0)
    """Pixels of all images that the other arm was shown."""
    own: int = Field(gt=0)
    """Pixels of the own image."""
    given: int = Field(gt=0)
    """Pixels of the image as shown; those of the own image where the model would not see a larger one larger."""
    height_px: int = Field(gt=0)
    width_px: int = Field(gt=0)
    """Size of the own image as it would have been sent."""
    prompt_sha256: str
    """Hash of the prompt that states the sizes of the own image."""
    v0_sha256: str
    """Hash of the PNG bytes of the own image."""


class Record(_Frozen):
    """The result of one attempt at one sample."""

    sample: Sample
    attempt: int = 1
    """1 for the first attempt, higher after a resume that repeated it, or after answers drawn for it."""
    part: bool = False
    """True for one of several answers drawn for the sample, from which a later record is made; never scored alone."""
    draws: int = 0
    """The number of drawn answers from which this one was made; its effort is their sum. 0: the model gave it."""
    thinking_budget: int | None = None
    """Allowed tokens of thinking, where another arm's answers determined them."""
    handed: int = 0
    """Number of images of tool results that were shown with the question."""
    outcome: Outcome
    response: str = ""
    """The model's own words: the visible text of the final message, thoughts excluded; kept for failures too.

    A box given by the names of marks stands here in coordinates (``agent/marked_box.py``). The scorer reads
    ``scored_text`` (``eval/scorer/spoken.py``): this text, but for boxes in another convention.
    """
    as_written: str | None = None
    """The model's own words, where it gave a box by the names of marks; None where ``response`` holds them."""
    spoken: Spoken | None = None
    """The coordinate frame of ``response``; None: MedVision's."""
    donor: Donor | None = None
    """The donor of the image, where another subject's image was shown."""
    enlarged: Enlarged | None = None
    """Facts of the own image, where it was shown enlarged."""
    forced: bool = False
    """A limit was reached and the model was given one last turn to answer."""
    detail: str = ""
    """For failures: a description in one line."""
    tool_uses: tuple[ToolUse, ...] = ()
    usage: Usage = Usage()
    cost_usd: float | None = None
    """In US dollars; None if no price or no token count is known."""
    seconds: float = 0.0
    """Wall time of the model and the tools, without failed tries and the waits after them; these count in an
    infrastructure failure, whose last request never succeeded."""
    waited_seconds: float = 0.0
    """Seconds of failed tries of requests that succeeded later, and of the waits after them."""
    failed_tries: int = 0
    """Number of such failed tries."""
    finish_reasons: tuple[str, ...] = ()
    unread_calls: int = 0
    """Number of replies with tool calls in their text that neither the service nor the grammar read."""
    model_versions: tuple[str, ...] = ()
    """Distinct model versions that the server reported."""
    fingerprints: tuple[str, ...] = ()
    """Distinct fingerprints of version and settings that the server sent."""
    asked_at: str = ""
    """Time of the first request, even if it failed: UTC, ISO 8601; empty in runs of version 0.1."""
    last_asked_at: str = ""
    """Time of the last request."""
    prompt_sha256: str = ""
    """Hash of the rendered prompt (system text and question) without the tool paragraph."""
    prompt_with_tools_sha256: str = ""
    """Hash of the rendered prompt as sent."""
    v0_sha256: str = ""
    """Hash of the PNG bytes of the whole image as sent; empty where none was sent."""
    tool_order: tuple[str, ...] = ()
    """The tools in the order of their declaration, where this order was shuffled; else empty."""

    @property
    def own_prompt_sha256(self) -> str:
        """The hash of the prompt that states the sizes of the sample's image before any enlargement."""
        return self.enlarged.prompt_sha256 if self.enlarged else self.prompt_sha256

    @property
    def own_v0_sha256(self) -> str:
        """The hash of the PNG bytes of the whole image (v0) before any enlargement; empty where none was sent."""
        return self.enlarged.v0_sha256 if self.enlarged else self.v0_sha256

    @property
    def pictures(self) -> int:
        """Number of images shown to the model: the whole image in each conversation, and those of tools if recorded."""
        shown = sum(use.picture_shown is True for use in self.tool_uses)
        return (self.draws or bool(self.v0_sha256)) + self.handed + shown

    @property
    def limited(self) -> bool:
        """Whether a limit ended the conversation: a limit of the sample, or of the tokens of one reply."""
        return self.forced or self.outcome is Outcome.LIMIT_REACHED
