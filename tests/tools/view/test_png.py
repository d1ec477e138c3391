from hashlib import sha256

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from medvision_agent.errors import DataError
from medvision_agent.tools.view import png
from medvision_agent.tools.view.png import decode_png, encode_png, pixels_sha256, png_names

colour = hnp.arrays(np.uint8, st.tuples(st.integers(1, 20), st.integers(1, 20), st.just(3)))
grey = hnp.arrays(np.uint8, st.tuples(st.integers(1, 20), st.integers(1, 20)))


@given(grey)
def test_grey_pixels_survive(pixels):
    np.testing.assert_array_equal(decode_png(encode_png(pixels)), pixels)


@given(grey)
def test_same_pixels_same_bytes(pixels):
    assert encode_png(pixels) == encode_png(pixels.copy(order="F"))


@given(grey | colour)
def test_what_is_sent_has_the_pixels_that_earlier_versions_sent(pixels):
    now, before = encode_png(pixels), earlier(pixels)
    seen = [cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_UNCHANGED) for file in (now, before)]
    np.testing.assert_array_equal(*seen)
    assert pixels_sha256(now) == pixels_sha256(before)
    assert png_names(now) == png_names(before) == {sha256(file).hexdigest() for file in (now, before)}


def earlier(pixels):
    """Return the file that earlier versions wrote."""
    stored = pixels if pixels.ndim == 2 else np.ascontiguousarray(pixels[:, :, ::-1])
    return cv2.imencode(".png", stored, [cv2.IMWRITE_PNG_COMPRESSION, 6])[1].tobytes()


def test_pictures_of_other_pixels_or_another_shape_have_other_hashes():
    pictures = [np.zeros((4, 4), np.uint8), np.zeros((2, 8), np.uint8), np.ones((4, 4), np.uint8)]
    assert len({pixels_sha256(encode_png(picture)) for picture in pictures}) == 3


def test_a_picture_that_comes_again_is_not_encoded_again(monkeypatch):
    recent = png._Recent(10**6)
    file = recent.file(np.eye(9, dtype=np.uint8))
    monkeypatch.setattr(png, "_encoded", None)
    assert recent.file(np.eye(9, dtype=np.uint8, order="F")) is file


def test_the_files_kept_are_bounded_and_the_latest_used():
    pictures = [np.full((6, 6), grey, np.uint8) for grey in range(4)]
    sizes = [len(png._Recent(0).file(picture)) for picture in pictures]
    recent = png._Recent(sum(sizes) - 1)
    files = [recent.file(picture) for picture in (*pictures[:3], pictures[0], pictures[3])]
    assert files[3] is files[0]
    assert [recent._files.get((one.shape, sha256(one).digest())) is not None for one in pictures] == [
        True,
        False,
        True,
        True,
    ]
    assert recent._size == sum(map(len, recent._files.values()))


def test_the_same_bytes_in_another_shape_are_another_file():
    flat = np.arange(36, dtype=np.uint8)
    assert len({encode_png(flat.reshape(shape)) for shape in ((6, 6), (4, 9), (3, 4, 3))}) == 3


def test_colours_are_red_green_blue():
    pixels = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    read = cv2.imdecode(np.frombuffer(encode_png(pixels), np.uint8), cv2.IMREAD_COLOR_RGB)
    np.testing.assert_array_equal(read, pixels)


@pytest.mark.parametrize("data", [b"", b"no picture", encode_png(np.zeros((9, 9), np.uint8))[:30]])
def test_a_broken_file_is_a_data_error(data):
    with pytest.raises(DataError, match="not a readable PNG"):
        decode_png(data)
