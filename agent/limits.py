"""Limits on what one sample may use; the same in every arm of a study."""

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Limits"]


class Limits(BaseModel):
    """Limits of one sample. At a limit the model gets one last turn to answer; the record is marked as forced."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    model_calls: int = Field(default=12, ge=2, le=1000)
    """Maximum number of model turns per sample. The last one is for the answer: the model must not call tools in it."""
    tool_calls: int = Field(default=24, ge=1, le=10_000)
    """Maximum number of tool calls per sample. Further calls of the same turn get an error as their reply; then the
    model gets one last turn to answer."""
    seconds: float = Field(default=600, gt=0, allow_inf_nan=False)
    """Maximum time per sample in seconds, checked between turns, without failed requests and waits for the rate limit.
    At this limit the model gets one last turn to answer. A single request has its own limit, `timeout_seconds` in the
    model's row of the catalogue."""
    tokens: int = Field(default=250_000, gt=0)
    """Maximum number of input plus output tokens per sample, over all its requests, as the service reports them,
    checked between turns. At this limit the model gets one last turn to answer."""
    broken_turns: int = Field(default=3, ge=1)
    """Turns in a row without one readable tool call after which the sample ends as ``tool_protocol``."""
