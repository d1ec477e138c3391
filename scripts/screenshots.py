"""Take the pictures of the README: ``python scripts/screenshots.py [RUN|STUDY...]``, needs Chromium on the PATH.

Without folders, two runs over the demo set are made first (``baseline-cv``, without and with tools). The report is
shown light and dark, and the samples where the arms differ most. Small PNG files in ``docs/pictures``.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2

from medvision_agent.eval.report.collect import collect
from medvision_agent.eval.report.page import html_page

TARGET = Path(__file__).parent.parent / "docs" / "pictures"
COMMAND = Path(sys.executable).with_name("medvision-agent")
LARGEST = 300_000
"""Bytes of a picture at most."""
SHOTS = {
    "report-light": ("light", (1200, 1500), ""),
    "report-dark": ("dark", (1200, 1150), ""),
    "report-samples": ("light", (1200, 1350), "header, nav, h2, .banner, section:not(.pictures) { display: none }"),
}
"""By name: colours, size of the window, and what is left out of the page."""


def main(folders: list[Path]) -> None:
    """Take all pictures."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        sys.exit("no chromium, chromium-browser or google-chrome on PATH")
    TARGET.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        page = html_page(collect(folders or _demo(folder)))
        for shot, (colours, size, style) in SHOTS.items():
            own = page.replace("</style>", f"{style}</style>", 1)
            _take(browser, folder, own, TARGET / f"{shot}.png", colours=colours, size=size)


def _demo(folder: Path) -> list[Path]:
    runs = [folder / "runs" / tools for tools in ("off", "on")]
    for run in runs:
        subprocess.run(
            [COMMAND, "run", "--model", "baseline-cv", "--tools", run.name, "--out", run],
            check=True,
            stdout=subprocess.DEVNULL,
        )
    return runs


def _take(browser: str, folder: Path, page: str, out: Path, *, colours: str, size: tuple[int, int]) -> None:
    (folder / "page.html").write_text(page, encoding="utf-8")
    shot = folder / "shot.png"
    words = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={folder / 'b'}"]
    words += [f"--window-size={size[0]},{size[1]}", f"--screenshot={shot}"]
    words += ["--blink-settings=preferredColorScheme=0", "--force-dark-mode"] if colours == "dark" else []
    subprocess.run([browser, *words, (folder / "page.html").as_uri()], check=True, stderr=subprocess.DEVNULL)
    pixels = cv2.imread(str(shot))
    assert pixels is not None  # noqa: S101 - just written
    for scale in (1.0, 0.85, 0.7, 0.6, 0.5):
        small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(out), small, [cv2.IMWRITE_PNG_COMPRESSION, 9])
        if out.stat().st_size < LARGEST:
            break
    print(f"wrote {out}: {out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main([Path(word) for word in sys.argv[1:]])
