"""Counts for the tools of one arm, over its scored samples: declared, called, answered, and shown to the model."""

from collections import Counter
from collections.abc import Iterable

from medvision_agent.eval.settings.identity import Identity
from medvision_agent.eval.store.record import Record
from medvision_agent.frozen import Frozen
from medvision_agent.text import plural

__all__ = ["ToolCounts", "ToolPath", "tool_path"]


class ToolPath(Frozen):
    """Counts of tools over the scored samples of a run: declared, called, answered, and shown to the model."""

    declared: int
    """Samples in which the model was asked with tools declared."""
    called: int
    """Samples in which the model called at least one tool."""
    calls: int
    answered: int
    """Calls that were answered without an error."""
    shown: int
    """Answers that were in the messages of the model's next turn."""
    pictures: int
    """Images that tools returned."""
    pictures_shown: int
    """Images that were in the messages of the model's next turn."""
    not_recorded: int
    """Answers for which it is unknown whether they were shown: code of the provider, and runs of version 0.1.0."""

    def __str__(self) -> str:
        """Return the counts as one line of text."""
        line = (
            f"tools declared in {plural(self.declared, 'sample')}, called in {self.called}; "
            f"{plural(self.calls, 'call')}, {self.answered} without error"
        )
        if self.not_recorded == self.answered and self.answered:
            return f"{line}; not recorded whether the results were shown to the model"
        line += f"; in the model's next turn {plural(self.shown, 'result')}"
        line += f" and {self.pictures_shown} of {plural(self.pictures, 'image')}"
        return f"{line} (not recorded for {self.not_recorded})" if self.not_recorded else line


class ToolCounts:
    """A collector of the counts of tools over scored records."""

    def __init__(self) -> None:
        self._counts = Counter[str]()

    def add(self, record: Record) -> None:
        """Add one scored record."""
        counts = self._counts
        counts["declared"] += record.usage.model_calls > 0
        counts["called"] += bool(record.tool_uses)
        for use in record.tool_uses:
            counts["calls"] += 1
            counts["answered"] += use.ok
            counts["shown"] += use.shown is True
            counts["pictures"] += use.picture_shown is not None
            counts["pictures_shown"] += use.picture_shown is True
            counts["not_recorded"] += use.ok and use.shown is None

    @property
    def path(self) -> ToolPath:
        """The counts over the records so far."""
        return ToolPath(**{name: self._counts[name] for name in ToolPath.model_fields})


def tool_path(identity: Identity, records: Iterable[Record]) -> ToolPath | None:
    """Return the counts of tools over those of *records* that are scored; None for a run without tools."""
    if not (identity.tools or identity.provider_code):
        return None
    counts = ToolCounts()
    for record in records:
        if not record.outcome.infrastructure:
            counts.add(record)
    return counts.path
