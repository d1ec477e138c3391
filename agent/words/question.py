"""A question as the agent gets it, how it is put into words, and the prompt made of it.

The agent never sees a target. The wording (form, units, whose templates) is part of a recipe and of a run's identity.
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
"""Fields of a wording that no template reads."""
Form = Literal["direct", "cot"]
"""``direct`` asks for the answer, ``cot`` also prescribes the steps of the reasoning."""


@dataclass(frozen=True)
class Wording:
    """The facts that templates depend on besides the sample; the fields' names are the templates' variables."""

    form: Form = "direct"
    tagged: bool = True
    """Reasoning and answer go between tags; without them the reply is the bare numbers."""
    states_image_size: bool = True
    states_spacing: bool = True
    """Whether the prompt says how large a pixel is; without, tools can."""
    size_unit: str = "millimeters"
    distance_unit: str = "millimeters"
    angle_unit: str = "degrees"
    area_unit: str = "square millimeters"
    pixel_unit: str = "millimeters"
    display: Display = "plain"
    """What is drawn on the pictures of the image; the system text says so where it is not plain."""
    number: int = 0
    """Which of the shipped wordings it is; 0 is the usual one, the others are its paraphrases."""
    lent: Mapping[str, str] | None = None
    """The questions by the sample's id, where they are in MedVision's own words; no template is used for them then."""
    own: Mapping[str, str] = field(default_factory=dict)
    """A researcher's own templates by name (``detection``, ``size``, ..., ``system``), instead of the shipped ones."""

    def render(self, template: str, **values: Any) -> str:
        """Return a template filled with *values* and the facts of this wording."""
        facts = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in _NO_FACTS}
        return render(template, {**paraphrase(self.number), **self.own}, **facts, **values)

    def lent_to(self, sample_id: str) -> str | None:
        """Return the question of a sample in MedVision's own words; None where it is not put into them."""
        return None if self.lent is None else self.lent[sample_id]

    @property
    def displayed(self) -> str:
        """What the prompt says of the display; empty where it is plain."""
        return "" if self.display == "plain" else render(f"display/{self.display}")


@dataclass(frozen=True, eq=False)
class Question:
    """One picture and what is asked about it."""

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
    """The question as MedVision's own package puts it; empty where it is put into words here."""
    shows_picture: bool = True
    """Whether a picture stands with it. Without one, the pictures of tools are withheld too."""
    results: Sequence[HandedBack] = ()
    """Results of tools that stand beside it."""

    def prompt(self, views: ViewSet, tool_paragraph: str = "") -> "Prompt":
        """Render the prompt for ``views.whole``; *tool_paragraph* tells of the tools, and is empty without any."""
        whole, frame = views.whole, views.frame
        system = self.wording.render("system", convention=frame.sentence, frame=frame)
        if self.lent:
            # Upstream sends no system text: ours says how tools are used, so that it goes with their paragraph.
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
    """The rendered words of the first turn."""

    system: str
    tool_paragraph: str
    question: str

    @property
    def system_sent(self) -> str:
        """The system text as sent: the tool paragraph, where there is one, comes last."""
        return "\n\n".join(part for part in (self.system, self.tool_paragraph) if part)

    @property
    def sha256(self) -> str:
        """Hash of the prompt without the tool paragraph: equal in both arms of a comparison."""
        return _hash(self.system, self.question)

    @property
    def sha256_sent(self) -> str:
        """Hash of the prompt as sent."""
        return _hash(self.system_sent, self.question)


def _stated(mm_per_px: float) -> str:
    """Return a pixel size with three decimals; where these would all be zero, with three digits that are not."""
    return f"{mm_per_px:.3f}" if mm_per_px >= 0.0005 else f"{mm_per_px:.3g}"


def _hash(*parts: str) -> str:
    return sha256("\0".join(parts).encode()).hexdigest()
