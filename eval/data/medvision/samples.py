"""From MedVision's annotations to samples: names from the plan, spacing from the header, points from landmark files."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

from pydantic import ValidationError

from medvision_agent.errors import DataError
from medvision_agent.eval.data.configs import PLANES
from medvision_agent.eval.data.facts import Area, MedVisionFacts
from medvision_agent.eval.data.medvision.folder import DataFolder
from medvision_agent.eval.data.medvision.landmarks import LandmarkFile, read_landmarks
from medvision_agent.eval.data.medvision.plan import AnyCase, Named, RawCase
from medvision_agent.eval.data.medvision.volume import Header, read_header
from medvision_agent.eval.data.sample import Landmark, PixelSize, Sample
from medvision_agent.eval.tasks import ANGLE, AREA, DETECTION, DISTANCE, SIZE, TaskName
from medvision_agent.frozen import complaint

__all__ = ["OpenCase"]

_SPACING_TOLERANCE_MM = 0.0006
"""Plans round spacings to three decimals."""
_AREA_TOLERANCE = 0.01
"""Share by which the area that a plan states may differ from pixels times the header's pixel size; half floats are off
by 5e-4."""
_AXES = ("major 1", "major 2", "minor 1", "minor 2")
_AGAIN = "download the plan again"
_OTHER = "the annotation plan was made for another image, so download the data of this dataset again"


@dataclass(frozen=True)
class OpenCase:
    """A case of a plan, checked against the header of its volume; it makes the samples of the case."""

    folder: DataFolder
    raw: RawCase
    case: AnyCase
    image: Path
    header: Header
    subject: str

    @classmethod
    def open(cls, folder: DataFolder, raw: RawCase, case: AnyCase, subjects: Mapping[tuple[str, str], str]) -> Self:
        """Return the case, checked against its image's header; raises DataError where shape or spacing do not agree.

        *case* is *raw* parsed. *subjects* maps (dataset, case) to a subject; a case that is not in it is a subject by
        itself.
        """
        image = folder.file(case.image_file, f"{raw.place}: image_file", below=f"Datasets/{raw.plan.dataset}")
        header = read_header(image)
        said = case.image_file_info
        if said.array_size != header.shape:
            raise DataError(
                f"{raw.place}: image_file_info.array_size: is {list(said.array_size)}, but the header of {image} says "
                f"{list(header.shape)}; {_OTHER}"
            )
        if any(abs(a - b) > _SPACING_TOLERANCE_MM for a, b in zip(said.voxel_size, header.zooms, strict=True)):
            raise DataError(
                f"{raw.place}: image_file_info.voxel_size: is {list(said.voxel_size)} mm, but the header of {image} "
                f"says {list(header.zooms)}; {_OTHER}"
            )
        key = raw.plan.dataset, case.case_ID
        return cls(folder, raw, case, image, header, subjects.get(key, "/".join(key)))

    @cached_property
    def landmarks(self) -> LandmarkFile:
        """The case's landmark file, read when first needed; raises DataError if it is missing or broken."""
        below = f"Datasets/{self.raw.plan.dataset}"
        return read_landmarks(
            self.folder.file(self.case.landmark_file, f"{self.raw.place}: landmark_file", below=below)
        )

    def sample(self, facts: MedVisionFacts) -> Sample:
        """Return the sample of one annotation; raises DataError if no question can be made of it."""
        place = f"{self.raw.place}: slice {facts.slice_idx} of axis {facts.slice_dim}"
        if facts.slice_idx >= facts.image_size_3d[facts.slice_dim]:
            count = facts.image_size_3d[facts.slice_dim]
            raise DataError(
                f"{place}: slice_idx: there is no such slice; the volume has the slices 0 to {count - 1} along this "
                f"axis; {_AGAIN}"
            )
        rows, columns = (self.header.zooms[axis] for axis in range(3) if axis != facts.slice_dim)
        task, points, names, measurement = self._asked(facts)
        try:
            return Sample(
                id=f"{facts.config}-{facts.key}",
                task=task,
                image=facts.image_file,
                pixel_size=PixelSize(height_mm=rows, width_mm=columns),
                description=self.raw.task.image_description,
                modality=self.raw.task.image_modality,
                plane=PLANES[facts.slice_dim].lower(),
                label=None if names else self._label(facts),
                landmarks=names,
                measurement=measurement,
                target=facts.target() if facts.area is None else (_area_mm2(facts.area, rows * columns, place),),
                convention="inclusive-index",
                truth_points=points,
                dataset=facts.dataset_name,
                subject=self.subject,
                source=f"MedVision annotations {facts.annotation_version}",
                medvision=facts.model_copy(update={"header_zooms": self.header.zooms}),
            )
        except ValidationError as error:
            raise DataError(f"{place}: {complaint(error, 'sample')}") from None

    def _label(self, facts: MedVisionFacts) -> str:
        name = self.raw.task.labels_map.get(str(facts.label), "")
        if not name:
            # The message does not name the case, so that one message covers all samples of the label.
            raise DataError(
                f"{self.raw.plan.path}: task {facts.task_id}: labels_map: there is no name for the label "
                f"{facts.label}, which annotations of this task have; {_AGAIN}"
            )
        return name

    def _asked(self, facts: MedVisionFacts) -> tuple[TaskName, tuple[Landmark, ...], tuple[str, ...], str]:
        """Return the task, the ground truth points (slice frame), the landmarks' names and the measurement's name."""
        if facts.boxes:
            return DETECTION.name, _corners(facts, self.raw.place), (), ""
        if facts.area:
            return AREA.name, (), (), ""
        metric = facts.metric
        assert metric is not None  # noqa: S101 - what is neither a box nor an area
        if len(metric.keys) == 2:
            ends = [end for key in metric.keys for end in self._line(key).element_keys]
            return SIZE.name, self._points(facts, ends, _AXES), (), ""
        if metric.metric_type == "angle":
            angle = self._named(self.raw.task.angles_map, "angles_map", metric.keys[0])
            ends = [end for key in angle.element_keys for end in self._line(key).element_keys]
            names = self._names(ends)
            return ANGLE.name, self._points(facts, ends, names), names, angle.name
        line = self._line(metric.keys[0])
        names = self._names(line.element_keys)
        return DISTANCE.name, self._points(facts, line.element_keys, names), names, line.name

    def _line(self, key: str) -> Named:
        return self._named(self.raw.task.lines_map, "lines_map", key)

    def _named(self, table: Mapping[str, Named], field: str, key: str) -> Named:
        if key not in table:
            raise DataError(
                f"{self.raw.plan.path}: task {self.raw.task.task_ID}: {field}: there is no entry {key!r}, which an "
                f"annotation of this task needs; {_AGAIN}"
            )
        return table[key]

    def _names(self, keys: Sequence[str]) -> tuple[str, ...]:
        for key in keys:
            if not self.raw.task.landmarks_map.get(key):
                raise DataError(
                    f"{self.raw.plan.path}: task {self.raw.task.task_ID}: landmarks_map: there is no name for the "
                    f"landmark {key!r}, which an annotation of this task needs; {_AGAIN}"
                )
        return tuple(self.raw.task.landmarks_map[key] for key in keys)

    def _points(self, facts: MedVisionFacts, keys: Sequence[str], names: Sequence[str]) -> tuple[Landmark, ...]:
        found = [self.landmarks.point(key, facts.slice_dim, facts.slice_idx) for key in keys]
        return tuple(Landmark(name=name, x=x, y=y) for name, (x, y) in zip(names, found, strict=True))


