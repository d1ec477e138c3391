"""Code that a provider ran for the model: what was run and what came of it, whatever the provider."""

from dataclasses import dataclass

__all__ = ["CODE_EXECUTION", "CodeRun"]

CODE_EXECUTION = "code_execution"
"""The name under which runs of code stand among tool calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRun:
    """One run of code on the provider's machine; how long it took is told by none of them."""

    id: str = ""
    """The provider's own, where it gives one."""
    code: str | None
    """None: a result came back without the code."""
    language: str = ""
    outcome: str
    """The provider's own word; empty where no result came back."""
    output: str
    ok: bool
    pictures: tuple[bytes, ...] = ()
    """PNG files the code made."""

    @property
    def text(self) -> str:
        """What the model saw of the result, after the outcome where that is a failure."""
        return self.output if self.ok else f"{self.outcome or 'no result'}: {self.output}".removesuffix(": ")
