"""MedVision's annotations as samples: names, spacing, points, and which of them are asked."""

import gzip
import json
import tracemalloc
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from medvision_agent.errors import ConfigError, DataError
from medvision_agent.eval.data.medvision.source import MedVisionSource, Reading
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.selection import Selection, find_sample, select
from medvision_agent.eval.tasks import TASKS
from medvision_agent.tools.view.geometry import Point, Spacing, acute_angle_deg, distance_mm


@pytest.fixture
def source(tree) -> MedVisionSource:
    return MedVisionSource(tree[0], Reading())


def test_samples_hold_upstreams_records_again(source, tree):
    records = {(line["key"], config): line["record"] for (_, config), lines in tree[1].items() for line in lines}
    found = 0
    for sample in source.samples:
        facts = sample.medvision
        assert sample.id == f"{facts.config}-{facts.key}"
        assert Sample.model_validate_json(sample.model_dump_json(), strict=True) == sample
        if (facts.key, facts.config) in records and facts.task_type != "Tumor-Lesion-Size":
            assert facts.record() == records[facts.key, facts.config]
            found += 1
    assert found > 1000
    assert source.problems == []


def test_truth_points_give_the_targets(source):
    seen = Counter()
    for sample in source.samples:
        points = [Point(point.x, point.y) for point in sample.truth_points]
        spacing = Spacing(sample.pixel_size.height_mm, sample.pixel_size.width_mm)
        height, width = sample.medvision.image_size_2d
        assert all(0 <= point.x <= width and 0 <= point.y <= height for point in points)
        if sample.task == "detection":
            low, high = points
            found = low.x / width, 1 - low.y / height, high.x / width, 1 - high.y / height
            assert found == pytest.approx(sample.target, abs=1e-9)
        elif sample.task == "distance":
            # In the plane, against 3-D upstream: the points lie on one slice. Half floats: 4.9e-4.
            assert distance_mm(*points, spacing) == pytest.approx(sample.target[0], rel=5e-4)
        elif sample.task == "angle":
            assert acute_angle_deg(*points, spacing) == pytest.approx(sample.target[0], rel=5e-4, abs=1e-3)
        else:
            # Ends are rounded to whole pixels; the axes of version 1.1.1 are not.
            lengths = distance_mm(*points[:2], spacing), distance_mm(*points[2:], spacing)
            assert lengths == pytest.approx(sample.target, abs=2 * max(spacing.height_mm, spacing.width_mm))
        seen[sample.task] += 1
    assert set(seen) == {name for name, task in TASKS.items() if task.family is not None}


def test_names_come_from_the_plan(source):
    distance = next(sample for sample in source.samples if sample.measurement)
    assert (distance.measurement, distance.landmarks) == (
        "intercommissural line",
        ("anterior commissure", "posterior commissure"),
    )
    assert (distance.modality, distance.plane, distance.label) == ("MRI", "sagittal", None)
    angle = next(sample for sample in source.samples if sample.task == "angle")
    assert len(angle.landmarks) == 4
    size = next(sample for sample in source.samples if sample.task == "size")
    assert size.label == "lung cancer"
    assert [point.name for point in size.truth_points] == ["major 1", "major 2", "minor 1", "minor 2"]
    assert size.description == "lung computed tomography (CT) scan"


def test_spacing_is_the_headers_not_the_plans(source):
    sample = next(sample for sample in source.samples if sample.medvision.header_zooms[0] % 0.5)
    exact, rounded = sample.medvision.header_zooms, sample.medvision.voxel_size
    assert exact != rounded
    assert {sample.pixel_size.height_mm, sample.pixel_size.width_mm} <= set(exact)


def test_limit_takes_the_first_of_each_configuration(source):
    every = select(source, Selection(split="all"))
    few = select(source, Selection(split="all", limit=3))
    for config, count in Counter(sample.medvision.config for sample in every).items():
        first = sorted(sample.medvision.key for sample in every if sample.medvision.config == config)[:3]
        assert [sample.medvision.key for sample in few if sample.medvision.config == config] == first
        assert len(first) == min(3, count)


def test_samples_of_one_volume_stand_together(source):
    images = [sample.image for sample in select(source, Selection(split="all", limit=5))]
    changes = sum(a != b for a, b in pairwise(images)) + 1
    assert changes == len(set(images))


