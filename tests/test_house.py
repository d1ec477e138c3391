"""The house rules that a machine can check: direction of imports, the list of packages, lazy imports, file sizes."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = {
    "cli": {"eval", "agent", "tools", "prompts", "errors", "version"},
    "eval": {"agent", "tools", "prompts", "errors", "version"},
    "agent": {"tools", "prompts", "errors", "version"},
    "tools": {"errors", "version"},
    "prompts": {"errors", "version"},
}
"""What each folder may import, besides itself."""
HEAVY = {
    "langgraph",
    "langchain_core",
    "google",
    "openai",
    "cv2",
    "numpy",
    "datasets",
    "pydantic",
    "rich",
    "torch",
    "matplotlib",
}
SOURCES = [path for folder in LAYERS for path in sorted((ROOT / folder).rglob("*.py"))]


def imported(path: Path) -> set[str]:
    """Return the dotted names *path* imports, also inside functions and under TYPE_CHECKING."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path):
    layer = path.relative_to(ROOT).parts[0]
    own = {name.split(".")[1] for name in imported(path) if name.startswith("medvision_agent.")}
    assert own <= LAYERS[layer] | {layer}


def test_packages_are_listed_and_mapped():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = {"medvision_agent"} | {
        ".".join(("medvision_agent", *path.parent.relative_to(ROOT).parts))
        for folder in LAYERS
        for path in (ROOT / folder).rglob("__init__.py")
    }
    assert set(settings["packages"]) == folders
    for name, folder in settings["package-dir"].items():
        # A folder called medvision_agent would hide the installed package from anyone in the checkout.
        assert folder == ("core" if name == "medvision_agent" else name.split(".", 1)[1].replace(".", "/"))
    assert set(settings["package-dir"]) == folders


def test_help_imports_nothing_heavy():
    code = (
        "import sys; sys.argv = ['medvision-agent', '--help']\n"
        "from medvision_agent.cli.main import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        f"sys.exit(','.join(sorted({HEAVY} & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Commands:" in done.stdout


def test_files_are_small():
    long = {
        str(path.relative_to(ROOT)): count for path in SOURCES if (count := len(path.read_text().splitlines())) > 400
    }
    assert long == {}


def test_every_module_says_its_contract():
    silent = [str(path.relative_to(ROOT)) for path in SOURCES if not ast.get_docstring(ast.parse(path.read_text()))]
    assert silent == []
