"""Annotation plans: their tasks and cases as typed objects, read one case at a time.

Contract: where a plan cannot be read further, a DataError ends the whole plan. A case that is not of the documented
form is a DataError for that case only, naming plan, task, case and field.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from medvision_agent.errors import DataError
from medvision_agent.eval.data.facts import Box
from medvision_agent.eval.data.medvision.bounded import open_gzip
from medvision_agent.eval.data.medvision.folder import PlanFile
from medvision_agent.eval.data.medvision.jsonstream import JsonStream
from medvision_agent.frozen import complaint
from medvision_agent.text import plural

__all__ = ["AnyCase", "AreaSlice", "AxesSlice", "BoxSlice", "Named", "PlanMetric", "PlanTask", "RawCase"]
__all__ += ["parse_case", "read_plan"]

_AGAIN = "download the plan again"
SPLIT_KEYS = {"train_cases": "Train", "test_cases": "Test"}
Mm = Annotated[float, Field(gt=0, lt=65_504, allow_inf_nan=False)]
Side = Annotated[int, Field(ge=1, le=65_535)]
Index = Annotated[int, Field(ge=0, le=65_534)]


class _Loose(BaseModel):
    """A record that may have more fields than this program uses."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Named(_Loose):
    """A line or an angle of a plan: its name (may be empty), and the keys of its two landmarks or its two lines."""

    name: str = ""
    element_keys: tuple[str, str]


class PlanTask(_Loose):
    """The fields of one task of a plan, without its cases."""

    task_ID: str = Field(pattern=r"^\d\d+$")  # noqa: N815 - the plan's own name
    image_modality: str = ""
    image_description: str = ""
    image_folder: str = ""
    image_prefix: str = ""
    image_suffix: str = ""
    labels_map: dict[str, str] = {}
    landmarks_map: dict[str, str] = {}
    lines_map: dict[str, Named] = {}
    angles_map: dict[str, Named] = {}
    target_label: Index | None = None
    """The lesion's label; only tumour and lesion tasks have one."""


class PlanBox(Box):
    """A bounding box as a plan states it, in pixel indices from 0.

    Fields that MedVision's records leave out are ignored.
    """

    model_config = ConfigDict(extra="ignore")

    min_coords: tuple[Index, Index]
    max_coords: tuple[Index, Index]
    sizes: tuple[Mm, Mm]


class BoxProfile(_Loose):
    """The boxes of one label on a slice."""

    label: Index
    bboxes: tuple[PlanBox, ...] = Field(min_length=1)


class AreaProfile(_Loose):
    """The area of one label on a slice: in pixels, and ``ROI_area`` in mm2."""

    label: Index
    pixel_count: Annotated[int, Field(ge=0)]
    ROI_area: float


class PlanMetric(_Loose):
    """A distance or an angle as a plan states it, in ``metric_unit``; an angle's value may be NaN."""

    metric_type: Literal["distance", "angle"]
    metric_map_name: str
    metric_key: str
    metric_value: float
    metric_unit: str


class BoxSlice(_Loose):
    """A slice of a detection plan: its index and the boxes of each label."""

    slice_idx: Index
    slice_profile: tuple[BoxProfile, ...]


class AreaSlice(_Loose):
    """A slice of a segmentation plan: its index and the area of each label."""

    slice_idx: Index
    slice_profile: tuple[AreaProfile, ...]


class AxesSlice(_Loose):
    """A slice with lesions: the two axes of each measured one, the largest first."""

    slice_idx: Index
    n_total_clusters: int | None = None
    slice_profile: tuple[tuple[PlanMetric, PlanMetric], ...] = Field(min_length=1)


class MetricSlice(_Loose):
    """A slice with one distance or angle between landmarks; a slice with several appears several times."""

    slice_idx: Index
    slice_profile: tuple[PlanMetric]


class FileInfo(_Loose):
    """What the planner read from the image's header; millimetres are rounded to three decimals."""

    voxel_size: tuple[Mm, Mm, Mm]
    array_size: tuple[Side, Side, Side]


SliceT = TypeVar("SliceT", BoxSlice, AreaSlice, AxesSlice, MetricSlice)


class Case(_Loose, Generic[SliceT]):
    """One case of a plan: a volume, its files, and its annotated slices along each axis."""

    case_ID: str = Field(min_length=1, max_length=120)  # noqa: N815 - the plan's own name
    image_file: str
    mask_file: str | None = None
    landmark_file: str | None = None
    image_file_info: FileInfo
    slice_profiles_x: tuple[SliceT, ...]
    slice_profiles_y: tuple[SliceT, ...]
    slice_profiles_z: tuple[SliceT, ...]

    @property
    def slices(self) -> tuple[tuple[SliceT, ...], ...]:
        """The annotated slices by ``slice_dim``, the axis that a slice leaves out: along x, y and z of the array."""
        return self.slice_profiles_x, self.slice_profiles_y, self.slice_profiles_z


