"""The measuring canvas in a browser: what is drawn lies where it was measured, pixel by pixel, and is what was sent."""

import io

import numpy as np
import pytest
from canvas_pages import lacking
from canvas_scenes import BLUE, HEIGHT, ORANGE, SPOTS, WIDTH, arm, ct, hounsfield, mark, middle, near, painted
from canvases import Asked, call
from PIL import Image

from medvision_agent.eval.store.damage import read_picture
from medvision_agent.tools.view.slice import Window

pytestmark = pytest.mark.skipif(lacking() != "", reason=lacking())

RATIOS = (1.0, 1.5, 2.0, 3.0)
"""Device pixels of a CSS pixel."""
ZOOMS = ([], ["Zoom out"], ["Zoom in", "Zoom in", "Zoom in"])
ENDS, UPRIGHT = ((20.5, 30.25), (41.75, 30.25)), (30.5, 12.5, 19.0)


@pytest.mark.parametrize("ratio", RATIOS)
def test_pixels_of_the_image_lie_where_the_canvas_says(canvas, ratio):
    stage = canvas([arm([])], ratio=ratio)
    for presses in ZOOMS:
        for press in presses:
            stage.button(press)
        _pixels_lie(stage)


def _pixels_lie(stage):
    pixels, _ = stage.pixels()
    seen = 0
    for column, row in SPOTS:
        x0, y0 = stage.device(column, row)
        x1, y1 = stage.device(column + 1, row + 1)
        if x0 < 0 or y0 < 0 or x1 > pixels.shape[1] or y1 > pixels.shape[0]:
            continue
        seen += 1
        inner = pixels[int(np.ceil(y0)) + 1 : int(y1) - 1, int(np.ceil(x0)) + 1 : int(x1) - 1]
        assert (inner == 255).all()
        around = near(pixels, (255, 255, 255), 0)
        around = around[(np.abs(around - ((y0 + y1) / 2, (x0 + x1) / 2)) < (y1 - y0, x1 - x0)).all(axis=1)]
        edges = [*around.min(axis=0), *(around.max(axis=0) + 1)]
        assert edges == pytest.approx([y0, x0, y1, x1], abs=1.0)
    assert seen


@pytest.mark.parametrize("ratio", RATIOS)
def test_marks_lie_on_the_pixels_that_they_measure(canvas, ratio):
    (left, row), (right, _) = ENDS
    column, top, bottom = UPRIGHT
    marks = [mark("line", [(left, row), (right, row)])]
    upright = mark("line", [(column, top), (column, bottom)])
    stage = canvas([arm(marks), arm([upright], name="off", colour="#56b4e9")], ratio=ratio)
    stage.button("Labels")
    for presses in ZOOMS:
        for press in presses:
            stage.button(press)
        stage.page.mouse.move(2, 2)
        _marks_lie(stage, ratio)


def _marks_lie(stage, ratio):
    (left, row), (right, _) = ENDS
    column, top, bottom = UPRIGHT
    pixels, _ = stage.pixels()
    flat, steep = painted(pixels, ORANGE), painted(pixels, BLUE)
    (x0, y), (x1, _) = stage.device(left, row), stage.device(right, row)
    columns = np.flatnonzero(flat.any(axis=0))
    # A canvas begins on a whole device pixel: half of one is lost. At its ends a line has ticks of half its width.
    assert middle(flat)[0] == pytest.approx(y, abs=0.55)
    assert [columns[0], columns[-1] + 1] == pytest.approx([x0, x1], abs=1 + 0.65 * ratio)
    (x, y0), (_, y1) = stage.device(column, top), stage.device(column, bottom)
    rows = np.flatnonzero(steep.any(axis=1))
    assert middle(steep)[1] == pytest.approx(x, abs=0.55)
    assert [rows[0], rows[-1] + 1] == pytest.approx([y0, y1], abs=1 + 0.65 * ratio)


def drawn(stage):
    """Return the image as it is on the canvas at one device pixel for a pixel."""
    pixels, _ = stage.pixels()
    x, y = (round(one) for one in stage.device(0, 0))
    part = pixels[y : y + HEIGHT, x : x + WIDTH]
    assert (part == part[..., :1]).all()
    return part[..., 0]


def test_every_window_gives_the_exact_grey_of_every_pixel(canvas):
    image, pictures = ct()
    stage = canvas([arm([], image)], pictures)
    stage.button("1:1")
    assert np.array_equal(drawn(stage), Window(-160, 240)(hounsfield()))
    for name, low, high in (("Lung", -1350, 150), ("Bone", -500, 1300), ("Brain", 0, 80), ("Soft tissue", -160, 240)):
        stage.page.get_by_label("Window", exact=True).select_option(name)
        assert np.array_equal(drawn(stage), Window(low, high)(hounsfield())), name
    stage.page.get_by_label("Level").fill("12.5")
    stage.page.get_by_label("Width").fill("333")
    assert np.array_equal(drawn(stage), Window(12.5 - 166.5, 12.5 + 166.5)(hounsfield()))
    stage.page.get_by_label("Window", exact=True).select_option("As sent")
    assert np.array_equal(drawn(stage), Window(-160, 240)(hounsfield()))


def test_a_stored_run_is_shown_as_it_was_sent(canvas, tmp_path):
    asked = Asked(tmp_path / "asked")
    scene = asked.run([[call("ruler", x0=0.1, y0=0.2, x1=0.7, y1=0.9)], "<answer>1, 1</answer>"])
    image = scene.shown.model_copy(update={"pixel_width_mm": 1.0, "pixel_height_mm": 1.0})
    stage = canvas([arm([], image)], asked.kept)
    stage.button("1:1")
    pixels, _ = stage.pixels()
    x, y = (round(one) for one in stage.device(0, 0))
    sent = np.asarray(_opened(read_picture(asked.stored.folder, asked.record.v0_sha256)))
    assert np.array_equal(pixels[y : y + image.height, x : x + image.width, 1], sent)


def _opened(png):
    return Image.open(io.BytesIO(png))
