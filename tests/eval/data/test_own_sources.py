"""Sources of other packages: the example, installed and run; what is recorded of it; what is refused, naming whom."""

import numpy as np
import pytest
from click.testing import CliRunner
from installed import EXAMPLES, command, copied, install, plugged_in, written

from medvision_agent.cli.main import cli
from medvision_agent.errors import ConfigError, DataError
from medvision_agent.eval.data.sources import SOURCES, open_source
from medvision_agent.eval.store.read import open_run
from medvision_agent.tools.view.png import encode_png

HEAD = "id,image,subject,label,left,top,right,bottom,mm_per_px\n"
MADE = '''
from pathlib import Path

import numpy as np

from medvision_agent.errors import DataError
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.source import NativeImage, SourceInfo

GOOD = dict(
    id="a", task="distance", image="a", pixel_size={"height_mm": 1, "width_mm": 2}, modality="MR", plane="axial",
    landmarks=("tip", "base"), target=(3.0,), convention="edge", dataset="lab", subject="lab/1",
)

class Lab:
    """One or two samples; the argument says what is wrong with them."""

    info = SourceInfo("whatever", demonstration=False, note="From the lab.")

    def __init__(self, wrong):
        if wrong == "make":
            raise OSError("disk is away")
        self.wrong = wrong

    @property
    def samples(self):
        good = Sample.model_validate(GOOD)
        second = good.model_copy(update={"id": "b"})
        return {
            "twice": [good, good],
            "dict": [good, GOOD],
            "subject": [good, second.model_copy(update={"subject": " "})],
            "empty subject": [good, second.model_copy(update={"subject": ""})],
            "target": [good, second.model_copy(update={"target": (-1.0,)})],
            "nan": [good, second.model_copy(update={"target": (float("nan"),)})],
            "mixed": [good, second.model_copy(update={"marks": {"synthetic": True}})],
            "none": [],
            "endless": iter(lambda: good, None),
        }.get(self.wrong, [good, second]) if self.wrong != "list" else 1 / 0

    def load(self, sample):
        return {
            "load": lambda: [][1],
            "told": lambda: (_ for _ in ()).throw(DataError(f"{sample.id}: no such series")),
            "type": lambda: np.zeros((3, 4)),
            "shape": lambda: NativeImage(np.zeros((3, 4, 3)), displayed=True),
            "inf": lambda: NativeImage(np.full((3, 4), np.inf), displayed=False),
            "huge": lambda: NativeImage(np.full((3, 4), 1e300), displayed=False),
            "grey": lambda: NativeImage(np.full((3, 4), 256), displayed=True),
            "words": lambda: NativeImage(np.full((3, 4), "x"), displayed=True),
        }.get(self.wrong, lambda: NativeImage(np.full((3, 4), 7, np.int16), displayed=False))()
'''


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    return install(EXAMPLES / "source", tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("source"))


@pytest.fixture
def lab(tmp_path):
    """Have a package with a source that fails as its argument says."""
    names = {"lab": "some_lab:Lab", "gone": "no_such_module:Lab"}
    with plugged_in(written(tmp_path / "site", "some-lab", SOURCES.group, names, some_lab=MADE)):
        yield


@pytest.fixture
def boxes(tmp_path):
    """Write two images with a bright square, and the CSV file that says where."""
    image = np.zeros((80, 100), np.uint8)
    image[20:60, 30:70] = 200
    rows = [f"{name},{name}.png,person-{name},square,30,20,70,60,0.8\n" for name in "ab"]
    for grey, name in enumerate("ab", start=5):
        image[:10] = grey  # each person has an image of their own
        (tmp_path / f"{name}.png").write_bytes(encode_png(image))
    path = tmp_path / "boxes.csv"
    path.write_text(HEAD + "".join(rows))
    return path


def test_the_example_runs_from_the_command_line(installed, boxes, tmp_path):
    words = ("run", "--data", f"boxes:{boxes}", "--model", "oracle", "--out", tmp_path / "run")
    code, out, err = command(installed, *words)
    assert code == 0, err
    assert "2 of 2 samples finished" in out
    assert "Boxes of boxes.csv." in out
    run = open_run(tmp_path / "run")
    assert run.config["data"] == run.config["source"]["name"] == f"boxes:{boxes}"
    origin = run.config["source"]["origin"]
    assert (origin["package"], origin["version"]) == ("medvision-agent-boxes", "0.1")
    assert origin == run.identity.source_origin


def test_the_examples_boxes_are_turned_into_targets(installed, boxes):
    with plugged_in(installed):
        source = open_source(f"boxes:{boxes}")
        assert source.samples[0].target == pytest.approx((0.3, 0.25, 0.7, 0.75))
        assert source.load(source.samples[0]).values[20:60, 30:70].min() == 200
        boxes.write_text(f"{HEAD}a,a.png,p,square,30,20,7 0,60,0.8\n")
        with pytest.raises(DataError, match=r"'boxes' of the package medvision-agent-boxes 0\.1: .*csv:2: .*'7 0'"):
            open_source(f"boxes:{boxes}")
        with pytest.raises(DataError, match=r"package medvision-agent-boxes 0\.1: gone\.csv: cannot read it"):
            open_source("boxes:gone.csv")


