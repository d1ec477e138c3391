"""The bundle of the shipped demo study: small enough to be put beside a page, and opened from disk."""

import shutil
import subprocess
from pathlib import Path

from commands import COMMAND

STUDY = Path(__file__).parents[2] / "examples" / "studies" / "demo-controls.yaml"
MOST = 5_000_000


def test_the_bundle_of_the_demo_study_is_small_and_opens_from_disk(page, tmp_path):
    shutil.copy(STUDY, tmp_path / "demo.yaml")
    for words in (("ablate", "demo.yaml", "--out", "demo"), ("view", "demo", "--bundle", "demo-viewer")):
        subprocess.run([COMMAND, *words], cwd=tmp_path, check=True, capture_output=True)
    out = tmp_path / "demo-viewer"
    texts = [file.read_text(encoding="utf-8") for file in out.rglob("*.js")]
    assert sum(file.stat().st_size for file in out.rglob("*") if file.is_file()) < MOST
    assert not any(str(tmp_path) in text for text in texts)  # it is published: no folder of this machine stands in it
    page.goto((out / "index.html").as_uri())
    page.get_by_role("link", name="harmed most").first.click()
    page.locator(".lines .row").first.get_by_role("link").click()
    page.get_by_label("What happened").get_by_role("button").first.wait_for()
    page.locator(".measuring canvas").first.wait_for()
    page.get_by_text("The image cannot be shown").wait_for(state="detached")
