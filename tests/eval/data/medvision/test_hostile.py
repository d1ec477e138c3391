"""Broken and hostile data: each fault is named with file and field, and the other cases go on."""

import gzip
import json

import nibabel
import numpy as np
import pytest

from medvision_agent.errors import DataError
from medvision_agent.eval.data.medvision import bounded
from medvision_agent.eval.data.medvision.landmarks import read_landmarks
from medvision_agent.eval.data.medvision.source import MedVisionSource, Reading
from medvision_agent.eval.data.medvision.survey import Survey
from medvision_agent.eval.data.medvision.volume import VolumeCache


def edit_header(path, **fields):
    """Overwrite fields of a packed volume's header."""
    raw = gzip.decompress(path.read_bytes())
    header = nibabel.Nifti1Header(raw[:348], check=False)
    for name, value in fields.items():
        header[name] = value
    path.write_bytes(gzip.compress(header.binaryblock + raw[348:]))


def image(toy):
    return toy.dataset / "Images/a.nii.gz"


def link_out(toy):
    outside = toy.root.parent / "outside.nii.gz"
    image(toy).rename(outside)
    image(toy).symlink_to(outside)


def link_folder_out(toy):
    outside = toy.root.parent / "elsewhere"
    outside.mkdir()
    image(toy).rename(outside / "a.nii.gz")
    (toy.dataset / "Away").symlink_to(outside)
    toy.first["image_file"] = "Away/a.nii.gz"


def loop(toy):
    image(toy).unlink()
    image(toy).symlink_to(image(toy))


def set_case(*path, value):
    def change(toy):
        place = toy.first
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value

    return change


def drop(key):
    return lambda toy: toy.first.pop(key)


def box(field, value):
    return set_case("slice_profiles_z", 0, "slice_profile", 0, "bboxes", 0, field, value=value)


def volume(values, zooms=(1.0, 1.5, 3.0)):
    return lambda toy: toy.volume("a", values, zooms)


def header(**fields):
    return lambda toy: edit_header(image(toy), **fields)