def test_other_code_has_another_hash(installed, boxes, tmp_path):
    site = copied(installed, tmp_path / "site")
    with plugged_in(site):
        before = open_source(f"boxes:{boxes}").info.origin
        file = site / "medvision_agent_boxes.py"
        file.write_text(file.read_text() + "\n# changed\n")
        after = open_source(f"boxes:{boxes}").info.origin
    assert before["code_sha256"] != after["code_sha256"]
    assert open_source("demo").info.origin is None


def test_a_study_finds_an_argument_beside_its_file(installed, boxes, tmp_path):
    study = tmp_path / "s.yaml"
    study.write_text("name: s\nmodels: [oracle]\ndata: boxes:boxes.csv\nbase: {tools: ruler}\ndesigns: [on-off]\n")
    with plugged_in(installed):
        done = CliRunner().invoke(cli, ["ablate", str(study), "--dry-run", "--verbose"])
    assert done.exit_code == 0, done.output
    assert "2 subjects, fewer than 20" in done.output


def test_sound_samples_pass_as_they_are(lab):
    source = open_source("lab:right")
    assert [sample.id for sample in source.samples] == ["a", "b"]
    assert (source.info.name, source.info.note) == ("lab:right", "From the lab.")
    native = source.load(source.samples[0])
    assert (native.values.dtype, native.values.max(), native.displayed) == (np.float32, 7, False)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("make", "fails: OSError: disk is away; fix or uninstall"),
        ("list", "fails: ZeroDivisionError"),
        ("twice", "sample 2: id: 'a' is the id of another sample too, at .* sample 1"),
        ("dict", "sample 2: expected an object of medvision_agent's class Sample, found dict"),
        ("subject", "sample 2: subject: is blank"),
        ("empty subject", "sample 2: subject: .*at least 1 character"),
        ("target", r"sample 2: target: \[-1.0\] is not valid for the task 'distance'"),
        ("nan", "sample 2: target.0: .*finite"),
        ("mixed", "this source has synthetic images and others"),
        ("none", "--data lab:none contains no samples"),
        ("endless", "samples: expected a sequence, such as a list, found callable_iterator"),
    ],
)
def test_a_source_that_breaks_the_contract_is_refused_naming_its_package(lab, wrong, said):
    with pytest.raises(DataError, match=said) as error:
        _ = open_source(f"lab:{wrong}").samples
    assert "source 'lab' of the package some-lab 1.2" in str(error.value)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("load", "fails: IndexError"),
        ("told", "a: no such series"),
        ("type", "load: expected NativeImage, found ndarray"),
        ("shape", r"a: the image has the shape \(3, 4, 3\)"),
        ("inf", "a: the image has values that are NaN, infinite or too large"),
        ("huge", "a: the image has values that are NaN, infinite or too large"),
        ("grey", "a: displayed is true, but the grey levels run from 256 to 256"),
        ("words", "a: the image has <U1 values"),
    ],
)
def test_an_image_that_is_none_fails_its_sample(lab, wrong, said):
    source = open_source(f"lab:{wrong}")
    with pytest.raises(DataError, match=said) as error:
        source.load(source.samples[0])
    assert "source 'lab' of the package some-lab 1.2" in str(error.value)


def test_a_module_that_is_not_there_is_named(lab):
    with pytest.raises(DataError, match=r"'gone' of the package some-lab 1\.2 fails: ModuleNotFoundError"):
        open_source("gone")


def test_unknown_names_are_told_what_there_is(lab):
    with pytest.raises(DataError, match=r"'medvision:DIR', 'gone', 'lab', or a file.*Did you mean 'lab'\?"):
        open_source("labs:x")
    with pytest.raises(ConfigError, match="nothing follows the colon"):
        open_source("phantom:")
    with pytest.raises(ConfigError, match="the demo set takes no argument"):
        open_source("demo:x")
    with pytest.raises(ConfigError, match="expected medvision:DIR"):
        open_source("medvision")


def test_a_name_that_two_packages_offer_is_refused(tmp_path):
    written(tmp_path, "one-lab", SOURCES.group, {"demo": "one:Lab", "mine": "one:Lab"}, one=MADE)
    written(tmp_path, "other-lab", SOURCES.group, {"mine": "other:Lab"}, other=MADE)
    with plugged_in(tmp_path):
        with pytest.raises(ConfigError, match=r"'mine' is offered by two packages, one-lab 1\.2 and other-lab 1\.2"):
            open_source("mine")
        with pytest.raises(ConfigError, match=r"'demo' is offered by two packages, medvision-agent .* and one-lab"):
            open_source("demo")
