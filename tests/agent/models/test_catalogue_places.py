"""Where rows come from: shipped, plug-ins, the own file, the variable, --models; and who may replace whom."""

import os
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from installed import EXAMPLES, command, copied, install

from medvision_agent import plugins
from medvision_agent.agent.models import catalogue as places
from medvision_agent.agent.models.catalogue import find, load_catalogue, origins
from medvision_agent.errors import ConfigError

ROW = "{provider: offline, name: prior}"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def own_file(tmp_path, monkeypatch) -> Path:
    """Return where the user's own rows lie."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return places.user_file()


def test_every_place_counts_and_later_ones_replace_earlier(tmp_path, monkeypatch, own_file):
    write(own_file, f"mine: {ROW}\noracle: {{provider: offline, name: prior, note: from the own file}}")
    first = write(tmp_path / "first.yaml", f"first: {ROW}\nmine: {{extends: mine, note: from the variable}}")
    second = write(tmp_path / "second.yaml", f"second: {ROW}")
    monkeypatch.setenv(places.VARIABLE, f"{first}{os.pathsep}{second}")
    extra = write(tmp_path / "extra.yaml", "second: {extends: second, note: from --models}")
    catalogue, origin = load_catalogue(extra), origins(extra)
    assert catalogue["oracle"].note == "from the own file"
    assert catalogue["mine"].note == "from the variable"
    assert catalogue["second"].note == "from --models"
    assert [origin[name] for name in ("gpt-4.1", "oracle", "mine", "first", "second")] == [
        "the shipped catalogue",
        str(own_file),
        str(first),
        str(first),
        str(extra),
    ]


def test_a_file_named_by_the_variable_must_be_there(monkeypatch, own_file, tmp_path):
    monkeypatch.setenv(places.VARIABLE, str(tmp_path / "none.yaml"))
    with pytest.raises(ConfigError, match=f"{places.VARIABLE}: .*none.yaml: this file does not exist"):
        load_catalogue()


def test_rows_that_start_with_a_dot_are_no_models(tmp_path, own_file):
    extra = write(tmp_path / "m.yaml", ".base: {provider: offline}\nmine: {extends: .base, name: cv}")
    catalogue = load_catalogue(extra)
    assert find("mine", catalogue).name == "cv"
    assert not [name for name in catalogue if name.startswith(".")]


def offers(monkeypatch, value: str) -> None:
    point = EntryPoint("bad", value, places.GROUP)
    monkeypatch.setattr(plugins, "entry_points", lambda group: [point])


def test_a_plugin_that_fails_is_named(monkeypatch, own_file):
    offers(monkeypatch, "no_such_module:models")
    with pytest.raises(ConfigError, match=r"models 'bad' of the package .*'no_such_module'; fix or uninstall"):
        load_catalogue()


def test_a_plugin_may_not_replace_what_others_offer(tmp_path, own_file, plugged_in):
    module = plugged_in / "medvision_agent_example.py"
    module.write_text(module.read_text().replace('"centre-box": {', '"gpt-4.1": {'))
    code, _, err = command(plugged_in, "models", "list")
    assert code == 2
    assert "a model of that name is already in the shipped catalogue" in err


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """Install the example plug-in into a folder of its own."""
    return install(EXAMPLES / "plugin", tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("source"))


@pytest.fixture
def plugged_in(installed, tmp_path) -> Path:
    """Return a copy of that folder that a test may change."""
    return copied(installed, tmp_path / "site")


def test_the_example_plugin_adds_a_model_that_runs(plugged_in, tmp_path):
    code, out, err = command(plugged_in, "models", "show", "centre-box")
    assert code == 0, err
    assert "the package medvision-agent-example" in out
    words = ("run", "--model", "centre-box", "--task", "detection", "--tools", "on", "--limit", 2)
    code, out, err = command(plugged_in, *words, "--out", tmp_path / "run")
    assert code == 0, err
    assert "2 of 2 samples finished" in out
