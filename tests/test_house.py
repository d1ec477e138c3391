"""The house rules that a machine can check: direction of imports, the list of packages, lazy imports, file sizes."""

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = (
    "core",
    "prompts",
    "viewer/built",
    "tools/view",
    "tools/view/perceived",
    "tools/segment",
    "tools/sandbox",
    "tools",
    "tools/registry",
    "tools/own",
    "tools/__init__.py",
    "agent/upstream",
    "agent/endings",
    "agent/models",
    "agent/wire",
    "agent/chat",
    "agent/words",
    "agent/grammars",
    "agent/policies",
    "agent/providers/gemini",
    "agent/providers/local",
    "agent/providers",
    "agent",
    "eval/tasks",
    "eval/data",
    "eval/data/medvision",
    "eval/data/phantom",
    "eval/data/sources",
    "eval/checking",
    "eval/settings",
    "eval/store",
    "eval/scorer",
    "eval/scorer/medvision",
    "eval/summary",
    "eval/results",
    "eval/published",
    "eval/compare/statistics",
    "eval/compare",
    "eval/asking",
    "eval/importing",
    "eval/study",
    "eval/engines",
    "eval/why",
    "eval/place",
    "eval/parts",
    "eval/headroom",
    "eval/agreement",
    "eval/decisions",
    "eval/reading",
    "eval/findings",
    "eval/tables",
    "eval/listing",
    "eval/figures",
    "eval/report",
    "eval/browse",
    "eval/sharing",
    "eval/server",
    "core/api",
    "core/__init__.py",
    "cli/printed",
    "cli",
    "core/__main__.py",
)
"""Every room of the package, and its faces. A room imports only rooms that stand before it."""
FACES = {ROOT / "core/__init__.py", ROOT / "core/__main__.py", ROOT / "tools/__init__.py"}
"""They name what the package and its tools offer, and import it when it is first used, or start the command."""
FOLDERS = ("core", "agent", "tools", "prompts", "eval", "cli", "viewer/built")
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
    "pandas",
}
SOURCES = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]


@cache
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


def room_of(path: Path) -> str:
    """Return the room a module lies in; a face is a room of its own."""
    return (path if path in FACES else path.parent).relative_to(ROOT).as_posix()


@cache
def module_named(name: str) -> Path | None:
    """Return the file of a dotted name of ours, or of what holds it; None for other packages."""
    parts = name.split(".")
    if parts[0] != "medvision_agent":
        return None
    for folder in (ROOT / "core", ROOT):
        for length in range(len(parts), 1, -1):
            file = folder.joinpath(*parts[1:length])
            if file.with_suffix(".py").is_file():
                return file.with_suffix(".py")
            if (file / "__init__.py").is_file():
                return file / "__init__.py"
    return ROOT / "core" / "__init__.py"


def test_every_room_is_listed():
    assert {room_of(path) for path in SOURCES} <= set(ROOMS) | {"eval"}
    assert all((ROOT / room / "__init__.py").is_file() for room in ROOMS if ROOT / room not in FACES)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path):
    own = room_of(path)
    upward = {
        name
        for name in imported(path)
        if (file := module_named(name)) and ROOMS.index(room_of(file)) > ROOMS.index(own)
    }
    assert upward == set()


def test_no_module_imports_itself_by_way_of_others():
    imports = {
        path: {file for name in imported(path) if (file := module_named(name)) and file.name != "__init__.py"}
        for path in SOURCES
    }
    TopologicalSorter(imports).prepare()  # raises CycleError, which names the modules


def test_packages_are_listed_and_mapped():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = {"medvision_agent"} | {
        ".".join(("medvision_agent", *path.parent.relative_to(ROOT).parts))
        for folder in FOLDERS[1:-1]
        for path in (ROOT / folder).rglob("__init__.py")
    }
    folders |= {f"medvision_agent.{path.parent.name}" for path in (ROOT / "core").glob("*/__init__.py")}
    folders.add("medvision_agent.viewer")
    assert set(settings["packages"]) == folders
    for name, folder in settings["package-dir"].items():
        # A folder called medvision_agent would hide the installed package from anyone in the checkout.
        inner = name.removeprefix("medvision_agent").removeprefix(".").replace(".", "/")
        assert folder in {inner, f"core/{inner}".removesuffix("/"), f"{inner}/built"}
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


def test_a_run_waits_for_nothing_that_tables_statistics_or_figures_need():
    code = (
        "import sys, medvision_agent.cli.run, medvision_agent.api.asking\n"
        "heavy = {'matplotlib', 'pandas', 'pyarrow', 'scipy', 'datasets', 'torch', 'transformers'}\n"
        "sys.exit(','.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_files_are_small():
    long = {
        str(path.relative_to(ROOT)): count for path in SOURCES if (count := len(path.read_text().splitlines())) > 400
    }
    assert long == {}


def test_every_module_says_its_contract():
    silent = [str(path.relative_to(ROOT)) for path in SOURCES if not ast.get_docstring(ast.parse(path.read_text()))]
    assert silent == []


def test_per_cent_are_written_in_one_way():
    """As in "48.2%": no space before the sign; code, and forms of answers quoted in backticks, are left alone."""
    pages = [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("benchmarks/*.md"),
        *ROOT.glob("examples/**/*.md"),
    ]
    lines = [(path, line) for path in pages for line in path.read_text(encoding="utf-8").splitlines()]
    apart = [(str(path), line) for path, line in lines if re.search(r"\d %(?![`\w])", line)]
    assert apart == []
