"""The demo set: 54 questions about real images, shipped with the package (licences: eval/data/demo/NOTICE)."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from pydantic import TypeAdapter

from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.source import NativeImage, SourceInfo
from medvision_agent.eval.data.sources.checks import check_points
from medvision_agent.eval.data.sources.picture import decode_picture, picture_size, read_inside

__all__ = ["DEMO_FOLDER", "DemoSource"]

DEMO_FOLDER = Path(__file__).parent.parent / "demo"


class DemoSource:
    """The demo set as a source: the samples of ``eval/data/demo/samples.json`` with their 8-bit images."""

    @property
    def info(self) -> SourceInfo:
        """The source's name, with a note that this is a demonstration and where the edges of its boxes lie."""
        return SourceInfo(
            name="demo",
            demonstration=True,
            note=(
                "A demonstration on a handful of subjects, not a benchmark score. Target boxes lie at true pixel "
                "edges (convention 'edge'), not at MedVision's inclusive pixel indices."
            ),
        )

    @cached_property
    def samples(self) -> Sequence[Sample]:
        """All samples, in the order of the file."""
        return TypeAdapter(tuple[Sample, ...]).validate_json((DEMO_FOLDER / "samples.json").read_bytes())

    def size(self, sample: Sample) -> tuple[int, int]:
        """Return height and width of a sample's image in pixels."""
        return picture_size(DEMO_FOLDER, sample.image, f"demo: {sample.id}")

    def load(self, sample: Sample) -> NativeImage:
        """Return the grey levels of a sample's image, as displayed; raises DataError if the image cannot be read."""
        place = f"demo: {sample.id}"
        native = decode_picture(read_inside(DEMO_FOLDER, sample.image, place), place)
        check_points(sample, native.values.shape, place)
        return native
