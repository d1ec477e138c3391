"""What native values are measured in: declared by the source, kept in files, never guessed."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from installed import plugged_in, written

from medvision_agent.errors import DataError
from medvision_agent.eval.asking.recipe import RECIPES, recipe_named
from medvision_agent.eval.data.medvision.units import units_of
from medvision_agent.eval.data.sample import Sample, StoredValues
from medvision_agent.eval.data.sources import SOURCES, open_source
from medvision_agent.eval.data.sources.export import export
from medvision_agent.tools.view.geometry import Size
from medvision_agent.tools.view.slice import Units

MINI = Path(__file__).parents[2] / "data/medvision-mini/Data"
STORED = np.array([[0, 24, 1024], [1064, 2000, 4071]], np.uint16)
FIELDS = {
    "id": "a",
    "task": "distance",
    "image": "a.png",
    "pixel_size": {"height_mm": 1, "width_mm": 2},
    "modality": "CT",
    "plane": "axial",
    "landmarks": ["tip", "base"],
    "target": [3.0],
    "convention": "edge",
    "dataset": "lab",
    "subject": "lab/1",
}


@pytest.fixture
def own(tmp_path):
    """Return a function that writes a sample whose picture holds STORED, and opens its file."""

    def made(pixels=STORED, **more):
        (tmp_path / "a.png").write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
        (tmp_path / "samples.jsonl").write_text(json.dumps(FIELDS | more))
        source = open_source(str(tmp_path / "samples.jsonl"))
        return source, source.samples[0]

    return made


def test_a_file_declares_hu_with_dicoms_rescale(own):
    source, sample = own(values={"units": "HU", "slope": 0.5, "intercept": -1024})
    native = source.load(sample)
    assert np.array_equal(native.values, STORED * 0.5 - 1024)
    assert native.units is Units.HU
    image = RECIPES["medvision-1.2"].slice_of(native, sample)
    assert (image.units, image.stack) == (Units.HU, None)


def test_a_modality_declares_nothing(own):
    source, sample = own()
    native = source.load(sample)
    assert np.array_equal(native.values, STORED)
    assert native.units is Units.UNKNOWN
    source, sample = own(values={"slope": 2})
    assert source.load(sample).units is Units.UNKNOWN
    assert open_source("demo").load(open_source("demo").samples[0]).units is Units.GREY


def test_samples_that_declare_nothing_are_written_as_before(own):
    _, sample = own(values={})
    assert sample.values is None
    assert "values" not in json.loads(sample.model_dump_json(exclude={"image"}))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"units": "hu"}, "values.units: Input should be 'HU' or ''"),
        ({"units": "HU", "slope": 0}, "values.slope: Input should be greater than 0"),
        ({"slope": 1e31}, "values.slope"),
        ({"intercept": "-1024"}, "values.intercept: Input should be a valid number"),
        ({"offset": 1}, "values.offset: unknown key; leave it out"),
    ],
)
def test_what_cannot_be_right_names_line_and_field(own, values, words):
    with pytest.raises(DataError, match=rf"samples\.jsonl:1: {words}"):
        own(values=values)


def test_grey_levels_as_displayed_are_not_hu(own):
    source, sample = own(STORED.astype(np.uint8), values={"units": "HU"})
    with pytest.raises(DataError, match=r"samples\.jsonl:1: values: cannot be given for an 8-bit image"):
        source.load(sample)


@pytest.mark.parametrize("out", ["out", "out.parquet"])
def test_unit_and_values_survive_an_export(own, tmp_path, out):
    source, sample = own(values={"units": "HU", "intercept": -1024})
    export(source, [sample], tmp_path / out)
    again = open_source(str(tmp_path / out if out.endswith("parquet") else tmp_path / out / "samples.jsonl"))
    native = again.load(again.samples[0])
    assert again.samples[0].values == StoredValues(units="HU", intercept=-1024)
    assert np.array_equal(native.values, source.load(sample).values)
    assert native.units is Units.HU


def test_an_export_of_an_earlier_version_is_read_as_then(own):
    facts = open_source(f"medvision:{MINI}").samples[0].medvision
    old = facts.model_copy(update={"stored_slope": 2.0, "stored_offset": -5.0})
    source, sample = own(medvision=old.model_dump(mode="json"))
    assert np.array_equal(source.load(sample).values, STORED * 2.0 - 5)


@pytest.mark.parametrize(
    ("dataset", "modality", "units"),
    [
        ("KiTS23", "CT", Units.HU),
        ("AMOS22", "MRI", Units.UNKNOWN),
        ("KiPA22", "CT", Units.UNKNOWN),
        ("ToothFairy2", "CT", Units.UNKNOWN),
        ("MiniTumor", "CT", Units.UNKNOWN),
    ],
)
def test_medvisions_ct_is_in_hu_where_its_dataset_says_so(dataset, modality, units):
    assert units_of(dataset, modality) is units


MADE = """
import numpy as np

