"""The result of the probe, stored with the run: do tool declarations reach the model?"""

from typing import Literal

from medvision_agent.agent.endings.usage import Usage
from medvision_agent.frozen import Frozen

__all__ = ["ToolProbe"]


class ToolProbe(Frozen):
    """The result of a probe: the prompt tokens of one short message, with tools declared and without.

    ``agent/probe.py`` sends the message.
    """

    found: Literal["reached", "not reported", "failed", "skipped"]
    """``not reported``: the service counts no prompt tokens. ``failed``: there was no reply. ``skipped``: `--no-probe`.
    Declarations that do not reach the model are an error, and never kept."""
    key: str = ""
    """Hash of the model's endpoint and the declared tools; a result holds for every run with the same hash."""
    with_tools: int | None = None
    without_tools: int | None = None
    detail: str = ""
    """Why there was no reply."""
    usage: Usage = Usage()
    """Tokens of the probe's requests; zero if the result was taken from another run of the study."""
    cost_usd: float | None = None

    @property
    def settled(self) -> bool:
        """Whether the result is final: the declarations reach the model, or the service reports no prompt tokens."""
        return self.found in ("reached", "not reported")

    def __str__(self) -> str:
        """Return the result as one line of text."""
        if self.found == "reached":
            return (
                f"the declarations of the tools reach the model: {self.with_tools} prompt tokens with them, "
                f"{self.without_tools} without"
            )
        why = {
            "not reported": "the service reports no prompt tokens",
            "failed": f"the probe got no reply ({self.detail})",
            "skipped": "--no-probe",
        }[self.found]
        return f"NOT CHECKED whether the declarations of the tools reach the model: {why}"
