"""The documents as a site: every page has a place, links out of the documents become text, and it builds strictly."""

import importlib.util
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest
import yaml

ROOT = Path(__file__).parents[1]


def pages(part):
    if isinstance(part, str):
        return [part]
    inner = part.values() if isinstance(part, dict) else part
    return [page for one in inner for page in pages(one)]


def test_every_document_has_one_place_in_the_site():
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    named = pages(settings["nav"])
    there = {file.relative_to(ROOT / "docs").as_posix() for file in (ROOT / "docs").rglob("*.md")}
    assert len(named) == len(set(named))
    assert set(named) == there | {"benchmarks.md"}


@pytest.mark.parametrize(
    ("folder", "text", "plain"),
    [
        ("docs", "[all](../benchmarks/README.md#clusters) of it", "[all](benchmarks.md#clusters) of it"),
        ("docs", "[examples/plugin](../examples/plugin)", "examples/plugin"),
        ("docs", "[data.md](data.md#phantoms)", "[data.md](data.md#phantoms)"),
        ("docs/decided", "[data.md](../data.md)", "[data.md](../data.md)"),
        ("docs/decided", "[b](../../benchmarks/README.md)", "[b](../benchmarks.md)"),
        ("benchmarks", "[a](../docs/data.md#x)", "[a](data.md#x)"),
        ("docs/decided", "[x](../../README.md)", "x (`README.md`)"),
        ("docs", "![a](pictures/a.png) [b](https://example.org/x)", "![a](pictures/a.png) [b](https://example.org/x)"),
    ],
)
def test_links_out_of_the_documents_become_text(folder, text, plain):
    spec = importlib.util.spec_from_file_location("site_links", ROOT / "scripts/site_links.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.plain(text, PurePosixPath(folder)) == plain


@pytest.mark.skipif(importlib.util.find_spec("mkdocs") is None, reason="mkdocs is not installed (extra: docs)")
def test_the_site_builds_without_a_warning(tmp_path):
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", tmp_path / "site"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert 'src="http' not in (tmp_path / "site/index.html").read_text(encoding="utf-8")
