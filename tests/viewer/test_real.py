"""The page over a real study, as the command line serves it and as it bundles it."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from commands import COMMAND

STUDY = "name: small\nmodels: [baseline-cv]\ndata: phantom:6:1\ntasks: [size]\ndesigns: [on-off]\n"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("real")
    (folder / "small.yaml").write_text(STUDY, encoding="utf-8")
    subprocess.run([COMMAND, "ablate", "small.yaml", "--out", "small"], cwd=folder, check=True, capture_output=True)
    return folder / "small"


@contextmanager
def viewed(study) -> Iterator[str]:
    process = subprocess.Popen([COMMAND, "view", study, "--no-browser"], stdout=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def opened(page):
    """Go from the first page to the turn in which the answer of the worst sample was measured."""
    page.get_by_role("link", name="Samples that “on” harmed most").click()
    page.locator(".lines .row").first.get_by_role("link").click()
    said = page.get_by_label("What happened")
    said.get_by_role("button", name="turn 5 (fit_contour)").click()
    turn = page.locator("article.turn.linked")
    turn.get_by_text("The answer was measured here").wait_for()
    assert turn.locator(".values .hit").count() == 2  # both axes of the lesion
    page.locator(".measuring canvas").first.wait_for()
    page.get_by_text("The image cannot be shown").wait_for(state="detached")


def test_a_study_is_served_and_takes_notes(page, study):
    with viewed(study) as address:
        page.goto(address)
        page.wait_for_url(address.partition("?")[0])
        opened(page)
        note = page.get_by_label("Conversation of on").locator(".note")
        note.locator("summary").click()
        note.get_by_label("Verdict").select_option("good")
        note.get_by_role("button", name="Save").click()
        note.get_by_text("Saved in review.jsonl.").wait_for()
    (file,) = study.rglob("review.jsonl")
    assert json.loads(file.read_text(encoding="utf-8"))["verdict"] == "good"


def test_a_study_is_bundled_and_opens_from_disk(page, study, tmp_path):
    out = tmp_path / "bundle"
    subprocess.run([COMMAND, "view", study, "--bundle", out], check=True, capture_output=True)
    page.goto((out / "index.html").as_uri())
    opened(page)
