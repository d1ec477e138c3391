"""``import medvision_agent`` is cheap, names what it offers, and offers what it names."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import medvision_agent as mva

FACES = (Path(mva.__file__), Path(mva.tools.__file__))
HEAVY = {"numpy", "pandas", "pydantic", "cv2", "langchain_core", "langgraph", "openai", "rich", "datasets", "click"}


@pytest.mark.parametrize("package", ["medvision_agent", "medvision_agent.tools"])
def test_importing_loads_nothing_heavy_and_is_fast(package):
    code = (
        "import sys, time; start = time.process_time()\n"
        f"import {package}\n"
        "print(time.process_time() - start)\n"
        f"sys.exit(','.join(sorted({HEAVY} & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 0.1


@pytest.mark.parametrize("package", [mva, mva.tools], ids=lambda package: package.__name__)
def test_every_name_is_what_type_checkers_see(package):
    tree = ast.parse(Path(package.__file__).read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name: node.module for node in block.body for alias in node.names}
    assert set(seen) | {"__version__"} == set(package.__all__) | {"__version__"}
    for name, module in seen.items():
        offered = getattr(package, name)
        assert offered is getattr(sys.modules[module], name)
    assert set(package.__all__) <= set(dir(mva)) or package is not mva


def test_an_unknown_name_is_an_attribute_error():
    for package in (mva, mva.tools):
        with pytest.raises(AttributeError, match="no_such_name"):
            package.no_such_name  # noqa: B018


def test_docs_name_everything_that_is_offered():
    page = (Path(__file__).parents[2] / "docs/api.md").read_text()
    offered = {name for name in mva.__all__ if name != "__version__"}
    assert {name for name in offered if f"mva.{name}" not in page and f"`{name}`" not in page} == set()
    assert {name for name in mva.Settings.model_fields if f"`{name}`" not in page} == set()


def test_reading_stored_runs_loads_neither_langgraph_nor_a_provider(runs):
    code = (
        "import sys\n"
        "import medvision_agent as mva\n"
        f"loaded = mva.load({str(runs)!r})\n"
        "loaded.samples(), loaded.turns(), loaded.tool_calls(), loaded.picture(loaded.samples().id[0])\n"
        f"mva.compare({str(runs / 'off')!r}, {str(runs / 'on')!r}).table(), mva.score({str(runs / 'on')!r}).to_json()\n"
        "heavy = {'langgraph', 'openai', 'google.genai', 'datasets', 'torch'}\n"
        "sys.exit(','.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
