"""Limits on what one sample may use; the same in every arm of a study."""

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Limits"]


class Limits(BaseModel):
    """At a limit the model gets one last turn to answer, and the record is marked as forced."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    model_calls: int = Field(default=12, ge=2, le=1000)
    """Model turns per sample, the forced last one included."""
    tool_calls: int = Field(default=24, ge=1, le=10_000)
    """Tool calls per sample; further calls of the same turn are answered with an error."""
    seconds: float = Field(default=600, gt=0, allow_inf_nan=False)
    """Wall time per sample, checked between turns; a single request has its own limit (``timeout_seconds``)."""
    tokens: int = Field(default=250_000, gt=0)
    """Input plus output tokens of all requests of a sample, as the service reports them, checked between turns. At this
    limit the model gets one last turn to answer."""
    broken_turns: int = Field(default=3, ge=1)
    """Turns in a row without one readable tool call after which the sample ends as ``tool_protocol``."""
