"""The image under the canvas: native values if they can be read here, otherwise the image as sent.

Contract: native values are shown only where they are proven to be those that the model was shown. The source of the run
is opened at its original location, the slice is mapped to grey levels by the run's own recipe, and every pixel must
equal that of the stored image. Sources of other packages are not opened, so that viewing a run executes no foreign
code.

An image made here is named by its hash. For 16 bits, the red channel holds the high byte and the green channel the low
byte; ``Shown`` says how to read them.
"""

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from medvision_agent.errors import DataError, MedVisionAgentError
from medvision_agent.eval.asking.pictures import Pictures
from medvision_agent.eval.asking.recipe import recipe_named
from medvision_agent.eval.browse.forms import Shown
from medvision_agent.eval.data.medvision.source import Reading
from medvision_agent.eval.data.source import NativeImage, Source
from medvision_agent.eval.data.sources import SOURCES, open_source
from medvision_agent.eval.store.damage import read_picture
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.why.scene import Scene
from medvision_agent.tools.view.display import shown
from medvision_agent.tools.view.geometry import Size
from medvision_agent.tools.view.png import decode_png, encode_png
from medvision_agent.tools.view.slice import FloatImage, Grey, Slice, Units, Window
from medvision_agent.tools.view.views import Display, ViewSet

__all__ = ["UNREADABLE", "Made", "image_of", "packed"]

UNREADABLE = "its source cannot be read here"
"""The reason given, followed by a colon and details, which may name a local folder."""
_DISPLAY: TypeAdapter[Display] = TypeAdapter(Display)
_TOP = 65535
_GREY = "grey level"
_ROUNDING = 1e-3
"""Fraction of a step that counts as a rounding error."""
_NEARLY = 1 - 1e-6


@dataclass(frozen=True, eq=False)
class Made:
    """The image under a canvas: how to read its pixels (``shown``), and its PNG file, None if it is the stored one."""

    shown: Shown
    png: bytes | None


def image_of(run: Run, record: Record, scene: Scene) -> Made:
    """Return the image of a record's conversation: the native values if proven, otherwise the image as sent.

    *scene* holds the views of the conversation. Raises DamageError or DataError if the stored image is broken.
    """
    stored = read_picture(run.folder, record.v0_sha256, record.sample.id)
    sent = decode_png(stored)
    size, spacing = scene.views.whole.size, scene.spacing
    if sent.shape != (size.height, size.width):
        raise DataError(
            f"the stored image has {sent.shape[0]} x {sent.shape[1]} pixels (height x width), but the sample's image "
            f"has {size.height} x {size.width}; check the run with `medvision-agent verify`"
        )
    as_sent = Shown(
        name=record.v0_sha256,
        width=size.width,
        height=size.height,
        storage="grey8",
        slope=1.0,
        intercept=0.0,
        unit=_GREY,
        low=0.0,
        high=255.0,
        pixel_width_mm=spacing.width_mm,
        pixel_height_mm=spacing.height_mm,
        about="",
    )
    if run.identity.picture == "blank":
        return Made(
            as_sent.model_copy(update={"about": "the uniform image that was sent instead of the sample's own"}), None
        )
    try:
        native, image = _slice_of(run, record)
    except (MedVisionAgentError, OSError, ValueError) as error:
        return Made(_sent(as_sent, f"{UNREADABLE}: {_line(error)}"), None)
    views = ViewSet(image, scene.views.perceives, scene.views.frame, _DISPLAY.validate_python(run.identity.display))
    if not np.array_equal(shown(views, views.whole), sent):
        return Made(_sent(as_sent, "the source here gives another image than the one sent"), None)
    what = "values of the slice" if record.donor is None else "values of the image that stood in its place"
    if run.identity.reshape:
        what += f", resampled to {size.height} x {size.width} pixels as it was asked"
    if native.displayed:
        return _grey(as_sent, image.grey, sent, what)
    return _native(as_sent, image, native.units, what)


def _sent(shown: Shown, why: str) -> Shown:
    return shown.model_copy(update={"about": f"grey levels of the image as sent: {why}"})


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]


