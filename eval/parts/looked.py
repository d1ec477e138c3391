"""One pass over a stored run: where each answer was measured, the parts of its loss, and its origin.

Contract: each record is examined once (``eval/why/look.py``), and no conversation is kept in memory.
"""

from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass, field

from medvision_agent.eval.parts.summary import SampleLoss, loss_of
from medvision_agent.eval.place.located import Located, locate
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.score import Score
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.tasks import TaskName
from medvision_agent.eval.why.look import Look, looks_at
from medvision_agent.eval.why.samples import why_of
from medvision_agent.eval.why.summary import WhySummary, why_of_run
from medvision_agent.packed_list import PackedList

__all__ = ["Also", "Looked", "look_at", "look_closely"]

Also = Callable[[Look, SampleLoss], None]
"""Receives each look, with its loss, while its conversation is open."""


@dataclass(frozen=True, eq=False)
class Looked:
    """Where the answers of a run were measured, and the parts of their losses, in the run's order."""

    located: PackedList[Located] = field(default_factory=PackedList)
    """The samples whose ground truth has a place."""
    losses: PackedList[SampleLoss] = field(default_factory=PackedList)
    """Every scored sample with the parts of its loss."""

    @property
    def without_place(self) -> Counter[TaskName]:
        """Number of scored samples, by task, whose ground truth does not state its location."""
        return Counter(one.sample.task for one in self.losses) - Counter(one.sample.task for one in self.located)


def look_at(run: Run, rules: Protocol, scores: Iterable[Score | None] | None = None) -> Looked:
    """Return where the answers of a run were measured and the parts of their losses, scored by *rules*.

    *scores* are the scores of its records, if known.
    """
    looked = Looked()
    deque(_looks(run, rules, scores, looked), maxlen=0)
    return looked


def look_closely(
    run: Run, rules: Protocol, scores: Iterable[Score | None] | None = None, also: Also | None = None
) -> tuple[Looked, WhySummary]:
    """Return what ``look_at`` returns, and a summary of why answers are wrong and how tools were used.

    *also* is called with each answer and its loss while the conversation is open. Raises DamageError if a stored
    conversation was changed.
    """
    looked = Looked()
    with closing(_looks(run, rules, scores, looked, also)) as looks:  # closed even if a conversation was changed
        return looked, why_of_run(run, rules, map(why_of, looks))


def _looks(
    run: Run, rules: Protocol, scores: Iterable[Score | None] | None, looked: Looked, also: Also | None = None
) -> Generator[Look]:
    with closing(looks_at(run, rules, scores)) as looks:
        for look in looks:
            if (place := locate(look)) is not None:
                looked.located.add(place)
            looked.losses.add(loss := loss_of(look))
            if also is not None:
                also(look, loss)
            yield look
