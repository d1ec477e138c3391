"""Phantoms: the same everywhere, true by another route than their own, and never taken for real pictures."""

import asyncio
import json
import math
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256

import cv2
import numpy as np
import pytest
from commands import COMMAND

from medvision_agent.cli.printed.summary import summary_view
from medvision_agent.cli.printed.table import show
from medvision_agent.errors import ConfigError, DataError
from medvision_agent.eval.asking.launch import execute, prepare
from medvision_agent.eval.asking.runner import Watch
from medvision_agent.eval.data.phantom.geometry import draw_phantom
from medvision_agent.eval.data.phantom.render import covered, render
from medvision_agent.eval.data.selection import Selection, select
from medvision_agent.eval.data.sources import open_source
from medvision_agent.eval.data.sources.checks import parse_sample
from medvision_agent.eval.scorer.protocol import protocol
from medvision_agent.eval.settings.settings import Settings
from medvision_agent.eval.summary.summary import summarise

PHANTOMS = [draw_phantom(3, index) for index in range(24)]
SAMPLES = open_source("phantom:24:3").samples


def asked(index, task):
    return next(sample for sample in SAMPLES[4 * index : 4 * index + 4] if sample.task == task)


def clean(phantom, **fields):
    """Return the levels above tissue of a phantom without texture and noise."""
    plain = replace(phantom, texture=0.0, noise=0.0, rician=False, **fields)
    return render(plain).astype(float) - np.rint(phantom.tissue)


def in_mm(sample):
    return np.array(
        [(p.x * sample.pixel_size.width_mm, p.y * sample.pixel_size.height_mm) for p in sample.truth_points]
    )


def test_a_seed_makes_the_same_pictures_and_truth_on_every_machine():
    digest = sha256()
    source = open_source("phantom:6")
    for sample in source.samples:
        digest.update(sample.model_dump_json().encode())
    assert digest.hexdigest() == "0553d2414338a0c13dcdea8f2e086bd2e8060ddc40f449a389e91b3ea3465e62"
    pictures = b"".join(source.load(sample).values.astype(np.uint8).tobytes() for sample in source.samples[::4])
    assert sha256(pictures).hexdigest() == "ac7e49d35e2f881bd79a54651dcf5942a6aeeb7bf5b1df697e50d5bf68325c77"


def test_another_seed_or_number_makes_another_phantom():
    pictures = {render(draw_phantom(seed, index)).tobytes() for seed in range(3) for index in range(3)}
    assert len(pictures) == 9


def test_a_longer_set_begins_with_the_shorter_one():
    assert open_source("phantom:30:3").samples[: len(SAMPLES)] == SAMPLES
    assert len(open_source("phantom").samples) == 800
    assert open_source("phantom:7").info == open_source("phantom:7:0").info


def test_samples_are_sound_and_say_what_they_are():
    samples = open_source("phantom:200").samples
    assert len({sample.id for sample in samples}) == 800
    assert len({sample.subject for sample in samples}) == 200
    assert len({sample.image for sample in samples}) == 200
    for sample in samples:
        assert parse_sample(sample.model_dump_json(), "here") == sample
        assert sample.marks.synthetic
        assert sample.dataset == "phantom"
        assert sample.convention == "edge"
        assert "phantom" in sample.description


def test_what_is_drawn_keeps_to_what_is_documented():
    phantoms = [draw_phantom(11, index) for index in range(600)]
    ratios = np.array([one.spacing.height_mm / one.spacing.width_mm for one in phantoms])
    assert 0.27 < np.mean(ratios != 1) < 0.40
    assert np.log(ratios).max() == pytest.approx(-np.log(ratios).min(), abs=0.2)
    assert max(ratios.max(), 1 / ratios.min()) < 3.001
    for one in phantoms:
        field = np.array((one.size.width * one.spacing.width_mm, one.size.height * one.spacing.height_mm))
        coarse = max(one.spacing.height_mm, one.spacing.width_mm)
        assert {one.size.height, one.size.width} <= set(range(128, 321))
        assert 0.4 <= min(one.spacing.height_mm, one.spacing.width_mm) <= coarse <= 1.5 + 1e-5
        assert max(5, 10 * coarse) - 1e-5 <= one.lesion.major <= min(60, 0.4 * field.min()) + 1e-5
        assert 0.5 - 1e-5 <= one.lesion.minor / one.lesion.major <= 0.95 + 1e-5
        centre = np.array((one.lesion.x, one.lesion.y))
        assert (np.minimum(centre, field - centre) > one.lesion.reach).all()
        places = np.array([(marker.x, marker.y) for marker in one.markers])
        assert (np.hypot(*(places - centre).T) > one.lesion.major / 2 + 3 * coarse).all()
        assert np.minimum(places, field - places).min() > 3 * coarse
        apart = [math.dist(a, b) for i, a in enumerate(places) for b in places[:i]]
        assert min(apart) > 6 * coarse
    assert 0.4 < np.mean([one.contrast > 0 for one in phantoms]) < 0.6


