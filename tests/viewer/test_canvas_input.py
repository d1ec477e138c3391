"""The measuring canvas under mouse, fingers and keyboard."""

import numpy as np
import pytest
from canvas_pages import lacking
from canvas_scenes import arm, ct, hounsfield, mark

pytestmark = pytest.mark.skipif(lacking() != "", reason=lacking())

MINUS = "\N{MINUS SIGN}"


def test_the_pointer_tells_place_value_and_mark(canvas):
    image, pictures = ct()
    marks = [
        mark("line", [(10.0, 10.0), (30.0, 10.0)], name="ruler", value="20.00 mm"),
        mark("point", [(50.0, 30.0)], layer="truth", name="apex", turn=None, call=None, tool=""),
    ]
    stage = canvas([arm(marks, image)], pictures)
    stage.page.mouse.move(*stage.place(20.5, 10.1))
    value = int(hounsfield()[10, 20])
    assert f"x 20.5, y 10.1 px  ·  {str(value).replace('-', MINUS)} HU  ·  on: ruler, 20.00 mm" in stage.readout()
    stage.page.mouse.move(*stage.place(50.0, 20.0))
    assert "10.00 mm to apex" in stage.readout()
    stage.page.mouse.click(*stage.place(20.5, 10.0))
    assert stage.page.locator("#picked").inner_text() == "on 3 1"
    assert stage.said == []


@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_a_line_of_ones_own_is_in_millimetres(canvas, ratio):
    stage = canvas([arm([])], ratio=ratio)
    before = stage.box
    stage.page.keyboard.down("Shift")
    stage.page.mouse.move(*stage.place(10, 10))
    stage.page.mouse.down()
    stage.page.mouse.move(*stage.place(40, 25))
    stage.page.mouse.up()
    stage.page.keyboard.up("Shift")
    told = float(stage.readout().removeprefix("your line ").split(" mm")[0])
    assert told == pytest.approx(np.hypot(30 * 0.5, 15 * 0.8), abs=0.005)
    assert stage.box == before


def test_wheel_and_drag_hold_what_is_under_the_pointer(canvas):
    stage = canvas([arm([])])
    x, y = fitted = stage.place(33.5, 21.5)
    stage.page.mouse.move(x, y)
    stage.page.mouse.wheel(0, -400)
    stage.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert stage.place(33.5, 21.5)[0] == x  # the page scrolls, until the canvas has the focus
    stage.page.evaluate("() => scrollTo(0, 0)")
    stage.page.locator("canvas").focus()
    stage.page.mouse.wheel(0, -400)
    # A wheel's event tells whole CSS pixels, and the image doubles.
    assert stage.place(33.5, 21.5) == pytest.approx((x, y), abs=1.5)
    x, y = stage.place(33.5, 21.5)
    stage.page.mouse.move(x, y)
    wide = stage.place(34.5, 21.5)[0] - x
    stage.page.mouse.wheel(0, -300)
    assert stage.place(34.5, 21.5)[0] - x > 1.3 * wide
    stage.page.mouse.down()
    stage.page.mouse.move(x + 60, y - 25, steps=3)
    stage.page.mouse.up()
    assert stage.place(33.5, 21.5) == pytest.approx((x + 60, y - 25), abs=1)
    stage.button("Fit")
    assert stage.place(33.5, 21.5) == fitted


def test_a_drag_with_the_right_button_changes_the_window(canvas):
    image, pictures = ct()
    stage = canvas([arm([], image)], pictures)
    x, y = stage.place(30, 20)
    stage.page.mouse.move(x, y)
    stage.page.mouse.down(button="right")
    stage.page.mouse.move(x + 220, y, steps=2)
    stage.page.mouse.up(button="right")
    assert float(stage.page.get_by_label("Width").input_value()) == pytest.approx(400 * np.e, rel=1e-3)
    assert float(stage.page.get_by_label("Level").input_value()) == pytest.approx(40)
    assert stage.place(30, 20) == (x, y)


class Fingers:
    """Fingers on the screen of a page, as the browser gets them from one."""

    def __init__(self, stage):
        self._send, self._down = stage.page.context.new_cdp_session(stage.page).send, 0

    def at(self, *places):
        """Put down, move or lift fingers: they are at these places now."""
        kind = "touchEnd" if not places else "touchStart" if len(places) > self._down else "touchMove"
        points = [{"x": x, "y": y, "id": at} for at, (x, y) in enumerate(places)]
        self._send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        self._down = len(places)


