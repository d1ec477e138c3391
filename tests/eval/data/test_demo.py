"""The demo set against an independent prototype's values (tests/data/demo_reference.json), and against itself."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.sources import open_source
from medvision_agent.eval.data.sources.demo import DEMO_FOLDER
from medvision_agent.tools.view.geometry import Point, Spacing, acute_angle_deg, distance_mm

REFERENCE = {
    record["id"]: record
    for record in json.loads((Path(__file__).parents[2] / "data" / "demo_reference.json").read_text())
}
LEFT_OUT = {"ts_ct_z10__det_liver", "ts_mr_z16__det_liver", "ts_ct_z18__det_vertebrae_L1"}
"""Structures in several pieces on their slice."""
SUBJECTS = {
    "pyradiomics/brain1", "pyradiomics/lung1", "pyradiomics/lung2", "pyradiomics/breast1",
    "totalsegmentator/ct", "totalsegmentator/ctdcm", "totalsegmentator/mr",
    "tptbox/ct", "tptbox/mri", "mni152/template",
}  # fmt: skip
DEMO = open_source("demo")
ROUNDING = 0.0051
"""The reference has two decimals."""
every_sample = pytest.mark.parametrize("sample", DEMO.samples, ids=lambda sample: sample.id)


def of_task(*tasks: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "sample", [sample for sample in DEMO.samples if sample.task in tasks], ids=lambda sample: sample.id
    )


def truth(sample: Sample) -> list[Point]:
    return [Point(point.x, point.y) for point in sample.truth_points]


def spacing(sample: Sample) -> Spacing:
    return Spacing(sample.pixel_size.height_mm, sample.pixel_size.width_mm)


def test_it_holds_the_reference_but_for_what_is_left_out():
    assert {sample.id for sample in DEMO.samples} == set(REFERENCE) - LEFT_OUT
    assert len(DEMO.samples) == 54


@every_sample
def test_pictures_have_the_size_and_pixels_of_the_reference(sample):
    expected, native = REFERENCE[sample.id], DEMO.load(sample)
    assert native.displayed
    assert list(native.values.shape) == expected["image_size_hw"]
    assert (sample.pixel_size.height_mm, sample.pixel_size.width_mm) == pytest.approx(
        expected["pixel_size_mm_hw"], abs=1e-6
    )
    assert np.ptp(native.values) > 150  # a picture, not a blank
    assert (sample.image, sample.plane) == (expected["image"], expected["plane"])


@of_task("detection")
def test_boxes_are_the_references(sample):
    expected = REFERENCE[sample.id]
    height, width = expected["image_size_hw"]
    x0, y0, x1, y1 = (edge + 0.5 for edge in expected["ground_truth"]["box_xyxy_px"])  # its integers are centres
    box = (sample.target[0] * width, sample.target[1] * height, sample.target[2] * width, sample.target[3] * height)
    assert box == pytest.approx((x0, height - y1, x1, height - y0), abs=1e-4)
    assert truth(sample) == [Point(x0, y1), Point(x1, y0)]
    assert sample.label == expected["label"]


@of_task("size")
def test_axes_are_the_references(sample):
    expected = REFERENCE[sample.id]["ground_truth"]
    square = sample.pixel_size.height_mm == sample.pixel_size.width_mm
    # On rows of 5 mm the fit depends on how the steps of the mask are sampled: a quarter of a row.
    tolerance = 0.3 if square else 1.25
    assert sample.target == pytest.approx((expected["major_mm"], expected["minor_mm"]), abs=tolerance)
    major_1, major_2, minor_1, minor_2 = truth(sample)
    ends = distance_mm(major_1, major_2, spacing(sample)), distance_mm(minor_1, minor_2, spacing(sample))
    assert sample.target == pytest.approx(ends, abs=0.01)
    assert [point.name for point in sample.truth_points] == ["major 1", "major 2", "minor 1", "minor 2"]


@of_task("distance", "angle")
def test_landmarks_are_the_references(sample):
    expected = REFERENCE[sample.id]["ground_truth"]["landmarks_px"]
    # Distances keep the reference's order and spell out its names; an angle may name its vertex twice.
    by_name = dict(zip(sample.landmarks, expected.values(), strict=True)) if sample.task == "distance" else expected
    for point, name in zip(sample.truth_points, sample.landmarks, strict=True):
        assert point.name == name
        assert (point.x - 0.5, point.y - 0.5) == pytest.approx(by_name[name], abs=0.001)


@of_task("distance")
def test_distances_are_the_references(sample):
    assert sample.target[0] == pytest.approx(REFERENCE[sample.id]["ground_truth"]["distance_mm"], abs=ROUNDING)
    assert sample.target[0] == pytest.approx(distance_mm(*truth(sample), spacing(sample)), abs=1e-4)


@of_task("angle")
def test_angles_are_the_references_made_acute(sample):
    expected = REFERENCE[sample.id]["ground_truth"]
    anatomical = expected["angle_deg"]
    assert sample.target[0] == pytest.approx(min(anatomical, 180 - anatomical), abs=2 * ROUNDING)
    assert sample.target[0] == pytest.approx(acute_angle_deg(*truth(sample), spacing(sample)), abs=1e-4)
    if "vertex" in expected:
        assert sample.landmarks[1] == sample.landmarks[2]
        assert f"the angle at {sample.landmarks[1]}" in sample.source


def test_no_prompt_text_gives_an_angle_away():
    obtuse = {"mni_T1w_sagittal_96__angle_genuacpc": "161", "mni_T2w_sagittal_96__angle_acpcics": "139"}
    for sample in DEMO.samples:
        said = " ".join((sample.description, sample.measurement, sample.label or "", *sample.landmarks))
        assert f"{sample.target[0]:.0f}" not in said.split()
        assert obtuse.get(sample.id, "none") not in said


def test_subjects_are_persons():
    assert {sample.subject for sample in DEMO.samples} == SUBJECTS
    assert all(sample.subject.startswith(f"{sample.dataset}/") for sample in DEMO.samples)


def test_marks_say_what_is_silver_and_what_derived():
    silver = {sample.id for sample in DEMO.samples if sample.marks.silver}
    derived = {sample.id for sample in DEMO.samples if sample.marks.derived}
    assert silver == {sample.id for sample in DEMO.samples if sample.dataset == "totalsegmentator"}
    assert derived == {s.id for s in DEMO.samples if s.dataset == "tptbox" and s.task == "distance"}


def test_it_says_that_it_is_no_benchmark():
    assert DEMO.info.demonstration
    assert "not a benchmark score" in DEMO.info.note
    assert "edge" in DEMO.info.note
    assert {sample.convention for sample in DEMO.samples} == {"edge"}


def test_every_picture_is_used_and_all_is_small():
    files = [path for path in DEMO_FOLDER.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 2_000_000
    pictures = {str(path.relative_to(DEMO_FOLDER)) for path in files if path.suffix == ".png"}
    assert pictures == {sample.image for sample in DEMO.samples}
    assert {path.name for path in files} - {Path(picture).name for picture in pictures} == {"samples.json", "NOTICE"}


def test_the_notice_names_every_source_and_licence():
    notice = (DEMO_FOLDER / "NOTICE").read_text(encoding="utf-8")
    flat = " ".join(notice.split())
    for sample in DEMO.samples:
        package, version = sample.source.split(",")[0].split("==")
        assert f"{package} {version}" in notice
        assert sample.annotator
        assert sample.licence
    for name in ("BSD-3-Clause", "Apache-2.0", "McGill/MNI permissive notice", "MIT", "CC BY 4.0"):
        assert name in notice
        assert any(name in sample.licence for sample in DEMO.samples)
    # The texts that their licences ask to keep.
    assert "Permission to use, copy, modify, and distribute this software and its documentation" in flat
    assert "Copyright 2017 Harvard Medical School Redistribution and use" in flat
    assert "Copyright (c) 2024 AFIDs Permission is hereby granted, free of charge" in flat
    assert not re.search("@[A-Z]+@", notice)