def test_round_robin_is_fair_seeded_and_depends_on_nothing_else(toy):
    task = toy.plan["tasks"][0]
    task["test_cases"] = [toy.case(name) for name in "abcde"]
    for name, count in zip("abcde", (2, 9, 1, 60, 300), strict=True):
        toy.volume(name, np.zeros((20, 24, 300), np.int8))
        case = task["test_cases"]["abcde".index(name)]
        case["image_file_info"]["array_size"] = [20, 24, 300]
        profile = case["slice_profiles_z"][0]["slice_profile"]
        case["slice_profiles_z"] = [{"slice_idx": n, "slice_profile": profile} for n in range(count)]
    toy.write()
    source, everything = toy.read()
    assert len(everything) == 372

    def drawn(seed, limit):
        return select(source, Selection(limit=limit, limit_by="subject", seed=seed))

    def per_subject(samples):
        return [sum(s.subject == f"Toy/{name}" for s in samples) for name in "abcde"]

    assert per_subject(drawn(0, 5)) == [1, 1, 1, 1, 1]
    assert sorted(per_subject(drawn(0, 22))) == [1, 2, 6, 6, 7]
    assert per_subject(drawn(0, 400)) == [2, 9, 1, 60, 300]
    assert drawn(0, 20) == drawn(0, 20) != drawn(1, 20)
    # A larger draw holds the smaller one.
    assert {sample.id for sample in drawn(0, 7)} < {sample.id for sample in drawn(0, 30)}
    # Forgetting on the way (the group is longer than twice the limit) changes nothing: the best keys are there.
    assert {s.id for s in drawn(0, 20)} == {
        s.id for s in select(_Again(everything), Selection(limit=20, limit_by="subject"))
    }


class _Again:
    """A source whose samples come backwards."""

    def __init__(self, samples):
        self.samples = samples[::-1]


def names(source, **selection):
    return sorted({sample.medvision.config for sample in select(source, Selection(**selection))})


BIO = "MiniBrainLandmarks_BiometricsFromLandmarks"


def test_selection_by_name_pattern_and_split(source):
    assert all(name.endswith("_Test") for name in names(source))
    assert names(source, configs=("MiniTumor_BoxSize_Task04_Axial_Train",)) == ["MiniTumor_BoxSize_Task04_Axial_Train"]
    task = "MiniTumor_BoxCoordinate_Task03_Axial-CoT"
    assert names(source, configs=(task,)) == ["MiniTumor_BoxSize_Task03_Axial_Test"]
    train = "MiniTumor_BoxCoordinate_Task04_Axial-CoT"
    assert names(source, configs=(train,), split="train") == ["MiniTumor_BoxSize_Task04_Axial_Train"]
    assert names(source, configs=("*_BoxSize_Task03_*Axial*",)) == ["MiniTumor_BoxSize_Task03_Axial_Test"]
    assert names(source, configs=(f"{BIO}_Angle_*",)) == [
        f"{BIO}_Angle_Task01_{p}_Test" for p in ("Coronal", "Sagittal")
    ]
    # A pattern for both does not bring distances and angles twice.
    assert names(source, configs=(f"{BIO}*",)) == [f"{BIO}_Task01_{p}_Test" for p in ("Axial", "Coronal", "Sagittal")]
    assert names(source, datasets=("MiniBrainLandmarks",), planes=("axial",), tasks=("distance",)) == [
        f"{BIO}_Task01_Axial_Test"
    ]


def test_a_name_without_samples_is_an_error(source):
    with pytest.raises(DataError, match=r"'MiniTumor_BoxSize_Task09_Axial'.*data list"):
        select(source, Selection(configs=("MiniTumor_BoxSize_Task09_Axial", "MiniTumor_BoxSize_Task03_*")))
    with pytest.raises(DataError, match=r"MaskSize"):
        select(source, Selection(configs=("MiniTumor_MaskSize_Task03_Axial",)))
    with pytest.raises(ConfigError, match="--limit-by subject needs --limit"):
        Selection(limit_by="subject")


def test_a_sample_is_found_by_its_id(source):
    sample = select(source, Selection(configs=(f"{BIO}_Distance_*",)))[-1]
    assert find_sample(source, sample.id) == sample
    with pytest.raises(DataError, match="Did you mean"):
        find_sample(source, f"{sample.medvision.config}-9999")


def test_subjects_may_be_mapped(toy, tmp_path):
    file = tmp_path / "who.csv"
    file.write_text("dataset,case,subject\nToy,a,person 1\nToy,b,person 1\nOther,a,x\n")
    _, samples = toy.read(subjects=file)
    assert {sample.subject for sample in samples} == {"person 1"}
    assert {sample.subject for sample in toy.read()[1]} == {"Toy/a", "Toy/b"}
    for text, said in [
        ("case,subject\n", "columns dataset, case, subject"),
        ("dataset,case,subject\nToy,a,\n", ":2: a column is empty; give dataset, case and subject"),
        ("dataset,case,subject\nToy,a,p\nToy,a,q\n", ":3: subject: .*'q' here, but 'p' in an earlier row"),
    ]:
        file.write_text(text)
        with pytest.raises(DataError, match=said):
            toy.read(subjects=file)


def test_a_large_plan_is_read_in_little_memory(toy):
    case = toy.case("a")
    case["slice_profiles_z"] *= 250
    text, one = json.dumps(toy.plan, indent=4), json.dumps(case, indent=4)
    head = text[: text.index("[", text.index('"test_cases"')) + 1]
    with gzip.open(toy.dataset / "benchmark_plan_detection_v1.0.0.json.gz", "wt", compresslevel=1) as file:
        file.write(head + ",".join([one] * 300) + "]}]}")
    assert len(one) * 300 > 60e6
    tracemalloc.start()
    try:
        samples = select(MedVisionSource(toy.root, Reading()), Selection(limit=10))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(samples) == 10
    assert peak < 45e6
