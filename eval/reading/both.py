"""Two readings of the same responses compared, for one arm and for the difference of two arms.

Contract: strict JSON. Figures use only samples that the second reader reached, so that both readings cover the same
samples; other samples are counted. The loss by the rule is the primary one. *format* is the part of a difference
between arms that depends on the reader: the difference by the reader minus that by the rule, sample by sample.
Intervals (95%) are the jackknife's over subjects. They are missing if the caller gives a reason, or if subjects are
too few or unknown.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from medvision_agent.agent.reader import Reading
from medvision_agent.eval.decisions.decide import Share, share_of
from medvision_agent.eval.parts.summary import withheld
from medvision_agent.eval.reading.texts import Text
from medvision_agent.eval.scorer.score import Score
from medvision_agent.eval.tasks import TASKS, TaskName
from medvision_agent.frozen import Frozen

__all__ = ["AGREE", "KINDS", "ArmReading", "BothRead", "PairReading", "compare_readings", "summarise_readings"]

_SAME, _DIFFER = "both read the same", "both read, not the same"
_RULE, _READER, _NEITHER = "the rule alone", "the reader alone", "neither"
KINDS = (_SAME, _DIFFER, _RULE, _READER, _NEITHER)
"""The possible relations of two readings."""
AGREE = {_SAME, _NEITHER}
"""The relations that count as agreement."""
_NEAR = 1e-6
"""Relative tolerance within which float32 values count as equal."""


@dataclass(frozen=True, eq=False)
class BothRead:
    """One sample with both scores of its response: as the protocol's rule reads it, and as the second reader does."""

    text: Text
    rule: Score
    reader: Score
    unread: str
    """Why the reader found no answer; empty if it found one."""

    @classmethod
    def of(cls, text: Text, reading: Reading | None) -> "BothRead":
        """Return a sample with both scores; *reading* is the second reader's, None if there was no response to read."""
        if reading is None:
            return cls(text, text.by_rule, text.by_rule, "there is no response")
        return cls(text, text.by_rule, text.scored(reading.numbers), reading.unread)

    @property
    def agreement(self) -> str:
        """How the two readings agree: one of ``KINDS``."""
        rule, reader = self.rule, self.reader
        if not (rule.success and reader.success):
            return _RULE if rule.success else _READER if reader.success else _NEITHER
        near = all(abs(a - b) <= _NEAR * max(abs(a), abs(b)) for a, b in zip(rule.values, reader.values, strict=True))
        return _SAME if near else _DIFFER


class ArmReading(Frozen):
    """Figures of both readings over the samples of one task in one arm (one way of asking)."""

    n: int
    subjects: int
    not_reached: int
    """Number of scored samples that the reader was not asked about, or gave no reply for; excluded from all figures."""
    success_rule: float
    success_reader: float
    """Like ``success_rule``: the share of samples in which the reader, or the rule, finds an answer."""
    loss_rule: float
    loss_reader: float
    """Like ``loss_rule``: the mean loss of what the reader, or the rule, reads."""
    difference: Share
    """Mean loss by the reader minus mean loss by the rule."""
    agreement: dict[str, int]
    """Number of samples by the relation of the two readings (``KINDS``)."""
    unread: dict[str, int]
    """Number of samples in which the reader found no answer, by reason."""
    withheld: str
    """Why there is no interval; empty if there is one."""


class PairReading(Frozen):
    """The loss of arm B minus that of arm A by both readings, over the samples of one task reached in both arms."""

    pairs: int
    subjects: int
    by_rule: Share
    """The difference as the protocol's rule reads the responses."""
    by_reader: Share
    """The difference as the second reader reads them."""
    format: Share
    """``by_reader`` minus ``by_rule``."""
    rule_alone: tuple[int, int]
    """Number of samples of A and of B in which the rule reads an answer and the reader none, which count as failures of
    the reader: where they are many, *format* says more about the reader than about the form of the answers."""
    withheld: str


def summarise_readings(
    samples: Iterable[BothRead], not_reached: Mapping[TaskName, int], reasons: Sequence[str] = ()
) -> dict[TaskName, ArmReading]:
    """Return the figures of both readings of one arm by task; a task without samples is left out.

    *not_reached* counts scored samples without a reading, by task. If there are any *reasons*, sentences of the caller,
    no intervals are given.
    """
    every = list(samples)
    by_task = {task: [one for one in every if one.text.asked.task == task] for task in TASKS}
    return {task: _arm(own, not_reached.get(task, 0), reasons) for task, own in by_task.items() if own}


def _arm(samples: Sequence[BothRead], not_reached: int, reasons: Sequence[str]) -> ArmReading:
    subjects = [one.text.asked.subject for one in samples]
    why = withheld(subjects, reasons)
    return ArmReading(
        n=len(samples),
        subjects=len(set(subjects) - {""}),
        not_reached=not_reached,
        success_rule=fmean(one.rule.success for one in samples),
        success_reader=fmean(one.reader.success for one in samples),
        loss_rule=fmean(one.rule.loss for one in samples),
        loss_reader=fmean(one.reader.loss for one in samples),
        difference=share_of([one.reader.loss - one.rule.loss for one in samples], subjects, bare=bool(why)),
        agreement=dict(Counter(one.agreement for one in samples).most_common()),
        unread=dict(Counter(one.unread for one in samples if one.unread).most_common()),
        withheld=why,
    )


def compare_readings(
    a: Iterable[BothRead], b: Iterable[BothRead], reasons: Sequence[str] = ()
) -> dict[TaskName, PairReading]:
    """Return the difference of arm *b* minus arm *a* by task, under both readings.

    Samples are paired by id; a task without pairs is left out. If there are any *reasons*, no intervals are given.
    """
    others = {one.text.asked.id: one for one in b}
    pairs = [(one, others[one.text.asked.id]) for one in a if one.text.asked.id in others]
    by_task = {task: [pair for pair in pairs if pair[0].text.asked.task == task] for task in TASKS}
    return {task: _pair(own, reasons) for task, own in by_task.items() if own}


def _pair(pairs: Sequence[tuple[BothRead, BothRead]], reasons: Sequence[str]) -> PairReading:
    subjects = [one.text.asked.subject for one, _ in pairs]
    why = withheld(subjects, reasons)
    rule = [two.rule.loss - one.rule.loss for one, two in pairs]
    reader = [two.reader.loss - one.reader.loss for one, two in pairs]
    by_format = [after - before for before, after in zip(rule, reader, strict=True)]
    shares = [share_of(values, subjects, bare=bool(why)) for values in (rule, reader, by_format)]
    return PairReading(
        pairs=len(pairs),
        subjects=len(set(subjects) - {""}),
        by_rule=shares[0],
        by_reader=shares[1],
        format=shares[2],
        rule_alone=(
            sum(one.agreement == _RULE for one, _ in pairs),
            sum(two.agreement == _RULE for _, two in pairs),
        ),
        withheld=why,
    )
