"""A package that ends the program when it is imported: it is named, at every door, and nothing ends."""

import pytest
from click.testing import CliRunner
from installed import plugged_in, written

from medvision_agent.agent.models import MODEL_CONFIG
from medvision_agent.agent.providers.factory import open_model
from medvision_agent.cli.main import cli
from medvision_agent.errors import ConfigError, MedVisionAgentError
from medvision_agent.tools.registry.registry import installed

LEAVES = "import sys\nsys.exit(3)\n"
RUN = ("run", "--model", "baseline-prior", "--limit", "1", "--out", "r")
DOORS = {
    "models": ("models", "list"),
    "sources": (*RUN, "--data", "leaver:x"),
    "tools": (*RUN, "--tools", "leaver"),
    "grammars": ("run", "--model", "llava-med-7b", "--limit", "1", "--out", "r", "--grammar", "leaver"),
}


@pytest.mark.parametrize("door", DOORS)
def test_a_package_that_exits_on_import_is_named(door, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    installed.cache_clear()
    module = f"leaver_{door}"
    site = written(tmp_path, "their-package", f"medvision_agent.{door}", {"leaver": f"{module}:x"}, **{module: LEAVES})
    with plugged_in(site):
        done = CliRunner().invoke(cli, DOORS[door])
    installed.cache_clear()
    assert isinstance(done.exception, MedVisionAgentError), done.output
    assert "'leaver' of the package their-package 1.2 fails: SystemExit: 3" in str(done.exception)


async def test_so_is_the_factory_of_a_langchain_model(tmp_path):
    (tmp_path / "leaver_factory.py").write_text(LEAVES, encoding="utf-8")
    row = {"provider": "langchain", "model": "m", "factory": "leaver_factory:make", "perceived": {"rule": "native"}}
    words = "importing leaver_factory:make fails: SystemExit: 3; correct the code of its module"
    with plugged_in(tmp_path), pytest.raises(ConfigError, match=words):
        async with open_model(MODEL_CONFIG.validate_python(row)):
            pass
