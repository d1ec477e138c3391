"""A stored run in the eyes of MedVision's summaries: the same answers as in an exported run, without the files.

Contract: empty for a run over other data. Infrastructure failures are left out, as everywhere; a result without an
answer has an empty response. Both splits of a task in one run are a DataError, as MedVision's names do not tell them
apart.
"""

from collections.abc import Sequence

from medvision_agent.eval.results.build import build_answer
from medvision_agent.eval.results.export import rows_by_task
from medvision_agent.eval.results.summary import Section, sections
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.store.record import Record

__all__ = ["run_sections"]


def run_sections(records: Sequence[Record], protocol: Protocol) -> list[Section]:
    """Return MedVision's group summaries of *records*, a section for each family."""
    kept = [record for record in records if not record.outcome.infrastructure]
    if not kept or any(record.sample.medvision is None for record in kept):
        return []
    answers = [
        build_answer({**row, "task": task}, f"samples_{task}.jsonl")
        for task, rows in rows_by_task(kept).items()
        for row in rows
    ]
    return sections(answers, protocol)
