"""Finds subjects under two names: they make two clusters of one person, and intervals that are too narrow."""

import re
from collections import defaultdict

from medvision_agent.eval.checking.finding import Checked, Fault
from medvision_agent.eval.data.sample import Sample

__all__ = ["Subjects"]

_SEPARATORS = re.compile(r"[\s_\-./\\]+")
_IDLE = re.compile(r"(?<!\d) | (?!\d)")
"""A space that does not separate two numbers."""
_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")


class Subjects:
    """The names of the subjects of the samples checked so far, with the place where each is first named."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}
        self._samples: defaultdict[str, int] = defaultdict(int)
        self._alike: defaultdict[str, list[str]] = defaultdict(list)

    def add(self, sample: Sample, place: str) -> None:
        """Note the subject of a sample; *place* says in words where the sample is, and may be empty for a known one."""
        name = sample.subject
        self._samples[name] += 1
        if name not in self._first:
            self._first[name] = place
            self._alike[_bare(name, sample.dataset)].append(name)

    def is_new(self, sample: Sample) -> bool:
        """Return whether no sample noted before has the subject of this one."""
        return sample.subject not in self._first

    def report(self, checked: Checked) -> None:
        """Add a warning to *checked* for subjects' names so similar that they may name one person.

        They differ only in case, spaces, separators, leading zeros or the dataset's name before them.
        """
        for names in self._alike.values():
            if len(names) > 1:
                told = (
                    f"{', '.join(repr(name[:80]) for name in names[:4])}: is this one person under {len(names)} names? "
                )
                told += "Statistics treat them as different persons, so give one person one name"
                others = sum(self._samples[name] for name in names[1:])
                checked.add(Fault("subject-names", "subject", told, refused=False), self._first[names[1]], others)


def _bare(name: str, dataset: str) -> str:
    bare, of = (_SEPARATORS.sub(" ", text.casefold()).strip() for text in (name, dataset))
    bare = bare.removeprefix(f"{of} ")
    return f"{of}\0{_IDLE.sub('', _ZEROS.sub('', bare))}"
