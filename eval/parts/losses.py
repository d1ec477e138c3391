"""The losses of one arm on one task in parts, sample by sample, as columns of numbers."""

import math
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from sys import intern

from medvision_agent.eval.data.sample import Question
from medvision_agent.eval.parts.replay import Cause, Kind, LossParts
from medvision_agent.eval.why.scene import Missing
from medvision_agent.packed_list import Slotted

__all__ = ["REPLAYS", "Losses", "SampleLoss"]

REPLAYS: Mapping[str, tuple[Cause, ...]] = {
    "as answered": (),
    "with the true points": (Cause.WRONG_OBJECT, Cause.SEEING),
    "with exact arithmetic": (Cause.ARITHMETIC,),
    "in the right unit": (Cause.UNIT,),
}
"""The causes that are corrected in each mean of the replays."""
_JOINED = frozenset({Cause.WRONG_OBJECT, Cause.SEEING, Cause.ARITHMETIC})


@dataclass(frozen=True, eq=False, slots=True)
class SampleLoss(Slotted):
    """One scored sample with its loss, split by cause."""

    sample: Question
    found: LossParts


class Losses:
    """The scored samples of one arm on one task, added one by one; only numbers of them are kept."""

    def __init__(self) -> None:
        self.subjects = list[str]()
        """The subject of each sample."""
        self.losses = array("d")
        self.kinds, self.reasons = Counter[str](), Counter[str]()
        """Number of samples by the type of their error, and of those that are not decomposed by reason."""
        self.replayed, self.replayed_subjects = {name: array("d") for name in REPLAYS}, list[str]()
        """The losses with causes corrected, and the subjects, of the answers whose numbers have a known origin."""
        self._parts: dict[Cause, array[float]] = {}
        """The part of each cause; NaN where a loss has none."""
        self.answers = self.telling = False
        """Whether any sample has an answer, and whether any answer states points."""

    def add(self, one: SampleLoss) -> None:
        """Add one sample."""
        found, subject = one.found, intern(one.sample.subject)
        for cause in found.parts:
            if cause not in self._parts:
                self._parts[cause] = array("d", [math.nan]) * len(self.losses)
        for cause, column in self._parts.items():
            column.append(found.parts.get(cause, math.nan))
        self.subjects.append(subject)
        self.losses.append(found.loss)
        self.kinds[str(found.kind)] += 1
        if not found.decomposed:
            self.reasons[str(found.reason)] += 1
        if found.kind is not Kind.NO_ANSWER:
            self.answers = True
            self.telling = self.telling or found.reason not in {Missing.NO_POINTS, Missing.COPIED}
        if found.replays:
            self.replayed_subjects.append(subject)
            for name, causes in REPLAYS.items():
                self.replayed[name].append(found.corrected(causes) or 0.0)

    @property
    def states_points(self) -> bool:
        """Whether any answer of the arm to the task states points; true without answers."""
        return self.telling or not self.answers

    def parts(self, *, own: bool, together: bool) -> Iterator[Mapping[Cause, float]]:
        """Yield the parts of each loss by cause; with *together*, wrong object, seeing and arithmetic are one part.

        *own* says whether the arm states points. If it does not, the loss of an answer without known origin is part of
        seeing and arithmetic; if it does, such an answer is *not decomposed*.
        """
        joined = (_JOINED if own else _JOINED | {Cause.NOT_DECOMPOSED}) if together else frozenset()
        for row in zip(*self._parts.values(), strict=True) if self._parts else ():
            known = {cause: part for cause, part in zip(self._parts, row, strict=True) if not math.isnan(part)}
            within = [known.pop(cause) for cause in joined & known.keys()]
            yield known | {Cause.TOGETHER: math.fsum(within)} if within else known
