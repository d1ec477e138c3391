"""In a browser as wide as a phone: no words under 11 CSS pixels, none beyond the edge of the page or of a drawing."""

import json
import shutil
import subprocess
from importlib.resources import files

import pytest
from drawn import EVERY

from medvision_agent.eval.figures.page import for_page
from medvision_agent.eval.figures.style import variables

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
MEASURE = """
const found = [];
for (const svg of document.querySelectorAll("svg.plot")) {
  const frame = svg.getBoundingClientRect();
  const scale = frame.width / svg.viewBox.baseVal.width;
  for (const text of svg.querySelectorAll("text")) {
    const box = text.getBoundingClientRect();
    const left = frame.left - box.left, right = box.right - frame.right;
    const out = Math.max(left, right, frame.top - box.top, box.bottom - frame.bottom);
    found.push([text.textContent, parseFloat(getComputedStyle(text).fontSize) * scale, out]);
  }
}
parent.document.title = JSON.stringify([document.documentElement.scrollWidth, found]);
"""


@pytest.mark.parametrize("width", [390, 1280])
def test_words_can_be_read(width, tmp_path):
    if BROWSER is None:
        pytest.skip("no chromium, chromium-browser or google-chrome on PATH")
    style = (files("medvision_agent.eval.report") / "style.css").read_text(encoding="utf-8")
    body = "".join(f"<figure>{for_page(made())}</figure>" for made in EVERY.values())
    page = (
        f"<!doctype html><style>{style}{':root{'}{variables(dark=False)}{'}'}</style>{body}<script>{MEASURE}</script>"
    )
    # A window is never narrower than 500 pixels; a frame may be.
    frame = f'<iframe width="{width}" height="900" style="border: 0"></iframe>'
    script = f"document.querySelector('iframe').srcdoc = {json.dumps(page).replace('</', '<' + chr(92) + '/')}"
    file = tmp_path / "page.html"
    file.write_text(f"<!doctype html><meta charset='utf-8'>{frame}<script>{script}</script>", encoding="utf-8")
    words = ["--headless=new", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000", "--dump-dom"]
    words += ["--window-size=1400,900", f"--user-data-dir={tmp_path / 'browser'}", file.as_uri()]
    done = subprocess.run([BROWSER, *words], capture_output=True, text=True, encoding="utf-8", check=True, timeout=120)
    title = done.stdout.partition("<title>")[2].partition("</title>")[0]
    across, found = json.loads(title.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    assert across <= width
    assert len(found) > 200
    assert min(size for _, size, _ in found) >= 11
    assert [text for text, _, out in found if out > 1] == []
