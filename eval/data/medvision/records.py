"""From a case to upstream's records: the records of each configuration, in order, and those its filters drop.

Upstream's filters, on by default there and here: a detection slice needs a single box of the label, at least 10 px on
either side; a mask at least 200 px; a lesion slice a single cluster, counted before the size threshold where the plan
says so (from 1.1.0 on), else among the measured ones. Landmarks are not filtered.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from medvision_agent.eval.data.configs import FAMILIES, SPLITS, Config, ConfigFamily
from medvision_agent.eval.data.facts import Area, Box, MedVisionFacts, Metric, half
from medvision_agent.eval.data.medvision.folder import PlanFile
from medvision_agent.eval.data.medvision.plan import (
    AnyCase,
    AreaSlice,
    AxesSlice,
    BoxSlice,
    PlanMetric,
    PlanTask,
    RawCase,
)

__all__ = ["Counter", "configs_of", "facts_of"]

MIN_BOX_SIDE = 10
MIN_MASK_PIXELS = 200
_METRIC_TYPES = {"BiometricsFromLandmarks_Distance": "distance", "BiometricsFromLandmarks_Angle": "angle"}


@dataclass(slots=True)
class Counter:
    """The numbers that the next record of a configuration gets: ``key`` before the filters, ``doc_id`` after them."""

    key: int = 0
    doc_id: int = 0


def configs_of(plan: PlanFile, task: PlanTask, split: str) -> list[Config]:
    """Return the configurations made from one split (Train or Test) of a task: one per plane and family.

    For landmarks, those with distances and angles together come before those with one of the two.
    """
    assert split in SPLITS  # noqa: S101 - from SPLIT_KEYS
    families: tuple[ConfigFamily, ...]
    if plan.kind == "detection":
        families = ("BoxSize",)
    elif plan.kind == "segmentation":
        families = ("MaskSize",)
    elif task.target_label is not None:
        families = ("TumorLesionSize",)
    else:
        families = ("BiometricsFromLandmarks", "BiometricsFromLandmarks_Distance", "BiometricsFromLandmarks_Angle")
    return [Config(plan.dataset, family, task.task_ID, dim, split) for family in families for dim in range(3)]


def facts_of(
    raw: RawCase, case: AnyCase, config: Config, counter: Counter, *, filters: bool = True
) -> Iterator[MedVisionFacts]:
    """Yield the records that one case adds to a configuration, numbered from *counter*, which is advanced.

    *case* is *raw* parsed. Without *filters* every record of the plan is yielded, as upstream does with
    MedVision_DISABLE_SAMPLE_FILTERING.
    """
    common = _common(raw.plan, raw.task, case, config)
    wanted_type = _METRIC_TYPES.get(config.family)
    for slice_idx, kept, fields in _annotations(raw.task, case, config.slice_dim):
        counter.key += 1
        if wanted_type and fields["metric"].metric_type != wanted_type:
            continue
        if kept or not filters:
            counter.doc_id += 1
            yield MedVisionFacts(
                **common, **fields, slice_idx=slice_idx, key=counter.key - 1, doc_id=counter.doc_id - 1
            )


def _common(plan: PlanFile, task: PlanTask, case: AnyCase, config: Config) -> dict[str, Any]:
    size, voxel = case.image_file_info.array_size, tuple(map(half, case.image_file_info.voxel_size))
    rows, columns = (axis for axis in range(3) if axis != config.slice_dim)
    return {
        "config": config.name,
        "annotation_version": plan.version,
        "dataset_name": plan.dataset,
        "task_id": task.task_ID,
        "task_type": FAMILIES[config.family],
        "image_file": _from_data(plan, case.image_file),
        "landmark_file": _from_data(plan, case.landmark_file) if plan.kind == "biometry" else None,
        "mask_file": _from_data(plan, case.mask_file),
        "slice_dim": config.slice_dim,
        "image_size_2d": (size[rows], size[columns]),
        "pixel_size": (voxel[rows], voxel[columns]),
        "image_size_3d": size,
        "voxel_size": voxel,
    }


def _from_data(plan: PlanFile, name: str | None) -> str | None:
    return None if name is None else f"Datasets/{plan.dataset}/{name}"


def _annotations(task: PlanTask, case: AnyCase, dim: int) -> Iterator[tuple[int, bool, dict[str, Any]]]:
    """Yield for each annotation: the slice's index, whether MedVision's filters keep it, and its remaining fields."""
    for item in case.slices[dim]:
        if isinstance(item, BoxSlice):
            for boxes in item.slice_profile:
                kept = len(boxes.bboxes) == 1 and min(boxes.bboxes[0].dimensions) >= MIN_BOX_SIDE
                yield item.slice_idx, kept, {"label": boxes.label, "boxes": tuple(map(_stored_box, boxes.bboxes))}
        elif isinstance(item, AreaSlice):
            for mask in item.slice_profile:
                area = Area(pixel_count=mask.pixel_count, roi_mm2=half(mask.ROI_area))
                yield item.slice_idx, mask.pixel_count >= MIN_MASK_PIXELS, {"label": mask.label, "area": area}
        elif isinstance(item, AxesSlice):
            clusters = len(item.slice_profile) if item.n_total_clusters is None else item.n_total_clusters
            metric = _stored_metric(*item.slice_profile[0])
            yield item.slice_idx, clusters <= 1, {"label": task.target_label, "metric": metric}
        else:
            yield item.slice_idx, True, {"metric": _stored_metric(*item.slice_profile)}


def _stored_box(box: Box) -> Box:
    fields = {name: getattr(box, name) for name in Box.model_fields}
    return Box(**fields | {"sizes": tuple(map(half, box.sizes))})


def _stored_metric(*metrics: PlanMetric) -> Metric:
    first = metrics[0]
    return Metric(
        metric_type=first.metric_type,
        metric_map_name=first.metric_map_name,
        keys=tuple(metric.metric_key for metric in metrics),
        values=tuple(half(metric.metric_value) for metric in metrics),
        unit=first.metric_unit,
    )
