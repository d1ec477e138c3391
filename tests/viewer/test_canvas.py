"""The measuring canvas in a browser: what is drawn lies where it was measured, pixel by pixel, and is what was sent."""

import numpy as np
import pytest
from canvas_pages import AXE, Canvas, built, lacking, served
from canvases import Asked, call

from medvision_agent.eval.browse.forms import Mark, Scene, Shown
from medvision_agent.eval.browse.shown import packed
from medvision_agent.eval.store.damage import read_picture
from medvision_agent.tools.view.png import encode_png
from medvision_agent.tools.view.slice import Window

pytestmark = pytest.mark.skipif(lacking() != "", reason=lacking())

WIDTH, HEIGHT = 60, 40
SPOTS = [(7, 5), (33, 21), (52, 33)]
"""Columns and rows of white pixels."""
RATIOS = (1.0, 1.5, 2.0, 3.0)
"""Device pixels of a CSS pixel."""
ZOOMS = ([], ["Zoom out"], ["Zoom in", "Zoom in", "Zoom in"])
ENDS, UPRIGHT = ((20.5, 30.25), (41.75, 30.25)), (30.5, 12.5, 19.0)
ORANGE, BLUE = (245, 166, 35), (86, 180, 233)
MINUS = "\N{MINUS SIGN}"
HOSTILE = "<img src=x onerror=alert(1)>\"'&{{7*7}}"


def shown(**more):
    return Shown(
        **{
            "name": "spots",
            "width": WIDTH,
            "height": HEIGHT,
            "storage": "grey8",
            "slope": 1.0,
            "intercept": 0.0,
            "unit": "grey level",
            "low": 0.0,
            "high": 255.0,
            "pixel_width_mm": 0.5,
            "pixel_height_mm": 0.8,
            "about": "an image of three bright pixels",
        }
        | more
    )


def mark(kind, points, **more):
    given = {"layer": "tool", "name": kind, "value": "", "turn": 3, "call": 1, "tool": "ruler"} | more
    return Mark(kind=kind, points=tuple(points), **given)


def arm(marks, image=None, name="on", colour="#f5a623"):
    scene = Scene(shown=image or shown(), marks=tuple(marks), missing=())
    return {"name": name, "colour": colour, "scene": scene.model_dump(mode="json")}


def spots():
    image = np.zeros((HEIGHT, WIDTH), np.uint8)
    for column, row in SPOTS:
        image[row, column] = 255
    return encode_png(image)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return built(tmp_path_factory.mktemp("page") / "site")


@pytest.fixture
def canvas(site, chromium, tmp_path):
    """Return a function that opens the canvas of some arms."""
    left = []

    def opened(arms, pictures=None, ratio=1.0, **context):
        place = served(site, tmp_path / f"site{len(left)}", arms, pictures or {"spots": spots()})
        address = place.__enter__()
        size = {"viewport": {"width": 1280, "height": 900}, "device_scale_factor": ratio} | context
        made = chromium.new_context(**size)
        left.extend([place, made])
        return Canvas(made.new_page(), ratio).open(address)

    yield opened
    for one in reversed(left):
        one.close() if hasattr(one, "close") else one.__exit__(None, None, None)


def near(pixels, colour, off=2):
    """Return where pixels have a colour, as rows and columns."""
    return np.argwhere((np.abs(pixels.astype(int) - colour) <= off).all(axis=-1))


def painted(pixels, colour):
    """Return how much of a colour each pixel has on black, 0 to 1, and none where it has another."""
    given, wanted = pixels.astype(float), np.array(colour, float)
    share = given @ wanted / (wanted @ wanted)
    other = np.linalg.norm(given - share[..., None] * wanted, axis=-1)
    return np.where((share > 0.3) & (other < 25 * share), share, 0)


def middle(shares):
    """Return the row and the column in the middle of what is painted, in device pixels."""
    rows, columns = np.indices(shares.shape) + 0.5  # pixel (r, c) covers r to r + 1
    return (shares * rows).sum() / shares.sum(), (shares * columns).sum() / shares.sum()


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


def hounsfield():
    return np.random.default_rng(4).integers(-1024, 2000, (HEIGHT, WIDTH)).astype(np.float32)


def ct():
    pixels, slope, intercept, off = packed(hounsfield())
    assert off == 0
    values = {"storage": "packed16", "slope": slope, "intercept": intercept, "unit": "HU", "low": -160.0, "high": 240.0}
    return shown(name="ct", pixel_width_mm=1.0, pixel_height_mm=1.0, **values), {"ct": encode_png(pixels)}


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
    import io

    from PIL import Image

    return Image.open(io.BytesIO(png))


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


