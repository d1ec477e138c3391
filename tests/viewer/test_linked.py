"""A click on a row or a figure of a report opens its samples in the bundle beside it, from disk, in a real browser."""

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
    folder = tmp_path_factory.mktemp("linked")
    (folder / "two.yaml").write_text(STUDY, encoding="utf-8")
    for words in (
        ("ablate", "two.yaml", "--out", "two"),
        ("report", "two", "--viewer", "two viewer"),
        ("report", *sorted((folder / "two/cells").glob("*/oracle/*")), "--out", "pages/runs.html", "--viewer", "seen"),
    ):
        subprocess.run([COMMAND, *words], cwd=folder, check=True, capture_output=True)
    return folder