DIM = "image_file_info", "array_size"
CASES = {
    "absolute path": (
        set_case("image_file", value="/etc/passwd"),
        r"image_file: '/etc/passwd' is not allowed; expected the path of a file below",
    ),
    "dots": (set_case("image_file", value="Images/../../../x.nii.gz"), "image_file: .*without '..'"),
    "backslashes": (set_case("image_file", value="..\\x.nii.gz"), "image_file"),
    "null in a path": (set_case("image_file", value="a\0.nii.gz"), "image_file"),
    "link": (link_out, r"image_file: .*link that leads out"),
    "link of a folder": (link_folder_out, r"image_file: .*link that leads out"),
    "loop of links": (loop, "image_file: .* cannot be read"),
    "a folder": (set_case("image_file", value="Images"), "is a folder or a device; expected a file"),
    "missing image": (lambda toy: image(toy).unlink(), r"image_file: .* cannot be read .No such file"),
    "not gzip": (lambda toy: image(toy).write_bytes(b"no"), "a.nii.gz: the gzip file is damaged"),
    "not nifti": (lambda toy: image(toy).write_bytes(gzip.compress(b"x" * 600)), "not a NIfTI"),
    "short header": (lambda toy: image(toy).write_bytes(gzip.compress(b"\x5c\1\0\0")), "not a NIfTI"),
    "nan spacing": (header(pixdim=[1, 1, np.nan, 3, 0, 0, 0, 0]), r"a.nii.gz: pixdim: the voxel spacing"),
    "zero spacing": (header(pixdim=[1, 0, 1.5, 3, 0, 0, 0, 0]), "a.nii.gz: pixdim"),
    "negative spacing": (header(pixdim=[1, 1, -1.5, 3, 0, 0, 0, 0]), "a.nii.gz: pixdim"),
    "infinite spacing": (header(pixdim=[1, 1, np.inf, 3, 0, 0, 0, 0]), "a.nii.gz: pixdim"),
    "4-D": (volume(np.zeros((20, 24, 6, 2), np.int16)), "a.nii.gz: dim: the image has 4 dimensions"),
    "2-D": (header(dim=[2, 20, 24, 1, 1, 1, 1, 1]), "a.nii.gz: dim: the image has 2 dimensions"),
    "no voxels": (header(dim=[3, 0, 24, 6, 1, 1, 1, 1]), "a.nii.gz: dim"),
    "negative side": (header(dim=[3, -20, 24, 6, 1, 1, 1, 1]), "a.nii.gz: dim"),
    "absurd shape": (header(dim=[3, 30000, 30000, 30000, 1, 1, 1, 1]), r"a.nii.gz: dim: .*more than 4 GB"),
    "another shape": (header(dim=[3, 20, 24, 5, 1, 1, 1, 1]), r"array_size: is \[20, 24, 6\].* \[20, 24, 5\]"),
    "another spacing": (volume(None, (1.0, 1.5, 2.9)), r"voxel_size: .*was made for another image"),
    "colours": (header(datatype=128, bitpix=24), "a.nii.gz: datatype"),
    "unknown type": (header(datatype=77), "a.nii.gz: datatype"),
    "offset": (header(vox_offset=-1), "a.nii.gz: vox_offset"),
    "absurd plan shape": (set_case(*DIM, value=[20, 24, 10**9]), r"image_file_info.array_size.2"),
    "plan shape 4-D": (set_case(*DIM, value=[20, 24, 6, 1]), r"image_file_info.array_size"),
    "plan spacing": (set_case("image_file_info", "voxel_size", value=[1, float("nan"), 3]), "voxel_size.1"),
    "no image_file": (drop("image_file"), "image_file: Field required"),
    "no slices": (drop("slice_profiles_z"), "slice_profiles_z: Field required"),
    "no boxes": (set_case("slice_profiles_z", 0, "slice_profile", 0, "bboxes", value=[]), "bboxes"),
    "box in 3-D": (box("min_coords", [1, 2, 3]), "min_coords"),
    "negative corner": (box("min_coords", [-1, 2]), "min_coords.0"),
    "nan size": (box("sizes", [float("nan"), 1.0]), "sizes.0"),
    "text for a slice": (set_case("slice_profiles_z", 0, "slice_idx", value="x"), "slice_profiles_z.0.slice_idx"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_broken_case_is_named_and_the_others_go_on(toy, name):
    breaks, said = CASES[name]
    breaks(toy)
    toy.write()
    source, samples = toy.read()
    assert {sample.subject for sample in samples} == {"Toy/b"}
    (problem,) = source.problems
    with pytest.raises(DataError, match=said):
        raise DataError(problem)
    assert "Samples were left out because of 1 problem, listed by" in source.info.note


@pytest.mark.parametrize(
    ("breaks", "said"),
    [
        (
            set_case("slice_profiles_z", 0, "slice_idx", value=6),
            "slice 6 of axis 2: slice_idx: there is no such slice.* 0 to 5",
        ),
        (box("max_coords", [20, 17]), r"bboxes: the box from row and column \[3, 4\] to \[20, 17\] does not lie in"),
        (box("max_coords", [2, 17]), r"bboxes: the box from"),
    ],
)
def test_a_broken_annotation_loses_its_own_sample_only(toy, breaks, said):
    breaks(toy)
    toy.write()
    source, samples = toy.read()
    # Numbers are upstream's still: the lost one is counted.
    assert [sample.medvision.key for sample in samples] == [1, 2, 3]
    (problem,) = source.problems
    assert problem.startswith(f"{toy.dataset / 'benchmark_plan_detection_v1.0.0.json.gz'}: task 01: test_cases: case a")
    with pytest.raises(DataError, match=said):
        raise DataError(problem)


def test_numbers_stay_upstreams_behind_a_missing_image(toy):
    image(toy).unlink()
    _, samples = toy.read()
    assert [(sample.medvision.key, sample.medvision.doc_id) for sample in samples] == [(2, 2), (3, 3)]


def test_labels_without_a_name_are_said_once(toy):
    toy.plan["tasks"][0]["labels_map"] = {"2": "spleen"}
    toy.write()
    source, samples = toy.read()
    assert samples == []
    [problem] = source.problems
    assert problem.partition(": ")[2].startswith("task 01: labels_map: there is no name for the label 1, which")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected '{'"),
        ("[]", "expected '{'"),
        ("{}", "tasks: is missing or empty"),
        ('{"tasks": []}', "tasks: is missing or empty"),
        ('{"tasks": [{"task_ID": "02"}]}', "task 01: task_ID: is '02'; expected '01'"),
        ('{"tasks": [{"test_cases": [], "labels_map": {}, "task_ID": "01"}]}', "task 01: task_ID"),
        ('{"tasks": [{"task_ID": "01", "test_cases": [], "labels_map": {}}]}', "labels_map: stands after the cases"),
        ('{"tasks": [{"task_ID": "01"', "not a readable annotation plan"),
        ('{"tasks": [{"task_ID": "01"}]} x', "more text after the end"),
        ('{"tasks": ' + "[" * 100_000, "nested too deeply|not a readable|expected"),
        ('{"tasks": [' + '{"task_ID": "01", "x": ' + "[" * 100_000, "nested too deeply"),
    ],
)
def test_a_broken_plan_is_an_error_of_the_whole(toy, text, said):
    toy.write(text)
    with pytest.raises(DataError, match=rf"benchmark_plan_detection_v1\.0\.0\.json\.gz: .*({said})"):
        toy.read()


