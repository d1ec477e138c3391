"""Scenes for tests of the measuring canvas: an image of three bright pixels, one of Hounsfield units, and marks."""

import numpy as np

from medvision_agent.eval.browse.forms import Mark, Scene, Shown
from medvision_agent.eval.browse.shown import packed
from medvision_agent.tools.view.png import encode_png

WIDTH, HEIGHT = 60, 40
SPOTS = [(7, 5), (33, 21), (52, 33)]
"""Columns and rows of white pixels."""
ORANGE, BLUE = (245, 166, 35), (86, 180, 233)


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


def hounsfield():
    return np.random.default_rng(4).integers(-1024, 2000, (HEIGHT, WIDTH)).astype(np.float32)


def ct():
    pixels, slope, intercept, off = packed(hounsfield())
    assert off == 0
    values = {"storage": "packed16", "slope": slope, "intercept": intercept, "unit": "HU", "low": -160.0, "high": 240.0}
    return shown(name="ct", pixel_width_mm=1.0, pixel_height_mm=1.0, **values), {"ct": encode_png(pixels)}


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
