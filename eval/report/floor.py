"""The noise floor of a stored study, in words: each difference compared with that of two identical runs."""

from pathlib import Path

from medvision_agent.eval.findings.contrasts import groups, work_out
from medvision_agent.eval.report.spread import noise_sentences
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.store.read import has_run
from medvision_agent.eval.study.plan import read_plan
from medvision_agent.text import printable

__all__ = ["floor_lines"]


def floor_lines(folder: Path, rules: Protocol) -> list[str]:
    """Return sentences that compare each difference of the study in *folder* with that of two identical runs.

    *rules* is the protocol that scores the answers. Empty if the study has no `repeat` (an arm that is asked twice), or
    none of its samples are paired. Raises a MedVisionAgentError if the study cannot be read.
    """
    plan = read_plan(folder)
    repeated = any(plan.arms[one.a] == plan.arms[one.b] for one in plan.contrasts)
    if not repeated or not any(has_run(folder / cell.folder) for cell in plan.cells):
        return []
    return [
        printable(f"{worked.chapter.label}: {line}" if worked.chapter.label else line)
        for group, own in groups([folder], rules)
        for worked in work_out(group, own)
        for one in worked.contrasts
        for task in one.noise
        for line in noise_sentences(one, task)
    ]
