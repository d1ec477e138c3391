"""Enlarges an image to as many pixels as another arm was shown for the same sample.

Contract: pixels are counted as the model's encoder sees them, by the rule of its row. The image is resampled from its
native values, as a crop of all of it would be, keeps its shape, and states its own, smaller, pixel size. A side is at
most ``MAX_SIDE`` long, as for pictures of tools. Where the encoder would see no more of a larger image than of the own
one, the own one is shown. What would have been sent with the own image is kept by its hashes, so that parity can tell
that nothing else differs.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from itertools import takewhile
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from medvision_agent.agent.condition import Condition
from medvision_agent.agent.models import ModelConfig
from medvision_agent.agent.opening import opening
from medvision_agent.agent.words.question import Question
from medvision_agent.eval.store.damage import read_picture
from medvision_agent.eval.store.read import read_trace
from medvision_agent.eval.store.record import Enlarged
from medvision_agent.tools.view.display import shown
from medvision_agent.tools.view.frames import FRAMES
from medvision_agent.tools.view.geometry import Size, Spacing
from medvision_agent.tools.view.perceived import Rule
from medvision_agent.tools.view.png import encode_png
from medvision_agent.tools.view.slice import Slice
from medvision_agent.tools.view.views import MAX_SIDE, Perceives, ViewSet

__all__ = ["cannot_enlarge", "enlarged_question", "pixels_shown"]

_SIDES = (32, 64, 128, 256, 512, 1024, MAX_SIDE)


def cannot_enlarge(row: ModelConfig) -> str:
    """Return the reason why no image can be shown larger to the model of *row*; empty where it can."""
    if row.perceived is None:
        return "its entry has no size rule (`perceived`), so it is unknown at what size the model sees a larger image"
    if len({_pixels(row.perceived.perceived(Size(side, side))) for side in _SIDES}) == 1:
        return f"its size rule ({row.perceived.rule}) brings every image to one size, so it sees none larger"
    return ""


def pixels_shown(folder: Path, sees: Rule, sample_id: str) -> int:
    """Return the number of pixels, as the model sees them, of all images in a sample's stored conversation.

    *folder* is the run's, *sees* the size rule of its model. Raises StorageError if the conversation cannot be read.
    """
    keys = _pictures(read_trace(folder, sample_id))
    return sum(_pixels(sees.perceived(_size(read_picture(folder, key, sample_id)))) for key in keys)


def enlarged_question(
    question: Question, pixels: int, condition: Condition, config: ModelConfig, perceives: Perceives
) -> tuple[Question, Enlarged]:
    """Return a question with its image enlarged to about *pixels* pixels as the model sees them, and facts about it.

    The image is unchanged where the model would see no more of a larger one.
    """
    own = question.image
    image = _enlarged(own, pixels, config.sees)
    views = ViewSet(own, perceives, FRAMES[config.frame], question.wording.display)
    return replace(question, image=image), Enlarged(
        allowed=pixels,
        own=_pixels(config.sees.perceived(own.size)),
        given=_pixels(config.sees.perceived(image.size)),
        height_px=own.size.height,
        width_px=own.size.width,
        prompt_sha256=opening(question, views, condition, config).sha256,
        v0_sha256=sha256(encode_png(shown(views, views.whole))).hexdigest(),
    )


def _enlarged(own: Slice, pixels: int, sees: Rule) -> Slice:
    longest = max(own.size.height, own.size.width)
    factor = min(float(np.sqrt(pixels / _pixels(own.size))), MAX_SIDE / longest)
    size = Size(round(own.size.height * factor), round(own.size.width * factor))
    if factor <= 1 or _pixels(sees.perceived(size)) <= _pixels(sees.perceived(own.size)):
        return own
    values = cv2.resize(own.values, (size.width, size.height), interpolation=cv2.INTER_LINEAR)
    height_mm = own.spacing.height_mm * own.size.height / size.height
    width_mm = own.spacing.width_mm * own.size.width / size.width
    return replace(own, values=values.astype(np.float32, copy=False), spacing=Spacing(height_mm, width_mm), stack=None)


def _pictures(trace: Mapping[str, Any]) -> Iterator[str]:
    """Yield the hashes of the images that the model was shown: the question's first, then those of tools."""
    opened = takewhile(lambda message: message["type"] != "ai", trace["messages"])
    for content in (message["content"] for message in opened if not isinstance(message["content"], str)):
        yield from (block["picture"] for block in content if isinstance(block, Mapping) and "picture" in block)
    yield from (call["picture"] for call in trace["tool_calls"] if call["picture"] and call["picture_shown"])


def _size(png: bytes) -> Size:
    width, height = struct.unpack(">II", png[16:24])
    return Size(height, width)


def _pixels(size: Size) -> int:
    return size.height * size.width
