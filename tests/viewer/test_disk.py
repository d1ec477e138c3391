"""The page as a folder on disk, a hundred thousand samples, and accessibility, in a real browser."""

import json
import sys
from pathlib import Path

import pytest
from viewer.site import WORST, Site, served

AXE = Path(__file__).parents[2] / "viewer" / "node_modules" / "axe-core" / "axe.min.js"
PAGES = ("#/", "#/study?study=s1", "#/samples?study=s1&task=size", f"#/sample?study=s1&id={WORST}&on=on&turn=5")


def test_a_bundle_opens_from_disk_with_its_canvas(page, tmp_path):
    folder = Site().bundle(tmp_path / "bundle")
    page.goto((folder / "index.html").as_uri())
    page.get_by_text("A bundle of all samples.").wait_for()
    page.get_by_role("link", name="Samples that “on” harmed most").click()
    page.get_by_role("link", name=WORST).click()
    page.get_by_text("its loss is 0.900 instead of 0.100").wait_for()
    page.get_by_text("The image cannot be shown").wait_for(state="detached")
    page.wait_for_function(
        "() => { const c = document.querySelector('.measuring canvas'); if (!c) return false;"
        " const d = c.getContext('2d').getImageData(0, c.height / 2, c.width, 1).data;"
        " return new Set(d).size > 50 }"
    )
    page.locator(".note summary").first.click()
    assert page.get_by_label("Verdict").first.is_disabled()
    page.get_by_text("This is a saved copy.").first.wait_for()


def test_a_bundle_opens_from_any_web_host(page, tmp_path, static):
    Site().bundle(tmp_path)
    page.goto(f"{static(tmp_path)}index.html#/sample?study=s1&id={WORST}&arms=on")
    page.get_by_role("button", name="turn 5 (ruler)").wait_for()


def test_what_is_not_in_a_bundle_is_said(page, tmp_path):
    Site().bundle(tmp_path, talks=1)
    page.goto(f"{(tmp_path / 'index.html').as_uri()}#/sample?study=s1&id={WORST}&arms=on")
    page.locator(".column").get_by_text("talks/r2/11.js is not in this bundle").wait_for()


FRAMES = """
async () => {
  const grid = document.querySelector('.grid'), times = [];
  let before = performance.now();
  for (let k = 0; k < 90; k++) {
    grid.scrollTop += k % 3 ? 400 : 60000;
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    times.push(now - before);
    before = now;
  }
  return times;
}
"""


def test_a_hundred_thousand_samples_scroll(page, capsys):
    with served(Site(100_000)) as address:
        page.goto(f"{address}#/samples?study=s1")
        page.locator(".lines .row").first.wait_for()
        times = sorted(page.evaluate(FRAMES))
        assert page.locator(".lines .row").count() < 100
        page.locator(".grid").focus()
        page.keyboard.press("End")
        page.locator(".row.here[aria-rowindex='100001']").wait_for()
        page.get_by_label("Search ids").fill("sample-07777")
        page.locator(".counts", has_text="1 of 100,000 samples").wait_for()
    middle, slow, worst = times[len(times) // 2], times[int(len(times) * 0.95)], times[-1]
    with capsys.disabled():
        sys.stdout.write(f"\n100,000 samples, frames: median {middle:.0f}, 95 % {slow:.0f}, longest {worst:.0f} ms\n")


@pytest.mark.skipif(not AXE.exists(), reason="needs axe-core: npm ci in viewer/")
@pytest.mark.parametrize(
    "page", [{"color_scheme": "light"}, {"color_scheme": "dark"}], ids=("light", "dark"), indirect=True
)
def test_axe_finds_nothing_serious(page):
    page.add_init_script(AXE.read_text(encoding="utf-8"))
    with served(Site()) as address:
        for hash_ in PAGES:
            page.goto(address + hash_)
            page.locator("main h1, .grid").first.wait_for()
            page.wait_for_function("() => !document.body.innerText.includes('Reading')")
            for details in page.locator("main details").all():
                details.evaluate("one => { one.open = true }")
            found = page.evaluate("async () => (await axe.run()).violations")
            serious = [
                (one["id"], node["html"][:200], node["failureSummary"])
                for one in found
                for node in one["nodes"]
                if one["impact"] in {"serious", "critical"}
            ]
            assert serious == [], f"{hash_}: {json.dumps(serious, indent=1)}"
