"""Code that a provider ran for the model, and its result, in one form for all providers."""

from dataclasses import dataclass

__all__ = ["CODE_EXECUTION", "CodeRun"]

CODE_EXECUTION = "code_execution"
"""The name of code runs among the tool calls of a record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRun:
    """One run of code on the provider's machine; no provider reports its duration."""

    id: str = ""
    """The provider's id of this run; empty if it gives none."""
    code: str | None
    """The code that ran; None if a result came back without its code."""
    language: str = ""
    outcome: str
    """The outcome as the provider wrote it; empty if no result came back."""
    output: str
    ok: bool
    pictures: tuple[bytes, ...] = ()
    """PNG files that the code produced."""

    @property
    def text(self) -> str:
        """The output as the model saw it; for a failed run, the outcome comes first."""
        return self.output if self.ok else f"{self.outcome or 'no result'}: {self.output}".removesuffix(": ")
