"""A click on a row or a figure of a report opens its samples in the bundle beside it, from disk, in a real browser."""

import re
import subprocess

import pytest
from commands import COMMAND

STUDY = """name: two
models: [baseline-cv, oracle]
data: ["phantom:4:1", "phantom:3:2"]
tasks: [size, detection]
designs: [on-off]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A study of two models over two sources with its report and bundle, and a report of two of its runs alone."""
    folder = tmp_path_factory.mktemp("linked")
    (folder / "two.yaml").write_text(STUDY, encoding="utf-8")

    def run(*words):
        done = subprocess.run([COMMAND, *words], cwd=folder, check=True, capture_output=True, text=True)
        return done.stdout

    run("ablate", "two.yaml", "--out", "two")
    assert "written: the viewer's bundle in two viewer" in run("report", "two", "--viewer", "two viewer")
    runs = sorted(path.relative_to(folder) for path in folder.glob("two/cells/phantom-3-2-*--oracle--*"))
    run("report", *runs, "--out", "pages/runs.html", "--viewer", "pages/seen")
    return folder


def opened(page):
    """Return how many samples the viewer's table shows, and which arms it compares."""
    page.locator(".lines .row").first.wait_for()
    count, _, found = page.locator(".counts").inner_text().partition(":")
    return count, re.findall("“(.*?)”", found)


@pytest.mark.parametrize(("chapter", "samples"), [("#c1", 4), ("#c2", 3)])
@pytest.mark.parametrize("model", ["baseline-cv", "oracle"])
def test_a_row_opens_the_samples_of_its_model_source_and_task(page, folder, chapter, samples, model):
    page.goto((folder / "two/report.html").as_uri())
    row = page.locator(f"{chapter} table.found tbody tr", has_text=f"{model}: off")
    row.get_by_role("link", name="detection", exact=True).click()
    page.wait_for_url("**/two%20viewer/index.html#/samples?**")
    count, arms = opened(page)
    assert count == f"{samples} of {2 * samples} samples"
    assert arms == [f"{model} on", f"{model} off"]
    assert all("__detection" in one.inner_text() for one in page.locator(".lines .row").all())


def test_a_mark_of_a_figure_opens_its_samples(page, folder):
    page.goto((folder / "two/report.html").as_uri())
    page.locator("#c2 details.fold summary").first.click()
    page.locator("#c2").get_by_role("link", name="oracle: off -> on (phantom:3:2), size").first.click()
    assert opened(page) == ("3 of 6 samples", ["oracle on", "oracle off"])


def test_every_figure_leads_into_the_viewer(page, folder):
    page.goto((folder / "two/report.html").as_uri())
    figures = page.locator("figure:has(.plot)").all()
    assert len(figures) > 10
    into = "a[href*='index.html#/sample']"  # one sample, or the table of several
    lacking = [figure.inner_html()[:300] for figure in figures if not figure.locator(into).count()]
    assert lacking == []


def test_runs_given_one_by_one_are_opened_side_by_side(page, folder):
    page.goto((folder / "pages/runs.html").as_uri())
    page.locator("table.found").first.get_by_role("link", name="size", exact=True).click()
    count, arms = opened(page)
    assert (count, [name.rpartition("--oracle--")[2] for name in arms]) == ("3 of 6 samples", ["on--1", "off--1"])
    assert "pages/seen/index.html#/samples?runs=r1,r2&arm=r2&against=r1&task=size" in page.url


def test_a_bundle_is_kept_until_its_runs_change(folder):
    def said(*words):
        words = (COMMAND, "report", *words)
        return subprocess.run(words, cwd=folder, check=False, capture_output=True, text=True)

    before = (folder / "two viewer/medvision-bundle.json").stat().st_ino
    assert "kept: the viewer's bundle in two viewer" in said("two", "--viewer", "two viewer").stdout
    assert (folder / "two viewer/medvision-bundle.json").stat().st_ino == before
    other = next(folder.glob("two/cells/*"))
    assert "written: the viewer's bundle in two viewer" in said(other, "--viewer", "two viewer").stdout
    assert (done := said("two", "--viewer", "pages")).returncode == 2
    assert "not a bundle of the viewer" in done.stderr
    assert (done := said("two", "--viewer", "x", "--format", "md")).returncode == 2
    assert "only an HTML page can link to a bundle" in done.stderr
    assert not (folder / "x").exists()
