"""What stands on the measuring canvas and beside it: layers, the table of marks, texts of others, several images."""

import numpy as np
import pytest
from canvas_pages import AXE, lacking, served
from canvas_scenes import HEIGHT, ORANGE, WIDTH, arm, mark, near, shown, spots

from medvision_agent.tools.view.png import encode_png

pytestmark = pytest.mark.skipif(lacking() != "", reason=lacking())

HOSTILE = "<img src=x onerror=alert(1)>\"'&{{7*7}}"


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


def test_an_image_that_cannot_be_read_says_so(canvas_site, chromium, tmp_path):
    with served(canvas_site, tmp_path / "page", [arm([])], {"spots": b"no picture"}) as address:
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
