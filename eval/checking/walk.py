"""Applies every check to samples: used by ``data check``, ``run``, ``ablate`` and the Python API.

Contract: a walk continues after errors, to the end, and keeps a few bytes for each sample. With a time limit, images
and volumes are opened until it is over, and the rest is counted.
"""

from collections.abc import Callable, Iterable
from time import monotonic

from medvision_agent.errors import DataError
from medvision_agent.eval.checking.extent import extent_faults, order_faults
from medvision_agent.eval.checking.finding import Checked, Fault
from medvision_agent.eval.checking.pictures import Opener
from medvision_agent.eval.checking.points import agree, name_faults, point_faults
from medvision_agent.eval.checking.repeated import Repeated
from medvision_agent.eval.checking.spacing import spacing_faults
from medvision_agent.eval.checking.subjects import Subjects
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.source import Inspected, Read
from medvision_agent.eval.data.sources.listing import check_unmixed
from medvision_agent.quantity import ANGLE_DEG

__all__ = ["Walk"]

_QUARTER_TURN = 1.5708
"""The largest angle there is, in radians."""


class Walk:
    """One pass of all checks over the samples of one source: ``all``, or ``one`` for each sample and then ``end``."""

    def __init__(
        self,
        checked: Checked,
        opener: Opener,
        place: Callable[[int], str],
        samples_at: Callable[[set[int]], Iterable[Read]],
        deadline: float | None = None,
    ) -> None:
        """Prepare a pass that adds its results to *checked*.

        *opener* reads images. *place* returns in words where the sample with a number is; *samples_at* returns the
        samples with some numbers. After *deadline* (a time of ``time.monotonic`` in seconds; None: no limit), images
        are no longer opened, only counted.
        """
        self.checked = checked
        self._opener, self._place, self._samples_at, self._deadline = opener, place, samples_at, deadline
        self._repeated, self._subjects = Repeated(), Subjects()
        self._marked = dict[bool, int]()
        self._angles, self._first_angle = 0, -1
        self._large_angle = False

    def all(self, read: Iterable[Read]) -> None:
        """Check all samples, given as (number, sample or error), and then what only all samples together show."""
        for number, found in read:
            if isinstance(found, DataError):
                self.checked.samples += 1
                self.error("form", found, self._place(number))
            else:
                self.one(number, found)
        self.end()

    def one(self, number: int, sample: Sample) -> None:
        """Check one sample, whose place in the source is *number*."""
        checked = self.checked
        checked.samples += 1
        faults = [*spacing_faults(sample), *name_faults(sample), *order_faults(sample)]
        inspected = self._open(number, sample)
        if inspected is not None:
            height, width = inspected.height, inspected.width
            faults += [*extent_faults(sample, height, width), *point_faults(sample, height, width)]
            faults += [*_other_size(sample, inspected), *self._opener.against_mask(sample, number, inspected)]
        if faults:
            checked.take(faults, self._place(number))
        self._repeated.add(number, sample, inspected.content if inspected else None)
        self._subjects.add(sample, self._place(number) if self._subjects.is_new(sample) else "")
        self._marked.setdefault(sample.marks.synthetic, number)
        if sample.asks.quantity == ANGLE_DEG:
            self._note_angle(number, sample)

    def end(self) -> None:
        """Add the problems that only all samples together show."""
        if self._angles and not self._large_angle:
            told = f"no angle is above {_QUARTER_TURN:.4g}: are the angles in radians? Angles in degrees are expected"
            self.checked.add(
                Fault("radians", "target", told, refused=False), self._place(self._first_angle), self._angles
            )
        try:
            check_unmixed({synthetic: self._place(number) for synthetic, number in self._marked.items()})
        except DataError as error:
            self.error("form", error, self._place(max(self._marked.values())))
        self._repeated.report(self.checked, self._place, self._uniform)
        self._subjects.report(self.checked)

    def error(self, rule: str, error: DataError, place: str) -> None:
        """Add an error about the sample at *place* as a refusal by *rule*; a field that it names is separated."""
        text = str(error)
        message = text.removeprefix(f"{place}: ") if text.startswith(f"{place}: ") else text
        field, colon, rest = message.partition(": ")
        named = bool(colon) and " " not in field and len(field) < 80
        fault = Fault(rule, field, rest) if named else Fault(rule, "", message)
        self.checked.add(fault, place)

    def _open(self, number: int, sample: Sample) -> Inspected | None:
        if self._deadline is not None and monotonic() > self._deadline:
            self.checked.unopened += 1
            return None
        try:
            found = self._opener.open(sample, number)
            if faults := list(self._opener.audit(sample)):
                self.checked.take(faults, self._place(number))
        except DataError as error:
            self.error("volume" if sample.volume else "picture", error, self._place(number))
            return None
        return found

    def _uniform(self, numbers: set[int]) -> set[int]:
        """Return those of the samples' numbers whose image has only one grey level."""
        each = self._samples_at(numbers) if numbers else ()
        return {at for at, found in each if isinstance(found, Sample) and self._opener.is_uniform(found, at)}

    def _note_angle(self, number: int, sample: Sample) -> None:
        if sample.target[0] > _QUARTER_TURN or agree(sample):
            self._large_angle = True
            return
        self._first_angle = number if self._first_angle < 0 else self._first_angle
        self._angles += 1


def _other_size(sample: Sample, found: Inspected) -> list[Fault]:
    """Return a refusal if the size of the opened image differs from the one in the sample's MedVision facts."""
    facts = sample.medvision
    if facts is None or facts.image_size_2d == (found.height, found.width):
        return []
    height, width = facts.image_size_2d
    told = (
        f"the image has {found.width} x {found.height} px, but medvision.image_size_2d says {width} x {height}; export "
        "the sample again"
    )
    return [Fault("picture", "image", told)]