@pytest.mark.parametrize("index", range(24))
def test_the_lesion_covers_what_its_truth_says(index):
    """The shares of pixels, against points (16 x 16 a pixel) inside the ellipse of the truth's end points."""
    phantom, sample = PHANTOMS[index], asked(index, "size")
    ends = in_mm(sample)
    centre, steps = ends.mean(axis=0), (np.arange(16) + 0.5) / 16
    x = (np.arange(phantom.size.width)[:, None] + steps).ravel() * phantom.spacing.width_mm - centre[0]
    y = (np.arange(phantom.size.height)[:, None] + steps).ravel()[:, None] * phantom.spacing.height_mm - centre[1]
    (ax, ay), (bx, by) = (ends[1] - ends[0]) / 2, (ends[3] - ends[2]) / 2
    inside = ((x * ax + y * ay) / (ax**2 + ay**2)) ** 2 + ((x * bx + y * by) / (bx**2 + by**2)) ** 2 <= 1
    share = inside.reshape(phantom.size.height, 16, phantom.size.width, 16).mean(axis=(1, 3))
    assert covered(phantom.lesion, phantom.size, phantom.spacing) == pytest.approx(share, abs=0.05)
    shown = clean(phantom, markers=()) / phantom.contrast
    assert shown == pytest.approx(share, abs=0.05 + 1 / abs(phantom.contrast))
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    box = columns[0], inside.shape[0] - rows[-1] - 1, columns[-1] + 1, inside.shape[0] - rows[0]
    found = np.array(box) / np.tile(inside.shape[::-1], 2)
    assert asked(index, "detection").target == pytest.approx(found, abs=1.5 / 16 / 128)


@pytest.mark.parametrize("index", range(24))
def test_the_axes_are_those_of_the_pictures_moments(index):
    phantom, sample = PHANTOMS[index], asked(index, "size")
    weight = clean(phantom, markers=(), tissue=50.0, contrast=200.0) + np.rint(phantom.tissue) - 50
    side = np.array((phantom.spacing.width_mm, phantom.spacing.height_mm))
    rows, columns = np.indices(weight.shape) + 0.5
    at = np.stack((columns, rows), axis=-1).reshape(-1, 2) * side
    spread = np.cov(at, rowvar=False, aweights=weight.ravel(), bias=True) - np.diag(side**2 / 12)
    axes = 4 * np.sqrt(np.linalg.eigvalsh(spread)[::-1])
    assert sample.target == pytest.approx(axes, rel=0.004)
    assert [math.dist(*in_mm(sample)[:2]), math.dist(*in_mm(sample)[2:])] == pytest.approx(sample.target, abs=1e-6)


@pytest.mark.parametrize("index", range(24))
def test_markers_are_drawn_where_their_truth_is(index):
    phantom, sample = PHANTOMS[index], asked(index, "angle")
    levels = clean(phantom, contrast=0.0)
    side = np.array((phantom.spacing.width_mm, phantom.spacing.height_mm))
    rows, columns = np.indices(levels.shape) + 0.5
    at = np.stack((columns, rows), axis=-1) * side
    for point, name in zip(in_mm(sample), sample.landmarks, strict=True):
        near = np.where(np.hypot(*np.moveaxis(at - point, -1, 0)) < 4.5 * side.max(), levels, 0.0)
        assert (near.sum() > 0) == ("bright" in name)
        assert abs(near).sum() / 70 * side.prod() / side.max() ** 2 == pytest.approx(
            12 * 1.5 - 1.5**2 if "cross" in name else 4 * math.pi, rel=0.02
        )
        assert (at * near[..., None]).sum(axis=(0, 1)) / near.sum() == pytest.approx(point, abs=0.05 * side.max())
    a, b = (in_mm(sample)[i + 1] - in_mm(sample)[i] for i in (0, 2))
    angle = math.degrees(math.acos(abs(a @ b) / np.linalg.norm(a) / np.linalg.norm(b)))
    assert sample.target == pytest.approx((angle,), abs=1e-5)
    assert asked(index, "distance").target == pytest.approx((np.linalg.norm(a),), abs=1e-6)
    assert asked(index, "distance").landmarks == sample.landmarks[:2]


def test_texture_and_noise_are_as_strong_as_they_say():
    quiet = {"markers": (), "contrast": 0.0, "tissue": 128.0}
    for phantom in PHANTOMS[:6]:
        noisy = render(replace(phantom, texture=0.0, noise=10.0, rician=False, **quiet))
        assert (noisy.mean(), noisy.std()) == pytest.approx((128, 10), abs=0.2)
        neighbours = np.corrcoef(noisy[:, 1:].ravel(), noisy[:, :-1].ravel())[0, 1]
        assert abs(neighbours) < 0.03
        magnitude = render(replace(phantom, texture=0.0, noise=10.0, rician=True, **quiet | {"tissue": 0.0}))
        assert magnitude.mean() == pytest.approx(10 * math.sqrt(math.pi / 2), abs=0.2)  # Rayleigh's
    smooth = [render(replace(one, texture=8.0, noise=0.0, knots_mm=4.0, **quiet)).std() for one in PHANTOMS]
    assert np.mean(smooth) == pytest.approx(8, abs=0.4)


