"""The stored pictures of runs: their sizes and their bytes."""

import base64
import struct
from collections.abc import Iterable, Sequence

import cv2
import numpy as np

from medvision_agent.errors import DataError
from medvision_agent.eval.run import Run
from medvision_agent.eval.sample import Sample
from medvision_agent.eval.store import picture_path
from medvision_agent.tools.png import decode_png, encode_png

__all__ = ["embedded", "sizes_of"]

_PNG = b"\x89PNG\r\n\x1a\n"
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
        if run.identity.get("reshape"):
            continue
        for record in run.records:
            if record.sample.id in wanted and record.sample.id not in sizes and (found := _size(run, record.v0_sha256)):
                sizes[record.sample.id] = found
    return sizes


def embedded(run: Run, sha256: str) -> str:
    """Return a stored picture in base64, reduced where it is large; empty where it is not there."""
    try:
        data = picture_path(run.folder, sha256).read_bytes()
        grey = decode_png(data)
    except (OSError, DataError):
        return ""
    longest = max(grey.shape)
    if longest > _MOST:
        height, width = (max(1, round(side * _MOST / longest)) for side in grey.shape)
        data = encode_png(np.asarray(cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA), np.uint8))
    return base64.b64encode(data).decode("ascii")


def _size(run: Run, sha256: str) -> tuple[int, int] | None:
    if not sha256:
        return None
    try:
        with picture_path(run.folder, sha256).open("rb") as file:
            head = file.read(24)
    except OSError:
        return None
    if len(head) < 24 or not head.startswith(_PNG):
        return None
    width, height = struct.unpack(">II", head[16:24])
    return height, width
