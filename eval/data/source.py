"""What a source of samples is: it lists samples and loads the picture of one of them.

Contract: ``samples`` is cheap enough to list and every id in it is unique; ``load`` raises DataError naming the
file and the field for that one sample only.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self, runtime_checkable

from medvision_agent.errors import DataError
from medvision_agent.eval.data.configs import Config
from medvision_agent.eval.data.sample import Sample
from medvision_agent.tools.view.slice import FloatImage, Stack, Units

__all__ = [
    "Inspected",
    "Known",
    "NativeImage",
    "Read",
    "Sized",
    "Source",
    "SourceInfo",
    "Streaming",
    "Wants",
    "WithVolumes",
]

Read = tuple[int, Sample | DataError]
"""The number of a place in a source, and the sample there or why there is none."""


@dataclass(frozen=True, slots=True)
class Inspected:
    """What a check finds of a picture without decoding it."""

    height: int
    width: int
    displayed: bool
    """Whether it holds grey levels as displayed (8 bits), not native values."""
    content: int | None = None
    """A hash of the picture's file; None for a slice of a volume."""


@dataclass(frozen=True, eq=False)
class NativeImage:
    """Native pixel values (height, width) as stored; the recipe decides how they are shown."""

    values: FloatImage
    displayed: bool
    """True for an 8-bit picture, whose values are display grey levels already."""
    declared: Units = Units.UNKNOWN
    """What native values are measured in, where the source knows it."""
    stack: Stack | None = None
    """The slices beside it, where the source has the volume."""

    @property
    def units(self) -> Units:
        """What the values are measured in."""
        return Units.GREY if self.displayed else self.declared


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What every summary says about where its samples came from."""

    name: str
    """As given on the command line: ``demo``, or a file's path."""
    demonstration: bool
    """True where results are a demonstration, not a benchmark score."""
    note: str
    """One sentence for summaries and reports."""
    origin: Mapping[str, str] | None = None
    """Package, version and hash of its code, where the source is another package's; set by ``open_source``."""

    @classmethod
    def of_file(cls, path: Path, samples: int, *, synthetic: bool) -> Self:
        """Return what is said about samples of a file: how many there are, and whether their pictures are made."""
        note = f"{samples} samples of {path}."
        if synthetic:
            note += " SYNTHETIC pictures: made, not taken. Figures on them are no benchmark score."
        return cls(str(path), demonstration=False, note=note)


class Source(Protocol):
    """A set of samples with their pictures."""

    @property
    def info(self) -> SourceInfo:
        """What summaries say about this source."""
        ...

    @property
    def samples(self) -> Sequence[Sample]:
        """All samples in a fixed order."""
        ...

    def load(self, sample: Sample) -> NativeImage:
        """Return the native pixels of a sample."""
        ...


@runtime_checkable
class Sized(Protocol):
    """A source that knows the size of a picture without decoding it."""

    def size(self, sample: Sample) -> tuple[int, int]:
        """Return height and width in pixels; raises DataError."""
        ...


@dataclass(frozen=True, slots=True)
class Wants:
    """What is still asked of a streaming source."""

    dataset: Callable[[str], bool]
    """Whether anything of a dataset may be asked for."""
    config: Callable[[Config], bool]
    """Whether more samples of a configuration are asked for."""
    masks: bool = False
    """Whether any configuration of masks is asked for; without, their plans are not opened."""


@runtime_checkable
class Streaming(Protocol):
    """A source too large to list: it yields what is asked for, and passes over the rest.

    On its own, not a Source: asking whether an object is one must not make its samples.
    """

    def stream(self, wants: Wants) -> Iterator[Sample]:
        """Yield the samples of the configurations that *wants* names, those of a configuration in upstream's order."""
        ...


@runtime_checkable
class Known(Protocol):
    """A source of this program whose samples are known to be the same ones without listing them."""

    def fingerprint(self) -> str | None:
        """Return what all samples follow from, with the code of this program; None where that is not known."""
        ...


@runtime_checkable
class WithVolumes(Protocol):
    """A source whose samples may be slices of volumes of the user's own: tools see more of these than one picture."""

    def volumes_sha256(self, samples: Iterable[Sample]) -> str | None:
        """Return a hash over the files of the volumes of *samples*; None where they are pictures."""
        ...
