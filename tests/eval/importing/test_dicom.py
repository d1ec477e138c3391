"""DICOM files: values, spacing, geometry and people of real files, and what is refused by name."""

import csv
from pathlib import Path

import numpy as np
import pydicom
import pydicom.data
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import MPEG2MPML, JPEGLSLossless
from scans import CR, CT, MR, US, dicom, inside_ellipse, nifti, series

from medvision_agent.errors import DataError
from medvision_agent.eval.data.sources import open_source
from medvision_agent.eval.importing import dicom as dicom_module
from medvision_agent.eval.importing.choices import Choices
from medvision_agent.eval.importing.grid import ras_to_lps
from medvision_agent.eval.importing.importer import import_images
from medvision_agent.tools.view.geometry import Spacing

RNG = np.random.default_rng(3)
PIXELS = RNG.integers(0, 2000, (40, 30)).astype(np.uint16)
OBLIQUE = (0.96, 0.28, 0.0, 0.0, 0.0, -1.0)


def one(folder, pixels=PIXELS, columns="", cells="", name="Doe_Jane.dcm", choices=None, **attributes):
    """Import one file with a box from a table, and return the sample, its native image and what was made."""
    folder.mkdir(parents=True, exist_ok=True)
    dicom(pixels, **attributes).save_as(folder / name, enforce_file_format=True)
    table = folder / "table.csv"
    table.write_text(f"image,label,x_min,y_min,x_max,y_max{columns}\n{name},lesion,3,5,13,25{cells}\n")
    choices = {"table": table, **(choices or {})}
    made = import_images(Choices(images=folder / name, **choices), folder / "out")
    source = open_source(str(folder / "out/samples.jsonl"))
    return source.samples[0], source.load(source.samples[0]), made


PLACED = {
    "PixelSpacing": [0.5, 2.0],
    "ImagePositionPatient": [0, 0, 0],
    "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
}


def test_a_ct_is_in_hu_upright_and_of_its_spacing(tmp_path):
    pixels = (PIXELS.astype(np.int16) - 1000).astype(np.int16)
    sample, native, _ = one(
        tmp_path,
        pixels,
        **PLACED,
        RescaleSlope=2,
        RescaleIntercept=-24,
        WindowCenter=[40, 400],
        WindowWidth=[350, 1500],
    )
    assert (native.values == pixels * 2.0 - 24).all()
    assert native.units == "HU"
    assert (sample.pixel_size.height_mm, sample.pixel_size.width_mm) == (0.5, 2.0)
    assert (sample.plane, sample.modality, sample.description) == ("axial", "CT", "An axial CT image")
    assert "level 40, width 350" in sample.source
    assert sample.target == pytest.approx((3 / 30, 1 - 25 / 40, 13 / 30, 1 - 5 / 40), abs=1e-6)


def test_a_modality_that_replaces_the_headers_is_asked_about(tmp_path):
    sample, _, made = one(tmp_path / "a", **PLACED, choices={"modality": "MR"})
    assert sample.modality == "MR"
    assert any("another modality than --modality" in question for question in made.ledger.unknown)
    _, _, made = one(tmp_path / "b", **PLACED, choices={"modality": "CT"})
    assert not any("another modality" in question for question in made.ledger.unknown)


def test_a_box_of_stored_pixels_lies_there_when_the_picture_is_turned(tmp_path):
    turned = {**PLACED, "ImageOrientationPatient": [-1, 0, 0, 0, -1, 0]}  # face down
    sample, native, _ = one(tmp_path, **turned)
    assert (native.values == PIXELS[::-1, ::-1]).all()
    assert sample.target == pytest.approx((1 - 13 / 30, 5 / 40, 1 - 3 / 30, 25 / 40), abs=1e-6)


