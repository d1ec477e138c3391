"""Tools from files and packages beside the shipped ones: chosen by name, dated, hashed, and no clash unnoticed."""

from hashlib import sha256
from importlib.metadata import EntryPoint

import pytest

from medvision_agent import plugins
from medvision_agent.agent.condition import Condition
from medvision_agent.errors import ConfigError
from medvision_agent.tools.registry import NEWEST, SETS, TOOLS, installed, registry

IMPORTS = """
from __future__ import annotations
from pydantic import Field
from medvision_agent.tools.base import Arguments, Output, Result, tool
from medvision_agent.tools.view.views import ViewSet
"""
TOOL = '''
class Nothing(Arguments):
    """None."""

class Answer(Result):
    answer: int

@tool(Nothing, Answer, sees_image=False)
def NAME(views: ViewSet, args: Nothing) -> Output:
    """Return the answer to the ultimate question of life."""
    return Output(Answer(answer=42))
'''


@pytest.fixture
def file(tmp_path):
    """Return a function that writes a file with a tool of each name."""

    def written(*names, text=""):
        path = tmp_path / "mine.py"
        path.write_text(IMPORTS + "".join(TOOL.replace("NAME", name) for name in names) + text)
        return path

    return written


def test_on_is_the_newest_set_and_the_tools_of_the_file(file):
    own = installed().with_file(file("mine"))
    on, dated, more = (Condition.parse(text, own) for text in ("on", f"on@{NEWEST}", f"on@{NEWEST},mine,ruler"))
    assert [tool.name for tool in on.tools] == [*TOOLS, "mine"]
    assert [tool.name for tool in dated.tools] == list(SETS[NEWEST]) == list(TOOLS)
    assert [tool.name for tool in more.tools] == [*TOOLS, "mine"]
    assert [(one.name, one.tool_set) for one in (on, dated, more)] == [
        ("on", NEWEST),
        ("on", NEWEST),
        ("on,mine", NEWEST),
    ]
    assert Condition.parse("mine,ruler", own).name == "ruler,mine"
    assert Condition.parse("blind/mine", own).name == "blind:all/mine"
    assert "mine" in [tool.name for tool in Condition.parse("sham", own).tools]
    with pytest.raises(ConfigError, match="unknown tool 'mine'"):
        Condition.parse("mine")  # nothing was changed for anyone else


def test_todays_six_tools_are_the_set_of_2026_11():
    assert SETS["2026-11"] == ("pixel_spacing", "crop", "ruler", "protractor", "fit_contour", "python")
    assert installed().sets_of("ruler")[0] == "on@2026-11"
    with pytest.raises(ConfigError, match=r"no set of tools is dated '2025-01'; known sets: on@2026-11"):
        Condition.parse("on@2025-01")
    with pytest.raises(ConfigError, match="only one set of tools can be named, but here are on and on@2026-11"):
        Condition.parse("on,on@2026-11")


def test_set_and_code_stand_in_the_identity(file):
    path = file("mine")
    own = installed().with_file(path)
    identity = Condition.parse("on", own).identity()
    assert identity["tool_set"] == NEWEST
    assert identity["tool_code_sha256"] == {"mine": sha256(path.read_bytes()).hexdigest()}
    named = Condition.parse("ruler").identity()
    assert (named["tool_set"], named["tool_code_sha256"]) == ("", {})
    path.write_text(path.read_text() + "# changed\n")
    changed = Condition.parse("on", installed().with_file(path)).identity()
    assert changed["tool_code_sha256"] != identity["tool_code_sha256"]
    assert changed["tool_schemas_sha256"] == identity["tool_schemas_sha256"]


def test_a_file_is_executed_once(file, tmp_path):
    path = file("mine", text=f"with open({str(tmp_path / 'ran')!r}, 'a') as ran:\n    ran.write('x')\n")
    first, second = (installed().with_file(path).tool("mine") for _ in range(2))
    assert (tmp_path / "ran").read_text() == "x"
    assert first.function is second.function


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "x = 1\ny = (\n",
            r"mine.py: line 2: this file of tools cannot be executed: SyntaxError: '\(' was never closed",
        ),
        ("import no_such_module\n", "mine.py: line 1: .*: ModuleNotFoundError: No module named 'no_such_module'"),
        ("import sys\n\nsys.exit(3)\n", r"mine.py: line 3: .*: SystemExit: it ends the program \(exit code 3\)"),
        ("raise ValueError('a\\nb\\x1b')\n", r"mine.py: line 1: .*: ValueError: a b\?"),
        ("x = 1\n", "mine.py: the file defines no tool; a tool is a function decorated with @tool"),
        ("from medvision_agent.tools.ruler import ruler\n", "mine.py: the file defines no tool"),
        ("\0", "mine.py: "),
    ],
)
def test_a_file_that_fails_is_named_with_its_line(tmp_path, text, message):
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        installed().with_file(path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match=r"none.py: the file of tools cannot be read \(No such file"):
        installed().with_file(tmp_path / "none.py")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["ruler"], r"mine.py: tool ruler: a tool of that name is already in the shipped tools; rename the one in"),
        (["code"], r"mine.py: code: a tool cannot have the name of a condition \(again, .*\); rename the tool"),
        (["länge"], "mine.py: länge: the name of a tool must have 1 to 64 characters"),
    ],
)
def test_a_name_that_clashes_or_misleads_is_refused(file, names, message):
    with pytest.raises(ConfigError, match=message):
        installed().with_file(file(*names))


@pytest.fixture
def package(monkeypatch):
    """Return a function that offers entry points beside the shipped ones, as installed packages do."""
    shipped = plugins.entry_points(group="medvision_agent.tools")

    def offers(**points):
        found = [*shipped, *(EntryPoint(name, value, "medvision_agent.tools") for name, value in points.items())]
        monkeypatch.setattr(plugins, "entry_points", lambda group: found)
        return registry.installed.__wrapped__()

    return offers


def test_a_package_is_only_imported_when_its_tool_is_asked_for(package):
    found = package(area="no_such_module:area")
    assert [tool.name for tool in found.choose("on").tools] == list(TOOLS)
    with pytest.raises(ConfigError, match=r"tool 'area' of the package .* fails: ModuleNotFoundError.*uninstall"):
        found.choose("on,area")


def test_a_package_offers_tools_under_their_own_names(package):
    with pytest.raises(ConfigError, match="tool ruler: a tool of that name is already in the shipped tools"):
        package(ruler="some_module:ruler")
    with pytest.raises(ConfigError, match=r"'area' of .* is a tool called 'ruler'; the entry point must have"):
        package(area="medvision_agent.tools.ruler:ruler").tool("area")
    with pytest.raises(ConfigError, match="is no tool; name a function decorated with @tool"):
        package(area="medvision_agent.tools.ruler:distance_mm").tool("area")


def test_the_hash_of_a_packages_tool_covers_all_its_files(package, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    hashes = []
    for name, table in (("first_pack", "1"), ("second_pack", "1"), ("third_pack", "2")):
        (tmp_path / name / "parts").mkdir(parents=True)
        (tmp_path / name / "__init__.py").write_text("")
        (tmp_path / name / "table.csv").write_text(table)
        (tmp_path / name / "parts" / "tool.py").write_text(IMPORTS + TOOL.replace("NAME", "area"))
        hashes.append(package(area=f"{name}.parts.tool:area").tool("area").code_sha256)
    assert hashes[0] == hashes[1] != hashes[2]
    assert len(hashes[0]) == 64
