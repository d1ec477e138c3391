"""Findings of stored runs and studies."""

from collections.abc import Sequence
from pathlib import Path

from medvision_agent.eval.findings.caveats import caveats
from medvision_agent.eval.findings.contrasts import Worked, groups, work_out
from medvision_agent.eval.findings.headline import headline
from medvision_agent.eval.findings.model import Findings
from medvision_agent.eval.findings.rows import arm_rows, rows_of
from medvision_agent.eval.findings.stated import BANNERS, asked_line
from medvision_agent.eval.scorer.protocol import Protocol

__all__ = ["find", "findings_of"]


def find(folders: Sequence[Path], rules: Protocol | None = None) -> list[Findings]:
    """Return the findings of stored runs and studies, one for each set of samples.

    Without *rules*, a study is scored by its declared protocol, and runs by the default protocol. Raises a
    MedVisionAgentError if a folder cannot be read, or is given twice.
    """
    return [findings_of(one) for group, own in groups(folders, rules) for one in work_out(group, own)]


def findings_of(worked: Worked) -> Findings:
    """Return the findings of a chapter (the arms over one set of samples) whose results are computed."""
    chapter = worked.chapter
    rows, arms = rows_of(worked), arm_rows(worked)
    return Findings(
        name=chapter.name,
        kind=chapter.kind,
        source=chapter.label,
        evidence=chapter.evidence,
        banner=BANNERS[chapter.evidence],
        protocol=worked.rules.name,
        asked=asked_line(chapter),
        headline=headline(rows, arms, len(chapter.refused)),
        rows=rows,
        arms=arms,
        caveats=caveats(worked),
    )
