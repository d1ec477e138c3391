"""Chooses the image shown with a question: the sample's own, none, a uniform one, or that of another subject.

Contract: the prompt is the same byte for byte: size and pixel size are those of the sample's own image, to which
another one is resized. Tools work on what the model was given, so that none of them tells of the image that it was not
shown; without a picture they work on the uniform one, and no picture of theirs is shown either.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256

import cv2
import numpy as np

from medvision_agent.agent.condition import Condition
from medvision_agent.agent.models import Gemini, ModelConfig
from medvision_agent.errors import ConfigError
from medvision_agent.eval.asking.recipe import Recipe
from medvision_agent.eval.data.donors import donors, truth_as_shown
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.source import Source
from medvision_agent.eval.settings.settings import Picture
from medvision_agent.eval.store.record import Donor
from medvision_agent.tools.view.geometry import Size
from medvision_agent.tools.view.slice import FloatImage, Slice, grey_slice

__all__ = ["Pictures", "check_picture", "pictures_for"]

_GREY = 128.0
"""Grey level of the uniform image."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """A choice of the images shown with the questions of a run: own, swapped, uniform or none."""

    kind: Picture = "own"
    donors: Mapping[str, Sample] = field(default_factory=dict)
    """The donor of the shown image, by the id of the sample asked about; empty where nothing is swapped."""

    @property
    def sha256(self) -> str | None:
        """SHA-256 over the pairs of samples and donors; None where images are not swapped."""
        if self.kind != "swapped":
            return None
        pairs = sorted((target, donor.id) for target, donor in self.donors.items())
        return sha256("".join(f"{target}\0{donor}\0" for target, donor in pairs).encode()).hexdigest()

    def given(self, own: Slice, sample: Sample, source: Source, recipe: Recipe) -> tuple[Slice, Donor | None]:
        """Return the image to show with the question about a sample, and its donor.

        The donor is None unless images are swapped. *own* is the sample's own image. Raises DataError if the donor's
        image cannot be read.
        """
        if self.kind == "own":
            return own, None
        if self.kind != "swapped":
            return grey_slice(np.full(own.values.shape, _GREY), own.spacing), None
        donor = self.donors[sample.id]
        native = source.load(donor)
        field_mm = own.size.height * own.spacing.height_mm, own.size.width * own.spacing.width_mm
        truth = truth_as_shown(donor, Size(*native.values.shape), field_mm)
        return _in_place_of(own, recipe.slice_of(native, donor)), Donor(sample=donor.id, target=truth)


def pictures_for(kind: Picture, samples: Iterable[Sample], seed: int) -> Pictures:
    """Return the images of this kind for *samples*; *seed* determines who gets whose image.

    Raises ConfigError where images are to be swapped and no two subjects can be.
    """
    if kind != "swapped":
        return Pictures(kind)
    found = donors(samples, seed)
    if not found:
        raise ConfigError(
            "--picture swapped: no two subjects are asked the same question (task, label, landmarks and measurement), "
            "so no images can be swapped; choose more samples"
        )
    return Pictures(kind, found)


def check_picture(kind: Picture, name: str, model: ModelConfig, condition: Condition) -> None:
    """Raise ConfigError where the model *name* cannot be asked with images of this kind under *condition*."""
    if kind == "own":
        return
    if condition.told_truth:
        raise ConfigError(
            f"--picture {kind}: the sample's own image is not shown, but {' and '.join(condition.told_truth)} would "
            "return "
            "its ground truth; leave out --picture, or these tools"
        )
    if isinstance(model, Gemini) and model.replay is not None:
        raise ConfigError(
            f"--picture {kind}: model {name!r} repeats a published experiment in which each question was shown with "
            "its own image; use --picture own"
        )


def _in_place_of(own: Slice, other: Slice) -> Slice:
    """Return *other* resampled to the pixels and the pixel size of *own*."""
    size = (own.size.width, own.size.height)

    def resized(values: FloatImage) -> FloatImage:
        fewer = values.size > own.values.size
        way = cv2.INTER_AREA if fewer else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(values, size, interpolation=way), np.float32)

    beside = other.stack
    stack = beside and replace(beside, values=lambda away: resized(beside.values(away)))
    return replace(other, values=resized(other.values), spacing=own.spacing, stack=stack)
