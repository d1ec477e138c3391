import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from medvision_agent.errors import DataError
from medvision_agent.tools.view.png import decode_png, encode_png

grey = hnp.arrays(np.uint8, st.tuples(st.integers(1, 20), st.integers(1, 20)))


@given(grey)
def test_grey_pixels_survive(pixels):
    np.testing.assert_array_equal(decode_png(encode_png(pixels)), pixels)


@given(grey)
def test_same_pixels_same_bytes(pixels):
    assert encode_png(pixels) == encode_png(pixels.copy(order="F"))


def test_colours_are_red_green_blue():
    pixels = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    read = cv2.imdecode(np.frombuffer(encode_png(pixels), np.uint8), cv2.IMREAD_COLOR_RGB)
    np.testing.assert_array_equal(read, pixels)


@pytest.mark.parametrize("data", [b"", b"no picture", encode_png(np.zeros((9, 9), np.uint8))[:30]])
def test_a_broken_file_is_a_data_error(data):
    with pytest.raises(DataError, match="not a readable PNG"):
        decode_png(data)
