"""DICOM files: values and spacing, also of real files, and what is refused by name."""

from pathlib import Path

import numpy as np
import pydicom
import pydicom.data
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import MPEG2MPML, JPEGLSLossless
from scans import CR, US, dicom

from medvision_agent.errors import DataError
from medvision_agent.eval.data.sources import open_source
from medvision_agent.eval.importing.choices import Choices
from medvision_agent.eval.importing.importer import import_images
from medvision_agent.tools.view.geometry import Spacing

RNG = np.random.default_rng(3)
PIXELS = RNG.integers(0, 2000, (40, 30)).astype(np.uint16)


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
    with pytest.raises(DataError, match=r"--table states a pixel of 2 x 0\.5 mm, but the header one of 0\.5 x 2 mm"):
        one(tmp_path / "other", **PLACED, columns=",height_mm,width_mm", cells=",2.0,0.5")


def test_no_size_at_all_needs_the_users_word(tmp_path):
    with pytest.raises(DataError, match="nothing states the pixel size"):
        one(tmp_path / "no", Modality="MR")
    sample, _, made = one(tmp_path / "yes", Modality="MR", choices={"spacing": Spacing(0.4, 0.6)})
    assert sample.pixel_size.width_mm == 0.6
    assert made.ledger.derived["pixel_size"] == {"--spacing: the user's word": 1}
    with pytest.raises(DataError, match=r"--spacing states 0\.4 x 0\.6 mm, but DICOM PixelSpacing"):
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
        ({"PixelData": b"\0" * 10}, "cut short or damaged"),
        ({"PixelData": None}, "no attribute PixelData"),
        ({"Rows": 9000}, "1 frame of 30 x 9000 px .NumberOfFrames, Columns, Rows.; expected 1 to 8192 px"),
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
