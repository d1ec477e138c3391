"""The identity of a run: the declared list of fields that define its questions and settings.

Two runs with equal identities may be resumed into each other; two arms of a comparison may differ only in the fields
of their condition. Connections, prices, time limits of a request and the place of the results are no part of it.

Contract: a field that an identity of an earlier version lacks has the value that was in force then. So every field
that was added after version 0.1.0 has a default, and so does every key that was added to a model's row.
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from pydantic import Field, field_validator, model_validator

from medvision_agent.agent.limits import Limits
from medvision_agent.agent.made import MADE
from medvision_agent.frozen import Frozen

__all__ = ["FIRST_SET", "Identity"]


class Identity(Frozen):
    """The identity of a run: the fields that define what is asked and how, with their stored values."""

    RECORDED: ClassVar = frozenset({"version", "code_sha256", "resumed"})
    """Fields that tell which code made the run. A resume under other code is allowed and named."""

    version: str
    """Version of the package the run was begun with."""
    code_sha256: str
    """Hash over the code that decides what a model sees (``eval/store/provenance.py``)."""
    resumed: tuple[str, ...] = ()
    """Version and code hash of every resume under other code than the one before, in order."""
    model_name: str
    model: dict[str, Any]
    """The model's row, without what does not change what is asked."""
    recipe: str
    form: str = "direct"
    states_spacing: bool = True
    """Whether the prompt states the size of a pixel."""
    display: str = "plain"
    """What is drawn on the pictures of the image."""
    display_sha256: str | None = None
    """Hash of what the prompt says about ``display``; None if ``display`` is ``plain``."""
    wording: int = 0
    """Which of the shipped wordings; 0 is the usual one."""
    wording_sha256: str | None = None
    """Hash of a paraphrase; None for the usual wording, whose hash is ``prompts_sha256``."""
    words: str = "shipped"
    """Who worded the questions: this project (``shipped``) or MedVision's package (``upstream``)."""
    words_origin: dict[str, str] | None = None
    """Package, version and hash of the files that worded the questions; None if ``words`` is ``shipped``."""
    words_sha256: str | None = None
    """Hash over the questions as MedVision's package worded them, by sample id; None if ``words`` is ``shipped``."""
    picture: str = "own"
    """The image shown with the question: ``own``, ``none``, ``blank`` or ``swapped`` (``settings.py``)."""
    donors_sha256: str | None = None
    """Hash over which sample's image is shown with which question; None if no image is swapped."""
    prompt_file_sha256: str | None = None
    reshape: tuple[int, int] | None = None
    """Height and width to which native images are resampled first."""
    output_format: str | None = None
    """The form of the replies of a replay of the published experiment."""
    prompts_sha256: str
    """Hash over the shipped prompts."""
    limits: Limits
    sample_ids_sha256: str
    samples_sha256: str
    """Hash over what is asked of every sample. Where a source keeps its images is not part of it."""
    volumes_sha256: str | None = None
    """Hash over the files of the volumes that samples of a file are slices of; None where there are none."""
    source_origin: Mapping[str, str] | None = None
    """Package, version and hash of the code of the samples' source; None for a source that this program ships."""
    tool_order: int | None = None
    """The seed by which the tools' declarations are shuffled for each sample; None: in the registry's order."""
    provider_code: bool = False
    """Whether the provider runs code that the model writes."""
    condition: str
    """The tool condition by name."""
    control: str = ""
    again: int = 0
    """How many times the model is asked to check its answer."""
    tools: tuple[str, ...]
    tool_set: str = ""
    """The month of the set of tools that ``on`` stood for; empty where tools were chosen by name, or there are none."""
    tool_code_sha256: dict[str, str] = Field(default={})
    """Hash of the code of each tool from a file or a package; that of the shipped tools is in ``code_sha256``."""
    tool_variants: dict[str, dict[str, str]] = Field(default={})
    """For each tool that outlines by another method than its usual one: the method, and what provides it (package,
    version and hash, or name and version of a server)."""
    told_truth: tuple[str, ...] = ()
    """The tools that returned the ground truth as their result, by the names that the condition gives them."""
    overlays: bool | None = None
    paragraph: str | None = None
    """The template of the paragraph that names the tools; None without tools."""
    tool_schemas_sha256: str
    tool_paragraph_sha256: str

    @model_validator(mode="before")
    @classmethod
    def _in_todays_words(cls, fields: Any) -> Any:
        """Return the fields of an identity of an earlier version with the names and values that they have today.

        The condition ``on`` of version 0.1.0 gets the month of its tools, and the control ``sham`` its present name.
        """
        if not isinstance(fields, Mapping):
            return fields
        if fields.get("control") == "sham":
            condition = str(fields.get("condition")).replace("sham", "misled", 1)
            fields = {**fields, "control": "misled", "condition": condition}
        if "tool_set" in fields:
            return fields
        chosen = str(fields.get("condition")).rpartition("/")[2]
        return {**fields, "tool_set": FIRST_SET if chosen in {"on", fields.get("control")} else ""}

    @field_validator("model")
    @classmethod
    def _with_later_keys(cls, row: dict[str, Any]) -> dict[str, Any]:
        """Return a model's row with the keys that version 0.1.0 did not have, set to what was in force then."""
        return {"grammar": "plain", **row} if row.get("tool_calling") == "text" else row

    @field_validator("prompts_sha256")
    @classmethod
    def _same_words(cls, found: str) -> str:
        return _SAME_PROMPTS.get(found, found)

    @property
    def without_tools(self) -> bool:
        """Whether the model could call no tool, and no control replaced the tools."""
        changed = self.control or self.again or self.condition in MADE
        return not (self.tools or self.provider_code or changed)

    @property
    def worded_by(self) -> str:
        """Who worded the questions: ``shipped``, or the name and version of MedVision's package."""
        origin = self.words_origin
        return f"{origin['package']} {origin['version']}" if origin else self.words

    @property
    def code(self) -> str:
        """The version of this program that began the run, and the hash of its code, as one text."""
        return f"{self.version} {self.code_sha256}"

    def plain(self) -> dict[str, Any]:
        """Return the identity as JSON data: each field's value by its name."""
        return self.model_dump(mode="json")

    def differences(self, other: "Identity") -> Iterator[tuple[str, Any, Any]]:
        """Yield the name of every field in which this and *other* differ, with both values as JSON data.

        The fields that tell which code made the run (``RECORDED``) are not compared.
        """
        ours, theirs = self.plain(), other.plain()
        for name in sorted(ours.keys() - self.RECORDED):
            if ours[name] != theirs[name]:
                yield name, ours[name], theirs[name]


FIRST_SET = "2026-11"
"""The set of tools of version 0.1.0, and the only one until there was a second."""
_SAME_PROMPTS: Mapping[str, str] = dict.fromkeys(
    (
        "705d679b71c8323262e8dac1499a3055c6773b82868563e4dcc5c94d940ff803",  # version 0.1.0, comments included
        "4cf34e5165ab9fc722b087527d9e1c63ed85f285b3c552a863b0c64f515f61e9",  # each task with its own answer format
    ),
    "02bca263e03365cd991b21c2d36624e7aa6048de78ad38dc85e0729ca6367b96",
)
"""The hashes that earlier versions gave their prompts, and the hash of the same words now."""
