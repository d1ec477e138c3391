"""A fake provider that is a faithful reader: it reads positions off the pictures it is shown, and believes captions.

Its encoder sees every picture at ``SEEN`` x ``SEEN`` pixels. It is asked for the length of a bright bar with a thin
spike at each end: on the whole image the spikes are too thin for its encoder, on a crop around the bar they are seen.
With tools it crops around what it saw, reads the ends on the new picture, and has the ruler measure there; where a
picture shows it nothing, or none comes, it keeps to what it saw first, and where numbers are withheld it works the
length out from the region that it asked for. Without any picture it refuses.
"""

import json
import re
from pathlib import Path

import cv2
import numpy as np

from fake.replies import Reply, calls, text
from fake.server import FakeServer, Request
from medvision_agent.tools.view.png import decode_png, encode_png

SEEN, SIDE = 64, 512
ROW = {"provider": "openai", "model": "reader", "api_key_env": None}
PERCEIVED = {"perceived": {"rule": "fixed", "height": SEEN, "width": SEEN}}
DARK, BRIGHT, FAINT = 40, 200, 80
MARGIN = 0.25
Ends = tuple[float, float, float]
"""Left, right, and the height of the bar from below, in shares of the picture."""


def bars(folder: Path, count: int) -> Path:
    """Write so many images of bars, each of a subject of its own, and the file of their samples."""
    dice, lines = np.random.default_rng(5), []
    for number in range(count):
        length = int(dice.integers(120, 200))
        spike = round(0.035 * length)
        x, y = int(dice.integers(40, SIDE - 260)), int(dice.integers(60, SIDE - 60))
        pixels = np.full((SIDE, SIDE), DARK, np.uint8)
        pixels[y - 12 : y + 12, x + spike : x + spike + length] = BRIGHT
        pixels[y, x : x + 2 * spike + length] = BRIGHT
        (folder / f"{number}.png").write_bytes(encode_png(pixels))
        across = (("left end", x), ("right end", x + 2 * spike + length))
        ends = [{"name": name, "x": at, "y": y + 0.5} for name, at in across]
        names = {"landmarks": ["left end", "right end"], "truth_points": ends, "target": [(2 * spike + length) * 0.5]}
        where = {"modality": "MR", "plane": "axial", "pixel_size": {"height_mm": 0.5, "width_mm": 0.5}}
        common = {"id": f"s{number:02}", "task": "distance", "image": f"{number}.png", "convention": "edge"}
        lines.append(common | names | where | {"dataset": "bars", "subject": f"bars/{number}"})
    file = folder / "bars.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return file


def seen(png: bytes) -> Ends | None:
    """Return where the bar ends, as far as the encoder shows it; None where there is no bar."""
    coarse = cv2.resize(decode_png(png).astype(np.float32), (SEEN, SEEN), interpolation=cv2.INTER_AREA)
    rows, columns = np.nonzero(coarse > FAINT)
    if np.ptp(coarse) < FAINT - DARK or not len(rows):
        return None
    return columns.min() / SEEN, (columns.max() + 1) / SEEN, 1 - (rows.mean() + 0.5) / SEEN


class Reader(FakeServer):
    """Answers by what it sees."""

    def _next(self, request: Request) -> Reply:
        messages = request.body["messages"]
        results = [json.loads(one["content"]) for one in messages if one["role"] == "tool"]
        first = seen(request.pictures[0]) if request.pictures else None
        if first is None:
            return text("I am shown no bar, so I cannot measure it.")
        if not request.body.get("tools"):
            return _answer(first[1] - first[0], request)
        left, right = first[0] - MARGIN * (first[1] - first[0]), first[1] + MARGIN * (first[1] - first[0])
        low, high = first[2] - 0.1, first[2] + 0.1
        region = dict(
            zip(("x0", "y0", "x1", "y1"), (max(left, 0), max(low, 0), min(right, 1), min(high, 1)), strict=True)
        )
        if not results:
            return calls(("crop", {"view": "v0", **region, "zoom": 1}))
        closer = seen(request.pictures[1]) if len(request.pictures) > 1 else None
        view, ends = ("v0", first) if closer is None else (results[0]["view"], closer)
        if len(results) == 1:
            return calls(("ruler", {"view": view, "x0": ends[0], "y0": ends[2], "x1": ends[1], "y1": ends[2]}))
        measured = results[1]["distance_mm"]
        if isinstance(measured, float):
            return text(f"<answer>{measured:.2f}</answer>")
        width = 1 if view == "v0" else region["x1"] - region["x0"]
        return _answer((ends[1] - ends[0]) * width, request)


def _answer(share: float, request: Request) -> Reply:
    """Return a length, given as a share of the whole image, by the numbers that the prompt states."""
    said = json.dumps(request.body)
    pixels, size = (float(re.search(rf"{key} = ([0-9.]+[0-9])", said)[1]) for key in ("width_px", "width_mm_per_px"))
    return text(f"<answer>{share * pixels * size:.2f}</answer>")