@pytest.mark.parametrize(
    ("attributes", "expected", "units"),
    [
        ({"Modality": "MR"}, PIXELS, "native values, unit unknown"),
        ({"Modality": "PT", "RescaleSlope": 0.5, "RescaleIntercept": 0, "RescaleType": "BQML"}, PIXELS * 0.5, None),
        ({"Modality": "CT", "RescaleSlope": 1, "RescaleIntercept": 5, "RescaleType": "US"}, PIXELS + 5.0, None),
        ({"Modality": "MR", "PhotometricInterpretation": "MONOCHROME1", "BitsStored": 12, "HighBit": 11},
         4095.0 - PIXELS, None),
    ],
)  # fmt: skip
def test_values_follow_from_the_header(tmp_path, attributes, expected, units):
    _, native, _ = one(tmp_path, **PLACED, **attributes)
    assert native.values == pytest.approx(expected, abs=0.02)
    assert native.units == (units or "native values, unit unknown")


def test_padding_is_no_tissue(tmp_path):
    pixels = PIXELS.astype(np.int16)
    pixels[:5] = -2000
    _, native, made = one(
        tmp_path, pixels, **PLACED, RescaleSlope=1, RescaleIntercept=-1000, PixelPaddingValue=-2000
    )  # fmt: skip
    assert native.values.min() == pixels[5:].min() - 1000
    assert made.ledger.derived["native values"]["padding, set to the least value of its slice (pixels)"] == 150


def test_colours_and_8_bits_are_grey_as_displayed(tmp_path):
    rgb = RNG.integers(0, 256, (40, 30, 3)).astype(np.uint8)
    colour = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0}
    shape = {"Rows": 40, "Columns": 30, "Modality": "US", "BurnedInAnnotation": "NO"}
    _, native, _ = one(
        tmp_path / "rgb", rgb, kind=US, **colour, **shape, choices={"spacing": Spacing(0.2, 0.2), "plane": "oblique"}
    )
    assert native.displayed
    assert native.values == pytest.approx(rgb @ (0.299, 0.587, 0.114), abs=1)
    grey = PIXELS.astype(np.uint8)
    _, native, _ = one(tmp_path / "white", grey, **PLACED, Modality="MR", PhotometricInterpretation="MONOCHROME1")
    assert native.displayed
    assert (native.values == 255 - grey).all()


@pytest.mark.parametrize(
    ("attributes", "words", "size"),
    [
        ({"ImagerPixelSpacing": [0.2, 0.3]}, "ImagerPixelSpacing alone", (0.2, 0.3)),
        ({"ImagerPixelSpacing": [0.2, 0.3], "PixelSpacing": [0.2, 0.3]}, "equals ImagerPixelSpacing", (0.2, 0.3)),
        ({"PixelSpacing": [0.2, 0.3]}, "not known to be corrected", (0.2, 0.3)),
        ({"NominalScannedPixelSpacing": [0.2, 0.3]}, "scanned film", (0.2, 0.3)),
    ],
)
def test_a_size_at_the_detector_is_taken_only_where_it_is_accepted(tmp_path, attributes, words, size):
    radiograph = {"kind": CR, "Modality": "CR", **attributes}
    with pytest.raises(DataError, match=words):
        one(tmp_path / "no", **radiograph)
    sample, _, made = one(tmp_path / "yes", **radiograph, choices={"accept_detector_spacing": True, "plane": "frontal"})
    assert (sample.pixel_size.height_mm, sample.pixel_size.width_mm) == size
    assert words in sample.source
    assert any(words in origin for origin in made.ledger.derived["pixel_size"])


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"PixelSpacingCalibrationType": "FIDUCIAL"}, "calibrated (FIDUCIAL)"),
        ({"PixelSpacingCalibrationType": "GEOMETRY"}, "calibrated (GEOMETRY)"),
        ({}, "the type is not stated"),
    ],
)
def test_a_calibrated_size_is_taken_and_said(tmp_path, attributes, words):
    given = {"PixelSpacing": [0.1, 0.15], "ImagerPixelSpacing": [0.2, 0.3], **attributes}
    sample, _, _ = one(tmp_path, kind=CR, Modality="DX", **given)
    assert (sample.pixel_size.height_mm, sample.pixel_size.width_mm) == (0.1, 0.15)
    assert words in sample.source


