"""The records of a result file as columns of their answers.

Contract: a column is built from the records when it is requested; one record is the case n = 1.
"""

from collections.abc import Callable, Sequence
from operator import attrgetter

from msgspec import UNSET

from medvision_agent.eval.results.heading import Heading
from medvision_agent.eval.results.plans import Plans
from medvision_agent.eval.results.record import Scored
from medvision_agent.eval.results.target import Numbers
from medvision_agent.eval.scorer.answers import Answers, Column

__all__ = ["RecordAnswers"]


class RecordAnswers(Answers):
    """The answers in *records*, all of one family, as columns.

    Each record has a heading (task, family, file) and a target; *bare* flags targets that were no lists. *plans*
    supplies names and voxel sizes that the records lack.
    """

    def __init__(
        self,
        records: Sequence[Scored],
        headings: Sequence[Heading],
        targets: list[Numbers],
        bare: list[bool],
        plans: Plans | None,
    ) -> None:
        super().__init__(headings[0].family, len(records))
        self._records, self._headings, self._plans = records, headings, plans
        self._columns |= {"target": targets, "bare_target": bare, "family": [self.family] * len(records)}

    def _make(self, name: str) -> Column:
        """Build and return the column *name*; one without a maker in ``_MAKERS`` is a field of the records."""
        make = _MAKERS.get(name)
        return make(self) if make else self._own(name)

    def _own(self, name: str) -> Column:
        return list(map(attrgetter(name), self._records))

    def _headed(self, name: str) -> Column:
        """Return the field *name* of each record's heading."""
        first, count = self._headings[0], len(self)
        same = self._headings.count(first) == count
        return [getattr(first, name)] * count if same else list(map(attrgetter(name), self._headings))

    def _ids(self) -> Column:
        rows = zip(self.column("task"), self._records, strict=True)
        return [f"{task}/{one.doc_id}" if one.id is UNSET else str(one.id) for task, one in rows]

    def _responses(self) -> Column:
        found = [first[0] for first in self.column("first")]
        return [one[0] if type(one) is list else one for one in found] if list in set(map(type, found)) else found

    def _planned(self) -> Column:
        """Return the name of each answer's label and its modality by the plans; None for each that is unknown."""
        keys = list(zip(self.column("task"), map(str, self.column("doc.label")), strict=True))
        planned = {key: self._plans.names(self.family, *key) for key in set(keys)} if self._plans else {}
        return list(map(planned.__getitem__, keys))

    def _names(self, name: str, place: int) -> Column:
        """Return the field *name* of each record; where it is empty, item *place* of the plans' column ``planned``."""
        own = self._own(name)
        if self._plans is None or self.family == "AD":
            return own
        return [one or planned[place] for one, planned in zip(own, self.column("planned"), strict=True)]

    def _zooms(self) -> Column:
        own, plans = self._own("zooms"), self._plans
        if plans is None or not plans.has_zooms or self.family == "Detection":
            return own
        rows = zip(own, self.column("nmae"), self.column("doc.image"), strict=True)
        return [plans.zooms(image) if zooms is nmae is None else zooms for zooms, nmae, image in rows]

    def _scales(self) -> Column:
        return [None if one is None else (one.s_h, one.s_w) for one in self._stored("scale")]

    def _stored(self, name: str) -> Column:
        """Return the field *name* of each record, or ``raw_<name>`` if the record has it; None for missing values."""
        own, raw = self._own(name), self._own(f"raw_{name}")
        if raw.count(UNSET) < len(raw):
            own = [one if other is UNSET else other for one, other in zip(own, raw, strict=True)]
        return [None if one is UNSET else one for one in own]


_MAKERS: dict[str, Callable[[RecordAnswers], Column]] = {
    "id": RecordAnswers._ids,
    "task": lambda own: own._headed("task"),
    "file": lambda own: own._headed("file"),
    "first": lambda own: [one.resps[0] for one in own._records],
    "response": RecordAnswers._responses,
    "extracted": lambda own: [getattr(one, "extracted", None) for one in own._records],
    "planned": RecordAnswers._planned,
    "label_name": lambda own: own._names("label_name", 0),
    "modality": lambda own: own._names("modality", 1),
    "zooms": RecordAnswers._zooms,
    "nmae": lambda own: own._stored("nmae"),
    "pixel_scale": RecordAnswers._scales,
    "prompt": lambda own: [getattr(one, "prompt", None) for one in own._records],
}