AnyCase = Case[BoxSlice] | Case[AreaSlice] | Case[AxesSlice] | Case[MetricSlice]


@dataclass(frozen=True, slots=True)
class RawCase:
    """A case as the plan states it, not parsed yet."""

    plan: PlanFile
    task: PlanTask
    place: str
    """Plan, task and case, for messages."""
    data: Any

    def may_have(self, slice_dims: Iterable[int]) -> bool:
        """Return whether the case may have annotations along one of these axes (0, 1, 2).

        A quick check without parsing. True also for a case that is broken.
        """
        known = isinstance(self.data, Mapping)
        return any(not known or self.data.get(f"slice_profiles_{'xyz'[dim]}") != [] for dim in slice_dims)


def read_plan(plan: PlanFile) -> Iterator[tuple[PlanTask, str, Iterator[RawCase]]]:
    """Yield every task with each of its splits (Train, Test) and the cases of that split, in the order of the file.

    Cases are read while they are iterated; cases that the caller does not read are skipped. A split without cases has
    no key and is not yielded; a task without any case is yielded once, with an empty Train split. Raises DataError
    where the plan cannot be read further.
    """
    with open_gzip(plan.path) as stream:
        json = JsonStream(plan.path, stream)
        tasks = 0
        for key in json.members():
            if key != "tasks":
                json.value()
                continue
            for _ in json.elements():
                tasks += 1
                yield from _read_task(plan, json, f"{tasks:02d}")
        json.end()
        if not tasks:
            raise DataError(f"{plan.path}: tasks: is missing or empty; expected a list of tasks; {_AGAIN}")


def _read_task(plan: PlanFile, json: JsonStream, number: str) -> Iterator[tuple[PlanTask, str, Iterator[RawCase]]]:
    fields: dict[str, Any] = {}
    task: PlanTask | None = None
    for key in json.members():
        split = SPLIT_KEYS.get(key)
        if split is None:
            if task is not None and key in PlanTask.model_fields:
                raise DataError(
                    f"{plan.path}: task {number}: {key}: stands after the cases of the task; expected before them, as "
                    f"MedVision writes it; {_AGAIN}"
                )
            fields[key] = json.value()
            continue
        task = task or _task(plan, fields, number)
        cases = _read_cases(plan, task, json, key)
        yield task, split, cases
        for _ in cases:
            pass
    if task is None:
        yield _task(plan, fields, number), "Train", iter(())


def _read_cases(plan: PlanFile, task: PlanTask, json: JsonStream, key: str) -> Iterator[RawCase]:
    for number, _ in enumerate(json.elements(), start=1):
        data = json.value()
        name = data.get("case_ID", number) if isinstance(data, Mapping) else number
        yield RawCase(plan, task, f"{plan.path}: task {task.task_ID}: {key}: case {str(name)[:80]}", data)


def _task(plan: PlanFile, fields: Mapping[str, Any], number: str) -> PlanTask:
    try:
        task = PlanTask.model_validate(fields)
    except ValidationError as error:
        raise DataError(f"{plan.path}: task {number}: {_complaint(error, 'task')}; {_AGAIN}") from None
    if task.task_ID != number:
        raise DataError(
            f"{plan.path}: task {number}: task_ID: is {task.task_ID!r}; expected {number!r}, its place in the plan's "
            f"list of tasks; {_AGAIN}"
        )
    return task


def parse_case(case: RawCase) -> AnyCase:
    """Return the case as a typed object; raises DataError naming plan, task, case and field if its form is wrong."""
    kind: type[AnyCase]
    if case.plan.kind == "detection":
        kind = Case[BoxSlice]
    elif case.plan.kind == "segmentation":
        kind = Case[AreaSlice]
    else:
        kind = Case[MetricSlice] if case.task.target_label is None else Case[AxesSlice]
    try:
        return kind.model_validate(case.data)
    except ValidationError as error:
        raise DataError(f"{case.place}: {_complaint(error, 'case')}; {_AGAIN}") from None


def _complaint(error: ValidationError, whole: str) -> str:
    """Return a message: the first error with its field (*whole* where it has none), and how many more there are."""
    rest = f" (and {plural(error.error_count() - 1, 'further error')})" if error.error_count() > 1 else ""
    return complaint(error, whole) + rest
