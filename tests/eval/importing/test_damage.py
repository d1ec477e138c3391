"""Damaged and forged files: whatever a file holds, an import ends in samples or in an error that says what to do."""

import gzip
import json
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scans import dicom, nifti

from medvision_agent.errors import MedVisionAgentError
from medvision_agent.eval.importing.choices import Choices
from medvision_agent.eval.importing.importer import import_images
from medvision_agent.tools.view.geometry import Spacing

PIXELS = np.arange(30 * 20, dtype=np.uint16).reshape(30, 20)
CHANGES = st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), min_size=1, max_size=6)
OFTEN = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    data = dicom(
        PIXELS, PixelSpacing=[1, 1], ImagePositionPatient=[0, 0, 0], ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
        RescaleSlope=1, RescaleIntercept=-1024, WindowCenter=40, WindowWidth=400, NumberOfFrames=1, SliceThickness=1,
    )  # fmt: skip
    data.save_as(folder / "a.dcm", enforce_file_format=True)
    nifti(folder / "a.nii", PIXELS[:, :, None].astype(np.int16), np.diag([-1.0, -1.0, 1.0, 1.0]))
    head = "image,spacing_mm,label,x_min,y_min,x_max,y_max,slice\n"
    (folder / "dcm.csv").write_text(f"{head}a.dcm,,x,1,1,5,5,0\n")
    (folder / "nii.csv").write_text(f"{head}a.nii,,x,1,1,5,5,0\n")
    return folder


@OFTEN
@given(changes=CHANGES, cut=st.integers(0, 3000))
@pytest.mark.parametrize("suffix", ["dcm", "nii"])
def test_bytes_that_are_changed_or_cut_off(folder, tmp_path_factory, suffix, changes, cut):
    work = tmp_path_factory.mktemp("damaged")
    whole = bytearray((folder / f"a.{suffix}").read_bytes())
    for at, value in changes:
        if at < min(len(whole), 900):
            whole[at] = value
    (work / f"a.{suffix}").write_bytes(whole[: cut or None] if cut % 3 == 0 else whole)
    with suppress(MedVisionAgentError):
        import_images(Choices(images=work / f"a.{suffix}", table=folder / f"{suffix}.csv"), work / "out")
        return
    assert not (work / "out").exists()


KEYS = [
    "markups",
    "type",
    "coordinateSystem",
    "controlPoints",
    "label",
    "position",
    "images",
    "annotations",
    "categories",
    "id",
    "file_name",
    "bbox",
    "image_id",
    "category_id",
    "width",
    "height",
    "name",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=20,
)
LETTERS = 'image,slice_mm\n"x1;=-#.RAS LPScolumnsordinateSystem\0\x1b'


@OFTEN
@given(whole=JSON)
@pytest.mark.parametrize("kind", ["markups", "coco"])
def test_json_of_any_form(folder, tmp_path_factory, kind, whole):
    work = tmp_path_factory.mktemp("json")
    (work / "a.mrk.json").write_text(json.dumps(whole))
    choices = Choices(images=folder / "a.nii", **{kind: work / "a.mrk.json"})
    with suppress(MedVisionAgentError):
        import_images(choices, work / "out")


@OFTEN
@given(
    text=st.text(alphabet=st.sampled_from('image,slice_mm\n"x1;=-#.RAS LPScolumnsordinateSystem\0\x1b'), max_size=300)
)
@pytest.mark.parametrize("kind", ["table", "markups", "subjects"])
def test_texts_of_any_form(folder, tmp_path_factory, kind, text):
    work = tmp_path_factory.mktemp("text")
    (work / "a.fcsv").write_text(text)
    given = {"table": folder / "nii.csv"} | {kind: work / "a.fcsv"}
    with suppress(MedVisionAgentError):
        import_images(Choices(images=folder / "a.nii", spacing=Spacing(1, 1), **given), work / "out")


def test_a_volume_that_is_far_larger_than_its_file_is_refused(folder, tmp_path):
    raw = bytearray((folder / "a.nii").read_bytes())
    raw[42:48] = np.array([30_000, 30_000, 30_000], "<i2").tobytes()
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(bytes(raw)))
    with pytest.raises(MedVisionAgentError, match=r"takes more than 4 GB"):
        import_images(Choices(images=tmp_path / "a.nii.gz", table=folder / "nii.csv"), tmp_path / "out")
