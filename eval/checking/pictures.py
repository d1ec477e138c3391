"""Opens the image of a sample for a check: its size, its damage, and the header of its volume."""

from collections.abc import Iterator
from dataclasses import replace

from medvision_agent.errors import DataError
from medvision_agent.eval.checking.finding import Fault
from medvision_agent.eval.checking.headers import header_faults, plane_faults
from medvision_agent.eval.checking.masks import Masks
from medvision_agent.eval.data.medvision.source import MedVisionSource
from medvision_agent.eval.data.medvision.volume import Header, read_header
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.source import Inspected, NativeImage, Source
from medvision_agent.eval.data.sources.checks import FileSource
from medvision_agent.eval.data.sources.jsonl import JsonlSource

__all__ = ["Opener"]


class Opener:
    """A reader of the images of one source; consecutive questions about one image open it once."""

    def __init__(self, source: Source, *, decode: bool, numbered: bool) -> None:
        """Prepare to open the images of *source*.

        With *decode*, pixels are decoded and volumes unpacked too, so that damage inside is found. *numbered* states
        that a sample's number is its place in the source's file.
        """
        self._source, self._decode, self._numbered = source, decode, numbered
        self._last: tuple[object, Inspected] | None = None
        self._audited = set[object]()
        self._masks: Masks | None = None

    def open(self, sample: Sample, number: int) -> Inspected:
        """Return the size of a sample's image and, if pixels are decoded, their hash.

        *number* is the sample's place in the source. Raises DataError if the image is missing, damaged or not valid.
        """
        source = self._source
        if isinstance(source, MedVisionSource) and sample.medvision is not None:
            # Its header was read when the sample was made.
            return Inspected(*sample.medvision.image_size_2d, displayed=False)
        if not isinstance(source, JsonlSource):  # in other sources two images may have one name
            return self._opened(sample, number)
        key = sample.image, sample.volume, sample.values
        if self._last is None or self._last[0] != key:
            self._last = key, self._opened(sample, number)
        return self._last[1]

    def is_uniform(self, sample: Sample, number: int) -> bool:
        """Return whether all pixels of a sample's image are equal; False if it cannot be read or is from a volume.

        *number* is the sample's place in the source.
        """
        if isinstance(self._source, MedVisionSource) or sample.volume is not None:
            return False
        source, bare = self._source, sample.but(truth_points=())
        try:
            native = source.load(bare, self._at(number)) if isinstance(source, FileSource) else source.load(sample)
        except DataError:
            return False
        return bool(native.values.min() == native.values.max())

    def against_mask(self, sample: Sample, number: int, found: Inspected) -> Iterator[Fault]:
        """Yield the contradictions between a sample and the mask that it names.

        *found* is what ``open`` returned for the sample. Nothing is yielded without *decode*, or if it names no mask.
        """
        source = self._source
        if self._decode and isinstance(source, JsonlSource) and sample.mask is not None:
            self._masks = self._masks or Masks(source.folder)
            yield from self._masks.faults(sample, sample.mask, found.height, found.width, source.place(number))

    def audit(self, sample: Sample) -> Iterator[Fault]:
        """Yield the doubts about the header of a sample's volume, once for each volume; nothing for a 2-D image."""
        key = sample.image, sample.volume and sample.volume.slice_dim, sample.plane
        if key in self._audited or (found := self._header(sample)) is None:
            return
        header, slice_dim = found
        if sample.image not in self._audited:
            yield from header_faults(header)
        self._audited |= {key, sample.image}
        yield from plane_faults(header, slice_dim, sample.plane)

    def _opened(self, sample: Sample, number: int) -> Inspected:
        source = self._source
        if isinstance(source, FileSource):
            found = source.inspect(sample, self._at(number))
            if self._decode:
                native = source.load(sample.but(truth_points=()), self._at(number))
                if isinstance(source, JsonlSource) and sample.volume is not None:
                    return replace(found, content=source.volumes.content(sample.image, source.place(number)))
                return replace(found, content=_hash(native))
            return found
        native = source.load(sample)
        height, width = native.values.shape
        return Inspected(height, width, native.displayed, _hash(native))

    def _header(self, sample: Sample) -> tuple[Header, int] | None:
        """Return the header of a sample's volume, and the axis perpendicular to its slice; None for a 2-D image."""
        source, facts = self._source, sample.medvision
        if isinstance(source, JsonlSource) and sample.volume is not None:
            return source.volumes.header(sample.image, sample.id), sample.volume.slice_dim
        if isinstance(source, MedVisionSource) and facts is not None:
            return read_header(source.folder.file(facts.image_file, sample.id)), facts.slice_dim
        return None

    def _at(self, number: int) -> int | None:
        """Return *number* if it is the sample's place in its file; None if samples are numbered otherwise."""
        return number if self._numbered else None


def _hash(native: NativeImage) -> int:
    """Return a hash of an image's pixels, which is the same for another file with the same pixels."""
    return hash((native.values.shape, native.displayed, native.values.tobytes()))
