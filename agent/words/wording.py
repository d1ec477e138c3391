"""How a question is put into words: form, units, and whose templates. Part of a recipe and of a run's identity."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from medvision_agent.prompts.render import render

__all__ = ["Form", "Wording"]

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
    pixel_unit: str = "millimeters"
    own: Mapping[str, str] = field(default_factory=dict)
    """A researcher's own templates by name (``detection``, ``size``, ..., ``system``), instead of the shipped ones."""

    def render(self, template: str, **values: Any) -> str:
        """Return a template filled with *values* and the facts of this wording."""
        facts = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "own"}
        return render(template, self.own, **facts, **values)
