"""A question as the agent gets it, its wording, and the prompt made from both.

The agent never sees a target. The wording (form, units, templates) is part of a recipe and of a run's identity.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal

from medvision_agent.agent.words.handed_back import HandedBack
from medvision_agent.prompts.paraphrase import paraphrase
from medvision_agent.prompts.render import render
from medvision_agent.tools.view.slice import Slice
from medvision_agent.tools.view.views import Display, ViewSet

__all__ = ["Form", "Prompt", "Question", "Wording"]


_NO_FACTS = {"own", "number", "lent"}
"""Fields of a wording that templates do not use."""
Form = Literal["direct", "cot"]
"""``direct`` asks for the answer, ``cot`` also prescribes the steps of the reasoning."""


@dataclass(frozen=True)
class Wording:
    """Settings of the prompt besides the sample; the names of the fields are variables of the templates."""

    form: Form = "direct"
    tagged: bool = True
    """Whether reasoning and answer go between tags; if not, the reply is only the numbers."""
    states_image_size: bool = True
    states_spacing: bool = True
    """Whether the prompt states the pixel size; if not, tools can state it."""
    size_unit: str = "millimeters"
    distance_unit: str = "millimeters"
    angle_unit: str = "degrees"
    area_unit: str = "square millimeters"
    pixel_unit: str = "millimeters"
    display: Display = "plain"
    """What is drawn on the images sent; the system text says so unless it is ``plain``."""
    number: int = 0
    """Number of the shipped wording; 0 is the usual one, the others are its paraphrases."""
    lent: Mapping[str, str] | None = None
    """Questions in MedVision's own words, by the sample's id; if given, no template is used for them."""
    own: Mapping[str, str] = field(default_factory=dict)
    """A researcher's own templates by name (``detection``, ``size``, ..., ``system``), instead of the shipped ones."""

    def render(self, template: str, **values: Any) -> str:
        """Return the template named *template*, filled with *values* and the facts of this wording.

        Raises jinja2.TemplateError if a value is missing.
        """
        facts = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in _NO_FACTS}
        return render(template, {**paraphrase(self.number), **self.own}, **facts, **values)

    def lent_to(self, sample_id: str) -> str | None:
        """Return the question of a sample in MedVision's own words; None if these words are not used."""
        return None if self.lent is None else self.lent[sample_id]

    @property
    def displayed(self) -> str:
        """The prompt's text about what is drawn on the images; empty if ``display`` is ``plain``."""
        return "" if self.display == "plain" else render(f"display/{self.display}")


@dataclass(frozen=True, eq=False)
class Question:
    """One image and the question about it, as the agent gets them: without the ground truth."""

    template: str
    """Name of the prompt's template."""
    image: Slice
    description: str
    label: str | None
    landmarks: Sequence[str]
    measurement: str = ""
    asks_box: bool = False
    """Whether the answer is a box."""
    wording: Wording = field(default_factory=Wording)
    lent: str = ""
    """The question in the words of MedVision's package; empty if it is rendered from a template."""
    shows_picture: bool = True
    """Whether the image is sent with the question. If not, the pictures of tools are withheld too."""
    results: Sequence[HandedBack] = ()
    """Tool results that are sent beside the question."""

    def prompt(self, views: ViewSet, tool_paragraph: str = "") -> "Prompt":
        """Return the prompt for the whole image of *views*; *tool_paragraph* describes the tools, "" without tools."""
        whole, frame = views.whole, views.frame
        system = self.wording.render("system", convention=frame.sentence, frame=frame)
        if self.lent:
            # Upstream sends no system text: this one says how tools are used, so it is sent only with their paragraph.
            told = f"{system}\n\n{tool_paragraph}" if tool_paragraph else ""
            return Prompt(system="", tool_paragraph=told, question=self.lent)
        # Upstream states the image size with its padding; coordinates in pixels run over the content.
        stated = whole.perceived if frame.in_pixels else whole.canvas
        text = self.wording.render(
            self.template,
            description=self.description.rstrip("."),
            label=self.label,
            landmarks=self.landmarks,
            measurement=self.measurement,
            frame=frame,
            width_px=stated.width,
            height_px=stated.height,
            # Upstream states pixel sizes with three decimals, of the content.
            width_mm_per_px=_stated(whole.spacing.width_mm),
            height_mm_per_px=_stated(whole.spacing.height_mm),
        )
        return Prompt(
            system="\n\n".join(part for part in (system, self.wording.displayed) if part),
            tool_paragraph=tool_paragraph,
            question=text,
        )


@dataclass(frozen=True, slots=True)
class Prompt:
    """The prompt of the first turn: its system text, its paragraph about tools, and its question."""

    system: str
    tool_paragraph: str
    question: str

    @property
    def system_sent(self) -> str:
        """The system text as sent, with the tool paragraph, if any, at its end."""
        return "\n\n".join(part for part in (self.system, self.tool_paragraph) if part)

    @property
    def sha256(self) -> str:
        """Hash of the prompt without the tool paragraph: equal in both arms of a comparison."""
        return _hash(self.system, self.question)

    @property
    def sha256_sent(self) -> str:
        """Hash of the prompt as sent, the tool paragraph included."""
        return _hash(self.system_sent, self.question)


def _stated(mm_per_px: float) -> str:
    """Return a pixel size in mm with three decimals, or three significant digits if the decimals were all zero."""
    return f"{mm_per_px:.3f}" if mm_per_px >= 0.0005 else f"{mm_per_px:.3g}"


def _hash(*parts: str) -> str:
    return sha256("\0".join(parts).encode()).hexdigest()
