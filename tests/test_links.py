"""The link tree: editors, type checkers and import linters see the package as it is imported."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import jedi
import pytest

ROOT = Path(__file__).parent.parent
_SPEC = importlib.util.spec_from_file_location("links", ROOT / "scripts" / "links.py")
links = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(links)


@pytest.fixture(scope="module", autouse=True)
def tree():
    links.link()


def test_the_tree_follows_the_folders(tmp_path):
    tree = tmp_path / "medvision_agent"
    links.link(tree)
    (tree / "gone.py").symlink_to("../core/gone.py")
    (tree / "errors.py").unlink()
    (tree / "text.py").unlink()
    (tree / "text.py").symlink_to("elsewhere.py")
    links.link(tree)
    assert {path.name: path.resolve() for path in tree.iterdir()} == links.wanted()
    assert not any(path.readlink().is_absolute() for path in tree.iterdir())


def test_an_environment_that_names_the_tree_finds_the_package_in_it(tmp_path):
    file = links.install(tmp_path)
    code = "import site, sys; site.addsitedir(sys.argv[1]); import medvision_agent.tools as m; print(m.__file__)"
    command = [sys.executable, "-I", "-S", "-c", code, tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == (str(links.TREE / "tools" / "__init__.py"), ""), file.read_text()


def test_go_to_definition_finds_the_file():
    source = "from medvision_agent.eval.scorer.protocol import protocol\n"
    script = jedi.Script(source, project=jedi.Project(ROOT, added_sys_path=[str(links.TREE.parent)]))
    (found,) = script.goto(1, source.rindex("protocol"), follow_imports=True)
    assert found.module_path.resolve() == ROOT / "eval" / "scorer" / "protocol.py"
    assert found.type == "function"
