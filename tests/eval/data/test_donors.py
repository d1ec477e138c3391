"""Donors: another subject, the same question, one to one, whatever the order; and what their truth is when resized."""

from collections import Counter

import numpy as np
import pytest

from medvision_agent.eval.data.donors import donors, truth_as_shown
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.sources import open_source
from medvision_agent.tools.view.geometry import Size


def sample(name: str, subject: str, *, label: str = "liver", modality: str = "CT", plane: str = "axial") -> Sample:
    return Sample.model_validate(
        {
            "id": name,
            "task": "size",
            "image": "a.png",
            "pixel_size": {"height_mm": 1, "width_mm": 2},
            "modality": modality,
            "plane": plane,
            "label": label,
            "target": (20, 10),
            "convention": "edge",
            "dataset": "d",
            "subject": subject,
        }
    )


MANY = [sample(f"{subject}-{number}", subject) for subject in "abcdef" for number in range(1 + ord(subject) % 3)]


@pytest.mark.parametrize("seed", range(5))
def test_subjects_give_to_one_another_one_to_one_and_none_to_itself(seed):
    found = donors(MANY, seed)
    assert found.keys() == {one.id for one in MANY}
    gives = {one.subject: found[one.id].subject for one in MANY}
    assert sorted(gives) == sorted(gives.values())
    assert all(a != b for a, b in gives.items())
    assert all(found[one.id].subject == gives[one.subject] for one in MANY)


def test_the_seed_decides_and_the_order_of_the_samples_does_not():
    assert donors(MANY[::-1], 1) == donors(MANY, 1)
    assert len({tuple(sorted((one, two.id) for one, two in donors(MANY, seed).items())) for seed in range(6)}) > 1


def test_modality_and_plane_are_those_of_the_target_where_they_can_be():
    mr = [sample(f"mr-{subject}", subject, modality="MR") for subject in "ab"]
    alone = sample("alone", "z", modality="MR", plane="coronal")
    found = donors([*MANY, *mr, alone], 0)
    assert {found[one.id].id for one in [*mr, alone]} == {"mr-a", "mr-b", "alone"}, "it joins those most like it"
    assert all(found[one.id].modality == "CT" for one in MANY)
    two = donors([*MANY, alone, sample("other", "y", modality="PET")], 0)
    assert (two["alone"].id, two["other"].id) == ("other", "alone")


def test_who_is_alone_in_a_second_plane_never_gets_its_own_image():
    own = [sample("a-axial", "a"), sample("b-axial", "b"), sample("a-coronal", "a", plane="coronal")]
    assert {one: donor.id for one, donor in donors(own, 3).items()} == {
        "a-axial": "b-axial",
        "a-coronal": "b-axial",
        "b-axial": "a-axial",
    }


def test_without_another_subject_there_is_no_donor():
    assert donors([sample("a", "s"), sample("b", "s"), sample("c", "t", label="spleen")], 0) == {}


def test_the_demo_set_has_donors_of_the_same_question():
    samples = open_source("demo").samples
    found = donors(samples, 0)
    by_id = {one.id: one for one in samples}
    for one, donor in found.items():
        target = by_id[one]
        assert (target.task, target.label, target.landmarks) == (donor.task, donor.label, donor.landmarks)
        assert target.subject != donor.subject
    without = Counter(one.label for one in samples if one.id not in found)
    assert without["brain tumour"] == 4, "one subject has one"
    assert "lung tumour" not in without


@pytest.mark.parametrize("one", open_source("phantom:3:1").samples, ids=lambda one: one.id)
def test_a_truth_in_its_own_image_is_the_truth(one):
    height, width = 200, 300
    field = height * one.pixel_size.height_mm, width * one.pixel_size.width_mm
    assert truth_as_shown(one, Size(height, width), field) == pytest.approx(one.target, rel=1e-6)
    bare = one.but(truth_points=())
    assert truth_as_shown(bare, Size(height, width), field) == pytest.approx(one.target)
    larger = truth_as_shown(one, Size(height, width), (2 * field[0], 2 * field[1]))
    factor = 2 if one.asks.loss == "relative error" else 1
    assert larger == pytest.approx(np.multiply(one.target, factor), rel=1e-6)
    assert truth_as_shown(bare, Size(height, width), (2 * field[0], 2 * field[1])) == pytest.approx(larger)
    stretched = truth_as_shown(bare, Size(height, width), (field[0], 2 * field[1]))
    assert (stretched is None) == (one.task != "detection")


def test_an_area_in_a_stretched_image_grows_as_the_image_does():
    one = Sample.model_validate(sample("a", "s").model_dump() | {"task": "area", "target": (60.0,)})
    assert truth_as_shown(one, Size(100, 50), (100.0, 100.0)) == (pytest.approx(60.0),)
    assert truth_as_shown(one, Size(100, 50), (100.0, 300.0)) == (pytest.approx(180.0),)


def test_a_distance_across_a_stretched_image_is_stretched():
    two = [{"name": name, "x": x, "y": 10.0} for name, x in (("p", 10.0), ("q", 40.0))]
    across = sample("a", "s").model_dump() | {"task": "distance", "label": None, "landmarks": ("p", "q")}
    one = Sample.model_validate(across | {"target": (60.0,), "truth_points": two})
    assert truth_as_shown(one, Size(100, 50), (100.0, 200.0)) == (pytest.approx(120.0),)