def _area_mm2(area: Area, pixel_mm2: float, place: str) -> float:
    """Return the area of a mask in mm2, unrounded: its number of pixels times the pixel area *pixel_mm2* of the header.

    Upstream's own value is a half float, which is infinite above 65,504 mm2. Where it is finite, raises DataError if
    the two differ by more than 1%.
    """
    found = area.pixel_count * pixel_mm2
    if math.isfinite(area.roi_mm2) and not math.isclose(found, area.roi_mm2, rel_tol=_AREA_TOLERANCE):
        raise DataError(
            f"{place}: ROI_area: is {area.roi_mm2:g} mm2, but {area.pixel_count} pixels of {pixel_mm2:g} mm2, as the "
            f"volume's header says, are {found:g} mm2; {_OTHER}"
        )
    return found


def _corners(facts: MedVisionFacts, place: str) -> tuple[Landmark, ...]:
    """Return two corners of the target box in pixels of the slice frame: lower left and upper right.

    As MedVision does, they are the first and last pixel indices taken as coordinates, not pixel centres. Raises
    DataError for a box outside the slice.
    """
    (row0, column0), (row1, column1) = facts.boxes[0].min_coords, facts.boxes[0].max_coords
    height, width = facts.image_size_2d
    if not (0 <= row0 <= row1 < height and 0 <= column0 <= column1 < width):
        where = f"slice {facts.slice_idx} of axis {facts.slice_dim}: bboxes"
        corners = f"the box from row and column {[row0, column0]} to {[row1, column1]}"
        raise DataError(
            f"{place}: {where}: {corners} does not lie in the slice of {height} rows and {width} columns; {_AGAIN}"
        )
    return (
        Landmark(name="lower left", x=column0, y=row1),
        Landmark(name="upper right", x=column1, y=row0),
    )
