"""The stored pictures of runs: their sizes and their bytes."""

import base64
from collections.abc import Iterable, Sequence

import cv2
import numpy as np

from medvision_agent.errors import DataError
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.store.damage import read_picture
from medvision_agent.eval.store.files import is_hash
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.why.scene import picture_size
from medvision_agent.tools.view.png import decode_png, encode_png

__all__ = ["embedded", "sizes_of"]

_MOST = 768
"""Longest side of a picture in a report, in pixels."""


def sizes_of(runs: Sequence[Run], samples: Iterable[Sample]) -> dict[str, tuple[int, int]]:
    """Return height and width of the samples' native pictures, where MedVision or a picture as sent tells them."""
    wanted = {sample.id: sample for sample in samples}
    sizes = {
        one.id: (one.medvision.image_size_2d[0], one.medvision.image_size_2d[1])
        for one in wanted.values()
        if one.medvision is not None
    }
    for run in runs:
        if run.identity.reshape:
            continue
        for record in run.records:
            one = record.sample.id
            if one in wanted and one not in sizes and (found := picture_size(run, record)):
                sizes[one] = (found.height, found.width)
    return sizes


def embedded(run: Run, record: Record) -> str:
    """Return the image as sent of a record in base64, reduced where it is large; empty where none was stored.

    Raises DamageError where it is not the one that was stored.
    """
    if not is_hash(record.v0_sha256):
        return ""
    data = read_picture(run.folder, record.v0_sha256, record.sample.id)
    try:
        grey = decode_png(data)
    except DataError:
        return ""
    longest = max(grey.shape)
    if longest > _MOST:
        height, width = (max(1, round(side * _MOST / longest)) for side in grey.shape)
        data = encode_png(np.asarray(cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA), np.uint8))
    return base64.b64encode(data).decode("ascii")
