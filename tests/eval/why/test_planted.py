"""The shares planted in a model's errors are found again: seeing, unit and arithmetic, for every task."""

import math
from dataclasses import replace
from types import SimpleNamespace

import pytest

from medvision_agent.errors import DamageError
from medvision_agent.eval.scorer.protocol import protocol
from medvision_agent.eval.why.samples import sample_whys
from medvision_agent.eval.why.scene import Missing
from medvision_agent.eval.why.summary import summarise_why
from medvision_agent.tools.view.frames import FRAMES

from . import conftest as planted

RULES = protocol("medvision-1.2")
SHIFT = (-0.013, 0.017)
SQUARE = 1e-9
ROUNDED = 0.5e-4 + SQUARE
"""Half of the last decimal of tools and of answers."""


def lengths(run):
    return [why for why in sample_whys(run, RULES) if why.quantities]


def expected(policy, sample):
    """Return the numbers of the points as displaced, by the phantom's own geometry."""
    return planted.measured(sample.task, policy.seen(planted.truth_units(sample)), *planted.field(sample))


def check_sum(part):
    assert part.unit + part.arithmetic + part.seeing == pytest.approx(part.error, abs=1e-9)
    assert part.error == part.answer - part.target


def test_the_phantoms_are_anisotropic():
    ratios = [planted.draw_phantom(planted.SEED, k).spacing for k in range(planted.COUNT)]
    assert any(abs(one.width_mm / one.height_mm - 1) > 0.2 for one in ratios)


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("crops", [False, True])
async def test_displaced_points_are_seeing_and_a_slip_of_unit_is_unit(planted_run, crops, frame):
    policy = planted.Planted(shift=SHIFT, slips=True, crops=crops)
    run = await planted_run(policy, "on", frame=frame)
    whys = lengths(run)
    assert len(whys) == 3 * planted.COUNT
    # Corners of a crop are reported to a millionth of the picture, and the policy counts from there.
    exact = 2e-3 if crops else 1e-8
    for why in whys:
        sample = why.record.sample
        for part, truth, target in zip(why.quantities.values(), expected(policy, sample), sample.target, strict=True):
            check_sum(part)
            assert part.seeing == pytest.approx(truth - target, abs=exact)
            slip = math.pi / 180 if sample.task == "angle" else 0.1
            assert abs(part.arithmetic) <= ROUNDED / slip + ROUNDED
            assert part.unit == pytest.approx((slip - 1) * truth, abs=exact + ROUNDED / slip)
            assert part.source == ("protractor" if sample.task == "angle" else "ruler")


async def test_a_true_reading_of_true_points_has_no_part_of_any_size(planted_run):
    for why in lengths(await planted_run(planted.Planted(crops=True), "on")):
        for part in why.quantities.values():
            assert max(abs(part.unit), abs(part.arithmetic), abs(part.seeing)) < 2e-3


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("form", ["direct", "cot"])
async def test_wrong_sums_of_points_stated_are_arithmetic(planted_run, form, frame):
    policy = planted.Planted(shift=SHIFT, factor=0.75, form=form)
    run = await planted_run(policy, "off", form=form, frame=frame)
    for why in lengths(run):
        sample = why.record.sample
        for part, truth, target in zip(why.quantities.values(), expected(policy, sample), sample.target, strict=True):
            check_sum(part)
            assert part.source == "stated points"
            assert part.unit == 0
            assert part.seeing == pytest.approx(truth - target, abs=1e-8)
            # The prompt states the pixel size with three decimals: the model's own sum starts from there.
            assert part.arithmetic == pytest.approx(-0.25 * truth, abs=2e-3 * truth + 1e-3)
            assert part.arithmetic == part.answer - part.seen


