"""A source of one's own, as a package of one file: boxes in a CSV file, images in PNG files beside it.

pip install examples/source
medvision-agent run --data boxes:FOLDER/boxes.csv --model baseline-cv

    id,image,subject,label,left,top,right,bottom,mm_per_px
    a,a.png,person-1,liver,10,20,60,70,0.8
"""

import csv
from collections.abc import Sequence
from pathlib import Path

from medvision_agent.errors import DataError
from medvision_agent.eval.data.sample import Landmark, PixelSize, Sample
from medvision_agent.eval.data.source import NativeImage, SourceInfo
from medvision_agent.eval.data.sources.picture import decode_picture, read_inside


class Boxes:
    """The boxes of one CSV file. Its corners are in pixels: x to the right, y down, from the image's outer corner."""

    def __init__(self, argument: str) -> None:
        """Read what stands after `boxes:` in `--data`."""
        self._path = Path(argument)
        self.info = SourceInfo(argument, demonstration=False, note=f"Boxes of {self._path.name}.")
        try:
            with self._path.open(encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file))
        except OSError as error:
            raise DataError(f"{argument}: cannot read it ({error.strerror})") from None
        self.samples: Sequence[Sample] = [self._sample(number, row) for number, row in enumerate(rows, start=2)]

    def load(self, sample: Sample) -> NativeImage:
        """Return the grey levels of a sample's image."""
        return self._image(sample.image)

    def _image(self, name: str) -> NativeImage:
        return decode_picture(read_inside(self._path.parent, name, str(self._path)), name)

    def _sample(self, line: int, row: dict[str, str]) -> Sample:
        try:
            left, top, right, bottom = (float(row[name]) for name in ("left", "top", "right", "bottom"))
            spacing = float(row["mm_per_px"])
            height, width = self._image(row["image"]).values.shape
            return Sample(
                id=row["id"],
                task="detection",
                image=row["image"],
                pixel_size=PixelSize(height_mm=spacing, width_mm=spacing),
                modality="MR",
                plane="axial",
                label=row["label"],
                # A target is relative to the image, its origin at the lower left, its y axis up.
                target=(left / width, 1 - bottom / height, right / width, 1 - top / height),
                convention="edge",
                truth_points=(
                    Landmark(name="lower left", x=left, y=bottom),
                    Landmark(name="upper right", x=right, y=top),
                ),
                dataset="boxes",
                subject=f"boxes/{row['subject']}",
            )
        except (KeyError, ValueError) as error:
            raise DataError(f"{self._path}:{line}: {error}") from None
