"""Runs of two versions, which write one picture as different files, are compared by what the picture shows."""

from hashlib import sha256

import cv2
import numpy as np
import pytest
from arms import an_arm

from medvision_agent.eval.compare.parity import run_parity
from medvision_agent.eval.compare.points import parity_card
from medvision_agent.eval.store.files import write_picture
from medvision_agent.eval.store.record import Enlarged
from medvision_agent.tools.view.png import encode_png

PIXELS = np.add.outer(np.arange(40), np.arange(50)).astype(np.uint8)
OTHER = PIXELS.copy()
OTHER[3, 4] += 1


def earlier(pixels):
    """Return a PNG file as earlier versions wrote it."""
    return cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 6])[1].tobytes()


def elsewhere(pixels):
    """Return a PNG file as no version wrote it."""
    return cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 3])[1].tobytes()


@pytest.fixture
def arms(tmp_path):
    """Store two arms whose images are files of their own."""

    def stored(one, two):
        both = []
        for name, png in (("a", one), ("b", two)):
            key = sha256(png).hexdigest()
            tools = ("ruler",) if name == "b" else ()
            both.append(an_arm(tmp_path / name, tools=tools, record=lambda _, key=key: {"v0_sha256": key}))
            write_picture(tmp_path / name, key, png)
        return both

    return stored


@pytest.mark.parametrize("one", [earlier, elsewhere, encode_png])
def test_the_same_pixels_in_another_file_are_the_same_picture(arms, one):
    a, b = arms(one(PIXELS), encode_png(PIXELS))
    assert run_parity(a, b) == run_parity(b, a) == []
    point = next(point for point in parity_card([(a, b)]).points if point.name == "picture")
    assert (point.proven, point.of) == (4, 4)


@pytest.mark.parametrize("one", [earlier, encode_png])
def test_one_pixel_more_is_another_picture(arms, one):
    (line,) = run_parity(*arms(one(PIXELS), encode_png(OTHER)))
    assert line.startswith("v0_sha256 (the image as sent): differs for 4 of 4")


def test_a_picture_that_is_lost_is_not_the_same(arms, tmp_path):
    a, b = arms(elsewhere(PIXELS), encode_png(PIXELS))
    for file in (tmp_path / "a").rglob("*.png"):
        file.unlink()
    assert len(run_parity(a, b)) == 1


@pytest.mark.parametrize(("before", "now"), [(earlier, encode_png), (encode_png, earlier)])
@pytest.mark.parametrize("pixels", [PIXELS, OTHER], ids=["same", "other"])
def test_the_own_image_of_an_enlarged_one_is_known_by_its_hash_alone(arms, tmp_path, before, now, pixels):
    a, _ = arms(before(PIXELS), now(PIXELS))
    own = Enlarged(
        allowed=9,
        own=4,
        given=9,
        height_px=40,
        width_px=50,
        prompt_sha256="p",
        v0_sha256=sha256(now(pixels)).hexdigest(),
    )
    larger = an_arm(tmp_path / "c", record=lambda _: {"v0_sha256": "0" * 64, "enlarged": own})
    free = frozenset({"enlarged", "prompt_sha256"})
    expected = 0 if pixels is PIXELS else 1
    assert len(run_parity(a, larger, free=free)) == len(run_parity(larger, a, free=free)) == expected
