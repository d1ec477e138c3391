"""Samples that are made one at a time: the same ones in the same order as a list would hold, in a few bytes each."""

import gc
import json
import tracemalloc
from collections import Counter, defaultdict
from hashlib import blake2b, sha256
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medvision_agent.errors import DataError, StorageError
from medvision_agent.eval.data import samples as module
from medvision_agent.eval.data.medvision.source import MedVisionSource, Reading
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.samples import Kept, Picked, Samples
from medvision_agent.eval.data.selection import Selection, select
from medvision_agent.eval.data.source import SourceInfo, Wants
from medvision_agent.eval.data.sources import open_source
from medvision_agent.eval.tasks import TASKS

MINI = Path(__file__).parents[2] / "data/medvision-mini/Data"
TARGETS = {
    "detection": [0.1, 0.1, 0.5, 0.5],
    "size": [12.5, 8.25],
    "angle": [45.5],
    "distance": [30.25],
    "area": [310.5],
}


def line(number, rng, *, volumes=False):
    """Return a generated sample as JSON data."""
    task = rng.choice(list(TASKS))
    place = {"image": f"images/{number}.png"}
    if volumes and rng.random() < 0.7:
        place = {"image": f"v{rng.randrange(40)}.nii.gz", "volume": {"slice_dim": 2, "slice_idx": number}}
    return place | {
        "id": f"generated_{number:06d}",
        "task": task,
        "pixel_size": {"height_mm": 0.75, "width_mm": 0.5},
        "description": "An axial CT image of the abdomen",
        "modality": "CT",
        "plane": rng.choice(["axial", "sagittal"]),
        "label": None if TASKS[task].landmarks else "liver",
        "landmarks": [f"p{at}" for at in range(TASKS[task].landmarks)],
        "target": TARGETS[task],
        "convention": "edge",
        "dataset": rng.choice(["A", "B"]),
        "subject": f"A/{rng.randrange(60)}",
    }


class Generated:
    """A source that holds a list."""

    info = SourceInfo("generated", demonstration=False, note="Generated.")

    def __init__(self):
        rng = Random(5)  # noqa: S311 - of no use to anyone else
        self.samples = [Sample.model_validate(line(number, rng, volumes=True)) for number in range(700)]


SOURCES = {"demo": open_source("demo"), "mini": MedVisionSource(MINI, Reading()), "generated": Generated()}
WHOLE = Wants(lambda _: True, lambda _: True)


def as_a_list(source, selection):
    """Return what is selected, by the definition: whole samples in lists, nothing left out on the way."""
    if isinstance(source, MedVisionSource):
        wants = Wants(selection.may_take, selection.takes_config, selection.asks_masks)
        every = [one for one in source.stream(wants) if selection.takes(one)]
    else:
        every = [one for one in source.samples if selection.takes(one)]
    groups = defaultdict(list)
    for one in every:
        groups[one.medvision.config if one.medvision else one.task].append(one)
    taken = {one.id for group in groups.values() for one in drawn(group, selection)}
    volumes = defaultdict(list)
    for one in every:
        if one.id in taken:
            volumes[one.image if one.medvision or one.volume else one.id].append(one)
    return [one for together in volumes.values() for one in together]


def drawn(group, selection):
    """Return the first samples, or those whose turn comes first: one of each subject, then a second of each."""
    if selection.limit_by == "first":
        return group[: selection.limit]

    def key(name):
        return blake2b(f"{selection.seed}\0{name}".encode(), digest_size=12).digest()

    turns, order = Counter(), []
    for one in sorted(group, key=lambda one: key(one.id)):
        turns[one.subject] += 1
        order.append(((turns[one.subject], key(one.subject), key(one.id)), one))
    return [one for _, one in sorted(order, key=lambda entry: entry[0])[: selection.limit]]


@settings(deadline=None)
@given(
    st.sampled_from(sorted(SOURCES)),
    st.none() | st.sets(st.sampled_from(list(TASKS)), min_size=1).map(tuple),
    st.none() | st.integers(1, 90),
    st.booleans(),
    st.integers(0, 3),
    st.sampled_from([(), ("axial",), ("sagittal",)]),
)
def test_the_same_samples_are_selected_in_the_same_order_as_from_lists(name, tasks, limit, by_subject, seed, planes):
    by = "subject" if by_subject and limit else "first"
    selection = Selection(tasks=tasks, limit=limit, limit_by=by, seed=seed, planes=planes)
    assert list(select(SOURCES[name], selection)) == as_a_list(SOURCES[name], selection)


