"""DICOM series: the volume that their files make, masks and rows of it, and the people on them."""

import csv

import numpy as np
import pydicom
import pydicom.data
import pytest
from pydicom.dataset import Dataset
from scans import CT, MR, dicom, inside_ellipse, nifti, series

from medvision_agent.errors import DataError
from medvision_agent.eval.data.sources import open_source
from medvision_agent.eval.importing import dicom as dicom_module
from medvision_agent.eval.importing.choices import Choices
from medvision_agent.eval.importing.grid import ras_to_lps
from medvision_agent.eval.importing.importer import import_images

RNG = np.random.default_rng(3)
PIXELS = RNG.integers(0, 2000, (40, 30)).astype(np.uint16)
OBLIQUE = (0.96, 0.28, 0.0, 0.0, 0.0, -1.0)
PLACED = {
    "PixelSpacing": [0.5, 2.0],
    "ImagePositionPatient": [0, 0, 0],
    "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
}


@pytest.mark.parametrize("turn", [(1, 0, 0, 0, 1, 0), OBLIQUE, (0, 1, 0, 0, 0, -1), (-1, 0, 0, 0, -1, 0)])
def test_a_series_with_a_nifti_mask_gives_the_known_axes(tmp_path, turn):
    shape = (50, 90, 4)  # columns, rows, slices
    stack = RNG.integers(0, 2000, (4, 90, 50)).astype(np.uint16)
    affine = series(tmp_path / "scan/Doe", stack, turn=turn, spacing=(0.5, 1.0), RescaleSlope=1, RescaleIntercept=-1024)
    across, down = np.array(turn[:3]), np.array(turn[3:])
    along, aside = (np.cos(0.5) * across + np.sin(0.5) * down), (np.cos(0.5) * down - np.sin(0.5) * across)
    center = (affine @ (24.5, 44.5, 2, 1))[:3]
    mask = inside_ellipse(affine, shape, center, (along * 12, aside * 7))
    nifti(tmp_path / "mask.nii.gz", mask.astype(np.uint8), ras_to_lps(affine))
    choices = Choices(images=tmp_path / "scan", masks=tmp_path / "mask.nii.gz", labels={1: "lesion"}, dataset="d")
    made = import_images(choices, tmp_path / "out")
    source = open_source(str(tmp_path / "out/samples.jsonl"))
    size = source.samples[1]
    assert size.target == pytest.approx((24, 14), abs=0.6)
    assert size.subject == "d/subject-1"
    picture = source.load(size).values
    box = source.samples[0]
    x1, y1, x2, y2 = box.target
    area = (x2 - x1) * picture.shape[1] * (y2 - y1) * picture.shape[0]
    rows, columns = np.nonzero(mask[:, :, 2].T)
    assert area == pytest.approx(np.ptp(rows + 0) * np.ptp(columns) + np.ptp(rows) + np.ptp(columns) + 1, abs=1e-2)
    assert sorted(picture.ravel()) == sorted(stack[2].ravel() - 1024.0)
    assert made.ledger.derived["subject"] == {"DICOM PatientID, as a pseudonym": 1}
    for path in (tmp_path / "out").rglob("*"):
        text = path.read_bytes().lower() if path.is_file() else b""
        assert not any(word in text + path.name.lower().encode() for word in (b"doe", b"jane", b"mrn4711", b"1970"))


def test_a_row_about_a_file_of_a_series_is_about_its_slice(tmp_path):
    stack = np.stack([np.full((20, 30), 100 * k, np.uint16) for k in range(3)])
    series(tmp_path / "scan", stack)
    (tmp_path / "t.csv").write_text(
        "image,task,landmarks,measurement,x1,y1,x2,y2,value\nDoe_Jane_1.dcm,distance,a;b,width,2,4,12,4,20\n"
    )
    made = import_images(Choices(images=tmp_path / "scan", table=tmp_path / "t.csv"), tmp_path / "out")
    source = open_source(str(tmp_path / "out/samples.jsonl"))
    assert source.samples[0].target == (20.0,)
    assert set(source.load(source.samples[0]).values.ravel()) == {200.0}  # InstanceNumber 1 lies at the end
    assert "image-1_s002" in source.samples[0].id
    assert not made.ledger.left


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda data, k: setattr(data, "ImagePositionPatient", [0, 0, (0, 3, 9, 12)[k]]), "not evenly spaced"),
        (lambda data, k: setattr(data, "ImagePositionPatient", [0, 0, (0, 3, 3, 6)[k]]), "have the same position"),
        (lambda data, k: setattr(data, "PixelSpacing", [0.5, 2.0 + k]), "differ in PixelSpacing"),
        (lambda data, k: k == 3 and setattr(data, "PatientID", "other"), "different values of PatientID"),
        (
            lambda data, k: k == 3 and setattr(data, "ImageOrientationPatient", list(OBLIQUE)),
            "differ in ImageOrientationPatient",
        ),
    ],
)
def test_series_that_are_no_volume_are_refused_by_name(tmp_path, change, words):
    series(tmp_path / "scan", np.zeros((4, 20, 30), np.uint16))
    for path in (tmp_path / "scan").iterdir():
        data = pydicom.dcmread(path)
        change(data, 4 - data.InstanceNumber)
        data.save_as(path, enforce_file_format=True)
    (tmp_path / "t.csv").write_text("image,label,x_min,y_min,x_max,y_max,slice\nscan,x,1,1,5,5,0\n")
    with pytest.raises(DataError, match=words):
        import_images(Choices(images=tmp_path / "scan", table=tmp_path / "t.csv"), tmp_path / "out")