def test_a_plan_cut_short_or_damaged_is_an_error(toy):
    path = toy.write()
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    with pytest.raises(DataError, match="the file is incomplete"):
        toy.read()
    path.write_bytes(whole[:60] + b"\xff\xff\xff" + whole[63:])
    with pytest.raises(DataError, match="the gzip file is damaged"):
        toy.read()
    path.write_bytes(gzip.compress(b'{"tasks": "\xff"}'))
    with pytest.raises(DataError, match="not a readable annotation plan"):
        toy.read()


def test_a_bomb_of_a_plan_is_refused(toy, monkeypatch):
    monkeypatch.setattr(bounded, "_FREE", 1 << 20)
    toy.write(" " * (40 << 20) + json.dumps(toy.plan))
    with pytest.raises(DataError, match="unpacks to more than 400 times its size"):
        toy.read()


def test_a_bomb_of_a_volume_is_refused_in_little_time_and_memory(toy):
    raw = gzip.decompress(image(toy).read_bytes())
    image(toy).write_bytes(gzip.compress(raw + bytes(200 << 20)))
    source, samples = toy.read()
    with pytest.raises(
        DataError, match=r"a.nii.gz: dim: the file holds more voxels than the header's shape \(20, 24, 6\)"
    ):
        source.load(samples[0])


@pytest.mark.parametrize("cut", [8, 40])
def test_a_volume_cut_short_fails_its_own_samples(toy, cut):
    toy.volume("a", np.random.default_rng(0).integers(0, 999, (20, 24, 6), np.int16))
    image(toy).write_bytes(image(toy).read_bytes()[:-cut])
    source, samples = toy.read()
    assert len(samples) == 4
    with pytest.raises(DataError, match=r"a.nii.gz: the file is incomplete"):
        source.load(samples[0])
    assert source.load(samples[2]).values[0, 0] == 1


def test_values_that_are_no_numbers_fail_their_own_slice(toy):
    values = np.ones((20, 24, 6), np.float32)
    values[3, 3, 1] = np.nan
    toy.volume("a", values)
    source, samples = toy.read()
    with pytest.raises(DataError, match=r"a.nii.gz: some voxels of slice 1 along axis 2 are NaN or infinite"):
        source.load(samples[0])
    assert source.load(samples[1]).values.shape == (20, 24)


def test_a_link_that_stays_inside_is_followed(toy):
    (toy.dataset / "Other").mkdir()
    image(toy).rename(toy.dataset / "Other/a.nii.gz")
    image(toy).symlink_to("../Other/a.nii.gz")
    link = toy.root.parent / "link"
    link.symlink_to(toy.root)
    assert len(MedVisionSource(link, Reading()).samples) == 4


def test_a_path_made_up_later_is_refused_too(toy):
    source, samples = toy.read()
    facts = samples[0].medvision.model_copy(update={"image_file": "../outside.nii.gz"})
    with pytest.raises(DataError, match="image_file"):
        source.load(samples[0].model_copy(update={"medvision": facts}))
    with pytest.raises(DataError, match="the sample lacks the field medvision"):
        source.load(samples[0].model_copy(update={"medvision": None}))


