"""The measuring canvas alone in a real browser: its page, built from the sources, served under a strict policy."""

import functools
import io
import json
import shutil
import subprocess
import threading
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
from PIL import Image

VIEWER = Path(__file__).parents[1] / "viewer"
VITE = VIEWER / "node_modules/vite/bin/vite.js"
AXE = VIEWER / "node_modules/axe-core/axe.min.js"
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'"


def lacking() -> str:
    """Return why such a page cannot be built here; empty where it can."""
    if shutil.which("node") is None or not VITE.exists():
        return "needs node and viewer/node_modules (npm ci in viewer)"
    return ""


def built(folder: Path) -> Path:
    """Build the page into *folder*."""
    words = ["node", VITE, "build", "--config", "tests/canvas/page/vite.config.ts", "--outDir", folder]
    subprocess.run(words, cwd=VIEWER, check=True, capture_output=True, timeout=120)
    return folder


class _Handler(SimpleHTTPRequestHandler):
    def end_headers(self):
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def log_message(self, *args):
        pass


@contextmanager
def served(page: Path, folder: Path, arms, pictures):
    """Serve the page with *arms* (as JSON) and *pictures* (PNG bytes by name); yield its address."""
    shutil.copytree(page, folder)
    (folder / "data").mkdir()
    (folder / "pictures").mkdir()
    (folder / "data/arms.json").write_text(json.dumps(arms), encoding="utf-8")
    for name, png in pictures.items():
        (folder / f"pictures/{name}.png").write_bytes(png)
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/?probe"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Canvas:
    """A page of the canvas in a browser: what it draws, and where."""

    def __init__(self, page, ratio: float):
        self.page, self.ratio, self.said = page, ratio, []
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("dialog", lambda dialog: (self.said.append("dialog"), dialog.dismiss()))

    def open(self, address: str):
        """Open the page and wait until the image is drawn."""
        self.page.goto(address)
        self.page.wait_for_selector("canvas[aria-busy=false]")
        return self

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Return where a point of the image lies in the page, in CSS pixels."""
        px, py = self.page.evaluate("at => measuringCanvas(...at)", [x, y])
        return px, py

    @property
    def box(self):
        """The canvas's box in the page, in CSS pixels."""
        return self.page.locator("canvas").bounding_box()

    def pixels(self):
        """Return what is on the canvas now, (h, w, 3), in device pixels, and the device pixel where it begins."""
        box = self.box
        whole = np.asarray(Image.open(io.BytesIO(self.page.screenshot())).convert("RGB"))
        x, y = round(box["x"] * self.ratio), round(box["y"] * self.ratio)
        width, height = round(box["width"] * self.ratio), round(box["height"] * self.ratio)
        return whole[y : y + height, x : x + width], (x, y)

    def device(self, x: float, y: float) -> tuple[float, float]:
        """Return where a point of the image lies on the canvas, in device pixels of the screen."""
        px, py = self.place(x, y)
        box = self.box
        left, top = round(box["x"] * self.ratio), round(box["y"] * self.ratio)
        return px * self.ratio - left, py * self.ratio - top

    def button(self, name: str):
        """Press a button by its name."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def readout(self) -> str:
        """Return what is told of the place under the pointer."""
        return self.page.locator(".mc-readout").inner_text()