from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.source import NativeImage, SourceInfo
from medvision_agent.tools.view.slice import Stack, Units


class Lab:
    info = SourceInfo("lab", demonstration=False, note="From the lab.")

    def __init__(self, wrong):
        self.samples = [Sample.model_validate(FIELDS)]
        self.wrong = wrong

    def load(self, sample):
        values = {
            "shape": lambda away: np.zeros((3, 3)),
            "nan": lambda away: np.full((2, 3), np.nan),
            "raises": lambda away: 1 / 0,
        }.get(self.wrong, lambda away: np.full((2, 3), away))
        stack = {"none": None, "text": "above", "first": Stack(1, 2, 1.0, values), "step": Stack(-1, 1, 0, values)}
        declared = "HU" if self.wrong == "plain text" else "Hounsfield" if self.wrong == "unit" else Units.HU
        return NativeImage(np.zeros((2, 3)), False, declared, stack.get(self.wrong, Stack(-1, 1, 2.0, values)))
"""


@pytest.fixture
def lab(tmp_path):
    made = MADE + f"\nFIELDS = {FIELDS | {'landmarks': ('tip', 'base'), 'target': (3.0,)}!r}\n"
    with plugged_in(written(tmp_path / "site", "some-lab", SOURCES.group, {"lab": "some_lab:Lab"}, some_lab=made)):
        yield


def test_a_package_declares_units_and_slices_beside(lab):
    for name in ("lab:fine", "lab:plain text"):
        source = open_source(name)
        native = source.load(source.samples[0])
        assert native.units is Units.HU
        assert np.array_equal(native.stack.values(-1), np.full((2, 3), -1, np.float32))
    assert open_source("lab:none").load(source.samples[0]).stack is None


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("unit", "declared: 'Hounsfield' is not a known unit; expected"),
        ("text", "stack: expected a Stack with first <= 0 <= last"),
        ("first", "stack: expected a Stack with first <= 0 <= last"),
        ("step", "a finite step_mm above 0"),
    ],
)
def test_what_a_package_declares_wrongly_is_named(lab, wrong, words):
    source = open_source(f"lab:{wrong}")
    with pytest.raises(DataError, match=f"some-lab.*{words}"):
        source.load(source.samples[0])


@pytest.mark.parametrize(
    ("wrong", "words"), [("shape", "slice 1 must hold real numbers"), ("nan", "NaN"), ("raises", "zero")]
)
def test_a_slice_beside_is_checked_when_it_is_asked_for(lab, wrong, words):
    source = open_source(f"lab:{wrong}")
    native = source.load(source.samples[0])
    with pytest.raises(DataError, match=f"some-lab.*{words}"):
        native.stack.values(1)


def test_slices_beside_are_reshaped_like_the_slice_asked_about(lab):
    source = open_source("lab:fine")
    sample: Sample = source.samples[0]
    image = recipe_named("medvision-1.2", Size(4, 9)).slice_of(source.load(sample), sample)
    beside = image.beside(1)
    assert beside.values.shape == (4, 9)
    assert (beside.values == 1).all()
    assert (beside.away, beside.away_mm, beside.spacing) == (1, 2.0, image.spacing)
