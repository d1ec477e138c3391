"""DICOM series as archives store them: which mask and which row belong to which, and which slice is asked about."""

import csv

import cv2
import nibabel
import numpy as np
import pytest
from click.testing import CliRunner
from scans import dicom, nifti, series

from medvision_agent.cli.main import cli
from medvision_agent.errors import DataError
from medvision_agent.eval.data.sources import open_source
from medvision_agent.eval.importing.choices import Choices
from medvision_agent.eval.importing.grid import ras_to_lps
from medvision_agent.eval.importing.importer import import_images
from medvision_agent.eval.importing.key import write_key
from medvision_agent.tools.view.geometry import Spacing

STACK = np.random.default_rng(5).integers(0, 900, (6, 20, 30)).astype(np.uint16)
LABELS = {1: "lesion", 2: "cyst"}
LABEL = {1: "lesion"}


def mask_of(path, affine_lps, *boxes, number=1):
    """Write a NIfTI mask of boxes (columns, rows, slices) on the voxels of a series."""
    voxels = np.zeros((30, 20, 6), np.uint8)
    for columns, rows, slices in boxes:
        voxels[slice(*columns), slice(*rows), slice(*slices)] = number
    return nifti(path, voxels, ras_to_lps(affine_lps))


def take(tmp_path, out="out", **choices):
    made = import_images(Choices(images=tmp_path / "scans", **choices), tmp_path / out)
    return list(open_source(str(tmp_path / out / "samples.jsonl")).samples), made


def test_series_of_one_name_take_the_masks_at_their_own_paths(tmp_path):
    for person, left in (("A", 3), ("B", 11)):
        affine = series(tmp_path / f"scans/{person}/CT", STACK, SeriesInstanceUID=f"1.{left}", PatientID=person)
        mask_of(tmp_path / f"masks/{person}/CT.nii.gz", affine, ((left, left + 6), (2, 9), (3, 4)))
    samples, made = take(tmp_path, masks=tmp_path / "masks", labels=LABEL, tasks=("detection",))
    assert [sample.target[0] * 30 for sample in samples] == pytest.approx([3, 11])
    assert not made.ledger.left
    (tmp_path / "masks/B/CT.nii.gz").rename(tmp_path / "masks/CT.nii.gz")
    samples, made = take(tmp_path, "second", masks=tmp_path / "masks", labels=LABEL, tasks=("detection",))
    assert len(samples) == 1
    assert ["put that file at the path below --masks" in why for _, _, why in made.ledger.left] == [True]


def test_series_of_one_folder_that_a_mask_fits_alike_are_refused(tmp_path):
    for phase in ("1.1", "1.2"):
        affine = series(tmp_path / "new", STACK, SeriesInstanceUID=phase)
        (tmp_path / "scans/CT").mkdir(parents=True, exist_ok=True)
        for file in (tmp_path / "new").iterdir():
            file.rename(tmp_path / f"scans/CT/{phase}-{file.name}")
    mask = mask_of(tmp_path / "mask.nii.gz", affine, ((3, 9), (2, 9), (3, 4)))
    with pytest.raises(DataError, match="another series with the same number of files"):
        take(tmp_path, masks=mask, labels=LABEL)


def test_a_localiser_in_the_folder_does_not_take_the_mask(tmp_path):
    affine = series(tmp_path / "scans/CT", STACK, SeriesInstanceUID="1.1")
    scout = dicom(STACK[0], SeriesInstanceUID="1.2", PixelSpacing=[1, 1], ImagePositionPatient=[0, 0, 0],
                  ImageOrientationPatient=[1, 0, 0, 0, 0, -1])  # fmt: skip
    scout.save_as(tmp_path / "scans/CT/scout.dcm", enforce_file_format=True)
    mask = mask_of(tmp_path / "mask.nii.gz", affine, ((3, 9), (2, 9), (3, 4)))
    samples, made = take(tmp_path, masks=mask, labels=LABEL, tasks=("detection",))
    assert len(samples) == 1
    assert ["does not lie on the voxels" in why for _, _, why in made.ledger.left] == [True]