def test_a_folder_without_data_says_what_to_give(toy, tmp_path):
    with pytest.raises(DataError, match=r"contains no folder 'Datasets'.*did you mean medvision:.*Data"):
        MedVisionSource(toy.root.parent, Reading())
    with pytest.raises(DataError, match=r"nowhere: there is no such folder; give the folder that MedVision's"):
        MedVisionSource(tmp_path / "nowhere", Reading())
    (tmp_path / "empty/Datasets").mkdir(parents=True)
    with pytest.raises(DataError, match=r"no folder in Datasets/ has an annotation plan \(benchmark_plan"):
        MedVisionSource(tmp_path / "empty", Reading())
    (toy.dataset / "benchmark_plan_detection_v1.0.0.json.gz").rename(
        toy.dataset / "benchmark_plan_detection_v1.1.0.json.gz"
    )
    with pytest.raises(DataError, match=r"benchmark_plan.* of the version 1\.0\.0 .*or an earlier one"):
        toy.read(annotations="1.0.0")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"[]", "Input should be a valid dictionary"),
        (b"{", "this landmark file is not JSON"),
        (b'{"slice_landmarks_x": [{"slice_idx": 1, "landmarks": {"P1": [1, 2]}}]}', "slice_landmarks_x.0"),
        (b'{"slice_landmarks_x": [{"slice_idx": 1, "landmarks": [{"P1": "x"}]}]}', "P1"),
    ],
)
def test_broken_landmark_files_are_named(tmp_path, data, said):
    path = tmp_path / "l.json.gz"
    path.write_bytes(gzip.compress(data))
    with pytest.raises(DataError, match=rf"l.json.gz: .*{said}"):
        read_landmarks(path)


def test_points_must_lie_on_their_slice(tmp_path):
    path = tmp_path / "l.json.gz"
    entry = {"slice_idx": 1, "landmarks": {"P1": [1, 2, 3], "P2": [2, 2, 3]}}
    path.write_bytes(gzip.compress(json.dumps({"slice_landmarks_x": [entry, entry | {"slice_idx": 4}]}).encode()))
    landmarks = read_landmarks(path)
    assert landmarks.point("P1", 0, 1) == (3.5, 2.5)
    with pytest.raises(DataError, match=r"'P2' of slice 1 has the voxel .*, which lies on slice"):
        landmarks.point("P2", 0, 1)
    with pytest.raises(DataError, match="the landmark 'P3' of the annotation plan is missing on slice 1"):
        landmarks.point("P3", 0, 1)


def test_a_survey_finds_everything_at_once(toy):
    task = toy.plan["tasks"][0]
    third, fourth = toy.case("c"), toy.case("d")
    task["test_cases"] += [third, fourth]
    third["mask_file"] = "Masks/c.nii.gz"
    for name in "cd":
        toy.volume(name)
    image(toy).unlink()
    b = toy.dataset / "Images/b.nii.gz"
    b.write_bytes(b.read_bytes()[:-9])
    fourth["slice_profiles_z"][0]["slice_profile"][0]["label"] = 5.0
    task["train_cases"] = [fourth]
    toy.plan["tasks"].append({"task_ID": "02", "labels_map": {}})
    toy.write()
    said: list[str] = []
    survey = Survey(MedVisionSource(toy.root, Reading()), lambda _: True, said.append, samples=True, volumes=True)
    survey.run()
    assert said == list(survey.problems)
    for words in (
        "case a: image_file: ",
        "b.nii.gz: the file is incomplete",
        "case c: mask_file: ",
        "labels_map: there is no name for the label 5",
        "case d: case_ID: this case is also in",
        "task 02: there are no cases",
    ):
        assert sum(words in problem for problem in said) == 1, words
    assert len(said) == 6


def test_cache_is_not_poisoned_by_a_broken_volume(toy):
    cache, good = VolumeCache(), image(toy).read_bytes()
    image(toy).write_bytes(good[:-9])
    with pytest.raises(DataError, match="the file is incomplete"):
        cache.slice(image(toy), 2, 1)
    image(toy).write_bytes(good)
    assert cache.slice(image(toy), 2, 1)[0, 0] == 1