def _slice_of(run: Run, record: Record) -> tuple[NativeImage, Slice]:
    """Return the native image that the model was shown, and the slice from which its views were made.

    Raises a MedVisionAgentError if the source cannot be read, and DataError if the donor's sample is not in the run.
    """
    identity, sample = run.identity, record.sample
    reading = Reading(**(run.config.get("reading") or {}))
    source = _source(str(run.config["data"]), reading)
    recipe = recipe_named(identity.recipe, Size(*identity.reshape) if identity.reshape else None)
    native = source.load(sample)
    own = recipe.slice_of(native, sample)
    if record.donor is None:
        return native, own
    donor = next((one for one in run.samples if one.id == record.donor.sample), None)
    if donor is None:
        raise DataError("the sample whose image was shown instead is not in the run")
    given, _ = Pictures("swapped", {sample.id: donor}).given(own, sample, source, recipe)
    return source.load(donor), given


@lru_cache(maxsize=8)
def _source(data: str, reading: Reading) -> Source:
    """Return the source that *data* names: a shipped source or one of files; DataError for one of another package."""
    kind = data.partition(":")[0]
    if kind in SOURCES.names() and not SOURCES.offer(kind).shipped:
        raise DataError(f"{kind} is a source of another package, and the viewer opens none of these")
    return open_source(data, reading)


def _grey(as_sent: Shown, grey: Grey, sent: Grey, what: str) -> Made:
    """Return the 8-bit image *grey* without the overlays of the image *sent*; *what* describes its values."""
    about = f"{what} (grey levels, 8 bits)"
    if np.array_equal(grey, sent):
        return Made(as_sent.model_copy(update={"about": about}), None)
    png = encode_png(grey)
    return Made(as_sent.model_copy(update={"about": about, "name": sha256(png).hexdigest()}), png)


def _native(as_sent: Shown, image: Slice, units: Units, what: str) -> Made:
    pixels, slope, intercept, off = packed(image.values)
    png = encode_png(pixels)
    window = image.mapping if isinstance(image.mapping, Window) else Window(intercept, intercept + _TOP * slope)
    return Made(
        as_sent.model_copy(
            update={
                "name": sha256(png).hexdigest(),
                "storage": "packed16",
                "slope": slope,
                "intercept": intercept,
                "unit": "HU" if units == Units.HU else "",
                "low": window.low,
                "high": window.high,
                "about": f"native {what}" + (f", to within {off:.2g}" if off else ""),
            }
        ),
        png,
    )


def packed(values: FloatImage) -> tuple[NDArray[np.uint8], float, float, float]:
    """Return values (h, w) as a packed image (h, w, 3), its slope and intercept, and the largest error.

    A pixel's 16-bit number is in its red (high byte) and green (low byte) channels. A reader computes
    ``float32(number * slope + intercept)``, in the unit of the values, as is the error. The error is 0 if the values
    are multiples of one step with at most 65,536 steps from the smallest to the largest, as a scanner stores them.
    """
    exact = values.astype(np.float64)
    low, extent = float(exact.min()), float(np.ptp(exact))
    steps = [1.0] if low.is_integer() else []
    step = _step(exact) if extent else 0.0
    steps += [extent / round(extent / step)] if step else []
    steps.append(extent / _TOP if extent else 1.0)
    for slope in steps:
        if extent / slope > _TOP + 0.5:
            continue
        stored = np.rint((exact - low) / slope)
        off = float(np.abs((stored * slope + low).astype(np.float32).astype(np.float64) - exact).max())
        if off == 0 or slope == steps[-1]:
            break
    whole = stored.astype(np.uint16)
    pixels = np.stack([whole >> 8, whole & 255, np.zeros_like(whole)], axis=-1).astype(np.uint8)
    return pixels, slope, low, off


def _step(values: NDArray[np.float64]) -> float:
    """Return the largest step of which all differences of values are multiples, apart from rounding; 0 if none exists.

    Uses Euclid's algorithm over all gaps at once.
    """
    gaps = np.diff(np.unique(values))
    least, step = float(np.ptp(values)) / _TOP, float(gaps.min())
    while step >= least * _NEARLY:
        rest = np.abs(gaps - np.rint(gaps / step) * step)
        left = rest[rest > step * _ROUNDING]
        if not left.size:
            return step
        step = float(left.min())
    return 0.0
