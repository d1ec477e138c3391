"""What an offline model is told about a sample. Every session imports this module, so the module imports no model."""

from dataclasses import dataclass

from medvision_agent.quantity import Quantity
from medvision_agent.tools.base import Tool

__all__ = ["Brief"]


@dataclass(frozen=True, slots=True)
class Brief:
    """The task in structured form for an offline model, which cannot read a prompt."""

    quantity: Quantity
    """The quantity asked for."""
    numbers: int
    """Number of values in an answer."""
    decimals: int
    usual: tuple[float, ...]
    """The answer that is given without looking at the image."""
    tools: tuple[Tool, ...] = ()
    """The tools of the condition, with the quantities that they measure."""
    truth: tuple[tuple[float, float], ...] = ()
    """For the oracle only: the ground-truth points in unit coordinates of the whole image (u right, v down), in the
    order of the sample's ``truth_points``."""
    share: float | None = None
    """For the oracle only, for an area: the fraction of the whole image that the structure covers."""
