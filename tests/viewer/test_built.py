"""What is committed of the page: the schema of its forms, and small files without what its policy forbids."""

import importlib
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "viewer" / "built"


def test_the_schema_is_that_of_the_forms(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    script = importlib.import_module("viewer_forms")
    monkeypatch.delitem(sys.modules, "viewer_forms")
    assert script.SCHEMA.read_text(encoding="utf-8") == script.schema(), "run: make page"


def test_the_page_is_small():
    assert sum(file.stat().st_size for file in BUILT.iterdir() if file.is_file()) < 500_000


def test_the_page_is_classic_files_without_inline_code():
    page = (BUILT / "index.html").read_text(encoding="utf-8")
    assert re.findall(r"<script[^>]*>", page) == ['<script src="app.js">']
    assert not re.search(r"<style|\sstyle=|\son\w+=|type=.module|https?://", page)
    script = (BUILT / "app.js").read_text(encoding="utf-8")
    assert not re.search(r"^\s*(import|export)\b|\bimport\(|\beval\(|new Function\(", script, re.MULTILINE)
