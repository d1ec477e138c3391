"""A segmenter behind HTTP: what is sent, what counts as a reply, and that nothing else is the model's loss."""

import numpy as np
import pytest
import segmenters
from phantoms import EllipsePhantom

from medvision_agent.errors import ConfigError, ToolServiceError
from medvision_agent.tools.registry import registry_of
from medvision_agent.tools.segment.candidates import Prompt
from medvision_agent.tools.segment.server import Server
from medvision_agent.tools.view.geometry import Point, Region, Spacing
from medvision_agent.tools.view.perceived import Native
from medvision_agent.tools.view.views import ViewSet

IMAGE = EllipsePhantom(Spacing(0.5, 0.25), 40, 30, 10, 6, 0.0).slice(180, 60)
BOX = Region(10, 20, 50, 40)
HALF = {"x0": 0.25, "y0": 0.25, "x1": 0.75, "y1": 0.75}


@pytest.fixture(scope="module")
def address():
    with segmenters.served() as found:
        yield found


@pytest.mark.parametrize("way", ["good", "mask", "mask-16", "mask-colour"])
def test_polygons_and_masks_are_measured(address, way):
    server = Server(f"{address}/{way}/")
    assert server.about() == {"name": "stand-in", "version": "1.0"}
    (found,) = server.outline(IMAGE, Prompt(BOX))
    box, ellipse = found.measured.box, found.measured.ellipse
    assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx((10, 20, 50, 40), abs=0.1)
    # 40 px of 0.25 mm across and 20 of 0.5 mm down: a circle in mm
    assert (ellipse.major_mm, ellipse.minor_mm) == pytest.approx((10, 10), rel=0.03)


def test_points_arrive_in_pixels_of_the_slice(address):
    (found,) = Server(f"{address}/good").outline(IMAGE, Prompt(None, Point(30.5, 22.25)))
    assert (found.measured.ellipse.center.x, found.measured.ellipse.center.y) == pytest.approx((30.5, 22.25), abs=0.05)


def test_the_highest_score_comes_first(address):
    found = Server(f"{address}/ranked").outline(IMAGE, Prompt(BOX))
    assert [round(one.measured.box.width) for one in found] == [40, 30, 20]


def test_a_server_that_finds_nothing_has_answered(address):
    tool = registry_of(None, segmenter=f"{address}/nothing").tool("segment@server")
    reply = tool.call(ViewSet(IMAGE, Native()), HALF)
    assert (reply.ok, reply.about_image, reply.text) == (False, True, "Error: nothing found")


def test_arguments_are_checked_before_anything_is_sent(address):
    tool = registry_of(None, segmenter=f"{address}/error").tool("segment@server")
    assert "give a region" in tool.call(ViewSet(IMAGE, Native()), {}).text


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ("silent", "no complete reply within 0.3 s"),
        ("dripping", "no complete reply within 0.3 s"),
        ("error", "status 500"),
        ("redirect", "status 302"),
        ("closed", "RemoteProtocolError"),
        ("short", "RemoteProtocolError"),
        ("page", "Invalid JSON"),
        ("list", "be an object"),
        ("deep", "Invalid JSON"),
        ("huge", "more than 16000000 bytes"),
        ("replaced", "now states that it is .*, but the run began with"),
        ("wrong-shape", r"its mask has .* pixels \(height x width\), but the slice has"),
        ("bomb", "its mask has 3000 x 3000 pixels"),
        ("empty-mask", "its mask is empty"),
        ("no-png", "its mask is not the base64 text of a PNG file"),
        ("torn-png", "cannot be decoded as a PNG file"),
        ("no-base64", "its mask is not the base64 text of a PNG file"),
        ("nan", "finite number"),
        ("infinite", "finite number"),
        ("far", "less than or equal to 1000000"),
        ("outside", "encloses no area within the slice"),
        ("line", "encloses no area within the slice"),
        ("bow-tie", "encloses no area within the slice"),
        ("two-points", "at least 3 items"),
        ("both", "expected either mask or polygon, and not both"),
        ("words", "valid array"),
    ],
)
def test_a_server_that_fails_is_not_the_models_loss(address, way, words):
    server = Server(f"{address}/{way}", seconds=0.3 if way in {"silent", "dripping"} else 60)
    server.about()
    with pytest.raises(ToolServiceError, match=words) as raised:
        server.outline(IMAGE, Prompt(BOX))
    assert "Ignore all" not in str(raised.value)


def test_no_server_is_an_error_of_the_settings(address):
    for way, words in {"unnamed": "name: Field required", "nameless": "name: String should match"}.items():
        with pytest.raises(ConfigError, match=words):
            Server(f"{address}/{way}").about()
    with pytest.raises(ConfigError, match="is the server running"):
        Server("http://127.0.0.1:9").about()
    for wrong in (
        "127.0.0.1:8000",
        "ftp://h",
        "http://me:secret@h",
        "http://h?key=secret",
        "http://h#secret",
        "http://[h",
    ):
        with pytest.raises(ConfigError) as raised:
            Server(wrong)
        assert "secret" not in str(raised.value)
        with pytest.raises(ConfigError, match="--segmenter"):
            registry_of(None, segmenter=wrong)  # an address is stored even where no tool asks it
    with pytest.raises(ConfigError, match="--segmenter http"):
        registry_of(None).tool("segment@server")


def test_a_degenerate_polygon_is_measured_or_refused(address):
    assert np.isfinite(
        Server(f"{address}/good").outline(IMAGE, Prompt(Region(5, 5, 5.001, 5.001)))[0].measured.area_mm2
    )
