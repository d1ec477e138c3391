"""The interface of a source of samples: it lists samples and loads the image of one sample.

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
"""The number of a place in a source, and the sample there or the error that prevents it."""


@dataclass(frozen=True, slots=True)
class Inspected:
    """The facts that a check reads from an image file without decoding it."""

    height: int
    width: int
    displayed: bool
    """Whether it holds grey levels as displayed (8 bits), not native values."""
    content: int | None = None
    """A hash of the image's file or pixels, or of the voxels of its volume; None where a volume is not unpacked."""


@dataclass(frozen=True, eq=False)
class NativeImage:
    """The native pixels (height, width) of one image; the recipe decides how they are mapped to grey levels."""

    values: FloatImage
    displayed: bool
    """True for an 8-bit picture, whose values are display grey levels already."""
    declared: Units = Units.UNKNOWN
    """The unit of the native values, where the source knows it."""
    stack: Stack | None = None
    """The neighbouring slices, where the source has the volume."""

    @property
    def units(self) -> Units:
        """The unit of the values: grey levels for a displayed image, else the declared unit."""
        return Units.GREY if self.displayed else self.declared


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """Facts about where samples come from, which every summary states."""

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
        """Return the facts about a file at *path* with this number of samples.

        *synthetic*: its images are synthetic.
        """
        note = f"{samples} samples of {path}."
        if synthetic:
            note += " SYNTHETIC images: generated, not taken. Figures on them are no benchmark score."
        return cls(str(path), demonstration=False, note=note)


class Source(Protocol):
    """An object that lists samples and loads the image of each."""

    @property
    def info(self) -> SourceInfo:
        """The facts that summaries state about this source."""
        ...

    @property
    def samples(self) -> Sequence[Sample]:
        """All samples in a fixed order."""
        ...

    def load(self, sample: Sample) -> NativeImage:
        """Return the native pixels of a sample of this source; raises DataError if its image cannot be read."""
        ...


@runtime_checkable
class Sized(Protocol):
    """A source that knows the size of an image without decoding it."""

    def size(self, sample: Sample) -> tuple[int, int]:
        """Return height and width of a sample's image in pixels; raises DataError where the image cannot be read."""
        ...


@dataclass(frozen=True, slots=True)
class Wants:
    """The samples that a caller still wants from a streaming source."""

    dataset: Callable[[str], bool]
    """Return whether samples of a dataset may be wanted."""
    config: Callable[[Config], bool]
    """Return whether more samples of a configuration are wanted."""
    masks: bool = False
    """Whether any configuration of masks is wanted; if not, the plans of masks are not opened."""


@runtime_checkable
class Streaming(Protocol):
    """A source too large to list: it yields the wanted samples and skips the rest.

    It is not derived from Source: an ``isinstance`` check must not make the samples.
    """

    def stream(self, wants: Wants) -> Iterator[Sample]:
        """Yield the samples of the configurations that *wants* asks for, each configuration in upstream's order."""
        ...


@runtime_checkable
class Known(Protocol):
    """A source that can tell, without listing its samples, whether they are unchanged."""

    def fingerprint(self) -> str | None:
        """Return a text that, together with this program's code, determines all samples.

        None where the source's file cannot be read, or has changed since it was opened.
        """
        ...


@runtime_checkable
class WithVolumes(Protocol):
    """A source whose samples may be slices of the user's own volumes: tools then see more than one slice."""

    def volumes_sha256(self, samples: Iterable[Sample]) -> str | None:
        """Return a hash over the volume files of *samples*; None where no sample has a volume."""
        ...
