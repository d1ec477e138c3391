"""A record: what came back for one sample. Everything a scorer, a summary or a comparison needs, and no picture.

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
    """The coordinate convention an answer is given in, where it is not MedVision's, and what converting it needs."""

    frame: str
    """A name of ``FRAMES``."""
    width_px: int = Field(gt=0)
    """Width and height of the whole picture (v0) as the model perceived it."""
    height_px: int = Field(gt=0)

    @field_validator("frame")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in FRAMES:
            raise ValueError(f"unknown frame; known: {', '.join(FRAMES)}")
        return name


class ToolUse(_Frozen):
    """One tool call of the model."""

    tool: str
    """The name the model wrote; may be unknown."""
    ok: bool
    seconds: float
    shown: bool | None = None
    """The result stood in the messages of the model's next turn. None: there was an error, the provider ran it, or it
    was not recorded (0.1.0)."""
    picture_shown: bool | None = None
    """The picture did; None without a picture, or where it was not recorded (0.1.0)."""


class Donor(_Frozen):
    """Whose image stood with the question instead of the sample's own."""

    sample: str
    """The id of a sample of another subject."""
    target: tuple[float, ...] | None
    """Its ground truth in the image as shown, in the millimetres that the prompt states; None where that is unknown."""


class Enlarged(_Frozen):
    """The sample's own image, where it was shown enlarged, and how many pixels that took, all as the model sees them.

    Hashes are of what would have been sent with the own image: they are those of the arm that it is read beside.
    """

    allowed: int = Field(ge=0)
    """Pixels of all pictures that the other arm was shown."""
    own: int = Field(gt=0)
    """Pixels of the own image."""
    given: int = Field(gt=0)
    """Pixels of the image as it was shown; those of the own one where no larger one would be seen larger."""
    height_px: int = Field(gt=0)
    width_px: int = Field(gt=0)
    """Size of the own image as it would have been sent."""
    prompt_sha256: str
    """Hash of the prompt that states the sizes of the own image."""
    v0_sha256: str
    """Hash of the PNG bytes of the own image."""


class Record(_Frozen):
    """One finished sample."""

    sample: Sample
    attempt: int = 1
    """1 for the first try of this sample, higher after a resume that tried it again, or after answers drawn to it."""
    part: bool = False
    """One of several answers drawn to the sample, from which a later record is made; never scored by itself."""
    draws: int = 0
    """The number of answers from which this one was made; its effort is the sum of theirs. 0: it was asked for."""
    thinking_budget: int | None = None
    """Tokens of thinking allowed, where another arm's answers settled them."""
    handed: int = 0
    """Pictures of tool results that stood beside the question."""
    outcome: Outcome
    response: str = ""
    """The model's own words: the visible text of the final message, thoughts excluded; kept for failures too.

    A box given by the names of marks stands here in coordinates (``agent/marked_box.py``). The scorer reads
    ``scored_text`` (``eval/scorer/spoken.py``): this text, but for boxes in another convention.
    """
    as_written: str | None = None
    """The model's own words, where it gave a box by the names of marks; None where ``response`` has them."""
    spoken: Spoken | None = None
    """The convention of ``response``; None: MedVision's."""
    donor: Donor | None = None
    """Whose image was shown, where another subject's was."""
    enlarged: Enlarged | None = None
    """The own image, where it was shown enlarged."""
    forced: bool = False
    """A limit was reached and the model was given one last turn to answer."""
    detail: str = ""
    """For failures: what happened, in one line."""
    tool_uses: tuple[ToolUse, ...] = ()
    usage: Usage = Usage()
    cost_usd: float | None = None
    seconds: float = 0.0
    """Wall time of the model and the tools, without failed tries and the waits after them; these count in an
    infrastructure failure, whose last request never succeeded."""
    waited_seconds: float = 0.0
    """What failed tries of requests that succeeded later, and the waits after them, took."""
    failed_tries: int = 0
    """How many such tries there were."""
    finish_reasons: tuple[str, ...] = ()
    unread_calls: int = 0
    """Replies that hold calls of tools in their text which neither the service nor the grammar read."""
    model_versions: tuple[str, ...] = ()
    """Distinct model versions the server said it used."""
    fingerprints: tuple[str, ...] = ()
    """Distinct marks of its version and settings that the server sent."""
    asked_at: str = ""
    """When the first request was sent, also one that failed: UTC, ISO 8601; empty in runs of version 0.1."""
    last_asked_at: str = ""
    """When the last one was sent."""
    prompt_sha256: str = ""
    """Hash of the rendered prompt (system text and question) without the tool paragraph."""
    prompt_with_tools_sha256: str = ""
    """Hash of the rendered prompt as sent."""
    v0_sha256: str = ""
    """Hash of the PNG bytes of the whole picture as sent; empty where none was."""
    tool_order: tuple[str, ...] = ()
    """The tools in the order in which they were declared, where it was shuffled; else empty."""

    @property
    def own_prompt_sha256(self) -> str:
        """The hash of the prompt for the own image: ``prompt_sha256``, unless the image was enlarged."""
        return self.enlarged.prompt_sha256 if self.enlarged else self.prompt_sha256

    @property
    def own_v0_sha256(self) -> str:
        """The hash of the image before it was enlarged: ``v0_sha256``, unless it was."""
        return self.enlarged.v0_sha256 if self.enlarged else self.v0_sha256

    @property
    def pictures(self) -> int:
        """The pictures that the model was shown: v0 in every conversation, and those of tools, as far as recorded."""
        shown = sum(use.picture_shown is True for use in self.tool_uses)
        return (self.draws or bool(self.v0_sha256)) + self.handed + shown

    @property
    def limited(self) -> bool:
        """Whether a limit ended it: of the sample (the model had to answer at once), or of the tokens of a reply."""
        return self.forced or self.outcome is Outcome.LIMIT_REACHED
