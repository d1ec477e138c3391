"""How the runs of a report were made, and how every sample ended."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from medvision_agent.errors import StorageError
from medvision_agent.eval.report.inputs import ArmIn
from medvision_agent.eval.report.model import Asked, RunFacts
from medvision_agent.eval.store.read import read_trace
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.tasks import TASKS

__all__ = ["UNFINISHED", "run_facts"]

_MOST_DETAILS = 20
UNFINISHED = "not finished"
"""How the samples of a run ended that were not asked yet."""


def run_facts(arm: ArmIn) -> list[RunFacts]:
    """Return the facts of each epoch of an arm; the words of prompts are those of the first."""
    several = len(arm.runs) > 1
    return [
        _facts(run, f"{arm.name}, epoch {number}" if several else arm.name, asked=number == 1)
        for number, run in enumerate(arm.runs, start=1)
    ]


def _facts(run: Run, name: str, *, asked: bool) -> RunFacts:
    endings = Counter(record.outcome.value for record in run.records)
    unfinished = len(run.samples) - len(run.records)
    if unfinished:
        endings[UNFINISHED] = unfinished
    failed = [record for record in run.records if record.outcome.value != "answered"]
    return RunFacts(
        arm=name,
        folder=str(run.folder),
        facts=tuple(run.facts),
        identity=run.identity,
        config=dict(run.config),
        endings=dict(endings.most_common()),
        infrastructure=dict(
            Counter(record.outcome.value for record in run.records if record.outcome.infrastructure).most_common()
        ),
        details=tuple((one.sample.id, one.outcome.value, one.detail) for one in failed[:_MOST_DETAILS]),
        more_details=max(0, len(failed) - _MOST_DETAILS),
        failed_tries=sum(record.failed_tries for record in run.records),
        superseded=len(run.superseded),
        spent_usd=run.spent_usd,
        asked=tuple(_asked(run)) if asked else (),
    )


def _asked(run: Run) -> list[Asked]:
    found = []
    for task in TASKS:
        first = next((record.sample.id for record in run.records if record.sample.task == task), None)
        if first is None:
            continue
        try:
            messages = read_trace(run.folder, first).get("messages", [])
        except StorageError:
            continue
        system, question = (_words(messages, kind) for kind in ("system", "human"))
        if system or question:
            found.append(Asked(task=task, sample=first, system=system, question=question))
    return found


def _words(messages: list[Mapping[str, Any]], kind: str) -> str:
    """Return the text of the first message of a kind; pictures are named."""
    content = next((message.get("content") for message in messages if message.get("type") == kind), "")
    if isinstance(content, str):
        return content
    blocks = content if isinstance(content, list) else []
    return "\n".join(
        "[picture]" if block.get("type") == "image_url" else str(block.get("text", ""))
        for block in blocks
        if isinstance(block, Mapping)
    )
