"""Take the pictures of the README and of docs/viewer.md: ``python scripts/screenshots.py [RUN|STUDY...]``.

Needs Chromium on the PATH and the extra ``test``. Without folders, a study over the demo set is made first
(``baseline-cv``, without and with tools). The report and the viewer's pages are opened from disk, as a reader does, at
the width of a desk and of a phone, light and dark. Small PNG files in ``docs/pictures``; with ``--look DIR``, each page
in every width and colour goes there instead, whole, to be looked at.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from medvision_agent.api.writing import report

TARGET = Path(__file__).parent.parent / "docs" / "pictures"
COMMAND = Path(sys.executable).with_name("medvision-agent")
STUDY = "name: tools\nmodels: [baseline-cv]\ndata: demo\ndesigns: [on-off]\n"
LARGEST = 180_000
"""Bytes of a picture at most."""
Colours = Literal["light", "dark"]
PAGES = ("report", "report-samples", "viewer-runs", "viewer-study", "viewer-samples", "viewer-sample")
SHOTS: dict[str, tuple[str, Colours, tuple[int, int]]] = {
    "report-light": ("report", "light", (1280, 900)),
    "report-samples": ("report-samples", "light", (1280, 1000)),
    "viewer-runs": ("viewer-runs", "light", (1280, 620)),
    "viewer-study": ("viewer-study", "light", (1280, 760)),
    "viewer-samples": ("viewer-samples", "dark", (1280, 720)),
    "viewer-sample": ("viewer-sample", "light", (1280, 1000)),
    "viewer-phone": ("viewer-sample", "dark", (390, 844)),
}
"""By name: which page, its colours, and the size of the window."""
ONLY_SAMPLES = "header, nav, h2, .banner, section:not(.pictures) { display: none !important }"


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--look", type=Path, metavar="DIR")
    given = parser.parse_args()
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        sys.exit("no chromium, chromium-browser or google-chrome on PATH")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as play:
        work = Path(name)
        report(given.folders or [_demo(work)], work / "report.html", viewer=work / "viewer")
        browser = play.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        if given.look is None:
            for shot, (page, colours, size) in SHOTS.items():
                with _opened(browser, work, page, colours, size) as opened:
                    opened.screenshot(path=work / "shot.png")
                _small(work / "shot.png", TARGET / f"{shot}.png")
        else:
            for page, colours, width in ((a, b, c) for a in PAGES for b in ("light", "dark") for c in (1280, 390)):
                with _opened(browser, work, page, colours, (width, 900)) as opened:
                    opened.screenshot(path=given.look / f"{page}-{colours}-{width}.png", full_page=True)
        browser.close()


def _demo(folder: Path) -> Path:
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    subprocess.run([COMMAND, "ablate", "study.yaml", "--out", "tools"], cwd=folder, check=True, capture_output=True)
    return folder / "tools"


@contextmanager
def _opened(browser: Browser, work: Path, name: str, colours: Colours, size: tuple[int, int]) -> Iterator[Page]:
    context = browser.new_context(color_scheme=colours, viewport={"width": size[0], "height": size[1]})
    page = context.new_page()
    if name.startswith("report"):
        page.goto((work / "report.html").as_uri())
        if name == "report-samples":
            page.add_style_tag(content=ONLY_SAMPLES)
            page.locator("section.pictures").first.evaluate(
                "one => { for (let e = one; e; e = e.parentElement) if (e.tagName === 'DETAILS') e.open = true }"
            )
            page.locator("section.pictures").first.scroll_into_view_if_needed()
    else:
        page.goto((work / "viewer" / "index.html").as_uri())
        _go(page, name)
    yield page
    context.close()


def _go(page: Page, name: str) -> None:
    """Open the pages that a reader opens: the study, the samples that the change harmed most, the first of them."""
    if name == "viewer-study":
        page.locator("a[href^='#/study']").first.click()
        page.locator("#effects, #arms").first.wait_for()
    elif name != "viewer-runs":
        page.locator("a[href^='#/samples'][href*='sort=difference']").first.click()
        page.locator(".lines .row").first.wait_for()
    if name == "viewer-sample":
        page.locator(".lines .row").first.get_by_role("link").click()
        page.locator(".measuring canvas").first.wait_for()
        page.get_by_text("The image cannot be shown").wait_for(state="detached")
        page.locator(".measuring [aria-busy=true]").wait_for(state="detached")


def _small(shot: Path, out: Path) -> None:
    """Write a picture in 256 colours, and in fewer pixels where that is not small enough."""
    whole = Image.open(shot).convert("RGB")
    for scale in (1.0, 0.85, 0.7):
        size = (round(whole.width * scale), round(whole.height * scale))
        small = whole.resize(size, Image.Resampling.LANCZOS) if scale < 1 else whole
        small.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(out, optimize=True)
        if out.stat().st_size < LARGEST:
            break
    print(f"wrote {out}: {out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
