"""Images of two bars: the bright one is asked about, the faint one below it is nearly as long and beside the point."""

import json
from pathlib import Path

import numpy as np

from medvision_agent.tools.view.png import encode_png

__all__ = ["SUBJECTS", "write"]

SUBJECTS = 64
_BOTH = 8
"""Subjects with a second image."""
_WIDTH, _HEIGHT = 96, 80
_BRIGHT, _FAINT = 240, 140
_ROW, _ROW_BELOW = 16, 62


def write(folder: Path) -> Path:
    """Write the images and the file of their samples: a distance each, CT and MR in turn, no two questions alike."""
    dice, lines = np.random.default_rng(12), list[str]()
    for number in range(SUBJECTS + _BOTH):
        subject = number % SUBJECTS
        kind, dark = (("CT", 30), ("MR", 60))[subject % 2]
        spacing = round(0.6 + 0.005 * number, 3)
        length = int(dice.integers(30, 51))
        left, left_below = (int(dice.integers(8, _WIDTH - 8 - 52)) for _ in range(2))
        pixels = (dark + dice.integers(0, 6, (_HEIGHT, _WIDTH))).astype(np.uint8)
        pixels[_ROW - 1 : _ROW + 2, left : left + length] = _BRIGHT
        pixels[_ROW_BELOW - 1 : _ROW_BELOW + 2, left_below : left_below + length + int(dice.integers(-1, 2))] = _FAINT
        (folder / f"{number}.png").write_bytes(encode_png(pixels))
        ends = [
            {"name": name, "x": x, "y": _ROW + 0.5} for name, x in (("left end", left), ("right end", left + length))
        ]
        where = {"modality": kind, "plane": "axial", "description": f"{kind} image {number}"}
        about = {"id": f"s{number:02}", "task": "distance", "image": f"{number}.png", "convention": "edge"}
        truth = {"landmarks": ["left end", "right end"], "truth_points": ends, "target": [length * spacing]}
        size = {"pixel_size": {"height_mm": spacing, "width_mm": spacing}}
        lines.append(json.dumps(about | where | truth | size | {"dataset": "bars", "subject": f"bars/{subject}"}))
    file = folder / "bars.jsonl"
    file.write_text("\n".join(lines), encoding="utf-8")
    return file