def test_slices_of_a_volume_stand_together_although_they_did_not():
    chosen = select(SOURCES["generated"], Selection())
    images = [one.image for one in chosen]
    assert images != [one.image for one in SOURCES["generated"].samples]
    assert sum(a != b for a, b in pairwise(images)) == len(set(images)) - 1


def test_whatever_is_kept_comes_back_as_it_was(monkeypatch):
    monkeypatch.setattr(module, "_IN_MEMORY", 1000)  # the rest goes to a file
    whole = [*open_source("demo").samples, *MedVisionSource(MINI, Reading()).stream(WHOLE)]
    kept = Kept(whole)
    assert len(kept) == len(whole) > 2 * module.TOGETHER
    assert list(kept) == whole
    assert [kept[row] for row in (0, -1, 70, 3)] == [whole[row] for row in (0, -1, 70, 3)]
    assert kept[5:200:7] == whole[5:200:7]
    assert kept[5:200:7][3:][0] == whole[26]
    assert kept != whole[1:]
    with pytest.raises(IndexError):
        kept[len(whole)]


def test_a_temporary_folder_that_takes_nothing_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "_IN_MEMORY", 1000)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(StorageError, match=r"gone: samples cannot be stored in this temporary folder .*TMPDIR"):
        Kept(MedVisionSource(MINI, Reading()).stream(WHOLE))


@pytest.mark.parametrize("made", [Kept, Picked.all])
def test_what_is_told_of_all_is_told_of_each(made):
    whole = list(open_source("demo").samples)
    told = made(whole).summed
    assert told.tasks == Counter(one.task for one in whole)
    assert list(told.tasks) == list(dict.fromkeys(one.task for one in whole))
    assert all(whole[row].task == task for task, row in told.firsts.items())
    assert told.subjects == len({one.subject for one in whole})
    assert told.hashes.ids == sha256("".join(f"{one.id}\0" for one in whole).encode()).hexdigest()
    texts = "".join(one.model_dump_json(exclude={"image", "source"}) + "\0" for one in whole)
    assert told.hashes.samples == sha256(texts.encode()).hexdigest()


def written(folder, count):
    """Write a file of generated samples."""
    folder.mkdir(exist_ok=True)
    rng, file = Random(1), folder / "samples.jsonl"  # noqa: S311 - of no use to anyone else
    file.write_text("".join(json.dumps(line(number, rng)) + "\n" for number in range(count)))
    return file


def held(file, selection):
    """Return how many bytes are held by what is selected from a file, and the most that were held on the way."""
    gc.collect()
    tracemalloc.start()
    chosen = select(open_source(str(file)), selection)
    assert chosen.summed
    gc.collect()
    now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(chosen, Samples)
    return now, peak


@pytest.mark.parametrize("selection", [Selection(), Selection(planes=("axial",), limit=50, limit_by="subject")])
def test_a_sample_more_takes_few_bytes(tmp_path, monkeypatch, selection):
    monkeypatch.setattr(module, "_IN_MEMORY", 100_000)  # more is in a file
    few, many = written(tmp_path / "few", 4_000), written(tmp_path / "many", 20_000)
    held(many, selection)  # what is made once: pydantic keeps some thousands of strings
    now, peak = held(few, selection)
    later, highest = map(min, zip(*(held(many, selection) for _ in range(2)), strict=True))  # else what others left
    assert later - now < 40 * 16_000
    assert highest - peak < 80 * 16_000


def test_an_id_that_is_there_twice_is_found_among_many_and_the_first_is_named(tmp_path):
    file = written(tmp_path, 300)
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join([*lines, lines[250], lines[17], lines[17]]))
    with pytest.raises(
        DataError,
        match=r"samples.jsonl:301: id: 'generated_000250' is the id of another sample too, at .*samples.jsonl:251;",
    ):
        open_source(str(file))


def test_a_line_is_named_although_no_line_is_kept(tmp_path):
    source = open_source(str(written(tmp_path, 300)), listing=False)
    [sample] = select(source, Selection())[123:124]
    with pytest.raises(DataError, match=r"samples.jsonl:124: image"):
        source.load(sample)