def test_a_table_must_not_state_another_size_than_the_header(tmp_path):
    one(tmp_path / "same", **PLACED, columns=",height_mm,width_mm", cells=",0.5,2.0")
    with pytest.raises(DataError, match=r"the table states a pixel of 2 x 0\.5 mm, and its header one of 0\.5 x 2 mm"):
        one(tmp_path / "other", **PLACED, columns=",height_mm,width_mm", cells=",2.0,0.5")


def test_no_size_at_all_needs_the_users_word(tmp_path):
    with pytest.raises(DataError, match="nothing states its pixel size"):
        one(tmp_path / "no", Modality="MR")
    sample, _, made = one(tmp_path / "yes", Modality="MR", choices={"spacing": Spacing(0.4, 0.6)})
    assert sample.pixel_size.width_mm == 0.6
    assert made.ledger.derived["pixel_size"] == {"--spacing: the user's word": 1}
    with pytest.raises(DataError, match=r"--spacing states 0\.4 x 0\.6 mm, but its DICOM PixelSpacing"):
        one(tmp_path / "both", **PLACED, choices={"spacing": Spacing(0.4, 0.6)})


def test_ultrasound_regions_state_centimetres(tmp_path):
    region = Dataset()
    region.RegionSpatialFormat, region.PhysicalUnitsXDirection, region.PhysicalUnitsYDirection = 1, 3, 3
    region.PhysicalDeltaX, region.PhysicalDeltaY = 0.02, 0.03
    given = {"kind": US, "Modality": "US", "SequenceOfUltrasoundRegions": Sequence([region])}
    sample, _, made = one(tmp_path, PIXELS.astype(np.uint8), **given)
    assert (sample.pixel_size.height_mm, sample.pixel_size.width_mm) == pytest.approx((0.3, 0.2))
    assert any("Do the pixels show names" in question for question in made.ledger.unknown)


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"BurnedInAnnotation": "YES"}, "BurnedInAnnotation is YES"),
        ({"RescaleSlope": 0, "RescaleIntercept": 0}, "a slope other than 0"),
        ({"RescaleSlope": 1}, "expected both"),
        ({"PixelSpacing": [0, 1]}, "PixelSpacing"),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "two perpendicular directions"),
        ({"PhotometricInterpretation": "CIELAB"}, "CIELAB"),
        ({"PixelData": b"\0" * 10}, "cut short, damaged"),
        ({"PixelData": None}, "no PixelData"),
        ({"Rows": 9000}, "at most 8192 px"),
        ({"NumberOfFrames": 2, "PixelData": PIXELS.tobytes() * 2}, "cine loop"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(tmp_path, attributes, words):
    with pytest.raises(DataError, match=words):
        one(tmp_path, **{**PLACED, **attributes})
    assert not (tmp_path / "out").exists()


def test_burned_in_text_can_be_accepted_and_is_asked_about(tmp_path):
    _, _, made = one(tmp_path, **PLACED, BurnedInAnnotation="YES", choices={"accept_burned_in": True})
    assert any("burned into the pixels" in question for question in made.ledger.unknown)


def test_burned_in_text_is_blackened_where_the_user_says(tmp_path):
    _, native, made = one(
        tmp_path, PIXELS + 7, **PLACED, BurnedInAnnotation="YES", choices={"redact": ((0, 2, 30, 9),)}
    )
    assert (native.values[2:9] == PIXELS.min() + 7).all()
    assert (native.values[9:] == PIXELS[9:] + 7).all()
    assert any("burned into the pixels" in question for question in made.ledger.unknown)
    with pytest.raises(DataError, match="extends beyond the image"):
        one(tmp_path / "far", **PLACED, choices={"redact": ((0, 0, 31, 9),)})


REAL = Path(pydicom.data.__file__).parent / "test_files"


@pytest.mark.parametrize(
    ("name", "size", "units"),
    [
        ("CT_small.dcm", 0.661468, "HU"),
        ("MR_small.dcm", 0.3125, "native values, unit unknown"),
        ("MR_small_RLE.dcm", 0.3125, "native values, unit unknown"),
        ("MR_small_bigendian.dcm", 0.3125, "native values, unit unknown"),
    ],
)
def test_files_of_scanners(tmp_path, name, size, units):
    data = pydicom.dcmread(REAL / name)
    (tmp_path / "t.csv").write_text(f"image,label,x_min,y_min,x_max,y_max\n{name},x,1,1,5,5\n")
    import_images(Choices(images=REAL / name, table=tmp_path / "t.csv"), tmp_path / "out")
    source = open_source(str(tmp_path / "out/samples.jsonl"))
    native = source.load(source.samples[0])
    stored = data.pixel_array * float(data.get("RescaleSlope", 1)) + float(data.get("RescaleIntercept", 0))
    assert (native.values == stored).all()
    assert native.units == units
    assert source.samples[0].pixel_size.height_mm == size


def test_every_file_that_pydicom_is_tested_with_is_an_image_or_is_refused_by_name(tmp_path, caplog):
    files = sorted(REAL.rglob("*.dcm"))
    rows = "".join(f"{path.relative_to(REAL).as_posix()},x,1,1,3,3,0\n" for path in files)
    (tmp_path / "t.csv").write_text(f"image,label,x_min,y_min,x_max,y_max,slice\n{rows}")
    made = import_images(Choices(images=REAL, table=tmp_path / "t.csv"), tmp_path / "out")
    assert made.samples >= 5
    assert not caplog.records  # nothing of pydicom's own words, which may hold values of a header
    reasons = {path.name: why for _, path, why in made.ledger.left}
    assert any("needs a decoder; install: pip install" in why for why in reasons.values())
    assert "without an image" in reasons["test-SR.dcm"]
    assert any("cut short" in why for why in reasons.values())
    assert "not a readable DICOM" in reasons["no_meta.dcm"]
    assert "DICOM" not in {tag for tag, _, why in made.ledger.left if "line" in why}


@pytest.mark.parametrize(
    ("syntax", "words"), [(JPEGLSLossless, r"JPEG-LS.*install: pip install"), (MPEG2MPML, "does not decode")]
)
def test_compressed_pixels_without_a_decoder_are_refused_by_what_to_install(tmp_path, syntax, words):
    data = dicom(PIXELS, **PLACED)
    data.file_meta.TransferSyntaxUID = syntax
    data.PixelData = encapsulate([b"\xff\xd8\xff\xd9"])
    data["PixelData"].is_undefined_length = True
    data.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    (tmp_path / "t.csv").write_text("image,label,x_min,y_min,x_max,y_max\na.dcm,x,1,1,5,5\n")
    with pytest.raises(DataError, match=words):
        import_images(Choices(images=tmp_path / "a.dcm", table=tmp_path / "t.csv"), tmp_path / "out")


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
        (lambda data, k: setattr(data, "ImagePositionPatient", [0, 0, (0, 3, 3, 6)[k]]), "lie in one place"),
        (lambda data, k: setattr(data, "PixelSpacing", [0.5, 2.0 + k]), "differ in PixelSpacing"),
        (lambda data, k: k == 3 and setattr(data, "PatientID", "other"), "different PatientIDs"),
        (lambda data, k: k == 3 and setattr(data, "ImageOrientationPatient", list(OBLIQUE)), "different directions"),
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
    with pytest.raises(DataError, match=r"file 4 of the 4 of its series.*takes more than"):
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
    with pytest.raises(DataError, match="line 2: no image of that name was read, or several have it"):
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
    with pytest.raises(DataError, match="--masks is one file, but there are several images"):
        import_images(Choices(images=folder, masks=file), tmp_path / "out")