def test_two_fingers_zoom(canvas):
    stage = canvas([arm([])], has_touch=True)
    touch = stage.page.context.new_cdp_session(stage.page)
    x, y = stage.place(30, 20)

    def fingers(kind, apart):
        points = [] if kind == "touchEnd" else [{"x": x - apart, "y": y, "id": 0}, {"x": x + apart, "y": y, "id": 1}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    wide = stage.place(40, 20)[0] - x
    fingers("touchStart", 40)
    fingers("touchMove", 80)
    fingers("touchEnd", 0)
    assert stage.place(40, 20)[0] - x == pytest.approx(2 * wide, rel=0.02)
    assert stage.place(30, 20) == pytest.approx((x, y), abs=1)


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


def test_a_row_of_the_table_stands_out_and_its_turn_is_a_link(canvas):
    marks = [mark("line", [(5.0, y), (55.0, y)], call=at) for at, y in ((1, 8.0), (2, 30.0))]
    stage = canvas([arm(marks)])
    row = stage.page.get_by_role("row").filter(has_text="call 2")
    row.get_by_role("button", name="line").click()
    stage.page.mouse.move(2, 2)
    stage.page.evaluate("document.activeElement.blur()")
    assert stage.page.locator("tr.mc-lit").count() == 1
    assert stage.page.locator("#picked").inner_text() == ""
    row.get_by_role("button", name="turn 3").click()
    assert stage.page.locator("#picked").inner_text() == "on 3 2"


def test_layers_are_switched_off_and_on(canvas):
    stage = canvas([arm([mark("line", [(10.0, 10.0), (30.0, 10.0)])])])
    stage.button("Labels")
    before = len(near(stage.pixels()[0], ORANGE, 20))
    assert before > 100
    chip = stage.page.get_by_role("group", name="Layers of on").get_by_role("button", name="ruler")
    chip.click()
    assert chip.get_attribute("aria-pressed") == "false"
    assert len(near(stage.pixels()[0], ORANGE, 20)) == 0
    chip.click()
    assert len(near(stage.pixels()[0], ORANGE, 20)) == before


def test_what_is_chosen_stands_out(canvas):
    marks = [mark("line", [(5.0, y), (55.0, y)], call=at) for at, y in ((1, 8.0), (2, 30.0))]
    stage = canvas([arm(marks)])
    stage.button("Labels")
    stage.page.get_by_role("cell").get_by_role("button", name="line").nth(1).click()
    stage.page.mouse.move(2, 2)
    stage.page.evaluate("document.activeElement.blur()")
    pixels, _ = stage.pixels()
    faint, strong = (stage.device(30, y)[1] for y in (8.0, 30.0))
    x = round(stage.device(30, 8)[0])
    assert near(pixels[round(strong) - 2 : round(strong) + 2, x : x + 1], ORANGE, 30).size
    assert not near(pixels[round(faint) - 2 : round(faint) + 2, x : x + 1], ORANGE, 30).size


def test_hostile_names_are_text(canvas):
    marks = [mark("point", [(9.0, 9.0)], name=HOSTILE, value=HOSTILE, tool=HOSTILE)]
    stage = canvas([arm(marks, shown(about=HOSTILE), name=HOSTILE)])
    stage.page.mouse.move(*stage.place(9, 9))
    assert HOSTILE in stage.readout()
    assert stage.page.locator("td", has_text=HOSTILE).count() >= 2
    assert stage.page.locator(".measuring img, .measuring script").count() == 0
    assert stage.said == []


def test_an_image_that_cannot_be_read_says_so(site, chromium, tmp_path):
    with served(site, tmp_path / "page", [arm([])], {"spots": b"no picture"}) as address:
        context = chromium.new_context()
        opened = context.new_page()
        opened.goto(address)
        opened.get_by_text("The image cannot be shown: the image is no PNG file.").wait_for()
        context.close()


def test_arms_that_saw_another_image_have_a_canvas_of_their_own(canvas):
    other = shown(name="other", about="another image")
    arms = [
        arm([mark("point", [(5.0, 5.0)], name="here")]),
        arm([mark("point", [(9.0, 9.0)], name="there")], other, "off"),
    ]
    stage = canvas(arms, {"spots": spots(), "other": encode_png(np.full((HEIGHT, WIDTH), 90, np.uint8))})
    assert stage.page.locator("td", has_text="there").count() == 0
    stage.page.get_by_label("Image of").select_option(label="off")
    stage.page.wait_for_selector("canvas[aria-busy=false]")
    assert stage.page.locator("td", has_text="there").count() == 1
    assert stage.page.locator("td").get_by_text("here", exact=True).count() == 0
    assert "Another image." in stage.page.locator(".mc-about").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing_serious_and_nothing_is_wider_than_the_screen(canvas, scheme, width):
    marks = [mark("line", [(10.0, 10.0), (30.0, 10.0)], name="ruler " * 12, value="20.00 mm")]
    size = {"viewport": {"width": width, "height": 844}, "color_scheme": scheme}
    stage = canvas([arm(marks), arm(marks, name="a long name of an arm, " * 3, colour="#56b4e9")], **size)
    stage.page.evaluate(AXE.read_text(encoding="utf-8"))
    found = stage.page.evaluate("axe.run(document.querySelector('.measuring')).then(one => one.violations)")
    assert [one["id"] for one in found if one["impact"] in {"serious", "critical"}] == []
    assert stage.page.evaluate("document.documentElement.scrollWidth") <= width
