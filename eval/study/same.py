"""How often an arm that is handed its own results gives the same answer as when it called the tools itself."""

from pathlib import Path

from medvision_agent.agent.made import RESULT_ONLY
from medvision_agent.eval.compare.compare import same_answers
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.score import sample_scores
from medvision_agent.eval.store.read import has_run, open_run
from medvision_agent.eval.study.plan import Plan
from medvision_agent.eval.study.schema import source_arm

__all__ = ["handed_back"]


def handed_back(plan: Plan, folder: Path, rules: Protocol) -> dict[str, tuple[int, int]]:
    """Return, by cell, how many answers are the same, and how many samples were scored in both arms.

    Cells are those of an arm `result-only` in the study's *folder*, by the name of their folder; each is compared with
    the arm whose tool results it was handed.
    """
    cells = {(cell.source, cell.model, cell.arm, cell.wording, cell.epoch): folder / cell.folder for cell in plan.cells}
    found = dict[str, tuple[int, int]]()
    for (source, model, arm, wording, epoch), own in cells.items():
        if plan.arms[arm].tools == RESULT_ONLY:
            on = cells[source, model, source_arm(arm), wording, epoch]
            if has_run(own) and has_run(on):
                name = own.relative_to(folder).name
                before, after = ([*sample_scores(open_run(one).each(), rules)] for one in (on, own))
                found[name] = same_answers([(before, after)])
    return found
