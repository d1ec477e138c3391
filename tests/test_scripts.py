"""The scripts that make pictures of the documentation still run; where the pictures differ, they are made anew."""

import importlib
import sys
from pathlib import Path

import cv2
import pytest

SCRIPTS = Path(__file__).parent.parent / "scripts"


@pytest.mark.parametrize(
    ("script", "name"),
    [("overlay_sheet", "TARGET"), ("mark_pictures", "OUT"), ("value_pictures", "OUT")],
)
def test_a_script_makes_its_picture(script, name, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    module = importlib.import_module(script)
    monkeypatch.delitem(sys.modules, script)
    made, kept = tmp_path / "picture.png", Path(getattr(module, name))
    monkeypatch.setattr(module, name, made)
    module.main()
    assert cv2.imread(str(made)).shape == cv2.imread(str(kept)).shape
