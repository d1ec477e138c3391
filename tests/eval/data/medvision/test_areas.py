"""Areas of masks: asked only by name, with the ground truth counted by another route from the masks themselves."""

import gzip
import json
import math
from collections import Counter
from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medvision_agent.errors import DataError
from medvision_agent.eval.data.medvision.source import MedVisionSource, Reading
from medvision_agent.eval.data.selection import Selection, find_sample, select
from medvision_agent.eval.scorer.protocol import PROTOCOLS, scored_by
from medvision_agent.eval.scorer.score import score
from medvision_agent.eval.tasks import TASKS

DATA = Path(__file__).parents[3] / "data/medvision-mini/Data"
ZOOMS = (0.5, 2.0, 3.0)
SIZE = (40, 30, 5)
ANSWERS = st.floats(0.125, 1e6, width=32)


@pytest.fixture
def made(tmp_path):
    """Return a data folder whose two masks are a block with a hole and two blocks, on pixels that are not square."""
    mask = np.zeros(SIZE, np.uint8)
    mask[5:25, 4:20, 2] = 1
    mask[10:14, 8:10, 2] = 0
    mask[2:12, 2:22, 3] = 1
    mask[20:30, 2:22, 3] = 1
    folder = tmp_path / "Data/Datasets/Toy"
    for kind, values in (("Images", np.full(SIZE, 7, np.int16)), ("Masks", mask)):
        (folder / kind).mkdir(parents=True)
        nibabel.save(nibabel.Nifti1Image(values, np.diag([*ZOOMS, 1.0])), folder / kind / "a.nii.gz")
    counts = {index: int((mask[:, :, index] == 1).sum()) for index in (2, 3)}
    plan = {
        "dataset_info": {"dataset": "Toy"},
        "tasks_number": 1,
        "tasks": [
            {
                "image_modality": "CT",
                "image_description": "toy scan",
                "labels_map": {"1": "liver"},
                "task_ID": "01",
                "task_type": "segmentation",
                "test_cases_number": 1,
                "test_cases": [
                    {
                        "case_ID": "a",
                        "image_file": "Images/a.nii.gz",
                        "mask_file": "Masks/a.nii.gz",
                        "image_file_info": {"voxel_size": list(ZOOMS), "array_size": list(SIZE)},
                        "slice_profiles_x": [],
                        "slice_profiles_y": [],
                        "slice_profiles_z": [
                            {
                                "slice_idx": index,
                                "slice_profile": [
                                    {"label": 1.0, "pixel_count": count, "ROI_area": count * ZOOMS[0] * ZOOMS[1]}
                                ],
                            }
                            for index, count in counts.items()
                        ],
                    }
                ],
            }
        ],
    }
    return folder, plan


def opened(folder, plan):
    text = json.dumps(plan, indent=4).encode()
    (folder / "benchmark_plan_segmentation_v1.0.0.json.gz").write_bytes(gzip.compress(text))
    return MedVisionSource(folder.parents[1], Reading())


def test_an_area_is_that_of_the_hand_made_mask(made):
    samples = select(opened(*made), Selection(tasks=("area",)))
    # 20 x 16 less 4 x 2 pixels, and two blocks of 10 x 20, of 0.5 mm x 2 mm each.
    assert [sample.target for sample in samples] == [(312.0,), (400.0,)]
    first = samples[0]
    assert (first.task, first.label, first.plane) == ("area", "liver", "axial")
    assert (first.pixel_size.height_mm, first.pixel_size.width_mm) == (0.5, 2.0)
    assert first.truth_points == ()


def test_every_area_of_the_tree_is_that_of_its_mask():
    source, seen = MedVisionSource(DATA, Reading()), Counter()
    for sample in select(source, Selection(tasks=("area",), split="all", limit=4)):
        facts = sample.medvision
        volume = nibabel.load(DATA / facts.mask_file)
        plane = np.take(np.asarray(volume.dataobj), facts.slice_idx, axis=facts.slice_dim)
        zooms = [zoom for axis, zoom in enumerate(volume.header.get_zooms()) if axis != facts.slice_dim]
        assert sample.target[0] == pytest.approx(int((plane == facts.label).sum()) * zooms[0] * zooms[1], rel=1e-6)
        assert sample.target == pytest.approx(facts.target(), rel=5e-4), "upstream's is the same as a half float"
        assert facts.area.pixel_count >= 200
        seen[facts.dataset_name] += 1
    assert len(seen) == 3
    assert source.problems == []


@pytest.mark.parametrize("wanted", [{}, {"split": "all"}, {"tasks": ("size", "detection")}, {"configs": ("Mini*",)}])
def test_nothing_but_the_name_of_the_task_brings_areas(wanted):
    source = MedVisionSource(DATA, Reading())
    assert "area" not in {sample.task for sample in select(source, Selection(limit=1, **wanted))}


def test_areas_are_no_part_of_all_samples(made):
    source = opened(*made)
    assert len(source.samples) == 0
    (sample, _) = select(source, Selection(tasks=("area",)))
    assert find_sample(source, sample.id) == sample


def test_a_configuration_of_masks_without_the_task_is_an_error_that_says_so(made):
    with pytest.raises(DataError, match="--task area"):
        select(opened(*made), Selection(configs=("Toy_MaskSize_Task01_Axial",)))
    chosen = select(opened(*made), Selection(configs=("Toy_MaskSize_Task01_Axial",), tasks=("area",)))
    assert len(chosen) == 2


def test_an_area_that_does_not_fit_its_pixels_is_left_out_and_named(made):
    folder, plan = made
    plan["tasks"][0]["test_cases"][0]["slice_profiles_z"][0]["slice_profile"][0]["ROI_area"] = 250.0
    source = opened(folder, plan)
    assert [sample.target for sample in select(source, Selection(tasks=("area",)))] == [(400.0,)]
    assert "are 312 mm2" in source.problems[0]


def test_an_area_beyond_a_half_float_is_known_all_the_same(made):
    folder, plan = made
    profile = plan["tasks"][0]["test_cases"][0]["slice_profiles_z"][0]["slice_profile"][0]
    profile |= {"pixel_count": 100_000, "ROI_area": 100_000.0}
    samples = select(opened(folder, plan), Selection(tasks=("area",)))
    assert samples[0].target == (100_000.0,)
    assert samples[0].medvision.target() == (math.inf,)


@given(ANSWERS, ANSWERS)
def test_an_area_is_scored_by_its_relative_error(answer, true):
    for rules in PROTOCOLS.values():
        found = score("area", f"<answer>{answer:f}</answer>", (true,), rules)
        error = abs(float(np.float32(f"{answer:f}")) - true) / true
        assert found.loss == pytest.approx(min(1.0, error), rel=1e-6)
        assert found.mre == pytest.approx(error, rel=1e-6)
        assert found.success


def test_what_scores_it_is_named_as_ours():
    assert scored_by("medvision-1.2", ["size"]) == "medvision-1.2"
    said = scored_by("medvision-1.2", ["size", "area"])
    assert said == "medvision-1.2; area by medvision-agent-area-1, our own rule, not MedVision's"
    assert [name for name, task in TASKS.items() if task.own_rule] == ["area"]
    assert TASKS["area"].family is None