@pytest.mark.parametrize("frame", FRAMES)
async def test_points_are_found_where_each_was_marked_in_a_crop_of_its_own(planted_run, frame):
    policy = planted.Planted(shift=SHIFT)

    def marked(look):
        if planted.task_of(look.brief) != "distance":
            return "<answer>1</answer>"
        for name, (u, v) in zip("AB", policy.seen(look.brief.truth), strict=True):
            x, y = u, 1 - v
            corners = {"x0": x - 0.05, "y0": y - 0.05, "x1": x + 0.05, "y1": y + 0.05}
            crop = yield "crop", {key: min(max(value, 0.0), 1.0) for key, value in corners.items()}
            across, down = (crop[f"v0_{axis}1"] - crop[f"v0_{axis}0"] for axis in "xy")
            place = {"x": (x - crop["v0_x0"]) / across, "y": (y - crop["v0_y0"]) / down}
            yield "mark", {"name": name, "view": crop["view"], **place}
        reply = yield "ruler", {"mark0": "A", "mark1": "B"}
        return planted.final(reply["distance_mm"], decimals=4)

    run = await planted_run(marked, "on", frame=frame)
    whys = [why for why in lengths(run) if why.record.sample.task == "distance"]
    assert len(whys) == planted.COUNT
    for why in whys:
        (part,), (truth,) = why.quantities.values(), expected(policy, why.record.sample)
        check_sum(part)
        assert part.source == "ruler"
        assert part.seeing == pytest.approx(truth - why.record.sample.target[0], abs=2e-3)
        # Marks are stated to a millionth of the picture.
        assert abs(part.arithmetic) <= 1e-3
        assert part.unit == 0


async def test_the_summary_has_the_planted_means_by_task(planted_run):
    policy = planted.Planted(shift=SHIFT)
    run = await planted_run(policy, "on")
    summary = summarise_why(run)
    assert summary.condition == "on"
    samples = [sample for sample in run.samples if sample.task == "distance"]
    seeing = [expected(policy, sample)[0] - sample.target[0] for sample in samples]
    group = summary.tasks["distance"].errors.quantities["distance"].with_solver
    assert (group.n, group.sources) == (planted.COUNT, {"ruler": planted.COUNT})
    assert group.seeing.signed.mean == pytest.approx(math.fsum(seeing) / len(seeing))
    assert group.seeing.absolute.mean == pytest.approx(math.fsum(map(abs, seeing)) / len(seeing))
    relative = [value / sample.target[0] for value, sample in zip(seeing, samples, strict=True)]
    assert group.seeing.signed_relative.mean == pytest.approx(math.fsum(relative) / len(relative))
    parts = math.fsum(part.signed.mean for part in (group.unit, group.arithmetic, group.seeing))
    assert parts == pytest.approx(group.error.signed.mean, abs=1e-9)
    assert summary.tasks["distance"].errors.quantities["distance"].without_solver == group
    again = type(summary).model_validate_json(summary.model_dump_json())
    assert again == summary


@pytest.mark.parametrize("reverse", [False, True])
async def test_landmark_errors_are_the_displacement_whatever_the_order(planted_run, reverse):
    policy = planted.Planted(shift=(0.004, -0.003), crops=True, reverse=reverse)
    for why in lengths(await planted_run(policy, "on")):
        width, height = planted.field(why.record.sample)
        moved = math.hypot(0.004 * width, 0.003 * height)
        assert why.landmarks.mean_mm == pytest.approx(moved / 2, abs=2e-3)
        assert why.landmarks.largest_mm == pytest.approx(moved, abs=2e-3)
        assert why.landmarks.swapped == (reverse and why.record.sample.task == "angle")


async def test_corner_errors_of_a_box_are_in_mm_in_every_convention(planted_run):
    for frame in ("medvision", "pixel"):
        box = (0.25, 0.25, 0.5, 0.5)

        def policy(look, box=box):
            yield from ()
            return look.final_box(box, decimals=4)

        run = await planted_run(policy, "off", frame, frame=frame)
        whys = [why for why in sample_whys(run, RULES) if why.record.sample.task == "detection"]
        assert len(whys) == planted.COUNT
        for why in whys:
            width, height = planted.field(why.record.sample)
            x1, y1, x2, y2 = why.record.sample.target
            low = math.hypot((x1 - 0.25) * width, (y1 - 0.25) * height)
            high = math.hypot((x2 - 0.5) * width, (y2 - 0.5) * height)
            assert why.corners_mm == pytest.approx((low, high), abs=1e-3 * width)