def test_a_series_that_takes_too_much_memory_is_refused(tmp_path, monkeypatch):
    series(tmp_path / "scan", np.zeros((4, 20, 30), np.uint16))
    (tmp_path / "t.csv").write_text("image,label,x_min,y_min,x_max,y_max,slice\nscan,x,1,1,5,5,0\n")
    monkeypatch.setattr(dicom_module, "MAX_BYTES", 3 * 20 * 30 * 2)
    with pytest.raises(DataError, match=r"file 4 of 4 of this series.*takes more than"):
        import_images(Choices(images=tmp_path / "scan", table=tmp_path / "t.csv"), tmp_path / "out")


def enhanced(stack, gap=3.0):
    """Return an enhanced MR file whose frames have positions and scales of their own."""

    def item(**attributes):
        one = Dataset()
        for name, value in attributes.items():
            setattr(one, name, value)
        return one

    shared = item(
        PixelMeasuresSequence=[item(PixelSpacing=[0.5, 2.0], SliceThickness=gap)],
        PlaneOrientationSequence=[item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
    )
    frames = [
        item(
            PlanePositionSequence=[item(ImagePositionPatient=[0, 0, -gap * k])],
            PixelValueTransformationSequence=[item(RescaleSlope=k + 1, RescaleIntercept=0, RescaleType="US")],
        )
        for k in range(len(stack))
    ]
    return dicom(
        stack, kind="1.2.840.10008.5.1.4.1.1.4.1", Modality="MR", NumberOfFrames=len(stack),
        SharedFunctionalGroupsSequence=[shared], PerFrameFunctionalGroupsSequence=frames,
    )  # fmt: skip


def test_the_frames_of_an_enhanced_file_are_slices_with_their_own_scale(tmp_path):
    stack = RNG.integers(1, 500, (3, 20, 30)).astype(np.uint16)
    enhanced(stack).save_as(tmp_path / "a.dcm", enforce_file_format=True)
    (tmp_path / "t.csv").write_text("image,label,x_min,y_min,x_max,y_max,slice\na.dcm,x,1,1,5,5,0\na.dcm,x,1,1,5,5,2\n")
    import_images(Choices(images=tmp_path / "a.dcm", table=tmp_path / "t.csv"), tmp_path / "out")
    source = open_source(str(tmp_path / "out/samples.jsonl"))
    low, high = (source.load(sample).values for sample in source.samples)
    assert (low == stack[2] * 3.0).all()  # slices are counted towards the head
    assert (high == stack[0]).all()
    assert source.samples[0].pixel_size.width_mm == 2.0


def test_people_get_pseudonyms_and_files_without_images_are_named(tmp_path):
    for name, patient in (("a", "MRN1"), ("b", "MRN2"), ("c", "MRN1")):
        data = dicom(PIXELS, kind=MR, **PLACED, PatientID=patient, SeriesInstanceUID=f"1.2.{ord(name)}")
        data.save_as(tmp_path / f"{name}.dcm", enforce_file_format=True)
    report = dicom(PIXELS, kind=CT, Rows=None, PixelData=None)
    report.save_as(tmp_path / "report.dcm", enforce_file_format=True)
    with (tmp_path / "t.csv").open("w") as file:
        rows = [(f"{name}.dcm", "x", 1, 1, 5, 5) for name in "abc"]
        csv.writer(file).writerows([("image", "label", "x_min", "y_min", "x_max", "y_max"), *rows])
    made = import_images(Choices(images=tmp_path, table=tmp_path / "t.csv"), tmp_path / "out")
    samples = open_source(str(tmp_path / "out/samples.jsonl")).samples
    assert [sample.subject for sample in samples] == ["imported/subject-1", "imported/subject-2", "imported/subject-1"]
    assert [(path.name, why) for _, path, why in made.ledger.left] == [("report.dcm", "a DICOM file without an image")]


def test_a_row_names_one_file_of_one_series(tmp_path):
    for name in ("p.1", "p.2"):
        series(
            tmp_path / "scans" / name, RNG.integers(0, 900, (3, 20, 30)).astype(np.uint16), SeriesInstanceUID=name[2]
        )
    head, cells = "image,label,x_min,y_min,x_max,y_max\n", ",lesion,3,5,13,15\n"
    (tmp_path / "t.csv").write_text(head + "Doe_Jane_1.dcm" + cells)
    choices = Choices(images=tmp_path / "scans", table=tmp_path / "t.csv")
    with pytest.raises(DataError, match="line 2: no image has the name in the column image, or several have it"):
        import_images(choices, tmp_path / "no")
    (tmp_path / "t.csv").write_text(head + "p.2/Doe_Jane_1.dcm" + cells)
    assert import_images(choices, tmp_path / "out").samples == 1
    assert open_source(str(tmp_path / "out/samples.jsonl")).samples[0].id == "image-2_s002_detection_lesion"


def test_one_mask_is_not_of_two_series_in_one_folder(tmp_path):
    folder, stack = tmp_path / "scan", np.zeros((2, 20, 30), np.uint16)
    affine = series(folder, stack)
    for number in (1, 2):
        (folder / f"Doe_Jane_{number}.dcm").rename(folder / f"a{number}.dcm")
    series(folder, stack, SeriesInstanceUID="4.5.6")
    mask = np.zeros((30, 20, 2), np.uint8)
    mask[5:15, 5:15] = 1
    file = nifti(tmp_path / "mask.nii.gz", mask, ras_to_lps(affine))
    with pytest.raises(DataError, match="is one file, but there are several images"):
        import_images(Choices(images=folder, masks=file), tmp_path / "out")
