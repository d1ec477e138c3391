"""Figures as files: two formats, the same bytes in every process, no dates, fonts within, no links."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from drawn import EVERY, a_cost, linked

from medvision_agent.errors import StorageError
from medvision_agent.eval.figures.files import pages, write_figure

TESTS = Path(__file__).parents[2]


@pytest.mark.parametrize("name", EVERY)
def test_both_formats_can_be_read(name, tmp_path):
    vector, paper = write_figure(EVERY[name](), tmp_path)
    root = ET.fromstring(vector.read_bytes())  # noqa: S314 - our own text
    assert len([one for one in root.iter() if one.tag.endswith("}text")]) > 5  # words stay words
    assert "var(" not in vector.read_text(encoding="utf-8")
    data = paper.read_bytes()
    assert data.startswith(b"%PDF-")
    assert data.count(b"/Type /Page ") == 1
    assert b"/FontFile2" in data
    assert b"/Type3" not in data  # which some journals refuse
    assert not re.search(rb"Date|Creator|Producer|matplotlib", data)


def test_the_same_figure_gives_the_same_bytes_in_every_process(tmp_path):
    code = (
        "import sys; from pathlib import Path; from drawn import EVERY\n"
        "from medvision_agent.eval.figures.files import write_figure\n"
        "for name in ('a_cost', 'a_map', 'a_ladder'): write_figure(EVERY[name](), Path(sys.argv[1]))"
    )
    for seed in ("1", "2"):
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / seed)], check=True, cwd=TESTS, env=_environment(seed)
        )
    files = sorted(path.name for path in (tmp_path / "1").iterdir())
    assert len(files) == 6
    assert all((tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes() for name in files)


def _environment(seed):
    import os

    return {**os.environ, "PYTHONHASHSEED": seed, "SOURCE_DATE_EPOCH": f"{seed}000000000"}


def test_a_file_has_no_links(tmp_path):
    vector, paper = write_figure(linked(), tmp_path)
    assert "view/index.html" not in vector.read_text(encoding="utf-8")
    assert b"view/index.html" not in paper.read_bytes()


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"file/cost\.svg cannot be written"):
        write_figure(a_cost(), tmp_path / "file")


def test_a_figure_that_is_higher_than_a_page_is_written_in_parts(tmp_path):
    one = a_cost()
    tall = replace(one, panels=tuple(replace(one.panels[0], title=f"p{number}", height=3.0) for number in range(9)))
    assert [(part.name, len(part.panels)) for part in pages(tall)] == [
        (one.name, 6),
        (f"{one.name}-2", 3),
    ]
    assert [panel for part in pages(tall) for panel in part.panels] == list(tall.panels)
    assert [path.name for path in write_figure(tall, tmp_path)] == [
        f"{name}.{form}" for name in (one.name, f"{one.name}-2") for form in ("svg", "pdf")
    ]
    assert pages(one) == [one]