@pytest.mark.parametrize("tools", ["on", "off"])
async def test_the_oracle_is_exact(tmp_path, tools, capsys):
    prepared = prepare(Settings(model="oracle", tools=tools, data="phantom:12", out=tmp_path / "run"))
    run = await execute(prepared, watch=Watch(), stop=asyncio.Event())
    summary = summarise(run.records, protocol("medvision-1.2"))
    metrics = {task: one.metrics for task, one in summary.tasks.items()}
    assert {task: one.n for task, one in summary.tasks.items()} == dict.fromkeys(metrics, 12)
    assert summary.subjects == 12
    # Without tools it has the pixel size as the prompt states it, with three decimals.
    assert metrics["size"]["MRE"].mean < 0.002
    assert metrics["distance"]["MRE"].mean < 0.002
    assert metrics["angle"]["MAE"].mean < 0.1
    assert metrics["detection"]["IoU"].mean > 0.9999
    show(summary_view(summary, run.facts, run.source_note))
    out = " ".join(capsys.readouterr().out.split())
    assert "SYNTHETIC images" in out
    assert "to be read with care" not in out


@pytest.mark.parametrize("name", ["x", "0", "1:2:3", "3:", ":3", "-1", "+1", "1.5", "1_0", "٣", "100001", " 3"])
def test_a_wrong_form_is_refused_with_the_right_one(name):
    with pytest.raises(ConfigError, match=r"expected phantom, phantom:N or phantom:N:SEED.*for instance phantom:20:1"):
        open_source(f"phantom:{name}")


def test_selection_works_as_on_any_source():
    chosen = select(open_source("phantom:20"), Selection(tasks=("size", "angle"), limit=5))
    assert [sample.task for sample in chosen] == ["size", "angle"] * 5


def data(*words):
    return subprocess.run([COMMAND, "data", *words], capture_output=True, text=True, check=False)


def test_show_draws_the_truth_on_the_lesion(tmp_path):
    done = data("show", SAMPLES[0].id, "--data", "phantom:24:3", "--out", str(tmp_path / "x.png"))
    assert (done.returncode, done.stderr) == (0, "")
    assert "marks        synthetic" in done.stdout
    picture = cv2.imread(str(tmp_path / "x.png")).astype(int)
    rows, columns = np.nonzero(picture[:, :, 1] - picture[:, :, 2] > 60)
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = SAMPLES[0].target
    found = columns.min() / width, 1 - rows.max() / height, columns.max() / width, 1 - rows.min() / height
    assert found == pytest.approx((x1, y1, x2, y2), abs=0.006)  # a line is two pixels wide


def test_listing_says_synthetic_and_needs_nothing_slow():
    done = data("list", "--data", "phantom:5", "--task", "size", "--limit", "2")
    assert "2 samples of 2 subjects: 2 size.\nSYNTHETIC images" in done.stdout
    code = (
        "import sys; from medvision_agent.cli.main import cli\n"
        "cli(['data', 'list', '--data', 'phantom:2', '--json'], standalone_mode=False)\n"
        "sys.exit(','.join(sorted({'cv2', 'datasets', 'langgraph', 'openai', 'scipy'} & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["copy", "copy.parquet"])
def test_an_export_holds_the_same_and_still_says_synthetic(tmp_path, name):
    assert data("export", "--data", "phantom:3:3", "--out", str(tmp_path / name)).returncode == 0
    file = tmp_path / name if name.endswith("parquet") else tmp_path / name / "samples.jsonl"
    copy, source = open_source(str(file)), open_source("phantom:3:3")
    assert "SYNTHETIC" in copy.info.note
    assert "SYNTHETIC" not in open_source("demo").info.note
    for ours, theirs in zip(source.samples, copy.samples, strict=True):
        assert theirs.model_copy(update={"image": ours.image}) == ours
        assert np.array_equal(source.load(ours).values, copy.load(theirs).values)


def test_a_file_of_made_and_real_pictures_is_refused(tmp_path):
    real = open_source("demo").samples[0]
    file = tmp_path / "mixed.jsonl"
    file.write_text(f"{real.model_dump_json()}\n{SAMPLES[0].model_dump_json()}\n{SAMPLES[1].model_dump_json()}\n")
    with pytest.raises(DataError, match=r"mixed\.jsonl:2: marks\.synthetic: .*no mean may mix them"):
        open_source(str(file))
    rows = [json.loads(line) | {"marks": {"synthetic": True}} for line in file.read_text().splitlines()]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert len(open_source(str(file)).samples) == 3
