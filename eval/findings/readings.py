"""Answers by the primary reading: the rule's, or that of a reader declared before the first call.

Contract: a figure never mixes readings. Until the planned reader has read every response, all figures use the rule's
reading, and no contrast has a verdict.
"""

from collections.abc import Mapping
from dataclasses import replace

from medvision_agent.agent.reader import Reader
from medvision_agent.eval.findings.inputs import ArmIn, ChapterIn
from medvision_agent.eval.findings.scores import Epochs, with_records
from medvision_agent.eval.reading.stored import read_again, stored_readings
from medvision_agent.eval.reading.texts import texts_of
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.score import SampleScore
from medvision_agent.packed_list import PackedList
from medvision_agent.text import plural

__all__ = ["by_primary_reading"]


def by_primary_reading(
    chapter: ChapterIn, scores: Mapping[str, Epochs], rules: Protocol
) -> tuple[ChapterIn, Mapping[str, Epochs]]:
    """Return a chapter with the scores of its primary reading; the argument *scores* holds those by the rule.

    If the declared reader has not read every response, *scores* are returned unchanged, and every contrast of the
    returned chapter states why it has no verdict.
    """
    reader = chapter.read_by
    if reader is None:
        return chapter, scores
    found, missing, responses = dict[str, Epochs](), 0, 0
    for arm in chapter.arms:
        found[arm.name], missed, there = _read(arm, scores[arm.name], rules, reader)
        missing, responses = missing + missed, responses + there
    if not missing:
        return chapter, found
    why = _unread(reader, missing, responses)
    contrasts = tuple(
        replace(one, no_verdict="; ".join(filter(None, [one.no_verdict, why]))) for one in chapter.contrasts
    )
    return replace(chapter, contrasts=contrasts, read_by=None, progress=(*chapter.progress, why)), scores


def _read(arm: ArmIn, scores: Epochs, rules: Protocol, reader: Reader) -> tuple[Epochs, int, int]:
    """Return an arm's scores by a reader, the number of responses that it did not read, and the number of responses."""
    found, missing, responses = list[PackedList[SampleScore]](), 0, 0
    for run, epoch in zip(arm.runs, scores, strict=True):
        again = read_again(texts_of(with_records(run, epoch), rules), reader, stored_readings(run.folder))
        by_reader = {one.text.asked.id: one.reader for one in again.samples}
        missing += sum(again.not_reached.values())
        responses += sum(again.not_reached.values()) + sum(one.text.response is not None for one in again.samples)
        found.append(PackedList((sample, score and by_reader.get(sample.id)) for sample, score in epoch))
    return found, missing, responses


def _unread(reader: Reader, missing: int, responses: int) -> str:
    return (
        f"no verdict: {reader.name}, which the plan names as the primary reader, has not read {missing} of "
        f"{plural(responses, 'response')}, so that all figures are by the rule; repeat the study's command, with a "
        "higher cost limit if it is used up"
    )