async def test_a_solver_is_labelled_and_left_out_of_the_other_figures(planted_run):
    def policy(look):
        if planted.task_of(look.brief) != "size":
            return "<answer>1</answer>"
        box = {"x0": 0.0, "y0": 0.0, "x1": 1.0, "y1": 1.0}
        reply = yield "fit_contour", box
        return f"<answer>{reply['major_mm']:.2f}, {reply['minor_mm'] / 10:.2f}</answer>"

    run = await planted_run(policy, "fit_contour")
    for why in lengths(run):
        if why.record.sample.task == "size":
            major, minor = why.quantities.values()
            assert major.unit == 0
            assert minor.unit == pytest.approx(-9 * minor.answer)
            assert max(abs(major.arithmetic), abs(minor.arithmetic)) < 0.055
            assert why.solver
            check_sum(major)
            check_sum(minor)
    errors = summarise_why(run).tasks["size"].errors
    assert errors.quantities["major axis"].with_solver.sources == {"fit_contour": planted.COUNT}
    assert errors.quantities["major axis"].without_solver.n == 0
    assert errors.quantities["major axis"].without_solver.seeing.signed.mean is None
    assert errors.landmarks.mean_mm.n == planted.COUNT
    assert errors.landmarks_without_solver is None


async def test_what_cannot_be_decomposed_is_counted_with_its_reason(planted_run, tmp_path):
    run = await planted_run(lambda look: iter(()), "off")  # a policy that says nothing but None
    errors = summarise_why(run).tasks["distance"].errors
    assert errors.quantities["distance"].not_decomposed == {Missing.NO_NUMBERS: planted.COUNT}

    def guess(look):
        yield from ()
        return "<answer>10.0, 5.0</answer>" if planted.task_of(look.brief) == "size" else "<answer>10.0</answer>"

    run = await planted_run(guess, "off", "guess")
    errors = summarise_why(run).tasks["size"].errors
    assert errors.quantities["minor axis"].not_decomposed == {Missing.NO_POINTS: planted.COUNT}
    assert errors.quantities["minor axis"].with_solver.n == 0
    run = await planted_run(planted.Planted(), "on", "reshaped", reshape=(200, 180))
    errors = summarise_why(run).tasks["size"].errors
    assert errors.quantities["major axis"].not_decomposed == {Missing.NO_SIZE: planted.COUNT}
    run = await planted_run(planted.Planted(), "on", "bare")
    for picture in (tmp_path / "bare" / "pictures").rglob("*.png"):
        picture.unlink()
    with pytest.raises(DamageError, match="the image"):
        lengths(run)


async def test_a_reshaped_picture_of_known_native_size_is_measured_in_its_own_field(planted_run):
    policy = planted.Planted(shift=SHIFT, crops=True)
    run = await planted_run(policy, "on", reshape=(200, 180))

    def told(record):
        size = planted.draw_phantom(planted.SEED, int(record.sample.image.rsplit("/", 1)[1])).size
        facts = SimpleNamespace(image_size_2d=(size.height, size.width))
        return record.model_copy(update={"sample": record.sample.model_copy(update={"medvision": facts})})

    for why in lengths(replace(run, records=[told(record) for record in run.records])):
        sample = why.record.sample
        width, height = planted.field(sample)
        assert why.landmarks.largest_mm == pytest.approx(math.hypot(SHIFT[0] * width, SHIFT[1] * height), abs=2e-3)
        for part, truth, target in zip(why.quantities.values(), expected(policy, sample), sample.target, strict=True):
            assert part.seeing == pytest.approx(truth - target, abs=2e-3)
            assert abs(part.arithmetic) <= ROUNDED


@pytest.mark.parametrize("tools", ["blind", "blind:numbers"])
async def test_what_was_withheld_is_said_to_be_and_boxes_are_measured_all_the_same(planted_run, tools):
    def policy(look):
        view = (yield "crop", {"view": "v0", "x0": 0.2, "y0": 0.2, "x1": 0.9, "y1": 0.9})["view"]
        yield "fit_contour", {"view": view, "x0": 0.1, "y0": 0.1, "x1": 0.9, "y1": 0.9}
        yield "ruler", {"view": view, "x0": 0.1, "y0": 0.1, "x1": 0.5, "y1": 0.5}
        line = {"ax0": 0.1, "ay0": 0.1, "ax1": 0.5, "ay1": 0.5}
        yield "protractor", {"view": view, **line, "bx0": 0.1, "by0": 0.1, "bx1": 0.5, "by1": 0.2}
        numbers = {"detection": (0.2, 0.2, 0.5, 0.5), "size": (20, 10)}.get(planted.task_of(look.brief), (30,))
        return planted.final(*numbers, decimals=4)

    tasks = summarise_why(await planted_run(policy, tools), RULES).tasks
    assert tasks["detection"].errors.corners.lower_mm.n == planted.COUNT
    reasons = [one.not_decomposed for task in tasks.values() for one in task.errors.quantities.values()]
    assert reasons == [{str(Missing.WITHHELD): planted.COUNT}] * 4
