"""The results of checks: rules by name, what a rule finds in one sample, and what is found in all samples.

Contract: each refused sample is reported with its place and field. A warning is reported once, with the number of
samples and the first one. Rules that may be switched off judge plausibility; the others find contradictions.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from medvision_agent.errors import ConfigError, nearest
from medvision_agent.text import plural

__all__ = ["PLAUSIBLE", "RULES", "Checked", "Fault", "Finding", "Warned", "check_unchecked"]

RULES = {
    "form": "the sample is not of the documented form",
    "picture": "the image is missing, damaged, or of another size than stated",
    "volume": "the header of a volume contradicts the sample",
    "header": "the header of a volume leaves something in doubt",
    "pixel-size": "a pixel is smaller than 0.01 mm or larger than 10 mm",
    "target-size": "the target is longer than the image, or shorter than a pixel",
    "axes-order": "the minor axis is longer than the major one",
    "radians": "every angle could be in radians",
    "points-names": "the ground truth points have other names, or another order",
    "points-outside": "a ground truth point lies outside the image",
    "points-target": "the ground truth points do not give the target",
    "mask": "the sample contradicts the mask that it names",
    "shared-picture": "one image, or one volume, under two subjects",
    "repeated-picture": "one image under two names",
    "repeated-question": "one question about one image asked twice",
    "subject-names": "one subject under two names",
    "subjects-file": "the file of subjects names cases that do not exist",
    "data-folder": "something in MedVision's data folder is broken",
}
"""Every rule's name with the problem that it finds."""
PLAUSIBLE = ("pixel-size", "shared-picture")
"""The rules that can be switched off: the data that they report may still be right."""
_KEPT = 1000
"""How many refusals are kept as texts; further ones are only counted."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule's message about one sample: a refusal, or a warning if ``refused`` is false."""

    rule: str
    field: str
    message: str
    refused: bool = True


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem found in one sample: the rule, the sample's place, the field and the message."""

    rule: str
    place: str
    """File and line, file and row, or the name of a sample."""
    field: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.place, self.field, self.message) if part)


@dataclass(slots=True)
class Warned:
    """A warning, with the number of samples to which it applies."""

    rule: str
    samples: int
    first: Finding
    """The message about the first of these samples."""

    def __str__(self) -> str:
        others = f" ({self.samples} in all)" if self.samples > 1 else ""
        return f"{self.first}{others}"


@dataclass(slots=True)
class Checked:
    """The result of checking samples: refusals, warnings and counts, to which checks add what they find."""

    samples: int = 0
    """How many samples were checked, including those that are refused."""
    unopened: int = 0
    """How many images or volumes were not opened because the time was over."""
    refused: list[Finding] = field(default_factory=list)
    """The first refusals, in the order in which they were found."""
    refusals: int = 0
    """How many refusals there are."""
    warnings: list[Warned] = field(default_factory=list)
    unchecked: tuple[str, ...] = ()
    """The rules that were switched off."""

    def add(self, fault: Fault, place: str, samples: int = 1) -> None:
        """Add a rule's message about *samples* samples, unless the rule is switched off.

        *place* says in words where the first of these samples is, such as a file and a line.
        """
        if fault.rule in self.unchecked:
            return
        finding = Finding(fault.rule, place, fault.field, fault.message)
        if fault.refused:
            self.refusals += 1
            if len(self.refused) < _KEPT:
                self.refused.append(finding)
            return
        known = next((one for one in self.warnings if _alike(one.first, finding)), None)
        if known is None:
            self.warnings.append(Warned(fault.rule, samples, finding))
        else:
            known.samples += samples

    def take(self, faults: Iterable[Fault], place: str) -> None:
        """Add all messages of rules about the sample at *place*."""
        for fault in faults:
            self.add(fault, place)

    def said(self) -> Iterator[str]:
        """Yield a line for each warning, for what was not opened, and for rules that were switched off."""
        yield from (f"doubtful: {warned}" for warned in self.warnings)
        if self.unopened:
            yield (
                f"{plural(self.unopened, 'image')} not opened, because the time for checks before a run was over; "
                "to check all: medvision-agent data check"
            )
        if self.unchecked:
            yield f"not checked, because --unchecked says so: {', '.join(self.unchecked)}"

    def lines(self, most: int | None = None) -> Iterator[str]:
        """Yield a line for each refusal, at most *most*, and one that counts the rest."""
        kept = self.refused[:most]
        yield from map(str, kept)
        if (rest := self.refusals - len(kept)) > 0:
            yield f"and {rest} more"


def check_unchecked(names: Iterable[str]) -> tuple[str, ...]:
    """Return *names*, each once, if they all name rules that can be switched off; raises ConfigError if not."""
    found = tuple(dict.fromkeys(names))
    for name in found:
        if name not in PLAUSIBLE:
            why = (
                "this rule finds contradictions and cannot be switched off"
                if name in RULES
                else "there is no such rule"
            )
            raise ConfigError(
                f"--unchecked {name}: {why}; expected {' or '.join(PLAUSIBLE)}.{nearest(name, PLAUSIBLE)}"
            )
    return found


def _alike(one: Finding, other: Finding) -> bool:
    """Return whether two warnings are counted together: those of one rule about one field."""
    return (one.rule, one.field) == (other.rule, other.field)
