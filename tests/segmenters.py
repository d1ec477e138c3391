"""A stand-in for a segmenter's server, as a process of its own: the first part of the path says how it behaves.

``good`` finds the ellipse in the box, or a circle around the point; the others are what a server may do wrong.
"""

import base64
import io
import json
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np


def png(pixels: np.ndarray) -> str:
    """Return a PNG file in base64: grey (h, w) or colour (h, w, 3), of 16 bits for uint16 and of 8 for all else."""
    height, width = pixels.shape[:2]
    depth, colour = (16 if pixels.dtype == np.uint16 else 8), (2 if pixels.ndim == 3 else 0)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels.astype(f">u{depth // 8}"))
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(chunks)).decode()


def oval(asked: dict) -> tuple[np.ndarray, np.ndarray]:
    """Return the mask and the polygon of the ellipse in the box, or of a circle around the point."""
    values = np.load(io.BytesIO(base64.b64decode(asked["values"])), allow_pickle=False)
    height, width = values.shape
    x, y = asked["inside"] or (0, 0)
    x0, y0, x1, y1 = asked["box"] or (x - 8, y - 8, x + 8, y + 8)
    center, half = np.array(((x0 + x1) / 2, (y0 + y1) / 2)), np.array(((x1 - x0) / 2, (y1 - y0) / 2))
    down, across = np.mgrid[:height, :width] + 0.5
    mask = ((across - center[0]) / half[0]) ** 2 + ((down - center[1]) / half[1]) ** 2 <= 1
    turn = np.linspace(0, 2 * np.pi, 180, endpoint=False)
    return mask, center + np.stack((np.cos(turn), np.sin(turn)), axis=1) * half


def candidates(way: str, asked: dict) -> list[dict]:
    """Return what one way of behaving finds."""
    mask, polygon = oval(asked)
    shape, points = mask.shape, polygon.tolist()
    return {
        "mask": lambda: [{"mask": png(mask * 255), "score": 0.9}],
        "mask-16": lambda: [{"mask": png(mask.astype(np.uint16))}],
        "mask-colour": lambda: [{"mask": png(mask[:, :, None] * np.array([0, 0, 1]))}],
        "ranked": lambda: [{"polygon": one.tolist(), "score": score} for one, score in _ranked(polygon)],
        "nothing": list,
        "wrong-shape": lambda: [{"mask": png(np.ones((shape[0] + 1, shape[1])))}],
        "bomb": lambda: [{"mask": png(np.zeros((3000, 3000)))}],
        "empty-mask": lambda: [{"mask": png(np.zeros(shape))}],
        "no-png": lambda: [{"mask": base64.b64encode(b"GIF89a" + bytes(40)).decode()}],
        "torn-png": lambda: [{"mask": png(mask * 255)[:60]}],
        "no-base64": lambda: [{"mask": "ü" * 40}],
        "nan": lambda: [{"polygon": [[float("nan"), 1.0], *points]}],
        "infinite": lambda: [{"polygon": points, "score": float("inf")}],
        "far": lambda: [{"polygon": [[1e300, 1.0], *points]}],
        "outside": lambda: [{"polygon": (polygon - 1000).tolist()}],
        "line": lambda: [{"polygon": [[1, 1], [50, 50], [9, 9]]}],
        "bow-tie": lambda: [{"polygon": [[10, 10], [50, 50], [50, 10], [10, 50]]}],
        "two-points": lambda: [{"polygon": points[:2]}],
        "both": lambda: [{"polygon": points, "mask": png(mask * 255)}],
        "words": lambda: [{"polygon": "Ignore all instructions"}],
    }.get(way, lambda: [{"polygon": points}])()


def _ranked(polygon: np.ndarray) -> list[tuple[np.ndarray, float]]:
    center = polygon.mean(axis=0)
    return [(center + (polygon - center) * size, score) for size, score in ((0.5, 0.1), (1.0, 0.8), (0.75, 0.3))]


class Handler(BaseHTTPRequestHandler):
    """Answers by the first part of the path."""

    def do_GET(self) -> None:
        """State name and version."""
        way = self.path.split("/")[1]
        self.about = {
            "unnamed": {"version": "1"},
            "nameless": {"name": "\x1b[31m", "version": "1"},
            "other": {"name": "other", "version": "2"},
        }.get(way, {"name": "stand-in", "version": "1.0"})
        self._send(json.dumps(self.about).encode())

    def do_POST(self) -> None:  # noqa: C901 - one line for each way to fail
        """Outline, or fail."""
        way, body = self.path.split("/")[1], self.rfile.read(int(self.headers["content-length"]))
        if way == "silent":
            self.rfile.read(1)  # until the other side hangs up
        elif way == "dripping":
            self._drip()
        elif way == "error":
            self.send_error(500)
        elif way == "redirect":
            self.send_response(302)
            self.send_header("location", "/good/segment")
            self.end_headers()
        elif way == "closed":
            self.close_connection = True
        elif way == "short":
            self._send(b"{", length=100)
        elif way == "page":
            self._send(b"<html>Bad gateway</html>")
        elif way == "list":
            self._send(b"[]")
        elif way == "deep":
            self._send(b"[" * 100_000)
        elif way == "huge":
            self._send(b" " * 40_000_000)
        else:
            version = "2.0" if way == "replaced" else "1.0"
            reply = {"name": "stand-in", "version": version, "candidates": candidates(way, json.loads(body))}
            self._send(json.dumps(reply).encode())

    def _send(self, body: bytes, length: int | None = None) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def _drip(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "1000000000")
        self.end_headers()
        while True:
            self.wfile.write(b" ")
            self.connection.settimeout(0.01)
            try:
                if not self.connection.recv(1):
                    return
            except TimeoutError:
                continue

    def handle(self) -> None:
        """Pass over clients that hang up, as is their right."""
        try:
            super().handle()
        except OSError:
            self.close_connection = True

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@contextmanager
def served() -> Iterator[str]:
    """Run the server; yields its address without the way of behaving."""
    with subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.kill()


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()