def test_a_mask_belongs_to_the_image_of_the_longest_name(tmp_path):
    for name in ("p1", "p1_2"):
        affine = series(tmp_path / f"scans/{name}", STACK, SeriesInstanceUID=f"1.{name[-1]}")
    mask_of(tmp_path / "masks/p1_2_seg.nii.gz", affine, ((3, 9), (2, 9), (3, 4)))
    samples, made = take(tmp_path, masks=tmp_path / "masks", labels=LABEL, tasks=("detection",))
    assert [sample.id for sample in samples] == ["image-2_s003_detection_lesion"]
    assert ["--masks has no mask of this image" in why for _, _, why in made.ledger.left] == [True]


def test_masks_drawn_slice_by_slice(tmp_path):
    affine = series(tmp_path / "scans/CT", STACK)  # Doe_Jane_6.dcm is the first slice
    (tmp_path / "masks/CT").mkdir(parents=True)
    drawn = np.zeros((20, 30), np.uint8)
    drawn[2:9, 3:14] = 255
    for number, grey in ((3, drawn), (4, drawn // 2 * 0)):
        cv2.imwrite(str(tmp_path / f"masks/CT/Doe_Jane_{number}.png"), grey)
    whole = mask_of(tmp_path / "whole.nii.gz", affine, ((3, 14), (2, 9), (3, 4)))
    sliced, made = take(tmp_path, masks=tmp_path / "masks", labels=LABEL)
    volume, _ = take(tmp_path, "other", masks=whole, labels=LABEL)
    assert sliced == volume
    assert made.ledger.facts()["mask"] == {
        "one image for each slice": 2, "slices without a mask: taken as free of structures": 4
    }  # fmt: skip
    cv2.imwrite(str(tmp_path / "masks/CT/Doe_Jane_7.png"), drawn)
    with pytest.raises(DataError, match="1 of the 3 images in the folder of masks belong to no file of the series"):
        take(tmp_path, "no", masks=tmp_path / "masks", labels=LABEL)


def test_levels_of_0_and_255_are_one_structure_only_if_the_whole_stack_has_no_others(tmp_path):
    series(tmp_path / "scans/CT", STACK)
    (tmp_path / "masks/CT").mkdir(parents=True)
    for number, level in ((3, 255), (4, 2)):
        drawn = np.zeros((20, 30), np.uint8)
        drawn[2:9, 3:14] = level
        cv2.imwrite(str(tmp_path / f"masks/CT/Doe_Jane_{number}.png"), drawn)
    samples, _ = take(tmp_path, masks=tmp_path / "masks", labels={2: "two", 255: "last"}, tasks=("detection",))
    assert [(sample.label, sample.id[8:12]) for sample in samples] == [("two", "s002"), ("last", "s003")]


def test_a_row_is_about_no_file_whose_name_several_series_have(tmp_path):
    for person in "AB":
        series(tmp_path / f"scans/{person}", STACK, SeriesInstanceUID=f"1.{ord(person)}", PatientID=person)
    table = tmp_path / "table.csv"
    table.write_text("image,label,x_min,y_min,x_max,y_max\nDoe_Jane_2.dcm,lesion,3,5,13,15\n")
    with pytest.raises(DataError, match="line 2: no image has the name in the column image, or several have it"):
        take(tmp_path, table=table)
    table.write_text("image,label,x_min,y_min,x_max,y_max\nB/Doe_Jane_2.dcm,lesion,3,5,13,15\n")
    samples, _ = take(tmp_path, table=table)
    assert [sample.id for sample in samples] == ["image-2_s004_detection_lesion"]


def test_of_equally_large_slices_the_middle_one_is_asked_and_the_rule_is_stated(tmp_path):
    affine = series(tmp_path / "scans/CT", STACK)
    for slices, index in (((1, 4), 2), ((1, 5), 2), ((5, 6), 5)):
        mask = mask_of(tmp_path / "mask.nii.gz", affine, ((3, 9), (2, 9), slices))
        samples, made = take(tmp_path, f"out-{slices}", masks=mask, labels=LABEL, tasks=("detection",))
        assert [sample.id for sample in samples] == [f"image-1_s{index:03}_detection_lesion"]
        (rule,) = made.ledger.facts()["slices"]
        assert ("the middle one" in rule) == (slices != (5, 6))
        assert rule in (tmp_path / f"out-{slices}/summary.md").read_text()


def test_a_structure_that_one_person_lacks_is_no_mistake_and_one_that_all_lack_is(tmp_path):
    for person, number in (("A", 1), ("B", 2)):
        affine = series(tmp_path / f"scans/{person}", STACK, SeriesInstanceUID=f"1.{number}", PatientID=person)
        path = mask_of(tmp_path / f"masks/{person}.nii.gz", affine, ((3, 9), (2, 9), (3, 4)))
        if number == 2:
            image = nibabel.load(path)
            voxels = np.asarray(image.dataobj).copy()
            voxels[20:25, 2:9, 3] = 2
            nibabel.save(nibabel.Nifti1Image(voxels, image.affine, image.header), path)
    samples, made = take(tmp_path, masks=tmp_path / "masks", labels=LABELS, tasks=("detection",))
    assert [sample.label for sample in samples] == ["lesion", "lesion", "cyst"]
    assert not made.ledger.left
    assert made.ledger.facts()["structures"] == {"2 (cyst) is not in the mask, others are": 1}
    _, made = take(tmp_path, "more", masks=tmp_path / "masks", labels=LABELS | {3: "duct"}, tasks=("detection",))
    assert [why for _, _, why in made.ledger.left] == [
        "--labels 3=duct: no mask contains the number 3; correct the number, or leave it out"
    ]


def test_a_structure_that_is_redacted_in_part_is_left_out(tmp_path):
    affine = series(tmp_path / "scans/CT", STACK)
    mask = mask_of(tmp_path / "mask.nii.gz", affine, ((3, 9), (12, 19), (3, 4)))
    samples, _ = take(tmp_path, masks=mask, labels=LABEL, redact=((9, 12, 30, 19), (3, 0, 9, 12)))
    assert len(samples) == 2
    with pytest.raises(DataError, match="lesion: a rectangle of --redact covers a part of this structure"):
        take(tmp_path, "no", masks=mask, labels=LABEL, redact=((8, 18, 10, 20),))


def test_a_radiograph_is_of_the_plane_that_the_user_states_and_a_volume_only_of_one_that_it_has(tmp_path):
    placed = {"PixelSpacing": [0.5, 0.5], "ImagerPixelSpacing": [0.6, 0.6], "Modality": "DX"}
    (tmp_path / "scans").mkdir()
    dicom(STACK[0], **placed).save_as(tmp_path / "scans/chest.dcm", enforce_file_format=True)
    cv2.imwrite(str(tmp_path / "chest.png"), np.pad(np.full((8, 9), 255, np.uint8), ((5, 7), (6, 15))))
    command = ["data", "import", str(tmp_path / "scans"), "--masks", str(tmp_path / "chest.png"), "--out"]
    done = CliRunner().invoke(cli, [*command, str(tmp_path / "out"), "--labels", "1=heart", "--plane", "frontal"])
    assert done.exit_code == 0, done.output
    sample, _ = open_source(str(tmp_path / "out/samples.jsonl")).samples
    assert (sample.plane, sample.description) == ("frontal", "A frontal DX image")
    assert "Which plane" not in (tmp_path / "out/questions.md").read_text()
    assert "| slices |" not in (tmp_path / "out/summary.md").read_text()
    affine = series(tmp_path / "scans", STACK)
    (tmp_path / "scans/chest.dcm").unlink()
    mask = mask_of(tmp_path / "mask.nii.gz", affine, ((3, 9), (2, 9), (3, 4)))
    with pytest.raises(DataError, match="--plane frontal: volumes are cut into axial, coronal, sagittal slices"):
        take(tmp_path, "no", masks=mask, labels=LABEL, plane="frontal")


def test_a_structure_at_the_edge_of_its_image_is_asked_about(tmp_path):
    affine = series(tmp_path / "scans/CT", STACK)
    for columns, asked in (((1, 29), False), ((1, 30), True)):
        mask = mask_of(tmp_path / "mask.nii.gz", affine, (columns, (2, 9), (3, 4)))
        take(tmp_path, f"out-{asked}", masks=mask, labels=LABEL, tasks=("detection",))
        text = (tmp_path / f"out-{asked}/questions.md").read_text()
        assert ("touches the edge of its image. Is it cut off there? (image-1)" in text) == asked


def test_an_oblique_series_is_called_so_and_its_pixels_stay_exact(tmp_path):
    turn = (0.939693, 0.342020, 0.0, 0.0, 0.0, -1.0)  # 20 degrees, in the digits that headers have
    affine = series(tmp_path / "scans/MR", STACK, turn=turn, spacing=(0.6, 0.6), Modality="MR")
    mask = mask_of(tmp_path / "mask.nii.gz", affine, ((3, 14), (2, 9), (3, 4)))
    (sample,), made = take(tmp_path, masks=mask, labels=LABEL, tasks=("area",))
    assert "oblique: 20.0 degrees off the coronal plane" in sample.source
    assert (
        "plane | coronal, by the directions in the header, 20.0 degrees off it | 1"
        in (tmp_path / "out/summary.md").read_text()
    )
    assert made.ledger.facts()["plane"]
    assert sample.pixel_size.height_mm == pytest.approx(0.6, abs=1e-12)
    assert sample.target == (11 * 7 * 0.36,)


def test_the_key_and_the_questions_name_every_image_that_they_are_about(tmp_path):
    for person, more in (("A", {}), ("B", {"BurnedInAnnotation": "YES"}), ("C", {"ImagePositionPatient": None})):
        affine = series(tmp_path / f"scans/{person}", STACK[:1] if person == "C" else STACK,
                        SeriesInstanceUID=f"1.{ord(person)}", **more)  # fmt: skip
        if person != "C":
            mask_of(tmp_path / f"masks/{person}.nii.gz", affine, ((3, 9), (2, 9), (3, 4)))
    _, made = take(tmp_path, masks=tmp_path / "masks", labels=LABEL, accept_burned_in=True)
    assert "contact sheet. (image-2)" in (tmp_path / "out/questions.md").read_text()
    write_key(tmp_path / "key.csv", made.keys)
    with (tmp_path / "key.csv").open(newline="") as file:
        assert [row["image"] for row in csv.DictReader(file)] == ["image-1", "image-2", "image-3"]
    assert [tag for tag, _, _ in made.ledger.left] == ["image-3"]


def test_one_mask_is_not_of_two_radiographs_in_one_folder(tmp_path):
    (tmp_path / "scans").mkdir()
    for name in "ab":
        file = dicom(STACK[0], SeriesInstanceUID=f"1.{ord(name)}", PixelSpacing=[0.5, 0.5])
        file.save_as(tmp_path / f"scans/{name}.dcm", enforce_file_format=True)
    mask = tmp_path / "mask.png"
    cv2.imwrite(str(mask), np.pad(np.full((8, 9), 255, np.uint8), ((5, 7), (6, 15))))
    with pytest.raises(DataError, match="is one file, but there are several images"):
        take(tmp_path, masks=mask, labels=LABEL)
    (tmp_path / "masks").mkdir()
    mask.rename(tmp_path / "masks/b_heart.png")
    samples, made = take(tmp_path, masks=tmp_path / "masks", labels=LABEL, tasks=("detection",))
    assert [sample.id for sample in samples] == ["image-2_detection_lesion"]
    assert ["--masks has no mask of this image" in why for _, _, why in made.ledger.left] == [True]


@pytest.mark.parametrize("channel", ["", "_0000"])
def test_volumes_of_one_name_take_the_masks_at_their_own_paths(tmp_path, channel):
    affine = np.diag([-1.0, -1.0, 2.0, 1.0])
    for person, left in (("A", 3), ("B", 11)):
        nifti(tmp_path / f"scans/{person}/case_0000.nii.gz", np.zeros((30, 20, 6), np.int16), affine)
        voxels = np.zeros((30, 20, 6), np.uint8)
        voxels[left : left + 6, 2:9, 3] = 1
        nifti(tmp_path / f"masks/{person}/case{channel}.nii.gz", voxels, affine)
    samples, made = take(tmp_path, masks=tmp_path / "masks", labels=LABEL, tasks=("detection",))
    assert [sample.target[0] * 30 for sample in samples] == pytest.approx([3, 11])
    assert not made.ledger.left


def test_a_path_that_two_images_share_is_that_of_no_mask(tmp_path):
    for folder in ("scans/A", "masks/A"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("x.png", "x.tif", "y.png"):
        cv2.imwrite(str(tmp_path / "scans/A" / name), np.arange(600, dtype=np.uint16).reshape(20, 30))
    for name in "xy":
        cv2.imwrite(str(tmp_path / f"masks/A/{name}.png"), np.pad(np.full((8, 9), 255, np.uint8), ((5, 7), (6, 15))))
    options = {"masks": tmp_path / "masks", "labels": LABEL, "tasks": ("detection",), "spacing": Spacing(1.0, 1.0)}
    samples, made = take(tmp_path, **options)
    assert [sample.id for sample in samples] == ["image-3_detection_lesion"]
    assert ["several images have this name" in why for _, _, why in made.ledger.left] == [True, True]