def test_two_fingers_zoom_and_then_one_moves_the_image(canvas):
    stage = canvas([arm([])], has_touch=True)
    fingers = Fingers(stage)
    x, y = stage.place(30, 20)
    wide = stage.place(40, 20)[0] - x
    fingers.at((x - 40, y), (x + 40, y))
    fingers.at((x - 80, y), (x + 80, y))
    assert stage.place(40, 20)[0] - x == pytest.approx(2 * wide, rel=0.02)
    assert stage.place(30, 20) == pytest.approx((x, y), abs=1)
    fingers.at()
    fingers.at((x, y))
    fingers.at((x - 25, y - 30))
    fingers.at()
    assert stage.place(30, 20) == pytest.approx((x - 25, y - 30), abs=1)


def test_a_finger_on_a_mark_goes_to_its_turn_and_the_mark_is_still_told_of(canvas):
    marks = [mark("line", [(10.0, 10.0), (30.0, 10.0)], name="ruler", value="20.00 mm", call=4)]
    stage = canvas([arm(marks)], has_touch=True)
    x, y = stage.place(20, 10)
    stage.page.touchscreen.tap(x, y + 14)  # a finger is broad
    assert stage.page.locator("#picked").inner_text() == "on 3 4"
    assert " px" in stage.readout()


def test_a_finger_scrolls_the_page_over_a_whole_image_and_measures_where_that_is_asked(canvas):
    stage = canvas([arm([mark("line", [(0.0, 20.0), (60.0, 20.0)])])], has_touch=True)
    stage.page.evaluate("document.body.style.minHeight = '3000px'")
    x, y = before = stage.place(30, 20)
    fingers = Fingers(stage)

    def swipe():
        for by in range(0, 240, 40):
            fingers.at((x, y - by))
        fingers.at()
        stage.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        return stage.page.evaluate("scrollY")

    assert swipe() > 100
    assert stage.page.locator("#picked").inner_text() == ""
    stage.page.evaluate("scrollTo(0, 0)")
    stage.button("Measure")
    stage.page.evaluate("scrollTo(0, 0)")
    assert stage.place(30, 20) == before
    assert swipe() == 0
    assert stage.readout().startswith("your line ")


def test_everything_works_by_the_keyboard_alone(canvas):
    image, pictures = ct()
    marks = [mark("line", [(10.0, 10.0), (30.0, 10.0)], name="ruler", value="20.00 mm", call=4)]
    stage = canvas([arm(marks, image)], pictures)
    keys = stage.page.keyboard
    for _ in range(30):
        keys.press("Tab")
        if stage.page.evaluate("document.activeElement.tagName") == "CANVAS":
            break
    x, y = stage.place(30, 20)
    keys.press("ArrowLeft")
    assert stage.place(30, 20) == pytest.approx((x + 40, y), abs=1)
    keys.press("ArrowDown")
    assert stage.place(30, 20) == pytest.approx((x + 40, y - 40), abs=1)
    keys.press("+")
    keys.press("-")
    assert stage.place(30, 20) == pytest.approx((x + 40, y - 40), abs=1)
    keys.press("0")
    assert stage.place(30, 20) == (x, y)
    keys.press("[")
    assert float(stage.page.get_by_label("Width").input_value()) == 360
    keys.press("]")
    assert float(stage.page.get_by_label("Width").input_value()) == 400
    for _ in range(10):
        keys.press("Tab")
        if stage.page.evaluate("document.activeElement.closest('table') !== null"):
            break
    assert stage.page.locator("tr.mc-lit").count() == 1
    keys.press("Enter")
    assert stage.page.locator("#picked").inner_text() == ""
    keys.press("Tab")
    keys.press("Enter")
    assert stage.page.locator("#picked").inner_text() == "on 3 4"


def test_a_line_is_measured_by_the_keyboard(canvas):
    stage = canvas([arm([])])
    stage.button("Measure")
    assert "Drag to measure" in stage.readout()
    stage.page.locator("canvas").focus()
    before = stage.place(30, 20)
    for key in ("Shift+ArrowLeft", "Enter", "ArrowRight", "ArrowRight", "Shift+ArrowRight", "ArrowDown", "Enter"):
        stage.page.keyboard.press(key)
    assert stage.place(30, 20) == before
    told = f"your line {np.hypot(12 * 0.5, 1 * 0.8):.2f} mm"
    assert stage.readout().startswith(told)
    stage.page.keyboard.press("ArrowLeft")
    assert stage.readout().startswith(told)
    stage.page.keyboard.press("Escape")
    assert "your line" not in stage.readout()
